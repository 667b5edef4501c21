// Package deploy tests what is deployed: that template.yaml says what the door and
// the functions need and no more, and that the built functions work under Lambda's
// runtime interface.
package deploy

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gongji/shared/api"
	"gongji/shared/app"
	"gongji/shared/his"
	"gongji/shared/throttle"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

const root = "../.."

// object is a mapping of the template; a short form (!Ref x) is {"Ref": x}.
type object = map[string]any

// template is template.yaml, its short forms written out.
type template struct {
	t    *testing.T
	text string
	object
}

func readTemplate(t *testing.T) template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return template{t, string(text), value(t, document.Content[0]).(object)}
}

// value returns what a node says.
func value(t *testing.T, n *yaml.Node) any {
	var v any
	switch n.Kind {
	case yaml.AliasNode:
		return value(t, n.Alias)
	case yaml.MappingNode:
		m := object{}
		for i := 0; i < len(n.Content); i += 2 {
			if _, twice := m[n.Content[i].Value]; twice {
				t.Errorf("line %d: %s stands twice", n.Content[i].Line, n.Content[i].Value)
			}
			m[n.Content[i].Value] = value(t, n.Content[i+1])
		}
		v = m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, value(t, item))
		}
		v = list
	default:
		if strings.HasPrefix(n.Tag, "!!") {
			if err := n.Decode(&v); err != nil {
				t.Fatalf("line %d: %v", n.Line, err)
			}
			return v
		}
		v = n.Value
	}
	switch tag := n.Tag; {
	case tag == "!Ref", tag == "!Condition":
		return object{tag[1:]: v}
	case tag == "!GetAtt":
		return object{"Fn::GetAtt": v}
	case strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!"):
		return object{"Fn::" + tag[1:]: v}
	}
	return v
}

// at returns what lies under a path of names.
func (t template) at(path ...string) any {
	t.t.Helper()
	var v any = t.object
	for _, name := range path {
		m, ok := v.(object)
		if !ok {
			t.t.Fatalf("%s: %s is under no mapping", strings.Join(path, "."), name)
		}
		v = m[name]
	}
	return v
}

// ofType returns the names of the resources of a type, sorted.
func (t template) ofType(kind string) []string {
	var names []string
	for name, r := range t.at("Resources").(object) {
		if r.(object)["Type"] == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// properties returns the properties of a resource.
func (t template) properties(resource string) object {
	t.t.Helper()
	p, ok := t.at("Resources", resource, "Properties").(object)
	if !ok {
		t.t.Fatalf("%s has no properties", resource)
	}
	return p
}

// functions returns the logical ids of the functions.
func (t template) functions() []string { return t.ofType("AWS::Serverless::Function") }

// folderOf returns the folder of a function, as functions/build.mk does.
func folderOf(function string) string {
	return strings.ToLower(strings.TrimSuffix(function, "Function"))
}

// route is a route of the API: which function it reaches and whose token it needs.
type route struct{ Function, Authorizer string }

// routes returns the template's routes by method and path.
func (t template) routes() map[string]route {
	t.t.Helper()
	all := map[string]route{}
	for _, function := range t.functions() {
		for _, e := range t.properties(function)["Events"].(object) {
			event := e.(object)
			if event["Type"] != "HttpApi" {
				continue
			}
			p := event["Properties"].(object)
			if !cmp.Equal(p["ApiId"], any(object{"Ref": "Api"})) {
				t.t.Errorf("%s: an event of another API: %v", function, p)
			}
			if p["Path"] == nil && p["Method"] == nil { // $default, which TestDefaultRoute looks at
				continue
			}
			r := route{Function: function}
			if auth, ok := p["Auth"].(object); ok {
				r.Authorizer, _ = auth["Authorizer"].(string)
			}
			key := p["Method"].(string) + " " + p["Path"].(string)
			if _, twice := all[key]; twice {
				t.t.Errorf("%s stands twice", key)
			}
			all[key] = r
		}
	}
	return all
}

// forEverybody are the routes that need no token: the short list.
var forEverybody = []string{"GET /healthz", "GET /openapi.json", hisRoute}

// hisRoute is the national interface, whose requests are signed: no document of ours
// describes it.
const hisRoute = "POST /fsi/api/{service}/{method}"

// doorRoutes returns the routes of the door itself, by its own document, and
// whether each needs a token.
func doorRoutes(t *testing.T) map[string]bool {
	t.Helper()
	w := httptest.NewRecorder()
	api.New(api.Options{App: app.New(app.Options{}), Log: slog.New(slog.DiscardHandler)}).ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatalf("%v: %.200s", err, w.Body)
	}
	all := map[string]bool{"GET /openapi.json": false, hisRoute: false} // no document describes itself
	for path, methods := range document.Paths {
		for method, text := range methods {
			if method = strings.ToUpper(method); !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}, method) {
				continue
			}
			var operation struct{ Security []map[string][]string }
			if err := json.Unmarshal(text, &operation); err != nil {
				t.Fatal(err)
			}
			all[method+" "+path] = len(operation.Security) > 0
		}
	}
	return all
}

// TestRoutes: the template has the routes of the door, all of them and no others,
// each behind the authorizer unless it is on the short list.
func TestRoutes(t *testing.T) {
	tm := readTemplate(t)
	has, needs := tm.routes(), doorRoutes(t)
	if len(needs) < 30 {
		t.Fatalf("the door has only %d routes", len(needs))
	}
	for key, token := range needs {
		r, ok := has[key]
		want := ""
		if token {
			want = "Token"
		}
		if !ok {
			t.Errorf("%s is not in the template", key)
		} else if r.Authorizer != want {
			t.Errorf("%s has the authorizer %q, not %q", key, r.Authorizer, want)
		}
	}
	var open []string
	for key, r := range has {
		if _, ok := needs[key]; !ok {
			t.Errorf("%s is no route of the door", key)
		}
		if r.Authorizer == "" {
			open = append(open, key)
		}
	}
	slices.Sort(open)
	if diff := cmp.Diff(forEverybody, open); diff != "" {
		t.Errorf("without an authorizer: %s", diff)
	}
	api := tm.properties("Api")
	want := object{"Token": object{
		"IdentitySource":   "$request.header.Authorization",
		"JwtConfiguration": object{"issuer": object{"Ref": "Issuer"}, "audience": []any{object{"Ref": "Audience"}}},
	}}
	if diff := cmp.Diff(any(want), api["Auth"].(object)["Authorizers"]); diff != "" {
		t.Error(diff)
	}
	if api["FailOnWarnings"] != true || api["DefaultRouteSettings"].(object)["ThrottlingRateLimit"] == nil || api["AccessLogSettings"] == nil {
		t.Errorf("the API: %v", api)
	}
	// A path or an address in the access log may name somebody.
	if format := api["AccessLogSettings"].(object)["Format"].(string); strings.Contains(format, "sourceIp") || strings.Contains(format, "context.path") || !json.Valid([]byte(format)) {
		t.Errorf("the access log: %s", format)
	}
}

// TestDefaultRoute: what no route takes comes to the pages, and to nothing else. The
// pages are for everybody.
func TestDefaultRoute(t *testing.T) {
	tm := readTemplate(t)
	want := map[string]object{"WebFunction": {"ApiId": object{"Ref": "Api"}}}
	got := map[string]object{}
	for _, function := range tm.functions() {
		for _, e := range tm.properties(function)["Events"].(object) {
			if p := e.(object)["Properties"].(object); e.(object)["Type"] == "HttpApi" && p["Path"] == nil {
				got[function] = p
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if api := tm.properties("Api")["Auth"].(object); api["DefaultAuthorizer"] != nil {
		t.Error("with a default authorizer nobody sees the pages")
	}
}

// TestFunctions: each function is a folder under functions/ and each folder a
// function, with a role and a log of its own.
func TestFunctions(t *testing.T) {
	tm := readTemplate(t)
	folders, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, main := range folders {
		want = append(want, filepath.Base(filepath.Dir(main)))
	}
	for _, function := range tm.functions() {
		folder := folderOf(function)
		got = append(got, folder)
		p, name := tm.properties(function), strings.TrimSuffix(function, "Function")
		if !cmp.Equal(p["Role"], any(object{"Fn::GetAtt": name + "Role.Arn"})) {
			t.Errorf("%s: role %v", function, p["Role"])
		}
		if !cmp.Equal(p["LoggingConfig"], any(object{"LogFormat": "JSON", "LogGroup": object{"Ref": name + "Log"}})) {
			t.Errorf("%s: log %v", function, p["LoggingConfig"])
		}
		if tm.at("Resources", function, "Metadata", "BuildMethod") != "makefile" {
			t.Errorf("%s is not built by the Makefile", function)
		}
		if _, reserved := p["ReservedConcurrentExecutions"]; !reserved && folder != "expiry" {
			t.Errorf("%s: no concurrency can be reserved for it", function)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("folders (-) and functions (+): %s", diff)
	}
	all := tm.at("Globals", "Function").(object)
	if all["Runtime"] != "provided.al2023" || all["Handler"] != "bootstrap" || !cmp.Equal(all["Architectures"], any([]any{object{"Ref": "Architecture"}})) || tm.at("Parameters", "Architecture", "Default") != "arm64" {
		t.Errorf("all functions: %v", all)
	}
	if !cmp.Equal(all["Tracing"], any(object{"Fn::If": []any{"Traced", "Active", "PassThrough"}})) {
		t.Errorf("traces: %v", all["Tracing"])
	}
	for _, group := range tm.ofType("AWS::Logs::LogGroup") {
		if !cmp.Equal(tm.properties(group)["RetentionInDays"], any(object{"Ref": "LogRetentionDays"})) {
			t.Errorf("%s keeps its lines for ever", group)
		}
	}
}

// TestEnvironment: what only a DynamoDB Local may have is declared, for sam local
// sets no other variables, and empty.
func TestEnvironment(t *testing.T) {
	tm := readTemplate(t)
	declared := tm.at("Globals", "Function", "Environment", "Variables").(object)
	for _, name := range []string{"GONGJI_KEYS_DOCUMENT", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_SECRETS_MANAGER"} {
		if v, ok := declared[name]; !ok || v != "" {
			t.Errorf("%s is %v", name, v)
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "infra", "env.json"))
	if err != nil {
		t.Fatal(err)
	}
	var local map[string]map[string]string
	if err := json.Unmarshal(text, &local); err != nil {
		t.Fatal(err)
	}
	for part, variables := range local {
		if part != "Parameters" && !slices.Contains(tm.functions(), part) {
			t.Errorf("infra/env.json sets variables of %s, which is no function", part)
		}
		for name := range variables {
			if _, ok := declared[name]; !ok {
				t.Errorf("infra/env.json sets %s, which the template does not declare", name)
			}
		}
	}
}

// TestEveryVariableIsSet: what the functions read of their environment the template
// gives to one of them at least.
func TestEveryVariableIsSet(t *testing.T) {
	tm := readTemplate(t)
	set := map[string]bool{}
	variables := func(of any) {
		if of, ok := of.(object); ok {
			for name := range of["Variables"].(object) {
				set[name] = true
			}
		}
	}
	variables(tm.at("Globals", "Function", "Environment"))
	for _, function := range tm.functions() {
		variables(tm.properties(function)["Environment"])
	}
	read := 0
	for _, folder := range []string{"shared/onaws", "shared/gateway", "functions/*"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range regexp.MustCompile(`"GONGJI_[A-Z_]+"`).FindAllString(string(text), -1) {
				if read++; !set[strings.Trim(name, `"`)] {
					t.Errorf("%s reads %s, which no function is given", file, name)
				}
			}
		}
	}
	if read < 10 {
		t.Errorf("only %d variables are read", read)
	}
}

// TestOutputs: whoever deployed finds the web app, the doors and the names that
// docs/operations.md works with; and that page asks for no other.
func TestOutputs(t *testing.T) {
	tm := readTemplate(t)
	const host = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
	want := map[string]any{
		"WebUrl": object{"Fn::Sub": host + "/"}, "ApiUrl": object{"Fn::Sub": host}, "HisUrl": object{"Fn::Sub": host + strings.TrimSuffix(his.Prefix, "/")},
		"TableName": object{"Ref": "Table"}, "PapersBucket": object{"Ref": "Papers"}, "ExpiryFunctionName": object{"Ref": "ExpiryFunction"},
		"KeysKeyArn": object{"Fn::GetAtt": "KeysKey.Arn"}, "HashKeysArn": object{"Ref": "HashKeys"}, "DeadLettersUrl": object{"Ref": "DeadLetters"},
	}
	got, resources := map[string]any{}, tm.at("Resources").(object)
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, output := range tm.at("Outputs").(object) {
		value := output.(object)["Value"]
		got[name] = value
		if description, _ := output.(object)["Description"].(string); description == "" {
			t.Errorf("%s: nobody says what it is", name)
		}
		of := value.(object)["Ref"]
		if of == nil {
			of, _, _ = strings.Cut(fmt.Sprint(value.(object)["Fn::GetAtt"]), ".")
		}
		if _, sub := value.(object)["Fn::Sub"]; !sub && resources[of.(string)] == nil {
			t.Errorf("%s is of %v, which is not there", name, of)
		}
		if !strings.Contains(string(page), name) {
			t.Errorf("docs/operations.md does not say what %s is for", name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if tm.properties("Api")["StageName"] != "$default" {
		t.Error("of another stage than $default the name is part of every address")
	}
	for _, asked := range regexp.MustCompile(`\$\(output ([A-Za-z]+)\)`).FindAllStringSubmatch(string(page), -1) {
		if got[asked[1]] == nil {
			t.Errorf("docs/operations.md asks for the output %s", asked[1])
		}
	}
}

// TestTable: nobody loses the table by mistake, and nobody reads it without a key.
func TestTable(t *testing.T) {
	tm := readTemplate(t)
	p := tm.properties("Table")
	for name, want := range map[string]any{
		"BillingMode":                      "PAY_PER_REQUEST",
		"DeletionProtectionEnabled":        true,
		"PointInTimeRecoverySpecification": object{"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 35},
		"TimeToLiveSpecification":          object{"AttributeName": "expires", "Enabled": true},
		"SSESpecification":                 object{"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": object{"Fn::GetAtt": "TableKey.Arn"}},
		"StreamSpecification":              object{"StreamViewType": "NEW_IMAGE"},
		"KeySchema":                        []any{object{"AttributeName": "part", "KeyType": "HASH"}, object{"AttributeName": "sort", "KeyType": "RANGE"}},
	} {
		if diff := cmp.Diff(want, p[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// The hash keys lie under another key than the document that they stand in for.
	if _, under := tm.properties("HashKeys")["KmsKeyId"]; under {
		t.Error("without KMS's key of ours nobody could read the hash keys")
	}
	for _, resource := range append(tm.ofType("AWS::KMS::Key"), "Table", "HashKeys") {
		for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			if tm.at("Resources", resource, policy) != "Retain" {
				t.Errorf("%s goes with its stack: %s", resource, policy)
			}
		}
	}
	for _, key := range tm.ofType("AWS::KMS::Key") {
		if tm.properties(key)["EnableKeyRotation"] != true {
			t.Errorf("%s does not rotate", key)
		}
	}
}

// TestSchedule: the schedule is tried again, and what it gives up is kept.
func TestSchedule(t *testing.T) {
	tm := readTemplate(t)
	p := tm.at("Resources", "ExpiryFunction", "Properties", "Events", "Daily", "Properties").(object)
	dead := object{"Fn::GetAtt": "DeadLetters.Arn"}
	for name, want := range map[string]any{
		"ScheduleExpressionTimezone": "Asia/Shanghai", "OmitName": true, "Input": "{}",
		"RetryPolicy":      object{"MaximumRetryAttempts": 5, "MaximumEventAgeInSeconds": 3600},
		"DeadLetterConfig": object{"Arn": dead},
		"RoleArn":          object{"Fn::GetAtt": "ScheduleRole.Arn"},
	} {
		if diff := cmp.Diff(want, p[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	failure := tm.at("Resources", "ExpiryFunction", "Properties", "EventInvokeConfig", "DestinationConfig", "OnFailure")
	if diff := cmp.Diff(any(object{"Type": "SQS", "Destination": dead}), failure); diff != "" {
		t.Error(diff)
	}
}

// TestAlarms: each alarm tells somebody, and all functions are counted.
func TestAlarms(t *testing.T) {
	tm := readTemplate(t)
	watched := map[string][]string{}
	for _, alarm := range tm.ofType("AWS::CloudWatch::Alarm") {
		p := tm.properties(alarm)
		tell := any([]any{object{"Fn::If": []any{"HasAlarmTopic", object{"Ref": "AlarmTopicArn"}, object{"Ref": "AWS::NoValue"}}}})
		if !cmp.Equal(p["AlarmActions"], tell) || !cmp.Equal(p["OKActions"], tell) || p["AlarmDescription"] == nil || p["TreatMissingData"] == nil {
			t.Errorf("%s: %v", alarm, p)
		}
		if name, ok := p["MetricName"].(string); ok {
			watched[name] = append(watched[name], alarm)
		}
		if p["MetricName"] == nil {
			for _, m := range p["Metrics"].([]any) {
				stat, ok := m.(object)["MetricStat"].(object)
				if !ok {
					continue
				}
				metric := stat["Metric"].(object)
				of := metric["Dimensions"].([]any)[0].(object)["Value"].(object)["Ref"].(string)
				watched[metric["MetricName"].(string)] = append(watched[metric["MetricName"].(string)], of)
			}
		}
	}
	for _, metric := range []string{"Errors", "Throttles"} {
		slices.Sort(watched[metric])
		if diff := cmp.Diff(tm.functions(), watched[metric]); diff != "" {
			t.Errorf("%s of: %s", metric, diff)
		}
	}
	for _, metric := range []string{"5xx", "Duration", "ProofFaults", "ProofIncomplete", "CheckpointFaults", "ApproximateNumberOfMessagesVisible"} {
		if len(watched[metric]) == 0 {
			t.Errorf("nobody watches %s", metric)
		}
	}
	body := tm.properties("Dashboard")["DashboardBody"].(object)["Fn::Sub"].(string)
	if !json.Valid([]byte(body)) {
		t.Error("the dashboard is not JSON")
	}
}

// TestNoLiterals: the template goes to any partition, region and account.
func TestNoLiterals(t *testing.T) {
	tm := readTemplate(t)
	conditions := 0
	for i, line := range strings.Split(tm.text, "\n") {
		code, _, _ := strings.Cut(line, "#")
		if regexp.MustCompile(`^  InChina: `).MatchString(code) { // the one place that knows a partition by name
			conditions++
			continue
		}
		// A service's own name is the same in every partition.
		code = regexp.MustCompile(`Principal: \{Service: [a-z]+\.amazonaws\.com\}`).ReplaceAllString(code, "")
		for what, literal := range map[string]string{
			"a partition": `arn:aws|aws-cn|aws-us-gov`,
			"a domain":    `amazonaws|api\.aws`,
			"a region":    `\b(us|eu|ap|cn|ca|sa|me|af|il|mx)-(gov-)?(north|south|east|west|central|northeast|northwest|southeast|southwest)-?[0-9]`,
			"an account":  `\b[0-9]{12}\b`,
		} {
			if found := regexp.MustCompile(literal).FindString(code); found != "" {
				t.Errorf("line %d names %s: %s", i+1, what, found)
			}
		}
	}
	if conditions != 1 {
		t.Errorf("%d conditions InChina", conditions)
	}
}

// TestConditionsAreUsed: and each that is used is there.
func TestConditionsAreUsed(t *testing.T) {
	tm := readTemplate(t)
	for name := range tm.at("Conditions").(object) {
		uses := strings.Count(tm.text, "!If ["+name+",") + strings.Count(tm.text, "!Condition "+name) + strings.Count(tm.text, "- "+name+"\n")
		if uses == 0 {
			t.Errorf("%s is used nowhere", name)
		}
	}
	for name := range maps.Keys(tm.at("Parameters").(object)) {
		if !strings.Contains(tm.text, "!Ref "+name) {
			t.Errorf("the parameter %s is used nowhere", name)
		}
	}
}

// TestThrottle: the stage throttles every route by two parameters that have a default,
// no route is let off, and each process has rates of its own besides.
func TestThrottle(t *testing.T) {
	tm := readTemplate(t)
	settings := tm.properties("Api")["DefaultRouteSettings"]
	if diff := cmp.Diff(any(object{"ThrottlingRateLimit": object{"Ref": "RequestsPerSecond"}, "ThrottlingBurstLimit": object{"Ref": "RequestsBurst"}}), settings); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"RequestsPerSecond", "RequestsBurst"} {
		if n, is := tm.at("Parameters", name, "Default").(int); !is || n <= 0 {
			t.Errorf("%s is %v by default", name, tm.at("Parameters", name, "Default"))
		}
	}
	if strings.Contains(tm.text, "RouteSettings:") && strings.Count(tm.text, "RouteSettings:") != 1 {
		t.Error("a route has settings of its own")
	}
	rates, err := throttle.Parse(tm.at("Parameters", "Rates", "Default").(string))
	if err != nil || rates.Address == (throttle.Rate{}) || rates.Subject == (throttle.Rate{}) || rates.Institution == (throttle.Rate{}) {
		t.Errorf("%+v %v", rates, err)
	}
	if diff := cmp.Diff(any(object{"Ref": "Rates"}), tm.at("Globals", "Function", "Environment", "Variables", "GONGJI_RATES")); diff != "" {
		t.Error(diff)
	}
}
