package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The files of the key that signs each day's chain heads. Here it lies beside the
// database, as the vault's keys do: what it signs binds nobody who can write this
// folder. Whoever checks takes the public half from it once, and keeps that elsewhere.
const (
	sealFile   = "seal.key"
	sealPublic = "seal.pub"
	sealName   = "gongji-local"
)

// openSigner reads the key that signs the days, or makes one.
func openSigner(dir string) (note.Signer, error) {
	path := filepath.Join(dir, sealFile)
	text, err := os.ReadFile(path) // #nosec G304 -- the folder is the operator's choice
	if errors.Is(err, fs.ErrNotExist) {
		private, public, err := note.GenerateKey(rand.Reader, sealName)
		if err != nil {
			return nil, err
		}
		// The public half first: a private one is never there without it.
		err = os.WriteFile(filepath.Join(dir, sealPublic), []byte(public+"\n"), 0o644) // #nosec G306 -- a public key
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(private+"\n"), 0o600); err != nil {
			return nil, err
		}
		return note.NewSigner(private)
	}
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: not a signing key", path) // the library's error would show it
	}
	return signer, nil
}
