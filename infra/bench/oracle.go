package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// measureOracle asks the server for bindings with ID numbers that nobody has, that
// somebody has, and that somebody has who said no to the same holder, under a name that
// is not theirs, in mixed order over one connection; and tells whether the time of the
// answer tells them apart.
func measureOracle(ctx context.Context, p plan, t table) (err error) {
	const each = 64 // numbers of a kind, and holders who ask in turn
	kinds := []string{"unknown", "known", "declined"}
	var numbers [3][]family.IDNumber
	h, err := startServerWith(ctx, p.folder, each, 2*each, func(w *world) error {
		for i := range each {
			for kind, n := range []int{1_000_000 + i, 2*each + i, 3*each + i} {
				id, err := idNumber(n)
				if err != nil {
					return err
				}
				numbers[kind] = append(numbers[kind], id)
			}
			if err := w.decline(ctx, w.families[i].patient, 3*each+i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.stop()) }()
	seed := uint64(time.Now().UnixNano())
	dice := rand.New(rand.NewPCG(seed, 0))
	c := <-h.clients
	defer func() { h.clients <- c }()
	times := make([][]float64, len(kinds)) // µs
	answers := map[string]bool{}
	for n := range len(kinds) * p.asks {
		if n%len(kinds) == 0 { // a fresh order, so that slow moments meet all alike
			dice.Shuffle(len(kinds), func(i, j int) {
				kinds[i], kinds[j] = kinds[j], kinds[i]
				numbers[i], numbers[j] = numbers[j], numbers[i]
				times[i], times[j] = times[j], times[i]
			})
		}
		kind, who := n%len(kinds), n/len(kinds)%each
		body, err := json.Marshal(map[string]any{"name": "不是此人", "id_no": numbers[kind][who], "relation": "73", "show": true})
		if err != nil {
			return err
		}
		began := time.Now()
		var answer struct{ Code, Detail string }
		if err := c.call(http.StatusUnprocessableEntity, "/v1/bindings", h.tokens[who], body, &answer); err != nil {
			return err
		}
		times[kind] = append(times[kind], float64(time.Since(began).Nanoseconds())/1e3)
		answers[answer.Code+": "+answer.Detail] = true
	}
	if len(answers) != 1 {
		return fmt.Errorf("%d answers where there should be one: %v", len(answers), answers)
	}
	at := func(kind string) []float64 { return times[slices.Index(kinds, kind)] }
	for _, kind := range []string{"known", "declined"} {
		a, b := at("unknown"), at(kind)
		z, above := mannWhitney(a, b)
		t.row(fmt.Sprintf("asked about a number unknown and %s, %d times each, seed %d", kind, p.asks, seed),
			fmt.Sprintf("median %.0f µs and %.0f µs; Mann–Whitney z = %.1f; the later one is %s's in %.1f %% of pairs", median(a), median(b), z, kind, 100*above),
			"within noise: |z| ≤ 3", math.Abs(z) <= 3)
	}
	return nil
}

// decline has a holder ask for his brother, the n-th person, who does not want to.
func (w *world) decline(ctx context.Context, holder family.PersonNo, n int) error {
	id, err := idNumber(n)
	if err != nil {
		return err
	}
	asked, err := w.RequestBinding(ctx, holder, app.BindingAsk{Name: nameOf(n), ID: id, Relation: "73", Show: true}, app.Once{})
	if err != nil {
		return err
	}
	if _, err := w.Submit(ctx, holder, asked.Answer.Binding.ID); err != nil {
		return err
	}
	view, err := w.Decline(ctx, asked.Answer.Binding.Member, asked.Answer.Binding.ID)
	if err == nil && view.Binding.State != family.BindingDeclined {
		err = fmt.Errorf("a binding is %s", view.Binding.State)
	}
	return err
}

// mannWhitney returns the statistic of the Mann–Whitney test by its normal
// approximation, and the share of pairs in which b's is above a's; 0 and a half where
// nothing tells them apart.
func mannWhitney(a, b []float64) (z, above float64) {
	type one struct {
		value float64
		ofB   bool
	}
	var all []one
	for _, v := range a {
		all = append(all, one{v, false})
	}
	for _, v := range b {
		all = append(all, one{v, true})
	}
	slices.SortFunc(all, func(x, y one) int {
		switch {
		case x.value < y.value:
			return -1
		case x.value > y.value:
			return 1
		}
		return 0
	})
	n, m := float64(len(a)), float64(len(b))
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].value == all[i].value {
			j++
		}
		for _, o := range all[i:j] {
			if o.ofB {
				ranks += float64(i+1+j) / 2
			}
		}
		same := float64(j - i)
		ties += same*same*same - same
		i = j
	}
	u := ranks - m*(m+1)/2
	deviation := math.Sqrt(n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1))))
	return (u - n*m/2) / deviation, u / (n * m)
}
