package webtest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// familyPages are the pages of the family's app, and what stands on each, in Chinese and
// in English.
var familyPages = []struct{ path, zh, en string }{
	{"/", "您好", "Hello"},
	{"/members", "看谁的病，就出示谁的码", "Whoever is treated"},
	{"/add", "添加之前请看", "Before you add"},
	{"/account", "个人账户余额", "Personal account"},
	{"/receipts", "我替家人付的", "Paid for relatives"},
	{"/check", "只算一算", "A reckoning only"},
	{"/premiums", "用个人账户缴", "Pay resident insurance"},
	{"/me", "添加我的家庭成员", "Add my relative"},
}

// goes goes to a page of the app that is open, keeping who is signed in.
func (p *tab) goes(path string) {
	p.t.Helper()
	js[bool](p, "(location.hash = %s, true)", "#"+path)
}

// prefers changes how the pages look and speak.
func (p *tab) prefers(change string) {
	p.t.Helper()
	js[bool](p, "import(document.querySelector('script[type=module]').src.replace('main.js', 'prefs.js')).then((m) => { m.prefer("+change+"); return new Promise((done) => setTimeout(() => done(true), 100)); })")
}

// settles waits until a page has what it asked for.
func (p *tab) settles() {
	p.t.Helper()
	p.wait("!document.querySelector('.waiting, [aria-busy=true]')")
}

// fits holds that nothing is wider than the screen and every target is large enough for
// a finger; a link within a text is as high as its text.
func (p *tab) fits(where string, least int) {
	p.t.Helper()
	if wide := js[int](p, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
		p.t.Errorf("%s: %d px wider than the screen", where, wide)
	}
	small := js[[]string](p, `[...document.querySelectorAll('button, a[href], select, input:not(.hidden), summary')].filter((e) => {
	  const r = (e.type === 'checkbox' ? e.closest('label') ?? e : e).getBoundingClientRect();
	  return e.offsetParent && !e.closest('.sr, .skip') && !e.classList.contains('skip') && !e.classList.contains('link') && r.width > 1 && (r.height < %s - 0.5 || r.width < 24);
	}).map((e) => (e.innerText || e.getAttribute('aria-label') || e.tagName) + ' ' + Math.round(e.getBoundingClientRect().height))`, least)
	if len(small) > 0 {
		p.t.Errorf("%s: smaller than %d px: %q", where, least, small)
	}
}

// reads holds that no letter on the page is smaller than so many px.
func (p *tab) reads(where string, least int) {
	p.t.Helper()
	small := js[[]string](p, `(() => {
	  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	  while (texts.nextNode()) {
	    const text = texts.currentNode.textContent.trim(), e = texts.currentNode.parentElement;
	    const r = e.getBoundingClientRect(), size = parseFloat(getComputedStyle(e).fontSize);
	    if (text && r.width > 1 && r.height > 1 && !e.closest('.sr, .skip, noscript, option, select') && size < %s) found.push(text.slice(0, 20) + ' ' + size);
	  }
	  return found;
	})()`, least)
	if len(small) > 0 {
		p.t.Errorf("%s: letters below %d px: %q", where, least, small)
	}
}

// axe is the accessibility engine, of the version that shared/web/refresh.sh names.
func axe(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// accessible has axe look at a page: no violation of WCAG 2.2 AA that is serious.
func (p *tab) accessible(engine, where string) {
	p.t.Helper()
	if !js[bool](p, "'axe' in window") {
		js[bool](p, strings.ReplaceAll(engine, "%", "%%")+";true")
	}
	found := js[[]string](p, `axe.run(document, { runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] } })
	  .then((r) => r.passes.length + r.incomplete.length === 0 ? ['axe looked at nothing'] : r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target + ' ' + n.failureSummary)))`)
	for _, f := range found {
		p.t.Errorf("%s: %s", where, f)
	}
}

// TestLook goes through the family's pages in every size, language, light and in elder
// mode: they fit, nothing is too small, and axe has nothing serious to say.
func TestLook(t *testing.T) {
	browser, engine := browse(t), axe(t)
	h := start(t, true)
	p := open(t, browser, "phone", phone)
	p.enter(h.base, "person:DEMO01")
	for _, c := range []struct {
		name, prefs string
		size        device
		en          bool
		least       int
		axe         bool
	}{
		{"360 px, Chinese", "{language: 'zh', theme: 'light', elder: 0}", phone, false, 44, true},
		{"360 px, English, dark", "{language: 'en', theme: 'dark', elder: 0}", phone, true, 44, true},
		{"360 px, elder", "{language: 'zh', theme: 'light', elder: 1}", phone, false, 60, true},
		{"360 px, elder, largest", "{language: 'zh', theme: 'dark', elder: 3}", phone, false, 60, false},
		{"768 px", "{language: 'zh', theme: 'light', elder: 0}", tablet, false, 44, false},
		{"1440 px", "{language: 'zh', theme: 'light', elder: 0}", desktop, false, 44, true},
	} {
		p.prefers(c.prefs)
		p.size(c.size)
		for _, page := range familyPages {
			where := c.name + ", " + page.path
			p.goes(page.path)
			if c.en {
				p.sees(page.en)
			} else {
				p.sees(page.zh)
			}
			p.settles()
			p.fits(where, c.least)
			if c.axe {
				p.accessible(engine, where)
			}
			if c.least == 60 {
				p.reads(where, 18)
			}
		}
	}
}

// TestLookOfTheOthers does the same for the till, the review desk and the sign-in.
func TestLookOfTheOthers(t *testing.T) {
	browser, engine := browse(t), axe(t)
	h := start(t, true)
	p := open(t, browser, "counter", desktop)
	p.visit(h.base + "/")
	p.sees("一家人的医保")
	for _, size := range []device{phone, tablet, desktop} {
		p.size(size)
		p.fits(fmt.Sprintf("welcome, %d px", size.width), 44)
	}
	p.accessible(engine, "welcome")
	for who, paths := range map[string][]string{
		"institution:P43010299003": {"/", "/day"},
		"roles:operator,reviewer":  {"/", "/counter", "/people", "/institutions", "/feeds", "/adjustments", "/policies", "/proofs", "/trail"},
	} {
		p := open(t, browser, strings.ReplaceAll(who, ":", "-"), desktop)
		p.enter(h.base, who)
		for _, look := range []struct{ name, prefs string }{{"Chinese", "{language: 'zh', theme: 'light'}"}, {"English, dark", "{language: 'en', theme: 'dark'}"}} {
			p.prefers(look.prefs)
			for _, path := range paths {
				p.goes(path)
				p.settles()
				for _, size := range []device{phone, tablet, desktop} {
					p.size(size)
					p.fits(fmt.Sprintf("%s %s, %s, %d px", who, path, look.name, size.width), 44)
				}
				p.accessible(engine, who+" "+path+", "+look.name)
			}
		}
	}
}

// TestFirstLoad measures what a phone fetches before the family's first page is there,
// and when it can be used.
func TestFirstLoad(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	p := open(t, browser, "phone", phone)
	p.enter(h.base, "person:DEMO01")
	p.sees("您好")
	bytes := js[int](p, `performance.getEntriesByType('resource').filter((e) => !e.name.includes('/v1/') && !e.name.includes('/oidc/')).reduce((sum, e) => sum + (e.encodedBodySize || 0), performance.getEntriesByType('navigation')[0].encodedBodySize)`)
	usable := js[float64](p, "performance.getEntriesByName('gongji:usable')[0].startTime")
	fmt.Printf("page weight of the first load: %d bytes compressed; usable after %.0f ms on this machine\n", bytes, usable)
	if bytes > 60_000 || bytes < 10_000 {
		t.Errorf("the first load has %d bytes", bytes)
	}
}
