package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gongji/infra/rig"
)

// leaking is the search for canaries in what a server leaves. They are names, numbers,
// tokens, codes, papers and keys that went through its doors, in their places and out
// of them, and that nobody may read anywhere else.
type leaking struct {
	folder, data, log string
	house             *rig.Client
	base              string
	canaries          map[string]string // by what they are
	message           int
	compared          bool // with a server that may leave a core
}

// leak runs a server through a story, ends it in every way and searches what is left.
func leak(ctx context.Context, folder string, seed uint64) error {
	program, err := rig.Build(ctx, folder)
	if err != nil {
		return err
	}
	l := newLeaking(folder)
	l.compared = true
	return l.run(ctx, program, rand.New(rand.NewPCG(seed, 3)), os.Stdout)
}

func newLeaking(folder string) *leaking {
	return &leaking{folder: folder, data: filepath.Join(folder, "data"), log: filepath.Join(folder, "log"), canaries: map[string]string{}}
}

func (l *leaking) run(ctx context.Context, program string, dice *rand.Rand, out io.Writer) error {
	ways := []struct {
		name string
		end  func(*rig.Server) error
		more []string
	}{
		{"kill -9", (*rig.Server).Kill, nil},
		{"an orderly end, the log written back", (*rig.Server).Stop, nil},
		{"SIGABRT, every goroutine in the traceback", (*rig.Server).Abort, nil},
		{"SIGABRT with -debuggable, to compare", (*rig.Server).Abort, []string{"-debuggable"}},
	}
	for i, way := range ways {
		if len(way.more) > 0 && !l.compared {
			continue
		}
		server, err := l.start(ctx, program, way.more)
		if err != nil {
			return err
		}
		if i == 0 {
			err = l.story(ctx, dice)
		} else {
			err = l.look(ctx)
		}
		if err == nil && i == 0 {
			err = l.search(out, "while it runs")
		}
		if err := errors.Join(err, way.end(server)); err != nil {
			return errors.Join(err, server.Kill())
		}
		cores, err := l.cores()
		if err != nil {
			return err
		}
		if len(way.more) == 0 {
			if len(cores) > 0 {
				return fmt.Errorf("after %s there is a core: %v", way.name, cores)
			}
			if err := l.search(out, "after "+way.name); err != nil {
				return err
			}
			continue
		}
		if err := l.compare(out, cores); err != nil {
			return err
		}
	}
	return nil
}

// start starts the server in a folder of its own, in which it may leave a core as large
// as it likes.
func (l *leaking) start(ctx context.Context, program string, more []string) (*rig.Server, error) {
	log, err := os.OpenFile(l.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	wrapper := []string{"sh", "-c", `ulimit -c "$(ulimit -H -c)" && cd "$0" && GOTRACEBACK=crash exec "$@"`, l.folder}
	server, err := rig.Start(ctx, program, l.data, log, wrapper, more...)
	if err == nil {
		l.base, l.house = server.Base, rig.NewClient(server.Base)
	}
	return server, err
}

// cores are the cores in the server's folder.
func (l *leaking) cores() ([]string, error) { return filepath.Glob(filepath.Join(l.folder, "core*")) }

// The people of the story; the mother's mother lives with them, the couple of Canton
// needs papers, and one leaves and has his data destroyed.
var leaked = []struct {
	no, name, region string
	born, serial     int
}{
	{"LEAK01", "鹿闻笛", "430100", 1990, 1},
	{"LEAK02", "岳听澜", "430100", 1960, 2},
	{"LEAK03", "闵拾光", "440100", 1986, 3},
	{"LEAK04", "滕望舒", "440100", 1958, 4},
	{"LEAK05", "柏轻尘", "430100", 1975, 5},
}

const (
	daughterHere, motherHere, daughterCanton, motherCanton, leaver = 0, 1, 2, 3, 4

	babyName, babyNumber = "阮未眠", "Q439076541"
)

func idOf(n int) string   { return rig.IDNumber(leaked[n].born, leaked[n].serial) }
func cardOf(n int) string { return "LEAKCARD77" + strconv.Itoa(leaked[n].serial) }

func fedOf(n int, status string) map[string]any {
	p := leaked[n]
	return map[string]any{
		"person_no": p.no, "name": p.name, "id_no": idOf(n), "region": p.region, "insutype": "310", "psn_type": "11", "status": status,
		"card_no": cardOf(n), "phone": fmt.Sprintf("1390000770%d", p.serial),
	}
}

// token asks for a token, which is a canary too.
func (l *leaking) token(ctx context.Context, who rig.Who) (string, error) {
	token, err := l.house.Token(ctx, who)
	l.canaries["a token of "+string(rig.Encode(who))] = token[strings.LastIndexByte(token, '.')+1:]
	return token, err
}

// messageID is one that the pharmacy has not used.
func (l *leaking) messageID() string {
	l.message++
	return rig.Institution(0) + time.Now().In(time.FixedZone("Asia/Shanghai", 8*60*60)).Format("20060102150405") + fmt.Sprintf("%04d", l.message)
}

// story lives a little and leaves canaries everywhere.
func (l *leaking) story(ctx context.Context, dice *rand.Rand) error {
	var first error
	token := func(who rig.Who) string {
		t, err := l.token(ctx, who)
		first = errors.Join(first, err)
		return t
	}
	// ask sends a request that has to end with a status, and returns its answer.
	ask := func(status int, token, method, path string, body any, key string) (answer map[string]any) {
		q := rig.Request{Method: method, Path: path, Token: token, Key: key}
		if body != nil {
			q.Body = rig.Encode(body)
		}
		r := l.house.Do(ctx, q)
		if r.Status != status && first == nil {
			first = fmt.Errorf("%s %s: %d, not %d: %s", method, path, r.Status, status, r.Body)
		}
		_ = json.Unmarshal(r.Body, &answer)
		return answer
	}
	text := func(answer map[string]any, field string) string { s, _ := answer[field].(string); return s }

	if err := (rig.Region{Institutions: 1}).Feed(ctx, l.house); err != nil {
		return err
	}
	operator, second := token(rig.Who{Roles: []string{"operator"}}), token(rig.Who{Person: "LEAK99", Roles: []string{"operator"}})
	pharmacy := token(rig.Who{Institution: rig.Institution(0)})
	tokens := make([]string, len(leaked))
	for n, p := range leaked {
		fed := fedOf(n, "1")
		ask(201, operator, "POST", "/v1/persons", fed, "")
		for what, field := range map[string]string{"name": "name", "ID number": "id_no", "card": "card_no", "phone": "phone"} {
			l.canaries["the "+what+" of "+p.no] = fed[field].(string)
		}
		tokens[n] = token(rig.Who{Person: p.no})
	}
	l.canaries["the baby's name"], l.canaries["the baby's certificate"] = babyName, babyNumber
	ask(201, operator, "POST", "/v1/persons", map[string]any{
		"person_no": "LEAK06", "name": babyName, "region": "430100", "insutype": "390", "psn_type": "1403", "status": "1",
		"birth_certificate": map[string]any{"number": babyNumber, "mother_id_no": idOf(daughterHere), "born": time.Now().AddDate(0, 0, -20).Format("20060102"), "sex": "1"},
	}, "")
	ask(201, operator, "POST", "/v1/credits", map[string]any{"reference": "LEAK-1", "person_no": leaked[daughterHere].no, "amount_fen": 50000, "pocket": "current"}, "")

	// Bindings: with a key, of a baby, refused, with papers.
	member := func(n int) map[string]any {
		return map[string]any{"name": leaked[n].name, "id_no": idOf(n), "relation": "52", "show": true, "pay": map[string]any{"purposes": []string{"care", "pharmacy"}}}
	}
	l.canaries["a phone's own key"] = "leak-idempotency-key-7701"
	bound := text(ask(201, tokens[daughterHere], "POST", "/v1/bindings", member(motherHere), l.canaries["a phone's own key"]), "binding_id")
	ask(200, tokens[daughterHere], "POST", "/v1/bindings/"+bound+"/submit", map[string]any{"commitment": true, "face_token": "LEAK-face-7701"}, "")
	l.canaries["what the registry sees of a face"] = "LEAK-face-7701"
	ask(200, tokens[motherHere], "POST", "/v1/bindings/"+bound+"/accept", nil, "")
	ask(201, tokens[daughterHere], "POST", "/v1/bindings", map[string]any{"name": babyName, "birth_certificate": babyNumber, "relation": "20", "show": true}, "")
	wrong := member(motherCanton)
	wrong["name"], l.canaries["a wrong name"] = "尉迟误", "尉迟误"
	ask(422, tokens[daughterHere], "POST", "/v1/bindings", wrong, "leak-2")
	l.canaries["an ID number that nobody has"] = rig.IDNumber(1944, 7)
	wrong["id_no"] = l.canaries["an ID number that nobody has"]
	ask(422, tokens[daughterHere], "POST", "/v1/bindings", wrong, "leak-3")
	withPapers := ask(201, tokens[daughterCanton], "POST", "/v1/bindings", member(motherCanton), "")
	id := text(withPapers, "binding_id")
	steps, _ := withPapers["steps"].([]any)
	papers := 0
	for _, s := range steps {
		if step, _ := s.(map[string]any); step["action"] == "upload" {
			papers++
			first = errors.Join(first, l.upload(ctx, tokens[daughterCanton], id, text(step, "kind"), dice))
		}
	}
	if papers == 0 {
		return errors.Join(first, errors.New("no paper is asked for"))
	}
	ask(200, tokens[daughterCanton], "POST", "/v1/bindings/"+id+"/submit", map[string]any{"commitment": true}, "")

	// Codes and money, by every credential; refused ones, and a reason that names.
	shown := func(body any, key string) string {
		digits := text(ask(201, tokens[daughterHere], "POST", "/v1/qr", body, key), "digits")
		l.canaries[fmt.Sprint("a code, ", len(l.canaries))] = digits
		return digits
	}
	bill := func(kind, value, name string) any {
		var b map[string]any
		_ = json.Unmarshal(rig.Medicine(l.messageID(), kind, value, 900, 1), &b)
		if name != "" {
			b["credential"].(map[string]any)["name"] = name
		}
		return b
	}
	settled := text(ask(201, pharmacy, "POST", "/v1/settlements", bill("qr", shown(map[string]any{"binding_id": bound}, "leak-4"), leaked[motherHere].name), ""), "settlement_id")
	ask(201, pharmacy, "POST", "/v1/settlements", bill("card", cardOf(motherHere), ""), "")
	ask(201, pharmacy, "POST", "/v1/settlements", bill("id", idOf(motherHere), leaked[motherHere].name), "")
	ask(422, pharmacy, "POST", "/v1/settlements", bill("id", idOf(motherHere), "尉迟误"), "")
	l.canaries["a card that nobody has"] = "LEAKCARD9999"
	ask(422, pharmacy, "POST", "/v1/settlements", bill("card", "LEAKCARD9999", ""), "")
	shown(map[string]any{}, "")
	l.canaries["a reason"] = "因患者岳听澜要求退药"
	ask(201, pharmacy, "POST", "/v1/settlements/"+settled+"/reversal", map[string]any{"message_id": l.messageID(), "reason": l.canaries["a reason"]}, "")

	// The national interface, with its key; who is looked up; who leaves.
	l.canaries["a signing key's secret"] = "LEAK-secret-of-the-HIS-7701"
	ask(201, operator, "POST", "/v1/institutions/"+rig.Institution(0)+"/keys", map[string]any{"scheme": "tif", "key_id": "LEAKKEY", "secret": l.canaries["a signing key's secret"]}, "")
	for _, secret := range []string{l.canaries["a signing key's secret"], "not the secret"} {
		first = errors.Join(first, l.identify(ctx, secret, secret != "not the secret"))
	}
	ask(200, operator, "POST", "/v1/persons/searches", map[string]any{"type": "id", "value": idOf(motherHere)}, "")
	ask(200, operator, "POST", "/v1/counter/searches", map[string]any{"name": leaked[motherHere].name, "id_no": idOf(motherHere)}, "")
	ask(422, operator, "POST", "/v1/counter/searches", map[string]any{"name": "尉迟误", "id_no": idOf(motherHere)}, "")
	ask(200, operator, "POST", "/v1/persons", fedOf(leaver, "2"), "")
	for _, who := range []string{operator, second} {
		ask(200, who, "POST", "/v1/persons/"+leaked[leaver].no+"/erase", nil, "")
	}

	// Out of their places: in a path, a query, a field's name, a token.
	name, number := leaked[motherHere].name, idOf(motherHere)
	ask(404, operator, "POST", "/v1/persons/"+url.PathEscape(name)+"/freeze", nil, "")
	ask(404, operator, "POST", "/v1/"+number+"/"+cardOf(motherHere), nil, "")
	ask(400, tokens[motherHere], "GET", "/v1/bindings?after="+number+"&limit="+url.QueryEscape(name), nil, "")
	ask(400, tokens[motherHere], "POST", "/v1/bindings", map[string]any{name: number}, "")
	ask(401, number, "GET", "/v1/me", nil, "")
	return errors.Join(first, l.keys())
}

// upload sends a paper through its door: noise, of which any part is a canary.
func (l *leaking) upload(ctx context.Context, token, binding, kind string, dice *rand.Rand) error {
	picture := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range picture.Pix {
		picture.Pix[i] = byte(dice.Uint32())
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return err
	}
	l.canaries["a paper: "+kind] = string(file.Bytes()[file.Len()/2 : file.Len()/2+32])
	sum := sha256.Sum256(file.Bytes())
	var door struct {
		Upload struct {
			Method, URL string
			Headers     map[string]string
		}
	}
	if err := l.house.Read(ctx, rig.Request{
		Method: http.MethodPost, Path: "/v1/bindings/" + binding + "/materials", Token: token,
		Body: rig.Encode(map[string]any{"kind": kind, "content_type": "image/png", "size": file.Len(), "sha256": hex.EncodeToString(sum[:])}),
	}, &door); err != nil {
		return err
	}
	return send(ctx, door.Upload.Method, door.Upload.URL, door.Upload.Headers, file.Bytes(), func(status int, _ []byte) bool { return status == http.StatusOK })
}

// identify asks the national interface who somebody is (1101).
func (l *leaking) identify(ctx context.Context, secret string, good bool) error {
	at, nonce, id := strconv.FormatInt(time.Now().Unix(), 10), l.messageID(), l.messageID()
	sum := sha256.Sum256([]byte(at + secret + nonce + at))
	l.canaries["a signature "+nonce] = hex.EncodeToString(sum[:])
	body := rig.Encode(map[string]any{
		"infno": "1101", "msgid": id, "mdtrtarea_admvs": "430100", "insuplc_admdvs": "430100", "recer_sys_code": "LEAK", "infver": "V1.0", "opter_type": "1",
		"opter": "leak", "opter_name": "leak", "inf_time": time.Now().In(time.FixedZone("Asia/Shanghai", 8*60*60)).Format("2006-01-02 15:04:05"), "fixmedins_code": rig.Institution(0), "sign_no": "",
		"input": map[string]any{"data": map[string]any{"mdtrt_cert_type": "02", "mdtrt_cert_no": idOf(motherHere), "psn_name": leaked[motherHere].name, "certno": idOf(motherHere), "psn_cert_type": "01"}},
	})
	header := map[string]string{"Content-Type": "application/json", "X-Tif-Paasid": "LEAKKEY", "X-Tif-Timestamp": at, "X-Tif-Nonce": nonce, "X-Tif-Signature": hex.EncodeToString(sum[:])}
	return send(ctx, http.MethodPost, l.base+"/fsi/api/rsfComIfsService/callService", header, body, func(_ int, answer []byte) bool {
		return bytes.Contains(answer, []byte(leaked[motherHere].name)) == good
	})
}

// send sends a request with headers of its own, and asks whether the answer is right.
func send(ctx context.Context, method, where string, headers map[string]string, body []byte, right func(int, []byte) bool) error {
	r, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && !right(answer.StatusCode, text) {
		err = fmt.Errorf("%s %s: %d %s", method, r.URL.Path, answer.StatusCode, text)
	}
	return err
}

// look has the server open names again, so that it holds them when it ends.
func (l *leaking) look(ctx context.Context) error {
	for n, p := range leaked[:leaver] {
		token, err := l.token(ctx, rig.Who{Person: p.no})
		if err != nil {
			return err
		}
		if err := l.house.Read(ctx, rig.Request{Method: http.MethodGet, Path: "/v1/me", Token: token}, nil); err != nil {
			return err
		}
		if n == 0 {
			if err := l.identify(ctx, l.canaries["a signing key's secret"], true); err != nil {
				return err
			}
		}
	}
	return nil
}

// The files that hold keys. Nobody is searched for in them, their keys in all others.
var keyFiles = []string{"keys.json", "seal.key"}

// keys makes canaries of the house's own keys.
func (l *leaking) keys() error {
	for _, name := range keyFiles {
		text, err := os.ReadFile(filepath.Join(l.data, name))
		if err != nil {
			return err
		}
		found := 0
		for i, word := range strings.FieldsFunc(string(text), func(r rune) bool { return strings.ContainsRune("\" \n:,{}", r) }) {
			if len(word) >= 40 { // 32 bytes in Base64
				l.canaries[fmt.Sprintf("a key of %s, %d", name, i)] = word
				found++
			}
		}
		if found == 0 {
			return fmt.Errorf("%s: no key was found in it", name)
		}
	}
	return nil
}

// forms are how a text may stand in a file: as it is, as JSON may write it, and as a
// URL does.
func forms(text string) []string {
	all := []string{text, strings.Trim(fmt.Sprintf("%+q", text), `"`), url.QueryEscape(text)}
	slices.Sort(all)
	return slices.Compact(all)
}

// hits returns which canaries are in a text.
func (l *leaking) hits(text []byte) []string {
	var found []string
	for _, what := range slices.Sorted(maps.Keys(l.canaries)) {
		for _, form := range forms(l.canaries[what]) {
			if bytes.Contains(text, []byte(form)) {
				found = append(found, what)
				break
			}
		}
	}
	return found
}

// search looks for every canary in all that lies in the server's folder.
func (l *leaking) search(out io.Writer, when string) error {
	files, size := 0, 0
	known, routes, papers := false, false, 0
	err := filepath.WalkDir(l.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(keyFiles, d.Name()) || filepath.Dir(path) == l.folder && path != l.log {
			return err // what lies beside data and log is the program
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, size = files+1, size+len(text)
		known = known || bytes.Contains(text, []byte(leaked[0].no)) && strings.HasPrefix(d.Name(), "gongji.db")
		routes = routes || bytes.Contains(text, []byte(`"route":"/v1/bindings"`)) && path == l.log
		if strings.Contains(path, string(filepath.Separator)+"papers"+string(filepath.Separator)) {
			papers++
		}
		if found := l.hits(text); len(found) > 0 {
			return fmt.Errorf("%s, in %s: %s", when, filepath.Base(path), strings.Join(found, ", "))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !known || !routes || papers == 0 || len(l.canaries) < 40 {
		return fmt.Errorf("%s: what is searched is not what the server left (records %v, access lines %v, papers %d, canaries %d)", when, known, routes, papers, len(l.canaries))
	}
	fmt.Fprintf(out, "%s: %d canaries in %d files of %d bytes: none found\n", when, len(l.canaries), files, size)
	return nil
}

// compare looks at the core of a server that does not forbid it. Where there is none,
// that the others left none shows nothing.
func (l *leaking) compare(out io.Writer, cores []string) error {
	if len(cores) == 0 {
		fmt.Fprintln(out, "SKIPPED: this machine leaves no core in the program's folder, so that the server leaves none shows nothing")
		return nil
	}
	for _, core := range cores {
		text, err := os.ReadFile(core)
		if err != nil {
			return err
		}
		found := l.hits(text)
		if len(found) == 0 {
			return fmt.Errorf("%s: %d bytes and nobody is named in them: it is another's", filepath.Base(core), len(text))
		}
		fmt.Fprintf(out, "the server leaves no core; one that may (-debuggable) leaves %d bytes with %d canaries in them\n", len(text), len(found))
		if err := os.Remove(core); err != nil {
			return err
		}
	}
	return nil
}
