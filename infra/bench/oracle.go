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
	"sync"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// measureOracle asks the server for bindings with ID numbers that nobody has, that
// somebody has, and that somebody has who said no to the same holder, under a name that
// is not theirs, in mixed order; and tells whether the time of the answer tells them
// apart. Each answer is held back until the next tenth of a second after its request
// came (shared/api/even.go): what is measured is what is left of the difference.
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
	// An answer is waited for hundreds of times as long as the server works on it, so
	// that some can be waited for at once. They pause between their questions, each
	// differently, else they would fall into step and meet in every one.
	const askers, pause = 8, 20 * time.Millisecond
	type question struct {
		kind, who int
		pause     time.Duration
	}
	var questions []question
	for n := range p.asks {
		for _, kind := range dice.Perm(len(kinds)) { // so that slow moments meet all alike
			questions = append(questions, question{kind, n % each, time.Duration(dice.Int64N(int64(pause)))})
		}
	}
	times := make([]float64, len(questions)) // µs
	var mu sync.Mutex
	answers := map[string]bool{}
	err = inParallel(len(questions), askers, func(i int) error {
		q := questions[i]
		body, err := json.Marshal(map[string]any{"name": "不是此人", "id_no": numbers[q.kind][q.who], "relation": "73", "show": true})
		if err != nil {
			return err
		}
		c := <-h.clients
		defer func() { h.clients <- c }()
		time.Sleep(q.pause)
		began := time.Now()
		var answer struct{ Code, Detail string }
		if err := c.call(http.StatusUnprocessableEntity, "/v1/bindings", h.tokens[q.who], body, &answer); err != nil {
			return err
		}
		times[i] = float64(time.Since(began).Nanoseconds()) / 1e3
		mu.Lock()
		defer mu.Unlock()
		answers[answer.Code+": "+answer.Detail] = true
		return nil
	})
	if err != nil {
		return err
	}
	if len(answers) != 1 {
		return fmt.Errorf("%d answers where there should be one: %v", len(answers), answers)
	}
	byKind := make([][]float64, len(kinds))
	for i, q := range questions {
		byKind[q.kind] = append(byKind[q.kind], times[i])
	}
	for i, kind := range kinds[1:] {
		a, b := byKind[0], byKind[i+1]
		z, above := mannWhitney(a, b)
		t.row(fmt.Sprintf("asked about a number unknown and %s, %d times each, seed %d", kind, p.asks, seed),
			fmt.Sprintf("median %.3f ms and %.3f ms, the middle half of each within %.3f ms and %.3f ms; Mann–Whitney z = %.1f; the later one is %s's in %.1f %% of pairs",
				median(a)/1e3, median(b)/1e3, middleHalf(a)/1e3, middleHalf(b)/1e3, z, kind, 100*above),
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

// middleHalf returns how far apart the quartiles lie. It sorts the values.
func middleHalf(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)*3/4] - values[len(values)/4]
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
