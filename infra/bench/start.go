package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gongji/shared/vault"
)

// measureStart runs every function under a Lambda runtime of ours from exec to its
// first question for work, beside an empty one, in turns.
func measureStart(ctx context.Context, p plan, t table) error {
	folders, err := filepath.Glob("functions/*/main.go")
	if err != nil {
		return err
	}
	if len(folders) == 0 {
		return errors.New("there are no functions here: run it from the root of the repository")
	}
	empty := program{name: "an empty function", folder: "infra/deploy/testdata/empty"}
	programs := []program{empty}
	for _, main := range folders {
		folder := filepath.Dir(main)
		programs = append(programs, program{name: filepath.Base(folder), folder: folder})
	}
	keys, err := vault.NewKeys(rand.Reader)
	if err != nil {
		return err
	}
	asked := make(chan time.Time, 1)
	runtimeAPI, err := listenAsRuntime(asked)
	if err != nil {
		return err
	}
	defer runtimeAPI.Close()
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI.Addr, "AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"AWS_REGION=local", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:9",
		"GONGJI_TABLE=bench", "GONGJI_ISSUER=https://issuer.invalid", "GONGJI_AUDIENCE=bench", "GONGJI_WEB_CLIENT=bench", "GONGJI_KEYS_DOCUMENT=" + string(keys.Document()),
	}
	for i := range programs {
		if err := programs[i].build(ctx, p.folder); err != nil {
			return err
		}
	}
	for range 5 * p.rounds {
		for i := range programs {
			if err := programs[i].start(ctx, env, asked); err != nil {
				return err
			}
		}
	}
	t.note("exec to the first question for work: an empty function", span(programs[0].times, "%.1f ms"))
	for _, f := range programs[1:] {
		r := ratios(f.times, programs[0].times)
		aim, most := "≤ 2 with the JSON document library", 2.0
		if f.name == "expiry" || f.name == "web" || f.name == "his" { // they have no huma
			aim, most = "≤ 1.45 without it", 1.45
		}
		t.row("… "+f.name+" / the empty one", fmt.Sprintf("%s, of %s; holds %.0f MB", span(r, "%.2f"), span(f.times, "%.1f ms"), median(f.held)), aim, median(r) <= most)
	}
	for _, f := range programs[1:] {
		t.row("zip of "+f.name+", arm64", fmt.Sprintf("%.1f MB", float64(f.zipped)/1e6), "≤ 5 MB", f.zipped <= 5_000_000)
	}
	return nil
}

// program is a function that is measured.
type program struct {
	name, folder, path string
	zipped             int
	times, held        []float64 // ms, MB
}

// build builds it for this machine to be run, and for arm64 to be weighed.
func (f *program) build(ctx context.Context, folder string) error {
	f.path = filepath.Join(folder, "bootstrap-"+filepath.Base(f.folder))
	arm := f.path + "-arm64"
	if err := build(ctx, f.path, f.folder, nil); err != nil {
		return err
	}
	if err := build(ctx, arm, f.folder, []string{"GOOS=linux", "GOARCH=arm64"}); err != nil {
		return err
	}
	content, err := os.ReadFile(arm)
	if err != nil {
		return err
	}
	var zipped bytes.Buffer
	z := zip.NewWriter(&zipped)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	w, err := z.Create("bootstrap")
	if err == nil {
		_, err = w.Write(content)
	}
	f.zipped = zipped.Len()
	return errors.Join(err, z.Close())
}

// start runs it once until it asks for work.
func (f *program) start(ctx context.Context, env []string, asked chan time.Time) error {
	cmd := exec.CommandContext(ctx, f.path)
	cmd.Env = env
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}()
	select {
	case at := <-asked:
		f.times = append(f.times, float64(at.Sub(began).Microseconds())/1000)
	case <-time.After(20 * time.Second):
		return fmt.Errorf("%s asks for no work", f.name)
	}
	held, err := memoryOf(cmd.Process.Pid, "VmHWM:")
	f.held = append(f.held, float64(held)/1e6)
	return err
}

// listenAsRuntime serves as much of Lambda's runtime interface as a start needs: it
// notes when it is asked for work, and has none.
func listenAsRuntime(asked chan<- time.Time) (*http.Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &http.Server{
		Addr: listener.Addr().String(), ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked <- time.Now()
			<-r.Context().Done()
		}),
	}
	go func() { _ = s.Serve(listener) }()
	return s, nil
}
