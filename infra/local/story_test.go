package main

import (
	"bytes"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"gongji/infra/demo"
	"gongji/shared/family"
)

// TestStory runs the program as a newcomer does, twice on one directory, and holds
// the money to the fen. The numbers are worked examples E12 and, with 50 yuan of
// her own, E14 of the trade's facts.
func TestStory(t *testing.T) { testStory(t, "-data", t.TempDir()) }

// TestStoryOnDynamoDB tells the same story on the other store.
func TestStoryOnDynamoDB(t *testing.T) {
	endpoint := os.Getenv("GONGJI_DYNAMODB_ENDPOINT")
	if endpoint == "" {
		t.Skip("needs a DynamoDB: make dynamodb-test")
	}
	t.Setenv("GONGJI_TABLE", "story-"+rand.Text())
	testStory(t, "-data", t.TempDir(), "-dynamodb", endpoint)
}

func testStory(t *testing.T, args ...string) {
	h := launch(t, args...)
	said := h.hear(t)
	for _, want := range []string{"28.00", "87.11", "44.49", "59.90", "88.00", "▀", "看了 3 份材料（登记机关答复：一致）", "账是平的", h.base + "/openapi.json"} {
		if !strings.Contains(said, want) {
			t.Errorf("the story does not say %q", want)
		}
	}
	for _, not := range []string{"999999", "沿用", "{"} { // no ID number, no earlier start, no door's bare answer
		if strings.Contains(before(said, "接下来"), not) {
			t.Errorf("the story says %q", not)
		}
	}
	checkMoney(t, h, 1, map[string]family.Fen{demo.Mother: 350000 - 4449 - 5990, demo.Father: 100000, demo.Child: 0, demo.Grandmother: 0})
	if log := h.log(); log != "" && strings.Contains(before(log, "/v1/account"), "/v1/bindings") {
		t.Errorf("the log tells of the story's own requests:\n%s", log)
	}
	if status := h.stop(); status != 0 {
		t.Fatalf("the program ended with %d:\n%s", status, h.log())
	}

	h = launch(t, args...)
	said = h.hear(t)
	if strings.Count(said, "直接沿用") != 3 || !strings.Contains(said, "什么也没有改变") {
		t.Error("the second start does not say that all was there")
	}
	checkMoney(t, h, 2, map[string]family.Fen{demo.Mother: 350000 - 2*4449 - 5990 - 10990, demo.Father: 100000, demo.Child: 0, demo.Grandmother: 0})
}

// TestStoryManyTimes tells it until the caps and the fund's yearly limit are used up,
// and again in the year after, when they begin anew.
func TestStoryManyTimes(t *testing.T) {
	h := launch(t, "-data", t.TempDir(), "-demo=false")
	var said bytes.Buffer
	again := func() {
		t.Helper()
		said.Reset()
		if err := tell(t.Context(), h.client, &said); err != nil {
			t.Fatalf("%v\n%s", err, said.String())
		}
	}
	for range 14 {
		again()
	}
	if strings.Contains(said.String(), "87.11") || strings.Count(said.String(), "没有付款人的收据") != 2 {
		t.Errorf("after many times somebody still pays:\n%s", said.String())
	}
	if got := balance(t, h, demo.Mother); got != 350000-50000-100000 {
		t.Errorf("the caps of 500 and 1000 yuan leave the mother %s of 3500", got)
	}
	advance(t, h, 366*24*60*60)
	again()
	if !strings.Contains(said.String(), "87.11") || !strings.Contains(said.String(), "44.49") {
		t.Errorf("a year later:\n%s", said.String())
	}
}

func before(text, mark string) string {
	head, _, _ := strings.Cut(text, mark)
	return head
}

// checkMoney holds balances and, over all the days on which a start may have
// fallen, what the two institutions sum up to.
func checkMoney(t *testing.T, h *house, starts int, balances map[string]family.Fen) {
	t.Helper()
	for person, want := range balances {
		if got := balance(t, h, person); got != want {
			t.Errorf("after %d starts %s has %s, want %s", starts, person, got, want)
		}
	}
	type totals struct {
		Settlements int
		Total       family.Fen `json:"total_fen"`
		FundPaid    family.Fen `json:"fund_paid_fen"`
		OwnPaid     family.Fen `json:"own_paid_fen"`
		SharedPaid  family.Fen `json:"shared_paid_fen"`
		CashDue     family.Fen `json:"cash_due_fen"`
	}
	n := family.Fen(starts)
	for institution, want := range map[string]totals{
		demo.Clinic:   {starts, n * 15960, n * 8711, 0, n * 4449, n * 2800},
		demo.Pharmacy: {starts, n * 19790, 0, 5000, n*10990 - 5000, n * 8800},
	} {
		var sum totals
		for _, back := range []time.Duration{0, 24 * time.Hour} {
			day := time.Now().Add(-back).In(shanghai).Format("20060102")
			part := get[struct{ Totals totals }](t, h, claims{Institution: institution}, "/v1/days/"+day).Totals
			sum.Settlements += part.Settlements
			sum.Total += part.Total
			sum.FundPaid += part.FundPaid
			sum.OwnPaid += part.OwnPaid
			sum.SharedPaid += part.SharedPaid
			sum.CashDue += part.CashDue
		}
		if sum != want {
			t.Errorf("after %d starts %s sums up to %+v, want %+v", starts, institution, sum, want)
		}
	}
	if bound := get[struct{ Items []binding }](t, h, mother, "/v1/bindings").Items; len(bound) != 2 {
		t.Errorf("after %d starts there are %d bindings", starts, len(bound))
	}
}

// TestStoryFails changes the demo data by hand: the program says where its story
// stopped, and ends.
func TestStoryFails(t *testing.T) {
	dir := t.TempDir()
	h := launch(t, "-data", dir, "-demo=false")
	moveIn(t, h)
	operator := h.as(t, claims{Roles: []string{"operator"}})
	if _, err := h.call(t.Context(), request{method: "POST", path: "/v1/persons/" + demo.Child + "/freeze", token: operator}, nil); err != nil {
		t.Fatal(err)
	}
	if status := h.stop(); status != 0 {
		t.Fatalf("the program ended with %d:\n%s", status, h.log())
	}

	h = launch(t, "-data", dir)
	if _, over := <-h.told; over {
		t.Fatal("the story was told to its end")
	}
	if status := h.stop(); status != 1 {
		t.Errorf("the program ended with %d", status)
	}
	for _, want := range []string{"第 4 段", "chapter 4", "person_frozen", "-demo=false"} {
		if !strings.Contains(h.log(), want) {
			t.Errorf("the program does not say %q:\n%s", want, h.log())
		}
	}
}
