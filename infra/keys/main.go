// Command keys makes and rotates the vault's key document, which a deployment gets
// encrypted by a key service (docs/operations.md). It writes nothing to disk: a
// document goes through pipes alone.
//
//	go run ./infra/keys new                  a new document
//	go run ./infra/keys rotate <document     the same with a new sealing key
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"gongji/shared/vault"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	var keys vault.Keys
	var err error
	switch {
	case slices.Equal(args, []string{"new"}):
		keys, err = vault.NewKeys(rand.Reader)
	case slices.Equal(args, []string{"rotate"}):
		keys, err = rotated(in)
	default:
		err = errors.New("keys new, or keys rotate <document")
	}
	if err != nil {
		return err
	}
	_, err = out.Write(keys.Document())
	return err
}

// rotated returns the keys of a document with a new current sealing key.
func rotated(in io.Reader) (vault.Keys, error) {
	document, err := io.ReadAll(in)
	if err != nil {
		return vault.Keys{}, err
	}
	keys, err := vault.ParseKeys(document)
	if err != nil {
		return vault.Keys{}, err
	}
	return keys.Rotate(rand.Reader)
}
