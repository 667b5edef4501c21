package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"gongji/infra/rig"
)

// town is a region over one database, and what its clients know of it: every
// message that was sent and what was heard of it.
type town struct {
	region  rig.Region
	clients int
	house   *rig.Client // of the present server

	mu       sync.Mutex
	tokens   map[string]string // of the present server's issuer
	binding  map[int]string    // of each family
	messages []*message        // in the order in which they were sent
	next     int               // their numbers
	audited  int               // of them
	balance  map[string]int64  // as the messages come to
}

// families that several clients settle in at once, so that they meet; each client
// has one more of its own, which it binds and parts again.
const families = 12

// money is what each daughter begins with, in fen: more than a town's life can spend.
const money = 50_000_000

func newTown(clients int) *town {
	w := &town{
		region: rig.Region{Families: families + clients, Institutions: clients, Money: money}, clients: clients,
		binding: map[int]string{}, balance: map[string]int64{},
	}
	for n := range w.region.Families {
		w.balance[rig.Daughter(n)] = money
	}
	return w
}

// enter connects the town to a server that has just started.
func (w *town) enter(s *rig.Server) {
	if w.house != nil {
		w.house.Close()
	}
	w.house, w.tokens = rig.NewClient(s.Base), map[string]string{}
}

// settleIn feeds the region and binds its families.
func (w *town) settleIn(ctx context.Context) error {
	if err := w.region.Feed(ctx, w.house); err != nil {
		return err
	}
	for family := range families {
		daughter, err := w.token(ctx, rig.Who{Person: rig.Daughter(family)})
		if err != nil {
			return err
		}
		mother, err := w.token(ctx, rig.Who{Person: rig.Mother(family)})
		if err != nil {
			return err
		}
		if w.binding[family], err = w.region.Bind(ctx, w.house, family, daughter, mother, fmt.Sprint("family-", family)); err != nil {
			return err
		}
	}
	return nil
}

// token returns a token of the present server's issuer.
func (w *town) token(ctx context.Context, who rig.Who) (string, error) {
	key := string(rig.Encode(who))
	w.mu.Lock()
	token := w.tokens[key]
	w.mu.Unlock()
	if token != "" {
		return token, nil
	}
	token, err := w.house.Token(ctx, who)
	if err == nil {
		w.mu.Lock()
		w.tokens[key] = token
		w.mu.Unlock()
	}
	return token, err
}

// introduce gets tokens for everybody, so that the clients have their hands free.
func (w *town) introduce(ctx context.Context) error {
	all := []rig.Who{{Roles: []string{"operator"}}}
	for n := range w.clients {
		all = append(all, rig.Who{Institution: rig.Institution(n)})
	}
	for n := range w.region.Families {
		all = append(all, rig.Who{Person: rig.Daughter(n)}, rig.Who{Person: rig.Mother(n)})
	}
	for _, who := range all {
		if _, err := w.token(ctx, who); err != nil {
			return err
		}
	}
	return nil
}

// kind is what a message asks for.
type kind string

const (
	settlement kind = "settlement"
	refund     kind = "refund"
	reversal   kind = "reversal"
	credit     kind = "credit"
	code       kind = "code"
	binding    kind = "binding"
)

// message is one request that changes something and has an identity. Its reply is
// its client's while it works, and the auditor's afterwards.
type message struct {
	kind    kind
	id      string // of the message, the credit or the Idempotency-Key
	who     rig.Who
	request rig.Request // without its token
	reply   rig.Reply   // the last that was heard
	family  int
	patient string
	shown   *message // the code by which a settlement was asked for
	undone  bool     // something of it was asked back
}

// paid is what an answer says of who paid.
type paid struct {
	Own    int64 `json:"own_paid_fen"`
	Shared int64 `json:"shared_paid_fen"`
	Total  int64 `json:"total_fen"`
	Fund   int64 `json:"fund_paid_fen"`
	Cash   int64 `json:"cash_due_fen"`
}

// decode reads the reply's body.
func (m *message) decode(into any) error { return json.Unmarshal(m.reply.Body, into) }

func (m *message) paid() (paid, error) {
	var p paid
	err := m.decode(&p)
	if err == nil && p.Total != p.Fund+p.Own+p.Shared+p.Cash {
		err = fmt.Errorf("%s: the parts do not sum to the total: %s", m.id, m.reply.Body)
	}
	return p, err
}

// number returns a number that no other message of the town has.
func (w *town) number() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	return w.next
}

// newID returns a message id of an institution.
func (w *town) newID(institution int) string {
	at := time.Now().In(time.FixedZone("Asia/Shanghai", 8*60*60))
	return rig.Institution(institution) + at.Format("20060102150405") + fmt.Sprintf("%04d", w.number()%10_000)
}

// send writes a message down, sends it and returns what was heard.
func (w *town) send(ctx context.Context, m *message) rig.Reply {
	w.mu.Lock()
	w.messages = append(w.messages, m)
	w.mu.Unlock()
	m.reply = w.ask(ctx, m)
	return m.reply
}

// ask sends a message with a token of its sender.
func (w *town) ask(ctx context.Context, m *message) rig.Reply {
	token, err := w.token(ctx, m.who)
	if err != nil {
		return rig.Reply{}
	}
	q := m.request
	q.Token = token
	return w.house.Do(ctx, q)
}
