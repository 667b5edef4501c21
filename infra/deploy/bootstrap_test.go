package deploy

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gongji/shared/onaws"
	"gongji/shared/onaws/onawstest"
	"gongji/shared/store/dynamo"
	"gongji/shared/vault"

	"github.com/aws/aws-lambda-go/events"
)

// build builds a program as functions/build.mk does, for an architecture.
func build(t *testing.T, folder, arch string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", out, "./"+folder)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", folder, err, text)
	}
	return out
}

// deployment is the built functions on this machine: each a process under a runtime
// of its own, behind the routes of the template, over a table in a DynamoDB Local.
type deployment struct {
	t         *testing.T
	began     time.Time
	programs  map[string]string    // by function
	functions map[string]*function // those that run
	env       map[string]string
	issuer    *onawstest.Issuer
	routes    *http.ServeMux
	// hold makes the table keep the answers to commits to itself.
	hold atomic.Bool
}

func deploy(t *testing.T) *deployment {
	t.Helper()
	endpoint := os.Getenv("GONGJI_DYNAMODB_ENDPOINT")
	if endpoint == "" {
		t.Skip("needs a DynamoDB: GONGJI_DYNAMODB_ENDPOINT=$(infra/dynamodb-local.sh 8123) go test ./infra/deploy")
	}
	if runtime.GOOS != "linux" {
		t.Skip("the functions are Linux programs")
	}
	d := &deployment{t: t, began: time.Now(), programs: map[string]string{}, functions: map[string]*function{}, issuer: onawstest.NewIssuer(t), routes: http.NewServeMux()}
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	table := "deploy-" + rand.Text()
	records := dynamo.New(dynamo.Options{Region: "local", Endpoint: endpoint, Table: table, Credentials: dynamo.StaticCredentials("local", "local", "")})
	if err := records.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.env = map[string]string{
		"AWS_REGION": "local", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_DYNAMODB": d.inFront(endpoint),
		"GONGJI_TABLE": table, "GONGJI_ISSUER": d.issuer.URL, "GONGJI_AUDIENCE": onawstest.Audience, "GONGJI_KEYS_DOCUMENT": string(keys.Document()), "GONGJI_WEB_CLIENT": "pages",
	}
	tm := readTemplate(t)
	for _, name := range tm.functions() {
		d.programs[name] = build(t, "functions/"+folderOf(name), runtime.GOARCH)
		d.functions[name] = start(t, d.programs[name], d.env)
	}
	for key, r := range tm.routes() {
		d.routes.HandleFunc(key, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Function", r.Function) })
	}
	return d
}

// inFront returns the address of a DynamoDB that can lose its answers: it does what
// it is asked, and nobody hears of it.
func (d *deployment) inFront(endpoint string) string {
	d.t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		d.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(answer *http.Response) error {
		if d.hold.Load() && strings.HasSuffix(answer.Request.Header.Get("X-Amz-Target"), ".TransactWriteItems") {
			<-answer.Request.Context().Done() // whoever asked has given up
		}
		return nil
	}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {}
	server := httptest.NewServer(proxy)
	d.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// reach returns the function and the route that a request comes to.
func (d *deployment) reach(q onawstest.Request) (function, route string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(q.Method, q.Target, nil)
	_, route = d.routes.Handler(r)
	d.routes.ServeHTTP(w, r)
	return w.Header().Get("Function"), route
}

// ask sends a request to a function, which has some time for it.
func ask(t *testing.T, f *function, q onawstest.Request, route string, within time.Duration) onawstest.Reply {
	t.Helper()
	o := f.invoke(q.Event(route), within)
	if o.failed {
		t.Fatalf("%s %s: %s", q.Method, q.Target, o.body)
	}
	var out events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(o.body, &out); err != nil {
		t.Fatalf("%v: %s", err, o.body)
	}
	return onawstest.ReplyOf(t, out)
}

// scene is where the story is told to the deployment.
func (d *deployment) scene() *onawstest.Scene {
	return &onawstest.Scene{
		T:     d.t,
		Token: func(claims map[string]any) string { return d.issuer.Token(d.t, d.began, claims) },
		Now:   func() time.Time { return d.began },
		Do: func(q onawstest.Request) onawstest.Reply {
			d.t.Helper()
			name, route := d.reach(q)
			if name == "" { // the API itself answers; here any function may
				name, route = "AccountFunction", "$default"
			}
			return ask(d.t, d.functions[name], q, route, 20*time.Second)
		},
	}
}

// settlement returns a request to settle.
func settlement(t *testing.T, token string, bill map[string]any) onawstest.Request {
	t.Helper()
	body, err := json.Marshal(bill)
	if err != nil {
		t.Fatal(err)
	}
	return onawstest.Request{Method: "POST", Target: "/v1/settlements", Body: body, Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}}
}

// TestBuiltFunctions tells the main story to the functions as they are built, each a
// process of its own, and then makes trouble.
func TestBuiltFunctions(t *testing.T) {
	d := deploy(t)
	s := d.scene()
	s.Tell()
	s.Trouble()

	t.Run("the books", func(t *testing.T) {
		o := d.functions["ExpiryFunction"].invoke(onaws.ExpiryEvent{}, 20*time.Second)
		var proofs []onaws.DayProof
		if err := json.Unmarshal(o.body, &proofs); err != nil || o.failed || len(proofs) != 2 || proofs[1].Settlements != 5 || proofs[1].Faults != 0 || !proofs[1].Complete {
			t.Errorf("%s (%v)", o.body, err)
		}
	})

	t.Run("the pages", func(t *testing.T) {
		reply := ask(t, d.functions["WebFunction"], onawstest.Request{Method: "GET", Target: "/"}, "$default", 5*time.Second)
		if reply.Status != http.StatusOK || !bytes.Contains(reply.Body, []byte("<!doctype html>")) || !strings.Contains(reply.Header.Get("Content-Security-Policy"), d.issuer.URL) {
			t.Errorf("%d %v %.200s", reply.Status, reply.Header, reply.Body)
		}
	})

	t.Run("no event", func(t *testing.T) {
		f := d.functions["QrFunction"]
		for _, event := range []any{map[string]any{"version": "1.0"}, map[string]any{}, "text"} {
			if o := f.invoke(event, 5*time.Second); !o.failed {
				t.Errorf("%v was answered: %s", event, o.body)
			}
		}
		s.Ask(http.StatusOK, s.Person(onawstest.Mother), "GET", "/v1/account", nil) // and it lives
	})

	hospital := s.Place(onawstest.Hospital)
	binding := s.Bind()

	// Every function has its turn: the national interface's own story, and at both doors
	// the largest that they take, which is what their peaks below are of.
	s.TellHIS(binding)
	s.WaitHIS()
	s.Largest(binding)

	t.Run("no key service", func(t *testing.T) { d.withoutKMS(t, s, binding) })

	t.Run("256 KiB", func(t *testing.T) {
		_, digits := s.ShowQR(binding)
		q := settlement(t, hospital, onawstest.Bill(s.MessageID(onawstest.Hospital), digits))
		q.Body = append(q.Body, bytes.Repeat([]byte(" "), 256<<10-len(q.Body))...)
		if reply := s.Do(q); reply.Status != http.StatusCreated {
			t.Errorf("256 KiB: %d %s", reply.Status, reply.Body)
		}
		q.Body = append(q.Body, ' ')
		if reply := s.Do(q); reply.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("a byte more: %d %s", reply.Status, reply.Body)
		}
	})

	t.Run("two at once", func(t *testing.T) {
		_, digits := s.ShowQR(binding)
		q := settlement(t, hospital, onawstest.Bill(s.MessageID(onawstest.Hospital), digits))
		twin := start(t, d.programs["SettlementFunction"], d.env)
		var replies [2]onawstest.Reply
		var both sync.WaitGroup
		for i, f := range []*function{d.functions["SettlementFunction"], twin} {
			both.Go(func() { replies[i] = ask(t, f, q, "POST /v1/settlements", 20*time.Second) })
		}
		both.Wait()
		if replies[0].Status != http.StatusCreated || replies[1].Status != http.StatusCreated || !bytes.Equal(replies[0].Body, replies[1].Body) {
			t.Errorf("one message, two answers:\n%d %s\n%d %s", replies[0].Status, replies[0].Body, replies[1].Status, replies[1].Body)
		}
		if replies[0].Header.Get("Idempotent-Replay") == replies[1].Header.Get("Idempotent-Replay") {
			t.Error("both were first, or both repeats")
		}
	})

	t.Run("out of time", func(t *testing.T) {
		_, digits := s.ShowQR(binding)
		q := settlement(t, hospital, onawstest.Bill(s.MessageID(onawstest.Hospital), digits))
		d.hold.Store(true)
		const within = 2 * time.Second
		began := time.Now()
		reply := ask(t, d.functions["SettlementFunction"], q, "POST /v1/settlements", within)
		took := time.Since(began)
		d.hold.Store(false)
		var problem struct{ Code, Kind, Next string }
		if err := json.Unmarshal(reply.Body, &problem); err != nil || reply.Status != http.StatusServiceUnavailable || reply.Header.Get("Retry-After") == "" ||
			problem.Code != "outcome_unknown" || problem.Kind != "unknown" || problem.Next != "retry_same_id" {
			t.Errorf("%d %s", reply.Status, reply.Body)
		}
		if took > within-100*time.Millisecond {
			t.Errorf("answered after %v of %v", took, within)
		}
		// The commit had happened: the same message gets its answer.
		if reply := s.Do(q); reply.Status != http.StatusCreated || reply.Header.Get("Idempotent-Replay") != "true" {
			t.Errorf("the same again: %d %s", reply.Status, reply.Body)
		}
	})

	t.Run("no table", func(t *testing.T) {
		env := maps.Clone(d.env)
		env["GONGJI_TABLE"] = "none"
		f := start(t, d.programs["SettlementFunction"], env)
		q := settlement(t, hospital, onawstest.Bill(s.MessageID(onawstest.Hospital), "00000000000000000000"))
		if reply := ask(t, f, q, "POST /v1/settlements", 5*time.Second); reply.Status != http.StatusServiceUnavailable || !bytes.Contains(reply.Body, []byte(`"busy"`)) {
			t.Errorf("%d %s", reply.Status, reply.Body)
		}
	})

	t.Run("no keys", func(t *testing.T) {
		env := maps.Clone(d.env)
		delete(env, "GONGJI_KEYS_DOCUMENT")
		f := start(t, d.programs["SettlementFunction"], env)
		select {
		case <-f.exited:
		case <-time.After(10 * time.Second):
			t.Fatal("it started without keys")
		}
		if code := f.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(f.log.String(), "GONGJI_KEYS_CIPHERTEXT is not set") {
			t.Errorf("exit code %d: %s", code, f.log.String())
		}
	})

	for _, name := range slices.Sorted(maps.Keys(d.functions)) {
		f := d.functions[name]
		if f.answered() == 0 {
			t.Errorf("%s was never asked", name)
		}
		text := f.log.String()
		for _, secret := range []string{onawstest.Mother, onawstest.Child, "999999", "小乐", "Bearer", d.env["GONGJI_KEYS_DOCUMENT"]} {
			if strings.Contains(text, secret) {
				t.Errorf("the log of %s tells %q", name, secret)
			}
		}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "{") || !json.Valid([]byte(line)) {
				t.Errorf("the log of %s has a line that is not JSON: %s", name, line)
			}
		}
		if kib := f.peak(); kib > 64<<10 {
			t.Errorf("%s held %d MiB", name, kib>>10)
		} else {
			t.Logf("%s held at most %.1f MiB", name, float64(kib)/1024)
		}
	}
}

// withoutKMS starts the settlement function while KMS does not answer: it settles what
// needs no name, and the rest when KMS is back.
func (d *deployment) withoutKMS(t *testing.T, s *onawstest.Scene, binding string) {
	keys, err := vault.ParseKeys([]byte(d.env["GONGJI_KEYS_DOCUMENT"]))
	if err != nil {
		t.Fatal(err)
	}
	services := onawstest.NewServices(t, keys.HashKeys().Document())
	services.Become(onawstest.Hangs, onawstest.Answers)
	env := maps.Clone(d.env)
	delete(env, "GONGJI_KEYS_DOCUMENT")
	maps.Copy(env, services.Env(keys.Document()))
	f := start(t, d.programs["SettlementFunction"], env)
	settle := func(bill map[string]any) onawstest.Reply {
		t.Helper()
		return ask(t, f, settlement(t, s.Place(onawstest.Hospital), bill), "POST /v1/settlements", 20*time.Second)
	}
	_, digits := s.ShowQR(binding)
	if reply := settle(onawstest.Bill(s.MessageID(onawstest.Hospital), digits)); reply.Status != http.StatusCreated || services.Asked() != 0 {
		t.Errorf("by code: %d %s; KMS was asked %d times", reply.Status, reply.Body, services.Asked())
	}
	named := onawstest.Bill(s.MessageID(onawstest.Hospital), "")
	named["credential"] = map[string]any{"type": "card", "value": "C1", "name": "王小芳"}
	if reply := settle(named); reply.Status != http.StatusServiceUnavailable || !bytes.Contains(reply.Body, []byte(`"busy"`)) || services.Asked() == 0 {
		t.Errorf("by name: %d %s; KMS was asked %d times", reply.Status, reply.Body, services.Asked())
	}
	services.Become(onawstest.Answers, onawstest.Hangs)
	for range 600 { // it rests for a second after it was in vain
		reply := settle(named)
		if reply.Status == http.StatusCreated {
			return
		}
		if reply.Status != http.StatusServiceUnavailable {
			t.Fatalf("by name, with KMS back: %d %s", reply.Status, reply.Body)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("it never heard that KMS is back")
}

// TestColdStart measures each function from exec to its first question for work,
// beside an empty one, in turns, so that a slow moment of the machine is everybody's.
func TestColdStart(t *testing.T) {
	d := deploy(t)
	d.programs["an empty function"] = build(t, "infra/deploy/testdata/empty", runtime.GOARCH)
	const rounds = 15
	times := map[string][]time.Duration{}
	for range rounds {
		for name, program := range d.programs {
			f := start(t, program, d.env)
			times[name] = append(times[name], f.coldStart())
			f.stop()
		}
	}
	median := func(name string) time.Duration {
		slices.Sort(times[name])
		return times[name][rounds/2]
	}
	empty := median("an empty function")
	for _, name := range slices.Sorted(maps.Keys(times)) {
		t.Logf("%-20s median %6.1f ms of %d, %.2f of the empty one's", name, float64(median(name).Microseconds())/1000, rounds, float64(median(name))/float64(empty))
	}
}

// TestSizes: what is uploaded, and fetched at each cold start, stays small.
func TestSizes(t *testing.T) {
	if os.Getenv("GONGJI_DYNAMODB_ENDPOINT") == "" {
		t.Skip("builds for arm64; it runs with the others that build (GONGJI_DYNAMODB_ENDPOINT)")
	}
	for _, function := range readTemplate(t).functions() {
		program := build(t, "functions/"+folderOf(function), "arm64")
		content, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		var zipped bytes.Buffer
		z := zip.NewWriter(&zipped)
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
		w, err := z.Create("bootstrap")
		if err == nil {
			_, err = w.Write(content)
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-20s %5.2f MB, zipped %.2f MB", function, float64(len(content))/1e6, float64(zipped.Len())/1e6)
		if zipped.Len() > 5_000_000 {
			t.Errorf("%s has %d bytes zipped", function, zipped.Len())
		}
	}
}
