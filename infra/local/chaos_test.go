package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gongji/infra/demo"
	"gongji/shared/family"
)

// chaosSeed loses several of the answers in TestChaos.
const chaosSeed = "1"

// TestChaos settles at a pharmacy whose network loses answers. The till sends the
// same message again until it hears, and every sale is settled once.
func TestChaos(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false", "-chaos="+chaosSeed)
	s, _ := moveIn(t, h)
	if err := s.bindGrandmother(); err != nil {
		t.Fatal(err)
	}
	const sales = 50
	price := family.Fen(100)
	now := time.Now().In(shanghai)
	s.days[now.Format("20060102")] = true // to be proved
	sent := 0
	for i := range sales {
		bill := billAsk{
			MessageID:  fmt.Sprintf("%s%s%04d", demo.Pharmacy, now.Format("20060102150405"), i),
			Credential: credential{"card", demo.GrandmotherCard}, MedType: "41", Total: price,
			Lines: []lineAsk{{1, "ZC03AAF0258010100004", "复方丹参片", "1", price, price}},
		}
		answer, err := h.call(t.Context(), request{method: "POST", path: "/v1/settlements", token: s.pharmacy, body: bill}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if sent += answer.tries; answer.replay != (answer.tries > 1) {
			t.Errorf("sale %d was sent %d times, and its answer is a repeat: %v", i, answer.tries, answer.replay)
		}
	}
	if sent == sales {
		t.Errorf("of %d answers none was lost (-chaos=%s)", sales, chaosSeed)
	}
	if got, want := balance(t, h, demo.Mother)+balance(t, h, demo.Grandmother), 350000+5000-sales*price; got != want {
		t.Errorf("after %d messages of %d sales both accounts hold %s, want %s", sent, sales, got, want)
	}
	day := get[struct {
		Totals struct {
			Settlements int
			Total       family.Fen `json:"total_fen"`
		}
	}](t, h, claims{Institution: demo.Pharmacy}, "/v1/days/"+now.Format("20060102"))
	if day.Totals.Settlements != sales || day.Totals.Total != sales*price {
		t.Errorf("the day holds %+v, want %d sales", day.Totals, sales)
	}
	if err := s.prove(); err != nil {
		t.Error(err)
	}
	h.stop()
	<-h.told
	if !strings.Contains(h.said(), "chaos seed "+chaosSeed) {
		t.Error("the seed was not printed")
	}
}

// TestChaosLosesTheSame holds what is lost: some answers, after the work, to what
// changes something, and with the same seed the same ones.
func TestChaosLosesTheSame(t *testing.T) {
	const requests = 2000
	lost := func(seed uint64, method, path string) (lost []int) {
		worked := 0
		c := newChaos(dice{true, seed}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			worked++
			w.WriteHeader(http.StatusCreated)
		}), slog.New(slog.DiscardHandler))
		for i := range requests {
			func() {
				answer := httptest.NewRecorder()
				defer func() {
					switch p := recover(); {
					case p == nil && answer.Code != http.StatusCreated:
						t.Errorf("the answer is %d", answer.Code)
					case p == http.ErrAbortHandler:
						lost = append(lost, i)
					case p != nil:
						panic(p)
					}
				}()
				c.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
			}()
		}
		if worked != requests {
			t.Errorf("of %d requests %d were worked on", requests, worked)
		}
		return lost
	}
	first := lost(7, "POST", "/v1/settlements")
	if n := len(first); n < requests/chaosOdds/2 || n > requests/chaosOdds*2 {
		t.Errorf("%d of %d answers were lost", n, requests)
	}
	if fmt.Sprint(first) != fmt.Sprint(lost(7, "DELETE", "/v1/bindings/x")) {
		t.Error("the same seed loses others")
	}
	if fmt.Sprint(first) == fmt.Sprint(lost(8, "POST", "/v1/settlements")) {
		t.Error("another seed loses the same")
	}
	for _, safe := range [][2]string{{"GET", "/v1/account"}, {"HEAD", "/v1/account"}, {"POST", "/dev/token"}} {
		if n := len(lost(7, safe[0], safe[1])); n > 0 {
			t.Errorf("%v lost %d answers", safe, n)
		}
	}
}
