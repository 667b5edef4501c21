package answer

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"gongji/shared/family"
)

var update = flag.Bool("update", false, "write testdata/answers.golden anew")

// TestBuiltIn looks for faults in the catalogue of the program, which does not.
func TestBuiltIn(t *testing.T) {
	c, err := Load(embedded)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, built()) {
		t.Error("what is read at the start is another catalogue")
	}
}

func TestEveryCodeHasItsRow(t *testing.T) {
	rows := All()
	if len(rows) != len(family.Codes) {
		t.Fatalf("%d rows for %d codes", len(rows), len(family.Codes))
	}
	for i, code := range family.Codes {
		if rows[i].Code != code || Of(code) != rows[i] {
			t.Errorf("row %d is %s, and Of(%s) is %s", i, rows[i].Code, code, Of(code).Code)
		}
	}
	if got := Of("never_declared").Code; got != family.Internal {
		t.Errorf("a code that nobody declared is answered by %s", got)
	}
	rows[0].Code = ""
	if All()[0].Code == "" {
		t.Error("who changes what All returned changes the catalogue")
	}
}

// The table "Answer codes" of the doors' contract, written out, with the reasons
// that are declared below it.
func TestTable(t *testing.T) {
	type line struct {
		kind   Kind
		status int
		his    int
		next   Next
	}
	table := map[family.Code]line{
		"malformed":                  {Malformed, 400, -1, Fix},
		"unsupported_infno":          {Malformed, 400, -1, Fix},
		"too_large":                  {Malformed, 413, -1, Fix},
		"unauthenticated":            {Malformed, 401, 0, Fix},
		"not_permitted":              {Malformed, 403, 0, Fix},
		"rate_limited":               {Malformed, 429, 0, RetrySameID},
		"message_reused":             {Malformed, 422, -1, Fix},
		"message_fenced":             {Decided, 409, -1, Fix},
		"not_found":                  {Decided, 404, -1, Fix},
		"original_unknown":           {Decided, 404, -1, Fix},
		"institution_not_designated": {Decided, 403, -1, CollectCash},
		"person_not_insured":         {Decided, 403, -1, CollectCash},
		"person_frozen":              {Decided, 403, -1, CollectCash},
		"relation_not_allowed":       {Decided, 422, 0, Fix},
		"binding_limit_reached":      {Decided, 422, 0, Fix},
		"identity_mismatch":          {Decided, 422, 0, Fix},
		"already_bound":              {Decided, 422, 0, Fix},
		"qr_invalid":                 {Decided, 410, -1, RefreshQR},
		"qr_expired":                 {Decided, 410, -1, RefreshQR},
		"qr_replaced":                {Decided, 410, -1, RefreshQR},
		"qr_spent":                   {Decided, 410, -1, RefreshQR},
		"qr_wrong_patient":           {Decided, 410, -1, RefreshQR},
		"item_not_covered":           {Decided, 422, -1, Fix},
		"trace_missing":              {Decided, 422, -1, Fix},
		"trace_already_sold":         {Decided, 422, -1, Fix},
		"quantity_limit":             {Decided, 422, -1, Fix},
		"grant_none":                 {Decided, 422, 0, Fix},
		"grant_paused":               {Decided, 422, 0, Fix},
		"grant_cap_reached":          {Decided, 422, 0, Fix},
		"grant_scope":                {Decided, 422, 0, Fix},
		"account_empty":              {Decided, 422, 0, Fix},
		"already_reversed":           {Decided, 409, -1, DoNothing},
		"already_refunded":           {Decided, 409, -1, DoNothing},
		"state_forbids":              {Decided, 409, -1, DoNothing},
		"quote_stale":                {Decided, 409, -1, Requote},
		"sum_mismatch":               {Decided, 422, -1, Requote},
		"confirmation_needed":        {Decided, 202, -1, DoNothing},
		"busy":                       {Unknown, 503, 0, RetrySameID},
		"outcome_unknown":            {Unknown, 503, 0, RetrySameID},
		"internal":                   {Unknown, 500, 0, RetrySameID},

		"covered_in_full":   {Reason, 0, 0, DoNothing},
		"covered_in_part":   {Reason, 0, 0, DoNothing},
		"ceiling_reached":   {Reason, 0, 0, DoNothing},
		"nothing_left":      {Reason, 0, 0, DoNothing},
		"account_not_asked": {Reason, 0, 0, DoNothing},

		"message_settled":            {Reason, 0, 0, DoNothing},
		"message_partially_refunded": {Reason, 0, 0, DoNothing},
		"message_reversed":           {Reason, 0, 0, DoNothing},
		"message_gave_back":          {Reason, 0, 0, DoNothing},

		"never_covered":       {Reason, 0, 0, DoNothing},
		"kind_limited":        {Reason, 0, 0, DoNothing},
		"level_limited":       {Reason, 0, 0, DoNothing},
		"prescription_needed": {Reason, 0, 0, DoNothing},
		"age_limited":         {Reason, 0, 0, DoNothing},
		"sex_limited":         {Reason, 0, 0, DoNothing},
		"indication_limited":  {Reason, 0, 0, DoNothing},
		"will_pay":            {Reason, 0, 0, DoNothing},
		"will_pay_partly":     {Reason, 0, 0, DoNothing},
		"will_not_pay":        {Reason, 0, 0, DoNothing},
		"paper_missing":       {Decided, 422, 0, Fix},
		"paper_wrong":         {Decided, 422, 0, Fix},
		"cooling_off":         {Decided, 422, 0, Fix},

		"confirmation_declined": {Decided, 409, -1, CollectCash},
		"confirmation_lapsed":   {Decided, 409, -1, CollectCash},
		"message_confirmed":     {Reason, 0, 0, RetrySameID},
		"account_scope":         {Decided, 422, 0, Fix},
		"premium_not_due":       {Decided, 409, 0, DoNothing},
	}
	for _, r := range All() {
		want, ok := table[r.Code]
		if got := (line{r.Kind, r.Status, r.HIS, r.Next}); !ok || got != want {
			t.Errorf("%s: %v, the table says %v", r.Code, got, want)
		}
		delete(table, r.Code)
	}
	for code := range table {
		t.Errorf("%s: no row", code)
	}
}

// What every text keeps to, told once more without the code that loads them.
func TestTexts(t *testing.T) {
	han := func(s string) bool {
		return strings.ContainsFunc(s, func(c rune) bool { return unicode.Is(unicode.Han, c) })
	}
	figure := func(s string) bool {
		return strings.ContainsFunc(s, unicode.IsDigit) || strings.ContainsAny(s, "¥￥")
	}
	check := func(t *testing.T, where string, text Text) {
		if !han(text.ZH) {
			t.Errorf("%s.zh: no Chinese: %q", where, text.ZH)
		}
		if han(text.EN) || text.EN == "" {
			t.Errorf("%s.en: not English: %q", where, text.EN)
		}
		if figure(text.ZH + text.EN) {
			t.Errorf("%s: a figure: %q", where, text)
		}
	}
	for _, r := range All() {
		t.Run(string(r.Code), func(t *testing.T) {
			for where, text := range map[string]Text{"title": r.Title, "message": r.Message, "cashier": r.Cashier, "person": r.Person, "beside": r.Beside()} {
				check(t, where, text)
			}
			if r.Mend != (Text{}) {
				check(t, "mend", r.Mend)
			}
			if n := len([]rune(r.HISText)); n > 200 || !strings.HasSuffix(r.HISText, "["+string(r.Code)+"]") || !han(r.HISText) || figure(r.HISText) {
				t.Errorf("his_text: %q", r.HISText)
			}
			for _, line := range []string{r.Title.ZH, r.Title.EN, r.Cashier.ZH, r.Cashier.EN, r.HISText} {
				if strings.HasSuffix(line, ".") || strings.Contains(line, "。") {
					t.Errorf("a line is no sentence: %q", line)
				}
			}
			for _, s := range []string{r.Message.ZH, r.Cashier.ZH, r.HISText} {
				if r.Kind == Unknown && !(strings.Contains(s, "不要重复收费") || strings.Contains(s, "勿重复收费")) {
					t.Errorf("unknown, and does not warn of charging twice: %q", s)
				}
				if r.Kind == Unknown && !strings.Contains(s, "同一报文号") {
					t.Errorf("unknown, and does not say how to find out: %q", s)
				}
				if r.Kind == Unknown && strings.Contains(s, "未扣款") {
					t.Errorf("unknown, and promises that nothing was charged: %q", s)
				}
				if r.Next == CollectCash && !strings.Contains(s, "现金") {
					t.Errorf("does not say who owes: %q", s)
				}
				if r.Next == RefreshQR && !strings.Contains(s, "扫码") && !strings.Contains(s, "重扫") {
					t.Errorf("does not ask for another code: %q", s)
				}
			}
		})
	}
	for _, r := range built().rules {
		t.Run(r.Rule, func(t *testing.T) { check(t, "rule", r.Text) })
	}
}

// Every code that the law puts beside a line or a share reads as a reason there.
func TestCodesThatDoubleAsReasons(t *testing.T) {
	double := []family.Code{
		family.ItemNotCovered, family.PersonNotInsured, family.PersonFrozen,
		family.GrantNone, family.GrantPaused, family.GrantCapReached, family.GrantScope, family.AccountEmpty,
		family.AccountScope,
	}
	for _, r := range All() {
		if has := r.Reason != (Text{}); has != slices.Contains(double, r.Code) {
			t.Errorf("%s: a text as reason: %v", r.Code, has)
		}
	}
	for _, name := range found(t, `(?:Reason(?:: | = |, p\.Reason = c, )|return g, )([A-Z]\w+)`) {
		code := declared(t)[name]
		if r := Of(code); r.Kind != Reason && r.Reason == (Text{}) {
			t.Errorf("the law gives %s as a reason, and it reads %q", name, r.Message.EN)
		}
	}
}

func TestEveryRuleOfTheLawHasAText(t *testing.T) {
	names := found(t, `(?:refuse\([^",]+, |Rule: +)"([^"]+)"`)
	if len(names) < 10 {
		t.Fatalf("only %v were found: does this test still read the law aright?", names)
	}
	for _, name := range names {
		full := []string{name}
		if strings.HasSuffix(name, ".") { // the kind of relative follows
			full = nil
			for _, kin := range family.Kins {
				full = append(full, name+string(kin))
			}
		}
		for _, name := range full {
			if text, ok := Rule(name); !ok || text == (Text{}) {
				t.Errorf("%s: no text", name)
			}
		}
	}
	if text, ok := Rule("no.such_rule"); ok || text != (Text{}) {
		t.Errorf("a rule that is none says %q", text)
	}
}

// found returns what the first group of a pattern matches in the law's sources.
func found(t *testing.T, pattern string) []string {
	t.Helper()
	const dir = "../family"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		source, err := os.ReadFile(dir + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(source), -1) {
			all = append(all, match[1])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// declared returns the codes by the names of their constants.
func declared(t *testing.T) map[string]family.Code {
	t.Helper()
	source, err := os.ReadFile("../family/refusal.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]family.Code{}
	for _, match := range regexp.MustCompile(`(?m)^\t([A-Z]\w+) +Code = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		codes[match[1]] = family.Code(match[2])
		if !slices.Contains(family.Codes, family.Code(match[2])) {
			t.Errorf("%s is declared and not in Codes", match[1])
		}
	}
	if len(codes) != len(family.Codes) {
		t.Errorf("%d codes are declared, %d listed", len(codes), len(family.Codes))
	}
	return codes
}

// A change of a text is seen in review: go test ./shared/answer -update.
func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, r := range All() {
		fmt.Fprintf(&b, "== %s: %s, status %d, his %d, next %s", r.Code, r.Kind, r.Status, r.HIS, r.Next)
		if r.RetryAfter > 0 {
			fmt.Fprintf(&b, ", retry after %d s", r.RetryAfter)
		}
		b.WriteString("\n")
		for _, text := range []struct {
			where string
			Text
		}{{"title", r.Title}, {"message", r.Message}, {"cashier", r.Cashier}, {"person", r.Person}, {"beside", r.Reason}, {"mend", r.Mend}} {
			if text.Text != (Text{}) {
				fmt.Fprintf(&b, "%-8s %s\n         %s\n", text.where, text.ZH, text.EN)
			}
		}
		fmt.Fprintf(&b, "his      %s\n\n", r.HISText)
	}
	for _, r := range built().rules {
		fmt.Fprintf(&b, "rule %s\n         %s\n         %s\n", r.Rule, r.ZH, r.EN)
	}
	const golden = "testdata/answers.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wanted)) {
		if i >= len(got) || i >= len(wanted) || got[i] != wanted[i] {
			t.Fatalf("%s:%d: the catalogue says\n%s\nwhere the file says\n%s\nIf the catalogue is right, run with -update.",
				golden, i+1, strings.Join(got[min(i, len(got)):min(i+1, len(got))], ""), strings.Join(wanted[min(i, len(wanted)):min(i+1, len(wanted))], ""))
		}
	}
}
