package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Source is where a process gets its keys: once as it starts, and again when
// [Vault.Open] reports [ErrUnknownKey], which is how a long-lived process
// learns of a rotation.
//
// One method is enough for a cloud key service too. There the document lies
// encrypted beside the program's settings; the source has the service decrypt
// it, one call for the life of the process, and hands the answer to
// [ParseKeys]. Writing the document (make, rotate, encrypt, put down) is an
// operator's act, done with rights that a serving process does not have.
type Source interface {
	// Keys returns the keys as they are now.
	Keys(ctx context.Context) (Keys, error)
}

// File is the Source for one machine: the document in a file, made if it is not
// there. See [OpenFile].
type File struct {
	Path   string
	Random io.Reader // crypto/rand.Reader everywhere but in tests
}

// Keys opens the file. A local file is not waited for, so ctx goes unused.
func (f File) Keys(context.Context) (Keys, error) { return OpenFile(f.Path, f.Random) }

// OpenFile reads the key document at path. If there is none it makes one with
// keys drawn from random, whole and on disk before anybody can see it; of
// several processes that do so at once all end with the keys of one of them.
// The directory must be there.
//
// It refuses a file that the group or others may touch. (Windows shows no such
// modes, so there it does not look.)
//
// Whoever loses the file loses all that was sealed with it: a caller who finds
// sealed records but no file does better to stop than to call OpenFile.
func OpenFile(path string, random io.Reader) (Keys, error) {
	keys, err := readFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if err := makeFile(path, random); err != nil {
		return Keys{}, err
	}
	return readFile(path) // whoever made it
}

func readFile(path string) (Keys, error) {
	f, err := os.Open(path) // #nosec G304 -- the file is the operator's choice
	if err != nil {
		return Keys{}, fmt.Errorf("vault: %w", err)
	}
	defer f.Close()
	// The mode of what was opened, not of what path names by now.
	info, err := f.Stat()
	if err != nil {
		return Keys{}, fmt.Errorf("vault: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Keys{}, fmt.Errorf("vault: %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return Keys{}, fmt.Errorf("密钥文件 %[1]s 的权限是 %04[2]o，同组或其他用户也能访问；请执行 chmod 600 %[1]s / "+
			"key file %[1]s has mode %04[2]o, which lets its group or others in: run chmod 600 %[1]s", path, mode)
	}
	document, err := io.ReadAll(f)
	if err != nil {
		return Keys{}, fmt.Errorf("vault: %w", err)
	}
	keys, err := ParseKeys(document)
	if err != nil {
		return Keys{}, fmt.Errorf("key file %s: %w", path, err)
	}
	return keys, nil
}

// makeFile puts a new document at path unless something is there by then.
//
// It is written under another name and then linked, not renamed: a rename would
// take the place of the keys another process has just made and perhaps used.
func makeFile(path string, random io.Reader) error {
	keys, err := NewKeys(random)
	if err != nil {
		return err
	}
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	temp, err := os.CreateTemp(dir, "."+name+"-*") // CreateTemp gives mode 0600
	if err != nil {
		return fmt.Errorf("vault: making key file: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(keys.Document())
	if err == nil {
		err = temp.Sync()
	}
	if e := temp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Link(temp.Name(), path)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("vault: making key file: %w", err)
	}
	return syncDir(dir)
}

// syncDir puts the directory's new name on disk. The loser of a race does it as
// well: it is about to use the winner's keys, and they must outlive a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be synced there
	}
	d, err := os.Open(dir) // #nosec G304 -- the folder is the operator's choice
	if err != nil {
		return fmt.Errorf("vault: making key file: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("vault: making key file: %w", err)
	}
	return nil
}
