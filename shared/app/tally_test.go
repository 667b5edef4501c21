package app

import (
	"testing"

	"gongji/shared/family"
	"gongji/shared/store/storetest"
)

// TestTally: the line of a request tells its message and what it cost, and nothing
// gets into it that only looks like a message.
func TestTally(t *testing.T) {
	h := newHouse(t)
	h.pay(wang, 0, 5000)
	digits := h.show(wang, "").Digits
	till, faulty := h.watched()
	faulty.Plan = func(c storetest.Call) storetest.Fault {
		if c.Verb == storetest.Commit && c.N == 1 {
			return storetest.Conflicts
		}
		return storetest.None
	}
	ctx, tally := WithTally(t.Context())
	id := h.message(pharmacy)
	ok(till.Settle(ctx, pharmacy, SettleAsk{Message: id, Credential: byQR(digits), Bill: medicine(100)}))(t)
	same(t, "after a conflict", attrsOf(tally), map[string]string{"reads": "4", "commits": "2", "again": "1", "message_id": string(id)})

	_, tally = WithTally(t.Context())
	tally.about(family.MessageID(pharmacy + " 王秀兰"))
	_, named := attrsOf(tally)["message_id"]
	same(t, "a name for a message", named, false)
}

func attrsOf(t *Tally) map[string]string {
	all := map[string]string{}
	for _, a := range t.Attrs() {
		all[a.Key] = a.Value.String()
	}
	return all
}
