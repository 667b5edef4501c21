// Package checkpoint says in a few signed lines how far the chains of all accounts had
// come at the end of a day.
//
// An account's entries are chained, so the hash of one of them speaks for all before
// it. A checkpoint is the root of a Merkle tree (RFC 6962) over the newest entry of
// each account that moved on the day, signed with Ed25519 as a note
// (golang.org/x/mod/sumdb/note), and it names the checkpoint before. Whoever keeps the
// note and the heads outside the house needs to trust neither the table nor the vault's
// keys: history that is written anew afterwards, with right chains and right stamps,
// has other hashes.
package checkpoint

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gongji/shared/family"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Head is an entry of an account by its number and hash. The hash is empty where the
// entry is not there or damaged.
type Head struct {
	Account family.PersonNo `json:"account"`
	Seq     uint64          `json:"seq"`
	Hash    family.Hash     `json:"hash"`
}

// Newest returns the newest head of each account, in the order of the accounts.
func Newest(heads []Head) []Head {
	sorted := slices.SortedFunc(slices.Values(heads), func(a, b Head) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(b.Seq, a.Seq))
	})
	return slices.CompactFunc(sorted, func(a, b Head) bool { return a.Account == b.Account })
}

// Checkpoint is what is signed of a day.
type Checkpoint struct {
	Day      family.Day
	Accounts int // that moved
	// Root is over the newest heads.
	Root tlog.Hash
	// Previous is the SHA-256 of the text of the checkpoint before, zero of the first.
	Previous [sha256.Size]byte
}

// Of returns the checkpoint of a day's heads. previous is the text of the checkpoint
// before, empty for the first.
func Of(day family.Day, heads []Head, previous string) Checkpoint {
	c := Checkpoint{Day: day}
	if previous != "" {
		c.Previous = sha256.Sum256([]byte(previous))
	}
	newest := Newest(heads)
	c.Accounts = len(newest)
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			out[i] = stored[at]
		}
		return out, nil
	})
	for i, h := range newest {
		line := fmt.Sprintf("gongji head 1\n%s\n%d\n%s\n", h.Account, h.Seq, h.Hash)
		hashes, err := tlog.StoredHashes(int64(i), []byte(line), reader)
		if err != nil {
			panic(err) // the reader has none
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(int64(len(newest)), reader)
	if err != nil {
		panic(err)
	}
	c.Root = root
	return c
}

const form = "gongji checkpoint 1\nday %d\naccounts %d\nroot %s\nprevious %s\n"

// Text returns what is signed.
func (c Checkpoint) Text() string {
	return fmt.Sprintf(form, c.Day, c.Accounts, c.Root, base64.StdEncoding.EncodeToString(c.Previous[:]))
}

var errForm = errors.New("checkpoint: not the text of a checkpoint")

// Parse reads the text of a checkpoint; there is one way to write one.
func Parse(text string) (Checkpoint, error) {
	var c Checkpoint
	var root, previous string
	if _, err := fmt.Sscanf(text, form, &c.Day, &c.Accounts, &root, &previous); err != nil {
		return c, errForm
	}
	var err error
	if c.Root, err = tlog.ParseHash(root); err != nil {
		return c, errForm
	}
	before, err := base64.StdEncoding.DecodeString(previous)
	if err != nil || len(before) != len(c.Previous) {
		return c, errForm
	}
	c.Previous = [sha256.Size]byte(before)
	if c.Text() != text {
		return c, errForm
	}
	return c, nil
}

// Sign returns the checkpoint as a signed note.
func (c Checkpoint) Sign(by note.Signer) (string, error) {
	signed, err := note.Sign(&note.Note{Text: c.Text()}, by)
	return string(signed), err
}

// Open returns the checkpoint of a note that a verifier's key signed, and its text.
func Open(signed string, by note.Verifier) (Checkpoint, string, error) {
	n, err := note.Open([]byte(signed), note.VerifierList(by))
	if err != nil {
		return Checkpoint{}, "", fmt.Errorf("checkpoint: %w", err)
	}
	c, err := Parse(n.Text)
	return c, n.Text, err
}

// TextOf returns the text of a signed note without looking at its signatures.
func TextOf(signed string) string {
	text, _, _ := strings.Cut(signed, "\n\n")
	return text + "\n"
}

// Audit holds heads that were kept since a day was signed against those that the
// house tells now, and lists in words what does not agree. More entries of the day may
// have come to light since; none may have changed or gone.
func Audit(c Checkpoint, kept, now []Head) []string {
	var found []string
	if of := Of(c.Day, kept, ""); of.Root != c.Root || of.Accounts != c.Accounts {
		found = append(found, "the heads that were kept are not those that were signed")
	}
	told := map[Head]bool{}
	for _, h := range now {
		told[h] = true
	}
	for _, h := range Newest(kept) {
		if !told[h] {
			found = append(found, fmt.Sprintf("account %s: entry %d is not what was signed: its history was written anew, or is lost", h.Account, h.Seq))
		}
	}
	return found
}
