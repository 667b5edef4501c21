package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"gongji/infra/rig"

	"github.com/anishathalye/porcupine"
)

// campaign is rounds of clients against one server.
type campaign struct {
	rounds, clients, families, things int
	servers                           int  // over one table
	kills                             bool // one of them in the middle of each round
	dynamodb, folder                  string
	seed                              uint64
	quiet                             bool
	only                              string // the planted bugs that are planted, by their text
	plants                            int    // and no more than the first so many
	program                           string // without planted bugs

	counts map[string]int // what was asked and heard, how often
	spent  time.Duration  // looking for orders
	void   int            // rounds that say nothing
	killed int            // servers
	// histories were looked at, and of undecided ones the search did not end.
	histories, undecided int
	last                 []*kin // the families of the last round
}

// The clerk of the model has no clock. maxRound is how long a round may last, for a code
// is good for a minute; and maxRest, how long it may last until all that waited for a
// grantor's word has been taken out of its wait, which lapses after three minutes.
const (
	maxRound = 50 * time.Second
	maxRest  = 170 * time.Second
)

func (c *campaign) run(ctx context.Context) (err error) {
	if c.program, err = rig.Build(ctx, c.folder); err != nil {
		return err
	}
	return c.against(ctx, c.program, filepath.Join(c.folder, "data"))
}

// against plays all rounds against a server, and prints what came of them.
func (c *campaign) against(ctx context.Context, program, data string) (err error) {
	c.counts, c.spent, c.void, c.killed, c.histories, c.undecided = map[string]int{}, 0, 0, 0, 0, 0
	var options []string
	if c.dynamodb != "" {
		options = []string{"-dynamodb", c.dynamodb}
	}
	all, err := c.settleIn(ctx, data, options)
	if err != nil {
		return err
	}
	var houses []*house
	defer func() {
		for _, h := range houses {
			err = errors.Join(err, h.close())
		}
	}()
	began := time.Now()
	for n := range c.servers {
		h := &house{program: program, data: data, options: append(slices.Clip(options), fmt.Sprintf("-chaos=%d", c.seed+uint64(n)))}
		houses = append(houses, h)
		if err := h.open(ctx); err != nil {
			return err
		}
	}
	for n := range c.rounds {
		w := &town{houses: houses, clients: c.clients, families: all[n*c.families : (n+1)*c.families]}
		if err := c.round(ctx, w, n); err != nil {
			return fmt.Errorf("seed %d, round %d: %w", c.seed, n, err)
		}
	}
	return c.report(time.Since(began))
}

// settleIn feeds the region to a server that loses no answers, and binds its families.
func (c *campaign) settleIn(ctx context.Context, data string, options []string) (all []*kin, err error) {
	server, err := rig.Start(ctx, c.program, data, io.Discard, nil, options...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	house := rig.NewClient(server.Base)
	defer house.Close()
	// A sister is the daughter of another family, of which nobody else appears.
	all = make([]*kin, c.rounds*c.families)
	region := rig.Region{Families: 2 * len(all), Institutions: 2 * c.clients, Money: money, Goods: goods()}
	region.Home = func(family int) string { return homeOf(family % len(all)) }
	region.Place = func(n int) string {
		if n < c.clients {
			return inTianyuan
		}
		return inNanshan
	}
	if err := region.Feed(ctx, house); err != nil {
		return nil, err
	}
	for n := range all {
		k := &kin{number: n, law: lawOf(n), persons: [people]string{daughter: rig.Daughter(n), mother: rig.Mother(n), sister: rig.Daughter(len(all) + n)}}
		var tokens [people]string
		for p := range tokens {
			if tokens[p], err = house.Token(ctx, k.is(who(p))); err != nil {
				return nil, err
			}
		}
		for i, holder := range []who{daughter, sister} {
			id, err := region.Bind(ctx, house, n, tokens[holder], tokens[mother], bindingKey(i))
			if err != nil {
				return nil, err
			}
			k.bindings = append(k.bindings, bond{id, holder})
		}
		all[n] = k
	}
	return all, nil
}

// round has all clients work in the families of a round, asks for what is left, and
// looks for the orders.
func (c *campaign) round(ctx context.Context, w *town, n int) error {
	all := w.everybody()
	for _, h := range w.houses {
		if err := h.introduce(ctx, all); err != nil {
			return err
		}
	}
	dice := rand.New(rand.NewPCG(c.seed, uint64(n)))
	wrong := make([]error, c.clients+1)
	w.kill = make(chan struct{})
	over := make(chan struct{})
	var killing sync.WaitGroup
	if c.kills { // of the requests of a round, of which there are more than things
		things := c.clients * c.things
		w.killAt = int64(things/4 + dice.IntN(things/2))
		killing.Go(func() {
			select {
			case <-w.kill:
				c.killed++
				wrong[c.clients] = w.houses[n%len(w.houses)].killed(ctx, all)
			case <-over:
			}
		})
	}
	month := time.Now().UTC().Add(8 * time.Hour).Month() // in China
	w.began = time.Now()
	var working sync.WaitGroup
	for i := range c.clients {
		one := &client{w, i, rand.New(rand.NewPCG(dice.Uint64(), dice.Uint64()))}
		working.Go(func() { wrong[i] = one.work(ctx, c.things) })
	}
	working.Wait()
	close(over)
	killing.Wait()
	lasted := time.Since(w.began)
	wrong = append(wrong, ctx.Err())
	for i, k := range w.families {
		one := &client{w, i, rand.New(rand.NewPCG(dice.Uint64(), dice.Uint64()))}
		wrong = append(wrong, one.rest(ctx, k))
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	if lasted > maxRound || time.Since(w.began) > maxRest || time.Now().UTC().Add(8*time.Hour).Month() != month {
		c.void++ // codes have run out, or a month's caps begun anew
		return nil
	}
	c.last = w.families
	began := time.Now()
	for _, k := range w.families {
		result, err := k.check(c.folder)
		if err != nil {
			return err
		}
		if result == porcupine.Unknown {
			c.undecided++
		}
		c.histories++
		for _, e := range k.history {
			c.counts[said(e)]++
		}
	}
	c.spent += time.Since(began)
	return nil
}

// everybody is who speaks to the houses.
func (w *town) everybody() []rig.Who {
	all := []rig.Who{operator}
	for n := range 2 * w.clients {
		all = append(all, rig.Who{Institution: rig.Institution(n)})
	}
	for _, k := range w.families {
		for p := range who(people) {
			all = append(all, k.is(p))
		}
	}
	return all
}

// said says of an event what was asked and what was heard.
func said(e event) string {
	text := string(e.request.kind)
	switch {
	case e.answer.what == nothing:
		return text + " busy"
	case !e.answer.heard:
		return text + " unknown"
	case e.answer.what != "":
		text += " " + e.answer.what
	case e.answer.shares[1] != 0:
		text += " shared by two"
	case e.answer.shares[0] != 0:
		text += " shared"
	}
	if e.answer.replay {
		text += " again"
	}
	return text
}

// sometimes are the cases that a campaign of some length has to reach.
var sometimes = []string{
	"settle", "settle shared", "settle shared by two", "settle again", "settle shared again", "settle unknown",
	"settle qr_spent", "settle qr_replaced", "settle trace_already_sold", "settle message_fenced", "settle qr_spent again",
	"refund", "refund shared", "refund again", "refund original_unknown", "refund already_reversed", "refund unknown",
	"reverse", "reverse shared", "reverse original_unknown", "reverse already_reversed", "reverse unknown",
	"ask settled", "ask partially_refunded", "ask reversed", "ask fenced", "ask qr_spent", "ask unknown",
	"credit", "credit again", "credit unknown", "read", "limit", "limit state_forbids", "limit unknown", "end", "end unknown",
	"accept", "issue", "issue unknown", "look issued", "look spent", "look replaced",
	"settle confirmation_needed", "settle confirmation_needed again", "settle confirmation_declined again", "ask confirmation_declined",
	"settle quantity_limit", "order", "approve approved", "approve not_found", "approve state_forbids", "decline declined",
}

// rarely are the cases that only a campaign ten times as long has to reach.
var rarely = []string{
	"settle quantity_limit again", "order malformed", "order unknown", "ask confirmation_needed", "ask message_confirmed", "look held", "approve settled", "approve withdrawn", "approve unknown",
	"decline state_forbids", "decline unknown",
}

// long is how many events a campaign has before all of them are demanded.
const long = 10_000

// report prints what was reached, and fails where a long campaign missed something.
func (c *campaign) report(lasted time.Duration) error {
	if c.quiet {
		return nil
	}
	total, unknown := 0, 0
	for _, name := range sorted(c.counts) {
		total += c.counts[name]
		if strings.HasSuffix(name, " unknown") {
			unknown += c.counts[name]
		}
		fmt.Printf("%7d  %s\n", c.counts[name], name)
	}
	where := "SQLite"
	if c.dynamodb != "" {
		where = "DynamoDB Local"
	}
	if c.servers > 1 {
		where = fmt.Sprintf("%d servers over one %s", c.servers, where)
	}
	if c.kills {
		where += fmt.Sprintf(", killed and started again %d times", c.killed)
	}
	fmt.Printf("%s, %d clients: %d requests, of %d of which nobody heard; %d histories of a family each, of which %d have an order and for %d none was found in time (%v, of them %v to find the orders)\n",
		where, c.clients, total, unknown, c.histories, c.histories-c.undecided, c.undecided, lasted.Round(time.Second), c.spent.Round(time.Millisecond))
	if c.void > 0 {
		fmt.Printf("%d rounds took longer than a code is good for, or saw the month turn, and say nothing\n", c.void)
	}
	if 2*c.void > c.rounds || 10*c.undecided > c.histories {
		return errors.New("this machine is too slow to say enough: use fewer clients, fewer things or more families")
	}
	if c.kills && c.killed == 0 {
		return errors.New("no server was killed")
	}
	wanted := sometimes
	if total >= 10*long {
		wanted = append(slices.Clone(sometimes), rarely...)
	}
	for _, name := range wanted {
		if total >= long && c.counts[name] == 0 {
			return fmt.Errorf("nobody heard %q", name)
		}
	}
	return nil
}

func sorted(counts map[string]int) []string {
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
