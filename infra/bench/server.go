package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gongji/infra/rig"
	"gongji/shared/app"
	"gongji/shared/family"
	"gongji/shared/vault"
)

// server is infra/local, built and started as everybody does, over a database that
// was filled beforehand.
type server struct {
	process  *rig.Server
	world    *world // the families in it; its store is closed
	tokens   []string
	hospital string
	clients  chan *client
}

// startServer fills a database with families and with so many people more, and starts
// the server over it.
func startServer(ctx context.Context, folder string, families, people int) (*server, error) {
	return startServerWith(ctx, folder, families, people, func(*world) error { return nil })
}

// startServerWith is startServer with something done in the world before.
func startServerWith(ctx context.Context, folder string, families, people int, before func(*world) error) (h *server, err error) {
	folder, err = os.MkdirTemp(folder, "server-")
	if err != nil {
		return nil, err
	}
	keys, err := vault.OpenFile(filepath.Join(folder, "keys.json"), rand.Reader)
	if err != nil {
		return nil, err
	}
	w, s, err := openWorldWith(ctx, folder, keys, time.Now)
	if err != nil {
		return nil, err
	}
	err = w.CheckKeys(ctx)
	if err == nil {
		err = w.settleIn(ctx, families, 1, 0)
	}
	if err == nil {
		err = inParallel(people, 64, func(i int) error {
			_, err := w.person(ctx, 2*families+i, 0)
			return err
		})
	}
	if err == nil {
		err = before(w)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	h = &server{world: w, clients: make(chan *client, clients)}
	if err := h.start(ctx, folder); err != nil {
		return nil, errors.Join(err, h.stop())
	}
	return h, nil
}

func (h *server) start(ctx context.Context, folder string) error {
	program, err := rig.Build(ctx, folder)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	if h.process, err = rig.Start(ctx, program, folder, log, nil); err != nil {
		return err
	}
	address := strings.TrimPrefix(h.process.Base, "http://")
	for range clients {
		c, err := newClient(address)
		if err != nil {
			return err
		}
		h.clients <- c
	}
	if h.hospital, err = h.token("fixmedins_code", string(hospital)); err != nil {
		return err
	}
	h.tokens = make([]string, len(h.world.families))
	return inParallel(len(h.tokens), clients, func(i int) error {
		var err error
		h.tokens[i], err = h.token("person_no", string(h.world.families[i].patient))
		return err
	})
}

// token asks for a token of somebody.
func (h *server) token(claim, value string) (string, error) {
	var answer struct{ Token string }
	err := h.call(http.StatusOK, "/dev/token", "", map[string]string{claim: value}, &answer)
	return answer.Token, err
}

// call sends a request over a connection of its own turn.
func (h *server) call(status int, path, token string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	c := <-h.clients
	defer func() { h.clients <- c }()
	return c.call(status, path, token, text, answer)
}

// codes has every patient issue a code.
func (h *server) codes() ([]string, error) {
	digits := make([]string, len(h.tokens))
	return digits, inParallel(len(h.tokens), clients, func(i int) error {
		var view struct{ Digits string }
		err := h.call(http.StatusCreated, "/v1/qr", h.tokens[i], struct{}{}, &view)
		digits[i] = view.Digits
		return err
	})
}

// settle has every patient issue a code, then has the hospital settle with all of
// them, and returns how many a second.
func (h *server) settle(context.Context) (float64, error) {
	codes, err := h.codes()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := inParallel(len(codes), clients, func(i int) error { return h.settleOne(codes[i]) }); err != nil {
		return 0, err
	}
	return float64(len(codes)) / time.Since(began).Seconds(), nil
}

func (h *server) settleOne(digits string) error {
	ask := h.world.settleAsk(digits, 2)
	return h.call(http.StatusCreated, "/v1/settlements", h.hospital, settleWire(ask), nil)
}

// settleWire is a settlement as a till sends it.
func settleWire(ask app.SettleAsk) any {
	type line struct {
		LineNo    int        `json:"line_no"`
		Code      string     `json:"code"`
		Name      string     `json:"name"`
		Quantity  string     `json:"quantity"`
		UnitPrice family.Fen `json:"unit_price_fen"`
		Amount    family.Fen `json:"amount_fen"`
	}
	type credential struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	body := struct {
		MessageID  string     `json:"message_id"`
		Credential credential `json:"credential"`
		MedType    string     `json:"med_type"`
		Total      family.Fen `json:"total_fen"`
		Lines      []line     `json:"lines"`
	}{MessageID: string(ask.Message), Credential: credential{"qr", ask.Credential.Value}, MedType: string(ask.Bill.MedType), Total: ask.Bill.Total}
	for _, l := range ask.Bill.Lines {
		body.Lines = append(body.Lines, line{l.No, l.Code, l.Name, l.Quantity.String(), l.UnitPrice, l.Amount})
	}
	return body
}

// resident returns how much memory the server holds now, in bytes.
func (h *server) resident() (int, error) { return memoryOf(h.process.PID(), "VmRSS:") }

// memoryOf reads a line of what the system says of a process's memory, in bytes.
func memoryOf(pid int, line string) (int, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(status)) {
		if rest, is := strings.CutPrefix(l, line); is {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			return kib << 10, err
		}
	}
	return 0, errors.New("the system does not say how much memory a process holds")
}

// stop ends the server in order.
func (h *server) stop() error {
	for len(h.clients) > 0 {
		_ = (<-h.clients).conn.Close()
	}
	if h.process == nil {
		return nil
	}
	return h.process.Stop()
}

// client is one connection, with as little around it as can be: the clients share
// the machine with the server.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	out  bytes.Buffer
}

func newClient(address string) (*client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReader(conn)}, nil
}

func (c *client) call(status int, path, token string, body []byte, answer any) error {
	c.out.Reset()
	fmt.Fprintf(&c.out, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", path, len(body))
	if token != "" {
		fmt.Fprintf(&c.out, "Authorization: Bearer %s\r\n", token)
	}
	c.out.WriteString("\r\n")
	c.out.Write(body)
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != status {
		return fmt.Errorf("%s: %d %s", path, response.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// build builds a program of this module as functions/build.mk does.
func build(ctx context.Context, to, folder string, env []string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", to, "gongji/"+folder)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w: %s", folder, err, text)
	}
	return nil
}
