package town

import (
	"encoding/json"

	"gongji/infra/sim/auditor"
)

// Some cases are met too seldom by chance alone, because several things have to come
// one after another. A story puts them in a row; what is under way beside it, what fails
// and what comes between is chance as ever.

// helped is a sale to which a grant paid.
type helped struct {
	sale             *sale
	patient, binding string
}

// helps notes a sale to which somebody's grant paid.
func (t *town) helps(s *sale, settlement []byte) {
	var paid struct {
		Patient string
		Shares  []struct {
			Binding string
			Paid    auditor.Pockets
		}
	}
	if err := json.Unmarshal(settlement, &paid); err != nil {
		panic(err) // the house wrote it
	}
	for _, sh := range paid.Shares {
		if sh.Paid != (auditor.Pockets{}) {
			t.helped = append(t.helped, helped{s, paid.Patient, sh.Binding})
			t.turns = t.turns || t.chance(0.3)
		}
	}
}

// story is a row of requests about a grant that has paid.
func (t *town) story() *request {
	h := t.helped[max(0, len(t.helped)-1-t.rng.IntN(4))]
	holder := ""
	for _, b := range t.bindings {
		if b.id == h.binding {
			holder = b.holder
		}
	}
	ends := auditor.Change{SetPay: true}
	begins := auditor.Change{SetPay: true, Pay: t.terms(true)}
	if t.chance(0.6) { // its grant ends and begins anew, and then the money comes back
		t.next = append(t.next, t.changes(holder, h.binding, begins), t.refundOf(h.sale))
	} else { // who is frozen gives no new grant
		t.next = append(t.next, t.freeze(holder, true), t.changes(holder, h.binding, begins), t.freeze(holder, false))
	}
	return t.changes(holder, h.binding, ends)
}

// nextMonth is a patient who comes again after the month has turned, and then brings
// back what a grant paid for before.
func (t *town) nextMonth() {
	if len(t.helped) == 0 {
		return
	}
	h := t.helped[max(0, len(t.helped)-1-t.rng.IntN(4))]
	for range 8 {
		t.next = append(t.next, t.visit(t.byID(t.human(h.patient))))
	}
	t.next = append(t.next, t.refundOf(h.sale))
}
