package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gongji/infra/rig"
)

// plant is a bug that is planted in the server: a text of a file that stands there
// once, and what stands there instead. They are of the kind that only those notice who
// speak at once; infra/mutants has the others.
type plant struct {
	file, old, bad string
	breaks         string
}

var plants = []plant{
	{
		"shared/store/sqlite/writer.go", `		if uint64(found[i].version) != w.Base {`, `		if false && uint64(found[i].version) != w.Base {`,
		"a commit overwrites what another has written since it read",
	},
	{
		"shared/store/sqlite/writer.go", `	} else if err := s.do(s.commit); err != nil {`,
		`	} else if func() bool {
		for i, c := range batch {
			c.answer <- answers[i]
		}
		time.Sleep(20 * time.Millisecond)
		return false
	}() {
	} else if err := s.do(s.commit); err != nil {`,
		"a commit is answered before others can read it",
	},
	{
		"shared/app/ask.go", `			return MessageView{Message: id, Fenced: true}, put(t, messageRef, messageRecord{State: messageFenced, At: now})`,
		`			return MessageView{Message: id, Fenced: true}, nil`,
		"a message is said to be fenced and is not",
	},
	{
		"shared/app/settle.go", `		case found && first.State != messageWaits:`, `		case found && first.State != messageWaits && first.State != messageSettled:`,
		"a message that was settled is settled again",
	},
	{
		"shared/app/settle.go", `		if effects.Token != nil {
			if err := a.putToken(`, `		if effects.Token != nil && false {
			if err := a.putToken(`,
		"a code is not spent",
	},
	{
		"shared/app/refund.go", `		sale.Settlement = &after
`, `		_ = after
`,
		"a sale forgets what was given back of it",
	},
	{
		"shared/family/settle.go", `			payer.Given[i].spend(month, share.Paid.Total())
`, `			if len(effects.Accounts) == 1 {
				payer.Given[i].spend(month, share.Paid.Total())
			}
`,
		"of two grantors who pay together the second's cap counts nothing",
	},
	{
		"shared/family/pair.go", `		pair.Member.Grantors = append(pair.Member.Grantors, Grantor{Person: b.Holder, Binding: b.ID})`,
		`		pair.Member.Grantors = append([]Grantor{{Person: b.Holder, Binding: b.ID}}, pair.Member.Grantors...)`,
		"who became a grantor last pays first",
	},
	{
		"shared/app/settle.go", `		return answered{record: record}, put(t, messageRef, record)
`, `		if found {
			time.Sleep(20 * time.Millisecond)
			if is, err := a.store.Get(t.ctx, messageRef.storeKey()); err == nil {
				t.slots[messageRef.storeKey()].record.Version = is[0].Version
			}
		}
		return answered{record: record}, put(t, messageRef, record)
`,
		"a sale that waited does not hear a word that was given since it looked",
	},
	{
		"shared/app/gather.go", `	if told == nil {
`, `	if told == nil || t.tally.again.Load() > 0 {
`,
		"a sale that had to look again does not count on the ration",
	},
}

// plantedRounds is how many rounds may notice a planted bug.
const plantedRounds = 4

// plantAll plants the bugs, one after another, and fails where one is not noticed.
func (c *campaign) plantAll(ctx context.Context) error {
	var wrong []error
	for n, p := range plants[:max(0, min(c.plants, len(plants)))] {
		if !strings.Contains(p.breaks, c.only) {
			continue
		}
		folder := filepath.Join(c.folder, fmt.Sprint("plant-", n))
		program, err := p.build(ctx, folder)
		if err != nil {
			return err
		}
		bad := *c
		bad.rounds, bad.dynamodb, bad.folder, bad.quiet = plantedRounds, "", folder, true
		bad.servers, bad.kills = 1, false
		crooked := (*crookedError)(nil)
		switch err := bad.against(ctx, program, filepath.Join(folder, "data")); {
		case errors.As(err, &crooked):
			fmt.Println("found, no order explains what was heard:", p.breaks)
		case errors.Is(err, errNever):
			fmt.Println("found, a request never comes to an end:", p.breaks)
		case err == nil:
			wrong = append(wrong, fmt.Errorf("nobody noticed: %s", p.breaks))
		default:
			wrong = append(wrong, fmt.Errorf("%s: %w", p.breaks, err))
		}
	}
	return errors.Join(wrong...)
}

// build builds the server with the bug in it. The tree is left as it is: the compiler
// is given the changed file by an overlay.
func (p plant) build(ctx context.Context, folder string) (string, error) {
	text, err := os.ReadFile(p.file)
	if err != nil {
		return "", err
	}
	if bytes.Count(text, []byte(p.old)) != 1 {
		return "", fmt.Errorf("linear: %s: what is to be broken does not stand there once: %s", p.file, p.breaks)
	}
	file, err := filepath.Abs(p.file)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(folder, "changed.go"), filepath.Join(folder, "overlay.json")
	err = errors.Join(os.MkdirAll(folder, 0o700),
		os.WriteFile(changed, bytes.Replace(text, []byte(p.old), []byte(p.bad), 1), 0o600),
		os.WriteFile(overlay, rig.Encode(map[string]map[string]string{"Replace": {file: changed}}), 0o600))
	if err != nil {
		return "", err
	}
	return rig.Build(ctx, folder, "-overlay", overlay)
}
