package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"gongji/infra/rig"
)

// account reads a person's balance, in fen.
func (w *town) account(ctx context.Context, person string) (int64, rig.Reply) {
	reply := w.ask(ctx, &message{who: rig.Who{Person: person}, request: rig.Request{Method: http.MethodGet, Path: "/v1/account"}})
	var a struct {
		Balance int64 `json:"balance_fen"`
	}
	if reply.OK() && json.Unmarshal(reply.Body, &a) != nil {
		return 0, rig.Reply{}
	}
	return a.Balance, reply
}

// find asks for a settlement that was answered: it is there, and it is the same.
func (w *town) find(ctx context.Context, m *message) (alive bool, err error) {
	reply := w.ask(ctx, &message{who: m.who, request: rig.Request{Method: http.MethodGet, Path: "/v1/messages/" + m.id}})
	if reply.Unknown() {
		return reply.Status != 0, nil
	}
	var found struct {
		State      string
		Settlement json.RawMessage
	}
	if err := json.Unmarshal(reply.Body, &found); err != nil || found.State != "settled" {
		return true, fmt.Errorf("%s was answered %d and is now: %s", m.id, m.reply.Status, reply.Body)
	}
	is, err := (&message{id: m.id, reply: rig.Reply{Body: found.Settlement}}).paid()
	if err != nil {
		return true, err
	}
	was, err := m.paid()
	if err == nil && is != was {
		err = fmt.Errorf("%s was answered %+v and is now %+v", m.id, was, is)
	}
	return true, err
}

// tally counts what the audits of a run met.
type tally struct {
	answered, refused  int // and found to be so
	resolved, vanished int // unknown ones that had been done, and that had not
	settlements        int // that the proofs went through
}

// maxAgain bounds how often an auditor sends one message.
const maxAgain = 50

// audit looks at every message since the audit before: what was answered is so, and
// what is unknown resolves by its id. Then it holds the balances against the
// messages, and has the books proved.
func (w *town) audit(ctx context.Context, dice *rand.Rand, t *tally) error {
	touched := map[string]bool{}
	for _, m := range w.messages[w.audited:] {
		if err := w.auditOne(ctx, m, dice, t); err != nil {
			return err
		}
		if err := w.count(m, touched); err != nil {
			return err
		}
	}
	w.audited = len(w.messages)
	for person := range touched {
		fen, reply := w.account(ctx, person)
		if !reply.OK() || fen != w.balance[person] {
			return fmt.Errorf("%s has %d fen (%d), and the messages come to %d", person, fen, reply.Status, w.balance[person])
		}
	}
	return w.prove(ctx, t)
}

func (w *town) auditOne(ctx context.Context, m *message, dice *rand.Rand, t *tally) error {
	was := m.reply
	if was.Unknown() && m.kind == settlement && dice.IntN(2) == 0 {
		// A till that asks first: what was never seen is fenced and cannot land.
		fenced := w.ask(ctx, &message{who: m.who, request: rig.Request{Method: http.MethodGet, Path: "/v1/messages/" + m.id}})
		var found struct{ State string }
		if err := json.Unmarshal(fenced.Body, &found); err != nil || !fenced.OK() {
			return fmt.Errorf("asked about %s: %d %s", m.id, fenced.Status, fenced.Body)
		}
		again := w.ask(ctx, m)
		if done := found.State == "settled"; done != again.OK() {
			return fmt.Errorf("%s is %s, and sent again it is answered %d %s", m.id, found.State, again.Status, again.Body)
		}
	}
	again := w.ask(ctx, m)
	for n := 1; again.Unknown() && n < maxAgain; n++ {
		time.Sleep(20 * time.Millisecond)
		again = w.ask(ctx, m)
	}
	switch {
	case again.Unknown():
		return fmt.Errorf("%s does not resolve: %d %s", m.id, again.Status, again.Body)
	case was.Unknown() && again.OK() && again.Replay:
		t.resolved++
	case was.Unknown():
		t.vanished++
	case was.OK() != again.OK():
		return fmt.Errorf("%s was answered %d %s and is now answered %d %s", m.id, was.Status, was.Body, again.Status, again.Body)
	case !was.OK():
		t.refused++
		if was.Code() != again.Code() {
			return fmt.Errorf("%s was refused as %s and is now refused as %s", m.id, was.Code(), again.Code())
		}
	default:
		t.answered++
		if err := sameAnswer(m, was, again); err != nil {
			return err
		}
	}
	m.reply = again
	return nil
}

// sameAnswer holds the answer to a repeat against the first one.
func sameAnswer(m *message, was, again rig.Reply) error {
	same := again.Replay && bytes.Equal(was.Body, again.Body)
	switch m.kind {
	case credit: // says "unchanged"
		same = again.Status == http.StatusOK
	case code, binding: // say how long is left, or how it stands now
		var first, second struct {
			Token   string `json:"token_id"`
			Binding string `json:"binding_id"`
		}
		same = json.Unmarshal(was.Body, &first) == nil && json.Unmarshal(again.Body, &second) == nil && first == second && first.Token+first.Binding != ""
	}
	if !same {
		return fmt.Errorf("%s %s: was answered\n%s\nand is now answered (replay %v)\n%s", m.kind, m.id, was.Body, again.Replay, again.Body)
	}
	return nil
}

// count books a message in the auditor's own balances.
func (w *town) count(m *message, touched map[string]bool) error {
	if !m.reply.OK() {
		return nil
	}
	switch m.kind {
	case credit:
		w.balance[m.patient] += 777
		touched[m.patient] = true
	case settlement, refund, reversal:
		p, err := m.paid()
		if err != nil {
			return err
		}
		w.balance[m.patient] -= p.Own // what comes back has its sign turned
		w.balance[rig.Daughter(m.family)] -= p.Shared
		touched[m.patient], touched[rig.Daughter(m.family)] = true, true
	}
	return nil
}

// prove has the books of the messages' days proved.
func (w *town) prove(ctx context.Context, t *tally) error {
	days := map[string]int{}
	for _, m := range w.messages {
		if m.reply.OK() && (m.kind == settlement || m.kind == refund || m.kind == reversal) {
			days[m.id[12:20]]++
		}
	}
	for day, want := range days {
		got, after := 0, ""
		for {
			var p struct {
				OK          bool
				Settlements int
				Faults      json.RawMessage
				Next        string `json:"next_after"`
			}
			reply := w.ask(ctx, &message{who: rig.Who{Roles: []string{"auditor"}}, request: rig.Request{Method: http.MethodGet, Path: "/v1/proofs/" + day + "?after=" + after}})
			if err := json.Unmarshal(reply.Body, &p); err != nil || !p.OK {
				return fmt.Errorf("the proof of %s: %d %s", day, reply.Status, reply.Body)
			}
			got += p.Settlements
			if after = p.Next; after == "" {
				break
			}
		}
		if got != want {
			return fmt.Errorf("the books of %s hold %d settlements, and %s were answered", day, got, strconv.Itoa(want))
		}
		t.settlements += got
	}
	return nil
}

// findAll asks for every settlement that was ever answered.
func (w *town) findAll(ctx context.Context) (int, error) {
	n := 0
	for _, m := range w.messages {
		if m.reply.OK() && m.kind == settlement {
			if alive, err := w.find(ctx, m); err != nil || !alive {
				return n, fmt.Errorf("%s: the server answers: %v; %w", m.id, alive, err)
			}
			n++
		}
	}
	return n, nil
}
