// Command keys makes and rotates the vault's key document, which a deployment gets
// encrypted by a key service (docs/operations.md). It writes nothing to disk: a
// document goes through pipes alone.
//
//	go run ./infra/keys new                  a new document
//	go run ./infra/keys rotate <document     the same with a new sealing key
//	go run ./infra/keys drop <document       the same without the older sealing keys
//	go run ./infra/keys hash <document       those of its keys that hash, for the secret
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
	if slices.Equal(args, []string{"new"}) {
		keys, err := vault.NewKeys(rand.Reader)
		return write(out, keys, err)
	}
	if len(args) != 1 || !slices.Contains([]string{"rotate", "drop", "hash"}, args[0]) {
		return errors.New("keys new, keys rotate <document, keys drop <document, or keys hash <document")
	}
	document, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	keys, err := vault.ParseKeys(document)
	if err != nil {
		return err
	}
	switch args[0] {
	case "hash":
		return write(out, keys.HashKeys(), nil)
	case "drop":
		keys, err = keys.Drop()
	default:
		keys, err = keys.Rotate(rand.Reader)
	}
	return write(out, keys, err)
}

func write(out io.Writer, keys interface{ Document() []byte }, err error) error {
	if err == nil {
		_, err = out.Write(keys.Document())
	}
	return err
}
