// Verify is for whoever keeps a house's signed days outside it:
//
//	go run ./infra/verify -key seal.pub -keep DIR -token FILE -day 20261120 [-url http://127.0.0.1:8080]
//
// The first time it takes the day's checkpoint and heads, checks the signature and that
// the heads are what was signed, and keeps both in DIR. Each time after that it holds
// what it kept against what the house tells now: history that was written anew since,
// or a note that was, is found and ends the program with 1.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gongji/shared/checkpoint"
	"gongji/shared/family"

	"golang.org/x/mod/sumdb/note"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. It returns 0 when all agrees, 1 when something does not, 2 when
// it could not be found out.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	key := flags.String("key", "", "`file` with the public key, from the operator's own hand")
	keep := flags.String("keep", "", "`directory` in which days are kept")
	token := flags.String("token", "", "`file` with an auditor's token")
	day := flags.String("day", "", "the `day`, YYYYMMDD")
	house := flags.String("url", "http://127.0.0.1:8080", "the house's `address`")
	if flags.Parse(args) != nil {
		return 2
	}
	found, err := verify(*key, *keep, *token, *day, *house)
	if err != nil {
		fmt.Fprintln(stderr, "verify:", err)
		return 2
	}
	for _, f := range found {
		fmt.Fprintln(stdout, f)
	}
	if len(found) > 0 {
		return 1
	}
	fmt.Fprintln(stdout, *day, "is what was signed")
	return 0
}

// verify returns what does not agree.
func verify(keyFile, keep, tokenFile, dayText, house string) ([]string, error) {
	day, err := family.ParseDay(dayText)
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(keyFile) // #nosec G304 -- the file is the auditor's choice
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return nil, err
	}
	bearer, err := os.ReadFile(tokenFile) // #nosec G304 -- the file is the auditor's choice
	if err != nil {
		return nil, err
	}
	h := asker{strings.TrimRight(house, "/"), strings.TrimSpace(string(bearer))}
	var told struct{ Note string }
	if err := h.ask("/v1/checkpoints/"+day.String(), &told); err != nil {
		return nil, err
	}
	c, _, err := checkpoint.Open(told.Note, verifier)
	if err != nil || c.Day != day {
		return []string{"what the house tells of the day is not signed with this key"}, nil
	}
	now, err := h.heads(day)
	if err != nil {
		return nil, err
	}
	noteFile, headsFile := filepath.Join(keep, day.String()+".note"), filepath.Join(keep, day.String()+".ndjson")
	kept, err := os.ReadFile(noteFile) // #nosec G304 -- the file is the auditor's choice
	if errors.Is(err, fs.ErrNotExist) {
		if found := checkpoint.Audit(c, now, now); len(found) > 0 {
			return found, nil // nothing is kept that does not agree
		}
		if err := writeHeads(headsFile, now); err != nil {
			return nil, err
		}
		return nil, os.WriteFile(noteFile, []byte(told.Note), 0o644) // #nosec G306 -- a note for everybody to read
	}
	if err != nil {
		return nil, err
	}
	var found []string
	if string(kept) != told.Note {
		found = append(found, "the house tells another note than was kept: the day was signed again")
	}
	if c, _, err = checkpoint.Open(string(kept), verifier); err != nil || c.Day != day {
		return append(found, "the note that was kept is not signed with this key"), nil
	}
	before, err := readHeads(headsFile)
	if err != nil {
		return nil, err
	}
	return append(found, checkpoint.Audit(c, before, now)...), nil
}

// asker asks a house as an auditor.
type asker struct{ house, token string }

func (a asker) ask(path string, into any) error {
	r, err := http.NewRequest(http.MethodGet, a.house+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	client := http.Client{Timeout: 2 * time.Minute}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %d %.300s", path, answer.StatusCode, body)
	}
	return json.Unmarshal(body, into)
}

// heads asks for all heads of a day.
func (a asker) heads(day family.Day) ([]checkpoint.Head, error) {
	var all []checkpoint.Head
	for after := ""; ; {
		var page struct {
			Items []struct {
				PersonNo string `json:"person_no"`
				Seq      uint64
				Hash     string
			}
			Next string `json:"next_after"`
		}
		if err := a.ask("/v1/checkpoints/"+day.String()+"/heads?after="+url.QueryEscape(after), &page); err != nil {
			return nil, err
		}
		for _, h := range page.Items {
			all = append(all, checkpoint.Head{Account: family.PersonNo(h.PersonNo), Seq: h.Seq, Hash: family.Hash(h.Hash)})
		}
		if page.Next == "" {
			return all, nil
		}
		after = page.Next
	}
}

// writeHeads keeps the newest heads, one JSON object a line.
func writeHeads(path string, heads []checkpoint.Head) error {
	var b strings.Builder
	lines := json.NewEncoder(&b)
	for _, h := range checkpoint.Newest(heads) {
		if err := lines.Encode(h); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(b.String()), 0o644) // #nosec G306 -- heads for everybody to read
}

func readHeads(path string) ([]checkpoint.Head, error) {
	f, err := os.Open(path) // #nosec G304 -- the file is the auditor's choice
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []checkpoint.Head
	for lines := json.NewDecoder(f); ; {
		var h checkpoint.Head
		if err := lines.Decode(&h); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, h)
	}
}
