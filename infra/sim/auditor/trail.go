package auditor

import (
	"fmt"
	"strings"
	"time"

	"gongji/shared/store"
)

// operatorAct is a line of the trail of what operators do.
type operatorAct struct {
	At                             time.Time
	What, Person, Institution, Ref string
	By                             string
}

// Operator is who does in the simulated town what operators do.
const Operator = "operator"

// traced wants the line that an operator's act leaves, among those of its day and among
// those of what it is about, in the same commit as the act.
func (v *view) traced(e effects, writes []store.Write, at time.Time) {
	r := v.trip.Request
	line := operatorAct{At: at, By: Operator, Person: r.By, Institution: r.Code}
	switch r.Op {
	case OpFreeze:
		line.What = onOff(r.Switch, "freeze", "unfreeze")
	case OpSuspend:
		line.What = onOff(r.Switch, "suspend", "resume")
	case OpReturn:
		record, _ := read[premiumRecord](v, premiumKey(r.Premium.ID))
		line.What, line.Person, line.Ref = "premium_back", record.Premium.Person, r.Premium.ID
	default:
		return
	}
	about := "ACTSON#P#" + line.Person
	if line.Institution != "" {
		about = "ACTSON#I#" + line.Institution
	}
	ofDay, id := fmt.Sprintf("ACTS#%d", day(at)), "a line"
	for _, w := range writes {
		if !w.Check && strings.HasPrefix(w.Key.Part, "ACTS#") { // its own line again, where it is set again
			id = w.Key.Sort // the house drew it
		}
	}
	for _, part := range []string{ofDay, about} {
		e[store.Key{Part: part, Sort: id}] = is("the trail", line)
	}
}

func onOff(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}
