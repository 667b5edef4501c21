package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"

	"gongji/infra/rig"
)

// client does what people and tills do until the server does not answer any more.
// What it finds wrong while it works, it returns.
type client struct {
	town *town
	n    int // which one; also the number of its institution
	dice *rand.Rand
	done []*message // settlements that were answered
}

// work ends with the first answer that does not come.
func (c *client) work(ctx context.Context) error {
	for ctx.Err() == nil {
		alive, err := c.act(ctx)
		if err != nil || !alive {
			return err
		}
	}
	return nil
}

// act does one thing and tells whether the server answered.
func (c *client) act(ctx context.Context) (bool, error) {
	switch n := c.dice.IntN(100); {
	case n < 30:
		return c.settleByCode(ctx), nil
	case n < 62:
		person := rig.Mother(c.family())
		if c.dice.IntN(4) == 0 {
			person = rig.Daughter(c.family())
		}
		return c.settle(ctx, person, "card", rig.Card(person), nil), nil
	case n < 80:
		return c.undo(ctx), nil
	case n < 88:
		return c.look(ctx)
	case n < 93:
		return c.credit(ctx), nil
	case n < 96:
		return c.bind(ctx), nil
	default:
		return c.balance(ctx)
	}
}

func (c *client) family() int { return c.dice.IntN(families) }

// send sends a message as an institution.
func (c *client) send(ctx context.Context, m *message) rig.Reply {
	m.who = rig.Who{Institution: rig.Institution(c.n)}
	reply := c.town.send(ctx, m)
	if m.kind == settlement && reply.OK() {
		c.done = append(c.done, m)
	}
	return reply
}

// settle sends the bill of one to three packs.
func (c *client) settle(ctx context.Context, patient, credential, value string, shown *message) bool {
	id := c.town.newID(c.n)
	quantity := 1 + c.dice.IntN(3)
	var boxes []string
	if c.dice.IntN(4) == 0 {
		for n := range quantity {
			boxes = append(boxes, fmt.Sprintf("%s%d", id, n))
		}
	}
	family := 0
	if _, err := fmt.Sscanf(patient, "RIG%05d", &family); err != nil {
		panic(err)
	}
	return c.send(ctx, &message{
		kind: settlement, id: id, family: family, patient: patient, shown: shown,
		request: rig.Request{Method: http.MethodPost, Path: "/v1/settlements", Body: rig.Medicine(id, credential, value, int64(100+c.dice.IntN(4000)), quantity, boxes...)},
	}).Status != 0
}

// settleByCode shows a mother's code on her daughter's phone and settles by it.
func (c *client) settleByCode(ctx context.Context) bool {
	family := c.family()
	shown := &message{
		kind: code, id: fmt.Sprintf("code-%d", c.town.number()), who: rig.Who{Person: rig.Daughter(family)}, family: family,
		request: rig.Request{Method: http.MethodPost, Path: "/v1/qr", Body: rig.Encode(map[string]string{"binding_id": c.town.binding[family]})},
	}
	shown.request.Key = shown.id
	reply := c.town.send(ctx, shown)
	var qr struct{ Digits string }
	if !reply.OK() || json.Unmarshal(reply.Body, &qr) != nil || qr.Digits == "" {
		return reply.Status != 0
	}
	return c.settle(ctx, rig.Mother(family), "qr", qr.Digits, shown)
}

// undo gives a settlement back, in part or whole.
func (c *client) undo(ctx context.Context) bool {
	if len(c.done) == 0 {
		return true
	}
	of := c.done[c.dice.IntN(len(c.done))]
	of.undone = true
	m := &message{kind: refund, id: c.town.newID(c.n), family: of.family, patient: of.patient}
	if c.dice.IntN(2) == 0 {
		m.kind = reversal
		m.request = rig.Request{Method: http.MethodPost, Path: "/v1/settlements/" + of.id + "/reversal", Body: rig.Encode(map[string]string{"message_id": m.id, "reason": "退药"})}
	} else {
		m.request = rig.Request{Method: http.MethodPost, Path: "/v1/settlements/" + of.id + "/refunds", Body: rig.Encode(map[string]any{"message_id": m.id, "lines": []map[string]any{{"line_no": 1, "quantity": "1"}}})}
	}
	return c.send(ctx, m).Status != 0
}

// look asks what became of a settlement that was answered.
func (c *client) look(ctx context.Context) (bool, error) {
	if len(c.done) == 0 {
		return true, nil
	}
	m := c.done[c.dice.IntN(len(c.done))]
	return c.town.find(ctx, m)
}

// credit pays a little into an account.
func (c *client) credit(ctx context.Context) bool {
	m := &message{kind: credit, id: fmt.Sprintf("CRASH-%d", c.town.number()), who: rig.Who{Roles: []string{"operator"}}, patient: rig.Mother(c.family())}
	m.request = rig.Request{Method: http.MethodPost, Path: "/v1/credits", Body: rig.Encode(map[string]any{"reference": m.id, "person_no": m.patient, "amount_fen": 777, "pocket": "past"})}
	return c.town.send(ctx, m).Status != 0
}

// bind binds the client's own family and parts it again.
func (c *client) bind(ctx context.Context) bool {
	family := families + c.n
	daughter, mother := rig.Who{Person: rig.Daughter(family)}, rig.Who{Person: rig.Mother(family)}
	m := &message{kind: binding, id: fmt.Sprintf("binding-%d", c.town.number()), who: daughter, family: family}
	m.request = rig.Request{Method: http.MethodPost, Path: "/v1/bindings", Key: m.id, Body: rig.BindBody(family)}
	reply := c.town.send(ctx, m)
	var b struct {
		ID string `json:"binding_id"`
	}
	if !reply.OK() || json.Unmarshal(reply.Body, &b) != nil {
		return reply.Status != 0
	}
	for _, step := range []struct {
		who rig.Who
		q   rig.Request
	}{
		{daughter, rig.Request{Method: http.MethodPost, Path: "/v1/bindings/" + b.ID + "/submit", Body: []byte(`{"commitment":true}`)}},
		{mother, rig.Request{Method: http.MethodPost, Path: "/v1/bindings/" + b.ID + "/accept"}},
		{mother, rig.Request{Method: http.MethodDelete, Path: "/v1/bindings/" + b.ID}},
	} {
		if c.town.ask(ctx, &message{who: step.who, request: step.q}).Status == 0 {
			return false
		}
	}
	return true
}

// balance looks at an account: it is never below zero.
func (c *client) balance(ctx context.Context) (bool, error) {
	person := rig.Mother(c.family())
	fen, reply := c.town.account(ctx, person)
	if reply.OK() && fen < 0 {
		return true, fmt.Errorf("%s has %d fen", person, fen)
	}
	return reply.Status != 0, nil
}
