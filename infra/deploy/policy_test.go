package deploy

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"gongji/shared/family"
	"gongji/shared/onaws/onawstest"
	"gongji/shared/store"

	"github.com/google/go-cmp/cmp"
)

// allowance is the most that each function may ever be given of the table, by verb:
// a change of the template beyond it is a change of this list first.
var allowance = map[string]map[string][]string{
	"WebFunction": {},
	"BindingFunction": {
		"dynamodb:BatchGetItem":       {"ACCT#*", "ACTS#*", "ACTSON#*", "BIND#*", "DUE#*", "ID#*", "ONCE#*", "PAPER#*", "PERSON#*", "PROOF#*", "QR#*", "REGISTRY#*", "REVIEWS"},
		"dynamodb:Query":              {"BIND#*", "PERSON#*"},
		"dynamodb:PutItem":            {"ACCT#*", "ACTS#*", "ACTSON#*", "BIND#*", "DUE#*", "ONCE#*", "PAPER#*", "PERSON#*", "PROOF#*", "QR#*", "REVIEWS"},
		"dynamodb:ConditionCheckItem": {"ACCT#*", "ID#*", "PERSON#*", "QR#*"},
	},
	"QrFunction": {
		"dynamodb:BatchGetItem":       {"ACCT#*", "BIND#*", "ONCE#*", "PERSON#*", "QR#*"},
		"dynamodb:PutItem":            {"ONCE#*", "PERSON#*", "QR#*"},
		"dynamodb:ConditionCheckItem": {"ACCT#*", "BIND#*", "QR#*"},
	},
	"SettlementFunction": {
		"dynamodb:BatchGetItem":       {"ACCT#*", "BIND#*", "BOUGHT#*", "CARD#*", "DAY#*", "GUESS#*", "ID#*", "INST#*", "ITEM#*", "ONCE#*", "OWED#*", "PERSON#*", "PREMIUM#*", "QR#*", "TRACE#*"},
		"dynamodb:Query":              {"CONFIRM#*", "DAY#*", "OWED#*"},
		"dynamodb:PutItem":            {"ACCT#*", "BOUGHT#*", "CONFIRM#*", "DAY#*", "GUESS#*", "ONCE#*", "PREMIUM#*", "QR#*", "TRACE#*"},
		"dynamodb:ConditionCheckItem": {"ACCT#*", "BIND#*", "BOUGHT#*", "DAY#*", "QR#*", "TRACE#*"},
	},
	"HisFunction": {
		"dynamodb:BatchGetItem":       {"ACCT#*", "BIND#*", "BOUGHT#*", "CARD#*", "DAY#*", "FILE#*", "GUESS#*", "HISKEY#*", "ID#*", "INST#*", "ITEM#*", "PERSON#*", "QR#*", "SIGN#*", "STEP#*", "TRACE#*", "VISIT#*"},
		"dynamodb:Query":              {"DAY#*", "VISIT#*"},
		"dynamodb:PutItem":            {"ACCT#*", "BOUGHT#*", "CONFIRM#*", "DAY#*", "FILE#*", "GUESS#*", "QR#*", "SIGN#*", "STEP#*", "TRACE#*", "VISIT#*"},
		"dynamodb:ConditionCheckItem": {"ACCT#*", "BIND#*", "BOUGHT#*", "DAY#*", "QR#*", "TRACE#*", "VISIT#*"},
	},
	"AccountFunction": { // it writes nothing but that a day's rules are closed
		"dynamodb:BatchGetItem": {"ACCT#*", "BIND#*", "BOUGHT#*", "DAY#*", "INST#*", "ITEM#*", "PERSON#*", "TRACE#*"},
		"dynamodb:Query":        {"ACCT#*", "FIND#*"},
	},
	"ReviewFunction": {
		"dynamodb:BatchGetItem":       {"ACCT#*", "ACTS#*", "ACTSON#*", "ADJUSTMENTS", "BIND#*", "BOUGHT#*", "CARD#*", "CHECKPOINTS", "CREDIT#*", "DAY#*", "DUE#*", "FIND#*", "HISKEY#*", "ID#*", "INST#*", "INSTITUTIONS", "ITEM#*", "KEYS#*", "OWED#*", "PAPER#*", "PERSON#*", "POLICIES", "PREMIUM#*", "QR#*", "REGISTRY#*", "REVIEWS", "SWEPT", "TRACE#*"},
		"dynamodb:Query":              {"ACCT#*", "ACTS#*", "ACTSON#*", "ADJUSTMENTS", "BIND#*", "DAY#*", "DUE#*", "INSTITUTIONS", "KEYS#*", "PERSON#*", "REVIEWS"},
		"dynamodb:PutItem":            {"ACCT#*", "ACTS#*", "ACTSON#*", "ADJUSTMENTS", "BIND#*", "CARD#*", "CREDIT#*", "DUE#*", "FIND#*", "HISKEY#*", "ID#*", "INST#*", "INSTITUTIONS", "ITEM#*", "KEYS#*", "OWED#*", "PERSON#*", "POLICIES", "PREMIUM#*", "REGISTRY#*", "REVIEWS", "SWEPT"},
		"dynamodb:ConditionCheckItem": {"ACCT#*", "CARD#*", "DUE#*", "ID#*", "INSTITUTIONS", "OWED#*", "PERSON#*", "RULES"},
	},
	"ExpiryFunction": {
		"dynamodb:BatchGetItem":       {"ACCT#*", "ADJUSTMENTS", "BIND#*", "BOUGHT#*", "CHECKPOINTS", "CREDIT#*", "DAY#*", "DUE#*", "HISKEY#*", "PAPER#*", "PERSON#*", "PREMIUM#*", "QR#*", "REGISTRY#*", "REVIEWS", "SWEPT", "TRACE#*"},
		"dynamodb:Query":              {"ACCT#*", "CHECKPOINTS", "DAY#*", "DUE#*", "INSTITUTIONS", "PERSON#*"},
		"dynamodb:PutItem":            {"ACCT#*", "BIND#*", "CHECKPOINTS", "DUE#*", "HISKEY#*", "PERSON#*", "QR#*", "REVIEWS", "SWEPT"},
		"dynamodb:ConditionCheckItem": {"ACCT#*", "DUE#*", "PERSON#*", "QR#*"},
		"dynamodb:Scan":               {"*"}, // which knows no keys: what is under older keys lies anywhere
	},
}

// papersAllowance is what functions may do to the bucket of papers.
var papersAllowance = map[string][]string{
	"BindingFunction": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
	"ReviewFunction":  {"s3:GetObject", "s3:DeleteObject"},
	"ExpiryFunction":  {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
}

// list returns what is one thing or a list of things as a list.
func list(v any) []any {
	if many, ok := v.([]any); ok {
		return many
	}
	return []any{v}
}

// statement is a statement of a policy.
type statement struct {
	where     string
	actions   []string
	resource  any
	condition object
}

// statements returns the statements of a policy document, those under a condition
// of the template too.
func (t template) statements(where string, document any) []statement {
	t.t.Helper()
	var all []statement
	for _, v := range document.(object)["Statement"].([]any) {
		s := v.(object)
		if branches, ok := s["Fn::If"].([]any); ok {
			s = branches[1].(object)
		}
		if s["Effect"] != "Allow" || s["NotAction"] != nil || s["NotResource"] != nil || s["Principal"] != nil {
			t.t.Errorf("%s: %v", where, s)
		}
		condition, _ := s["Condition"].(object)
		next := statement{where: where, resource: s["Resource"], condition: condition}
		for _, action := range list(s["Action"]) {
			next.actions = append(next.actions, action.(string))
		}
		all = append(all, next)
	}
	return all
}

// inline returns the statements of a role's own policies.
func (t template) inline(role string) []statement {
	var all []statement
	for _, p := range list(t.properties(role)["Policies"]) {
		all = append(all, t.statements(role, p.(object)["PolicyDocument"])...)
	}
	return all
}

// TestNoStars: no action and no resource is a star, with two exceptions: traces,
// whose actions know no resource, and a key's own policy, where the star is the key.
func TestNoStars(t *testing.T) {
	tm := readTemplate(t)
	var all []statement
	for _, role := range tm.ofType("AWS::IAM::Role") {
		all = append(all, tm.inline(role)...)
	}
	for _, managed := range tm.ofType("AWS::IAM::ManagedPolicy") {
		all = append(all, tm.statements(managed, tm.properties(managed)["PolicyDocument"])...)
	}
	if len(all) < 20 {
		t.Fatalf("only %d statements were found", len(all))
	}
	for _, s := range all {
		for _, action := range s.actions {
			if strings.Contains(action, "*") {
				t.Errorf("%s may do %s", s.where, action)
			}
		}
		traces := slices.Equal(s.actions, []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"})
		for _, resource := range list(s.resource) {
			got, _ := resource.(object)
			inPapers := got["Fn::Sub"] == "${Papers.Arn}/*" // any paper, in the one bucket
			sealKey := got["Ref"] == "SealKeyArn"           // one key, which the parameter names
			secret := got["Ref"] == "HashKeys"              // of a secret Ref is the ARN
			if got["Fn::GetAtt"] == nil && !inPapers && !sealKey && !secret && !(traces && resource == "*") {
				t.Errorf("%s may do %v to %v", s.where, s.actions, resource)
			}
		}
	}
	for _, key := range tm.ofType("AWS::KMS::Key") {
		want := []any{object{
			"Sid": "TheAccountsPoliciesDecide", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
			"Principal": object{"AWS": object{"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}},
		}}
		if diff := cmp.Diff(any(want), tm.properties(key)["KeyPolicy"].(object)["Statement"]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

// TestAllowances: each function's policy is within its allowance, and is otherwise
// what every function has.
func TestAllowances(t *testing.T) {
	tm := readTemplate(t)
	for _, function := range tm.functions() {
		name := strings.TrimSuffix(function, "Function")
		got := map[string][]string{}
		// Who reads papers hears only with s3:ListBucket that one is not there (404);
		// without it S3 says 403 (GetObject, "Permissions").
		reads, lists := slices.Contains(papersAllowance[function], "s3:GetObject"), false
		for _, s := range tm.inline(name + "Role") {
			switch {
			case strings.HasPrefix(s.actions[0], "dynamodb:"):
				if !cmp.Equal(s.resource, any(object{"Fn::GetAtt": "Table.Arn"})) {
					t.Errorf("%s: %v", function, s)
				}
				keys := any("*")
				if among, bound := s.condition["ForAllValues:StringLike"].(object); bound {
					keys = among["dynamodb:LeadingKeys"]
				}
				for _, action := range s.actions {
					for _, key := range list(keys) {
						got[action] = append(got[action], key.(string))
					}
				}
			case slices.Equal(s.actions, []string{"logs:CreateLogStream", "logs:PutLogEvents"}) && cmp.Equal(s.resource, any(object{"Fn::GetAtt": name + "Log.Arn"})):
			case name == "Expiry" && slices.Equal(s.actions, []string{"sqs:SendMessage"}) && cmp.Equal(s.resource, any(object{"Fn::GetAtt": "DeadLetters.Arn"})):
			case name == "Expiry" && slices.Equal(s.actions, []string{"kms:GetPublicKey", "kms:Sign"}) && cmp.Equal(s.resource, any(object{"Ref": "SealKeyArn"})):
			case slices.Equal(s.actions, papersAllowance[function]) && cmp.Equal(s.resource, any(object{"Fn::Sub": "${Papers.Arn}/*"})):
			case reads && slices.Equal(s.actions, []string{"s3:ListBucket"}) && cmp.Equal(s.resource, any(object{"Fn::GetAtt": "Papers.Arn"})):
				lists = true
			default:
				t.Errorf("%s may also: %v", function, s)
			}
		}
		if reads != lists {
			t.Errorf("%s reads papers: %v, hears that one is not there: %v", function, reads, lists)
		}
		if diff := cmp.Diff(allowance[function], got); diff != "" {
			t.Errorf("%s: allowance (-) and policy (+): %s", function, diff)
		}
		managed := []any{object{"Ref": "CommonPolicy"}, object{"Ref": "KeysPolicy"}}
		if name == "Web" {
			managed = managed[:1]
		}
		if diff := cmp.Diff(any(managed), tm.properties(name + "Role")["ManagedPolicyArns"]); diff != "" {
			t.Errorf("%s: %s", function, diff)
		}
	}
	keys := tm.statements("KeysPolicy", tm.properties("KeysPolicy")["PolicyDocument"])
	want := object{"StringEquals": object{"kms:EncryptionContext:gongji": "vault"}}
	if len(keys) != 2 || !slices.Equal(keys[0].actions, []string{"kms:Decrypt"}) || !cmp.Equal(keys[0].resource, any(object{"Fn::GetAtt": "KeysKey.Arn"})) || !cmp.Equal(keys[0].condition, want) {
		t.Errorf("the key document: %v", keys)
	}
	if !slices.Equal(keys[1].actions, []string{"secretsmanager:GetSecretValue"}) || !cmp.Equal(keys[1].resource, any(object{"Ref": "HashKeys"})) {
		t.Errorf("the hash keys: %v", keys[1])
	}
	common := tm.statements("CommonPolicy", tm.properties("CommonPolicy")["PolicyDocument"])
	via := object{"StringLike": object{"kms:ViaService": object{"Fn::Sub": "dynamodb.${AWS::Region}.*"}}}
	if !cmp.Equal(common[0].resource, any(object{"Fn::GetAtt": "TableKey.Arn"})) || !cmp.Equal(common[0].condition, via) {
		t.Errorf("the table's key: %v", common[0])
	}
	policies := object{"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": []any{"POLICIES"}}}
	if !slices.Equal(common[1].actions, []string{"dynamodb:Query"}) || !cmp.Equal(common[1].condition, policies) {
		t.Errorf("the published policies: %v", common[1])
	}
	closed := object{"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": []any{"RULES"}}}
	if !slices.Equal(common[2].actions, []string{"dynamodb:BatchGetItem", "dynamodb:PutItem"}) || !cmp.Equal(common[2].condition, closed) {
		t.Errorf("the day whose rules are closed: %v", common[2])
	}
}

// guarded is a store that does what the policy of a function lets it do, as IAM
// judges it, and keeps what was needed.
type guarded struct {
	store.Store
	t        *testing.T
	function string
	used     map[string]map[string]bool // by function: verb and pattern
}

func (g *guarded) judge(verb, part string) {
	g.t.Helper()
	if verb == "dynamodb:Query" && part == "POLICIES" || part == "RULES" && (verb == "dynamodb:BatchGetItem" || verb == "dynamodb:PutItem") {
		return // CommonPolicy gives it to every function
	}
	for _, pattern := range allowance[g.function][verb] {
		if prefix, open := strings.CutSuffix(pattern, "*"); part == pattern || open && strings.HasPrefix(part, prefix) {
			if g.used[g.function] == nil {
				g.used[g.function] = map[string]bool{}
			}
			g.used[g.function][verb+" "+pattern] = true
			return
		}
	}
	kind, _, _ := strings.Cut(part, "#")
	g.t.Errorf("%s needs %s of %s#, which its policy does not give", g.function, verb, kind)
}

func (g *guarded) Get(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	for _, k := range keys {
		g.judge("dynamodb:BatchGetItem", k.Part)
	}
	return g.Store.Get(ctx, keys...)
}

func (g *guarded) List(ctx context.Context, r store.Range) ([]store.Record, error) {
	g.judge("dynamodb:Query", r.Part)
	return g.Store.List(ctx, r)
}

func (g *guarded) Commit(ctx context.Context, writes []store.Write) error {
	for _, w := range writes {
		verb := "dynamodb:PutItem"
		if w.Check {
			verb = "dynamodb:ConditionCheckItem"
		}
		g.judge(verb, w.Key.Part)
	}
	return g.Store.Commit(ctx, writes)
}

// TestStoryWithinPolicies tells the main story, each request to the function that
// the template sends it to, under that function's policy: nothing is missing, and
// nothing is given that no act needs.
func TestStoryWithinPolicies(t *testing.T) {
	tm := readTemplate(t)
	g := &guarded{Store: newStore(t), t: t, used: map[string]map[string]bool{}}
	h := open(t, g)

	// The API finds the most particular route, as Go's own router does.
	mux, reached := http.NewServeMux(), map[string]bool{}
	routes := tm.routes()
	for key, r := range routes {
		mux.HandleFunc(key, func(w http.ResponseWriter, q *http.Request) {
			g.function, reached[key] = r.Function, true
			h.door.ServeHTTP(w, q)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	scene := h.scene(func(q onawstest.Request) onawstest.Reply {
		return onawstest.OverHTTP(t, server.Client(), q.HTTP(t, server.URL))
	})
	scene.Tell()
	scene.TellHIS(scene.Bind())
	scene.WaitHIS()
	scene.Review()
	g.function = "ReviewFunction" // the story's one operator may not publish what he drafted
	if _, err := h.app.PublishPolicy(t.Context(), "another", "430100@2099-01", ""); err != nil {
		t.Error(err)
	}
	for _, key := range slices.Sorted(maps.Keys(routes)) {
		if !reached[key] {
			t.Errorf("the story never asks %s", key)
		}
	}
	g.function = "ExpiryFunction"
	if _, err := h.app.ProveDay(t.Context(), family.DayOf(noon), ""); err != nil {
		t.Error(err)
	}
	for function, verbs := range allowance {
		if function == "ExpiryFunction" {
			continue // what a sweep needs is what has come due: a death, a birthday, a code on a screen
		}
		for verb, patterns := range verbs {
			for _, pattern := range patterns {
				if line := verb + " " + pattern; !g.used[function][line] {
					t.Errorf("%s has %s, and nothing needed it", function, line)
				}
			}
		}
	}
}
