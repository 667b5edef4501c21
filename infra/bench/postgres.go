package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed settle.sql
var settleSQL string

//go:embed furnish.sql
var furnishSQL string

// postgres is a PostgreSQL of our own, in a folder of our own and on a loopback port,
// with the settings that it comes with but for room in memory.
type postgres struct {
	version string
	bin     string
	folder  string
	port    string
	as      *syscall.Credential // it refuses to run as root
	server  *exec.Cmd
	each    int // settlements of one client in a round
	rounds  int // that were
}

// startPostgres returns nil where there is none.
func startPostgres(ctx context.Context, p plan) (*postgres, error) {
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // where Debian puts them
	if err != nil {
		return nil, err
	}
	if found, err := exec.LookPath("initdb"); err == nil && len(bins) == 0 {
		bins = []string{found}
	}
	if len(bins) == 0 {
		fmt.Fprintln(os.Stderr, "bench: no PostgreSQL to compare with: apt-get install postgresql")
		return nil, nil
	}
	slices.Sort(bins)
	pg := &postgres{bin: filepath.Dir(bins[len(bins)-1]), each: max(1, p.families/clients)}
	if pg.folder, err = os.MkdirTemp("", "gongji-bench-pg-"); err != nil {
		return nil, err
	}
	if err := pg.start(ctx, p); err != nil {
		return nil, errors.Join(err, pg.stop())
	}
	return pg, nil
}

func (pg *postgres) start(ctx context.Context, p plan) error {
	if os.Getuid() == 0 {
		owner, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, err1 := strconv.Atoi(owner.Uid)
		gid, err2 := strconv.Atoi(owner.Gid)
		if err := errors.Join(err1, err2, os.Chown(pg.folder, uid, gid)); err != nil {
			return err
		}
		pg.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, pg.port, _ = net.SplitHostPort(free.Addr().String())
	if err := free.Close(); err != nil {
		return err
	}
	data := filepath.Join(pg.folder, "data")
	if _, err := pg.run(ctx, "", "initdb", "-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C"); err != nil {
		return err
	}
	pg.server = pg.command(ctx, "postgres", "-D", data, "-p", pg.port, "-k", pg.folder, "-c", "listen_addresses=127.0.0.1",
		"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB")
	if err := pg.server.Start(); err != nil {
		return err
	}
	for tries := 0; ; tries++ {
		if _, err = pg.sql(ctx, "SELECT 1"); err == nil {
			break
		}
		if tries == 100 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	version, err := pg.sql(ctx, "SHOW server_version")
	if err != nil {
		return err
	}
	pg.version = "PostgreSQL " + strings.Fields(version)[0]
	codes := pg.each * clients * p.rounds
	for name, value := range map[string]int{":families": p.families, ":codes": codes} {
		furnishSQL = strings.ReplaceAll(furnishSQL, name, strconv.Itoa(value))
	}
	if _, err := pg.sql(ctx, settleSQL); err != nil {
		return err
	}
	if _, err := pg.sql(ctx, furnishSQL); err != nil {
		return err
	}
	script := fmt.Sprintf(`\set i :i + 1
\set n :client_id * %d + :i
SELECT settle('%s' || '20260312120000' || lpad(:n::text, 8, '0'), 'QlFzgs8tLIbcgcJMWHCyZL7gmZh2oi4cpSv1LH8cHL0', 'code-' || :n, '%s', '2026-03-12 04:00Z', '%s');
`, pg.each*p.rounds, hospital, hospital,
		`[{"no":1,"code":"`+drug+`","name":"阿莫西林胶囊 0.25g×24","quantity":2,"price":30,"amount":60},{"no":2,"code":"`+device+`","name":"一次性雾化器","quantity":1,"price":40,"amount":40}]`)
	return os.WriteFile(filepath.Join(pg.folder, "settle.pgbench"), []byte(script), 0o644)
}

var tps = regexp.MustCompile(`tps = ([0-9.]+) \(without`)

// settle lets 64 clients settle, each its own codes. It returns how many a second, and
// the processor time of one in µs, without the client's: that of the server's children
// that ended, as those do that served the clients.
func (pg *postgres) settle(ctx context.Context) (rate, used float64, err error) {
	before := pg.rounds * pg.each
	pg.rounds++
	usedBefore, err := pg.used()
	if err != nil {
		return 0, 0, err
	}
	out, err := pg.run(ctx, "", "pgbench", "-h", "127.0.0.1", "-p", pg.port, "-U", "bench", "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2",
		"-t", strconv.Itoa(pg.each), "-D", "i="+strconv.Itoa(before), "-f", filepath.Join(pg.folder, "settle.pgbench"), "postgres")
	if err != nil {
		return 0, 0, err
	}
	usedAfter, err := pg.used()
	if err != nil {
		return 0, 0, err
	}
	found := tps.FindStringSubmatch(out)
	if found == nil {
		return 0, 0, fmt.Errorf("pgbench told no rate: %s", out)
	}
	settled, err := pg.sql(ctx, "SELECT count(*) FROM messages")
	if err != nil {
		return 0, 0, err
	}
	if n, _ := strconv.Atoi(strings.TrimSpace(settled)); n != pg.rounds*pg.each*clients {
		return 0, 0, fmt.Errorf("PostgreSQL has %d settlements, not %d: %s", n, pg.rounds*pg.each*clients, out)
	}
	rate, err = strconv.ParseFloat(found[1], 64)
	return rate, (usedAfter - usedBefore) / float64(pg.each*clients), err
}

// used returns the processor time of the server's children that have ended, in µs.
func (pg *postgres) used() (float64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pg.server.Process.Pid) + "/stat")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the program's name
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return 0, fmt.Errorf("what is %q of a process?", text)
	}
	user, err1 := strconv.Atoi(fields[13])   // cutime and cstime of proc(5), in
	system, err2 := strconv.Atoi(fields[14]) // hundredths of a second
	return float64(user+system) * 10_000, errors.Join(err1, err2)
}

func (pg *postgres) sql(ctx context.Context, text string) (string, error) {
	return pg.run(ctx, text, "psql", "-h", "127.0.0.1", "-p", pg.port, "-U", "bench", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-", "postgres")
}

func (pg *postgres) run(ctx context.Context, input, program string, args ...string) (string, error) {
	cmd := pg.command(ctx, program, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, out)
	}
	return string(out), nil
}

func (pg *postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(pg.bin, program), args...)
	cmd.Dir = pg.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: pg.as}
	return cmd
}

// stop ends the server and removes its folder.
func (pg *postgres) stop() error {
	if pg == nil {
		return nil
	}
	var err error
	if pg.server != nil && pg.server.Process != nil {
		_ = pg.server.Process.Signal(syscall.SIGINT) // at once, and in order
		_ = pg.server.Wait()
	}
	return errors.Join(err, os.RemoveAll(pg.folder))
}
