// Package webtest drives the pages in a real browser, as the three kinds of people
// would: by what stands on a button, not by how the page is built.
//
// It is a module of its own, so that nobody who only runs the house fetches a browser's
// protocol. `make web-test` runs it; GONGJI_BROWSER names the browser.
package webtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to show what is waited for. Nothing is asserted
// by it: a slow machine only waits longer.
const patience = time.Minute

// browse starts a browser that ends with the test. Each tab of it is somebody's own
// device: no cookie or storage is shared.
func browse(t *testing.T, options ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := os.Getenv("GONGJI_BROWSER")
	if path == "" {
		t.Skip("no browser was asked for: make web-test, or GONGJI_BROWSER=/usr/bin/chromium")
	}
	options = append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("accept-lang", "zh-CN"), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("force-color-profile", "srgb"),
	}, options...)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...) // t.Context ends before the picture of a failure is taken
	t.Cleanup(end)
	browser, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// tab is one device's one page.
type tab struct {
	t    *testing.T
	name string
	ctx  context.Context

	mu       sync.Mutex
	wrong    []string // what the console heard
	expected []string // parts of lines that the console may hear
}

// device is a size of screen.
type device struct {
	width, height int64
	scale         float64
	mobile        bool
}

var (
	phone   = device{360, 760, 2, true}
	tablet  = device{768, 1024, 1, true}
	desktop = device{1440, 900, 1, false}
)

// open opens a tab. At the end of the test the console must have heard no error.
func open(t *testing.T, browser context.Context, name string, d device) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	p := &tab{t: t, name: name, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			p.shot(filepath.Join(os.TempDir(), "gongji-webtest-"+strings.ReplaceAll(t.Name(), "/", "-")+"-"+name+".png"))
		}
		end()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, line := range p.wrong {
			t.Errorf("%s: the console heard: %s", name, line)
		}
	})
	p.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		if _, err := cdp.Call(ctx, s, log.Enable, chromedp.Void{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, s, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "America/New_York"}) // times are Shanghai's wherever one is
		return err
	}))
	p.size(d)
	return p
}

func (p *tab) size(d device) {
	p.t.Helper()
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(d.scale)}
	if d.mobile {
		options = append(options, chromedp.EmulateMobile)
	}
	p.do(chromedp.EmulateViewport(d.width, d.height, options...))
}

// hear notes what a page says to its console and should not.
func (p *tab) hear(event any) {
	line := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		line = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			line += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			for _, a := range e.Args {
				line += " " + string(a.Value) + a.Description
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			line = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if line == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range p.expected {
		if strings.Contains(line, part) {
			return
		}
	}
	p.wrong = append(p.wrong, line)
}

// expect lets the console hear a line that has a part: a browser itself notes every
// answer that is no 2xx.
func (p *tab) expect(part string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, part)
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, end := context.WithTimeout(p.ctx, patience)
	defer end()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.name, err, p.text())
	}
}

// js evaluates an expression.
func js[T any](p *tab, expression string, values ...any) T {
	p.t.Helper()
	ctx, end := context.WithTimeout(p.ctx, patience)
	defer end()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](fill(expression, values), chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %s: %v\n%s", p.name, expression, err, p.text())
	}
	return v
}

// fill writes values into an expression's %s, as JavaScript.
func fill(expression string, values []any) string {
	text := make([]any, len(values))
	for i, v := range values {
		b, _ := json.Marshal(v) // texts and numbers
		text[i] = string(b)
	}
	return fmt.Sprintf(expression, text...)
}

// wait waits until an expression is true.
func (p *tab) wait(expression string, values ...any) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		ctx, stop := context.WithTimeout(p.ctx, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+fill(expression, values)+")"))
		stop()
		switch {
		case ok:
			return
		case time.Now().After(end):
			p.t.Fatalf("%s: waited in vain for %s (%v)\n%s", p.name, fill(expression, values), err, p.text())
		}
	}
}

// text is what stands on the page.
func (p *tab) text() string {
	ctx, end := context.WithTimeout(p.ctx, 5*time.Second)
	defer end()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + (document.body?.innerText ?? '')"))
	if err != nil {
		return err.Error()
	}
	return text
}

func (p *tab) visit(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// sees waits until a text stands on the page.
func (p *tab) sees(text string) {
	p.t.Helper()
	p.wait("document.body?.innerText.replace(/\\s+/g, ' ').includes(%s)", text)
}

// seesNot fails if a text stands on the page.
func (p *tab) seesNot(text string) {
	p.t.Helper()
	if strings.Contains(p.text(), text) {
		p.t.Fatalf("%s: the page says %q:\n%s", p.name, text, p.text())
	}
}

// find is the page's element of a role whose name has a text: what a screen reader
// would call it by. The last of those that are on top is taken, so a dialog's comes
// before the page's beneath it.
const find = `(() => {
  const roles = {
    button: 'button, a[href], label.button, summary', link: 'a[href]', field: 'input, select, textarea', option: '[role=option]',
    choice: 'input[type=checkbox], input[type=radio]', tab: 'button',
  };
  const nameOf = (e) => (e.getAttribute('aria-label') || (e.labels && e.labels[0]?.innerText) || e.innerText || e.getAttribute('placeholder') || '').replace(/\s+/g, ' ').trim();
  const modal = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
  const all = [...modal.querySelectorAll(roles[%s])].filter((e) => nameOf(e).includes(%s) && (e.offsetParent !== null || getComputedStyle(e).position === 'fixed'));
  return all.find((e) => nameOf(e) === %[2]s) ?? all[0];
})()`

// spot waits for an element that has come to rest and returns where its middle is on
// the screen. It listens for the click there.
func (p *tab) spot(role, name string) (x, y float64) {
	p.t.Helper()
	p.wait("(() => { const e = "+find+"; return e && !e.disabled; })()", role, name)
	at := js[[2]float64](p, `(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let was = '', tries = 0; ; tries++) {
    let e = `+find+`;
    if (!e) { await frame(); if (tries < 100) continue; return [0, 0]; }
    if (e.type === 'checkbox') e = e.closest('label') ?? e;
    e.scrollIntoView({ block: 'center', behavior: 'instant' });
    await frame(); await frame();
    const r = e.getBoundingClientRect(), is = [r.x, r.y, r.width, r.height].join();
    if (is !== was && tries < 100) { was = is; continue; }
    window.hit = false; // of a list the option is gone before the click
    e.addEventListener(%[1]s === 'option' ? 'pointerdown' : 'click', () => { window.hit = true; }, { capture: true, once: true });
    return [r.x + r.width / 2, r.y + r.height / 2];
  }
})()`, role, name)
	return at[0], at[1]
}

// press presses what has a name: a button, or a link.
func (p *tab) press(name string) { p.t.Helper(); p.pressA("button", name) }

// pressA presses what has a role and a name. Who misses it, because the page moved
// under his finger, presses again.
func (p *tab) pressA(role, name string) {
	p.t.Helper()
	for range 5 {
		x, y := p.spot(role, name)
		p.do(chromedp.MouseClickXY(x, y))
		ctx, end := context.WithTimeout(p.ctx, patience)
		hit, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.hit !== false`))
		end()
		if err != nil || hit { // a page that cannot be asked, or is another, was left by the click
			return
		}
	}
	p.t.Errorf("%s: %q is there and cannot be pressed", p.name, name)
}

// types types into a field, as a hand would.
func (p *tab) types(field, text string) {
	p.t.Helper()
	p.pressA("field", field)
	p.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// empties empties a field.
func (p *tab) empties(field string) {
	p.t.Helper()
	p.pressA("field", field)
	js[bool](p, `(() => { const e = document.activeElement; e.select(); document.execCommand('delete'); return true; })()`)
}

// keys sends keys to whatever has the focus.
func (p *tab) keys(text string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(text))
}

// chooses picks an option of a select by what it says.
func (p *tab) chooses(field, option string) {
	p.t.Helper()
	p.wait("(() => { const e = "+find+"; return [...e.options].some((o) => o.text.includes("+fill("%s", []any{option})+")); })()", "field", field)
	js[bool](p, `(() => { const e = `+find+`; e.value = [...e.options].find((o) => o.text.includes(%[3]s)).value;
	  e.dispatchEvent(new Event('change', { bubbles: true })); return true; })()`, "field", field, option)
}

// enter signs somebody in on the local issuer's page.
func (p *tab) enter(base, who string) {
	p.t.Helper()
	p.visit(base + "/")
	p.wait("document.querySelector('.welcome .button.main')")
	js[bool](p, "(document.querySelector('.welcome .button.main').click(), true)")
	p.wait("document.querySelector(%s)", `button[name=who][value="`+who+`"]`)
	js[bool](p, "(document.querySelector(%s).click(), true)", `button[name=who][value="`+who+`"]`)
	p.wait("performance.getEntriesByName('gongji:usable').length > 0 && !document.querySelector('.welcome')")
	p.settles() // what comes late moves what is pressed
}

// shot writes a picture of what is seen.
func (p *tab) shot(path string) {
	ctx, end := context.WithTimeout(p.ctx, 10*time.Second)
	defer end()
	picture, err := chromedp.Run(ctx, chromedp.Action[[]byte](func(ctx context.Context, s *chromedp.Target) ([]byte, error) {
		answer, err := cdp.Call(ctx, s, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: "png"})
		return answer.Data, err
	}))
	if err == nil {
		err = os.WriteFile(path, bytes.Clone(picture), 0o644)
	}
	if err != nil {
		p.t.Logf("%s: no picture: %v", p.name, err)
		return
	}
	p.t.Logf("%s: picture in %s", p.name, path)
}
