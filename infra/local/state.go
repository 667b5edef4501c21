package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gongji/shared/app"
	"gongji/shared/store"
	"gongji/shared/store/sqlite"
	"gongji/shared/vault"

	"golang.org/x/mod/sumdb/note"
)

// state is what outlives the process: the records, and the keys without which
// nobody can read them.
type state struct {
	store store.Store
	name  string // of the database, for a person
	close func() error
	keys  vault.Keys
	// signer signs each day's chain heads.
	signer note.Signer
}

// open opens the records and the keys. Whoever has records but no keys is stopped
// here: under new keys nobody in the database would be found again, and no name in
// it could be read.
func open(ctx context.Context, o options) (*state, error) {
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	var s *state
	var err error
	if o.dynamodb == "" {
		s, err = openSQLite(ctx, filepath.Join(o.data, "gongji.db"))
	} else {
		s, err = openDynamoDB(ctx, o.dynamodb)
	}
	if err != nil {
		return nil, err
	}
	if s.keys, err = s.openKeys(ctx, filepath.Join(o.data, "keys.json")); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.signer, err = openSigner(o.data); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func openSQLite(ctx context.Context, path string) (*state, error) {
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return &state{store: s, name: path, close: s.Close}, nil
}

// openKeys reads the keys, or makes them for a database that is new.
func (s *state) openKeys(ctx context.Context, path string) (vault.Keys, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		founded, err := app.Founded(ctx, s.store)
		if err != nil {
			return vault.Keys{}, err
		}
		if founded {
			return vault.Keys{}, fmt.Errorf("数据库 %[1]s 已存在，但没有密钥文件 %[2]s。没有原来的密钥，库中的姓名和证件号码无法解开，因此不生成新密钥。"+
				"请把密钥文件放回原处；如果不再需要这些数据，请用 -data 指定一个新目录。\n"+
				"the database %[1]s is there and its key file %[2]s is not. Without the old keys the names and ID numbers in it cannot be opened, so no new keys are made. "+
				"Put the key file back; or, if the data is no longer needed, name a new directory with -data.", s.name, path)
		}
	}
	return vault.OpenFile(path, rand.Reader)
}

// foreignKeys says that the key file belongs to another database.
func (s *state) foreignKeys() error {
	return fmt.Errorf("密钥文件不是数据库 %[1]s 的：用这些密钥解不开库中的姓名和证件号码，也找不到任何人。请放回原来的 keys.json。\n"+
		"the key file is not that of the database %[1]s: with these keys no name in it can be opened and nobody in it found. Put its own keys.json back.", s.name)
}
