package onaws

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"gongji/shared/gateway"
	"gongji/shared/onaws/onawstest"
	"gongji/shared/store"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
)

// books returns a store in which the main story happened.
func books(t *testing.T) store.Store {
	t.Helper()
	records, issuer := newStore(t), onawstest.NewIssuer(t)
	handle := gateway.Handler(door(twin(t, records), issuer), slog.New(slog.DiscardHandler))
	(&onawstest.Scene{
		T:     t,
		Token: func(claims map[string]any) string { return issuer.Token(t, noon, claims) },
		Now:   func() time.Time { return noon },
		Do:    func(q onawstest.Request) onawstest.Reply { return overEvent(t, handle, q) },
	}).Tell()
	return records
}

// prover returns a house that proves the books in a store at noon, and its log.
func prover(t *testing.T, records store.Store) (func(context.Context, ExpiryEvent) ([]DayProof, error), *bytes.Buffer) {
	t.Helper()
	h, lines := twin(t, records), new(bytes.Buffer)
	h.Log = gateway.NewLog(lines)
	return expiry(h, func() time.Time { return noon }), lines
}

// inOrder is what the books of the main story come to.
var inOrder = []DayProof{
	{Day: "20261120", Institutions: 3, Complete: true},
	{Day: "20261121", Institutions: 3, Settlements: 5, Accounts: 4, Entries: 16, Complete: true},
}

// TestExpiry: however often and beside whom it runs, it finds the same.
func TestExpiry(t *testing.T) {
	run, lines := prover(t, books(t))
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			got, err := run(t.Context(), ExpiryEvent{})
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(inOrder, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	all.Wait()
	if n := strings.Count(lines.String(), `"ProofFaults":0,"ProofIncomplete":0`); n != 20 {
		t.Errorf("%d lines of 20 say that all is well:\n%s", n, lines)
	}
}

// bookmark is a store in which nobody may write but how far the sweep has come.
type bookmark struct {
	store.Store
	t *testing.T
}

func (b bookmark) Commit(ctx context.Context, writes []store.Write) error {
	if len(writes) != 1 || writes[0].Key.Part != "SWEPT" {
		b.t.Errorf("it wrote %v", writes)
		return store.ErrInvalid
	}
	return b.Store.Commit(ctx, writes)
}

// TestExpiryOnABareDay: where nothing has come due it writes how far it came, and
// nothing else.
func TestExpiryOnABareDay(t *testing.T) {
	run, _ := prover(t, bookmark{books(t), t})
	if _, err := run(t.Context(), ExpiryEvent{}); err != nil {
		t.Error(err)
	}
}

// TestFaults: a balance that somebody changed in the table is found and told,
// without telling whose it is.
func TestFaults(t *testing.T) {
	records := books(t)
	key := store.Key{Part: "ACCT#" + onawstest.Mother, Sort: "A"}
	found, err := records.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	var account map[string]any
	if err := json.Unmarshal(found[0].Body, &account); err != nil {
		t.Fatal(err)
	}
	account["Account"].(map[string]any)["Balance"].(map[string]any)["Current"] = 99999999
	body, err := json.Marshal(account)
	if err != nil {
		t.Fatal(err)
	}
	if err := records.Commit(t.Context(), []store.Write{{Key: key, Base: found[0].Version, Body: body}}); err != nil {
		t.Fatal(err)
	}
	run, lines := prover(t, records)
	got, err := run(t.Context(), ExpiryEvent{Day: "20261121"})
	if err != nil || len(got) != 1 || got[0].Faults == 0 || !got[0].Complete {
		t.Errorf("%+v, %v", got, err)
	}
	text := lines.String()
	if !strings.Contains(text, `"level":"ERROR","message":"proof"`) || !strings.Contains(text, `"message":"fault"`) || strings.Contains(text, onawstest.Mother) || strings.Contains(text, "99999999") {
		t.Errorf("the log: %s", text)
	}
}

// slow is a store whose lists take as long as they are let.
type slow struct{ store.Store }

func (s slow) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestOutOfTime: a run ends before its function does, and says that it did not get
// to the end.
func TestOutOfTime(t *testing.T) {
	run, lines := prover(t, slow{newStore(t)})
	end := time.Now().Add(proofReserve + 50*time.Millisecond)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	got, err := run(ctx, ExpiryEvent{Day: "20261121", After: onawstest.Hospital})
	if diff := cmp.Diff([]DayProof{{Day: "20261121", Next: onawstest.Hospital}}, got); diff != "" || err != nil {
		t.Errorf("%v, %s", err, diff)
	}
	if left := time.Until(end); left < proofReserve/2 {
		t.Errorf("it ended %v before the function", left)
	}
	if !strings.Contains(lines.String(), `"ProofIncomplete":1`) {
		t.Errorf("the log: %s", lines)
	}
}

// away is a store that cannot be asked.
type away struct{ store.Store }

func (away) List(context.Context, store.Range) ([]store.Record, error) {
	return nil, store.ErrUnavailable
}

// TestExpiryFails: a run that could not prove anything fails, so that it is tried
// again and the alarm hears of it.
func TestExpiryFails(t *testing.T) {
	run, _ := prover(t, away{newStore(t)})
	if got, err := run(t.Context(), ExpiryEvent{}); err == nil {
		t.Errorf("proved %+v", got)
	}
	for _, e := range []ExpiryEvent{{Day: "yesterday"}, {After: onawstest.Hospital}} {
		if got, err := run(t.Context(), e); err == nil {
			t.Errorf("%+v: %+v", e, got)
		}
	}
}

// TestExpirySignsYesterday: the run after a day signs it, and each later run says
// whether its books still are what was signed. Without a key nothing is said.
func TestExpirySignsYesterday(t *testing.T) {
	records := books(t)
	run, lines := prover(t, records)
	if _, err := run(t.Context(), ExpiryEvent{}); err != nil || strings.Contains(lines.String(), "as_signed") {
		t.Fatalf("%v\n%s", err, lines)
	}
	private, _, err := note.GenerateKey(rand.NewChaCha8([32]byte{5}), "test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	h := twinSigning(t, records, signer)
	h.Log = gateway.NewLog(lines)
	for range 2 {
		lines.Reset()
		if _, err := expiry(h, func() time.Time { return noon })(t.Context(), ExpiryEvent{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(lines.String(), `"CheckpointFaults":0`) || !strings.Contains(lines.String(), `"as_signed":true`) || !strings.Contains(lines.String(), "20261120") {
			t.Fatalf("%s", lines)
		}
	}
}
