package webtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// draftFile is the file of Changsha as a version that begins tomorrow, in which the fund
// pays employees more.
func draftFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../shared/policy/regions/430100.json")
	if err != nil {
		t.Fatal(err)
	}
	tomorrow := time.Now().In(time.FixedZone("", 8*3600)).AddDate(0, 0, 1).Format("20060102")
	draft := strings.NewReplacer(`"version": "2026-01"`, `"version": "2026-99"`, `"from": "20260101"`, `"from": "`+tomorrow+`"`, `"0": "0.7000"`, `"0": "0.9000"`).Replace(string(text))
	path := filepath.Join(t.TempDir(), "430100.json")
	if err := os.WriteFile(path, []byte(draft), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// chooseFile gives a page's file input its file.
func (p *tab) chooseFile(path string) {
	p.t.Helper()
	p.wait("document.querySelector('input[type=file]:not(:disabled)')")
	p.do(chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{path}))
}

// TestRules: one operator drafts rules and sees as a table and a plot what they would
// have made of the story's settlements; only another one can publish them.
func TestRules(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	desk, other := open(t, browser, "desk", desktop), open(t, browser, "other desk", desktop)
	desk.enter(h.base, "roles:operator,reviewer")
	desk.pressA("link", "规则")
	desk.sees("还没有起草过规则")
	desk.chooseFile(draftFile(t))
	desk.sees("要由另一个人发布")
	desk.wait("[...document.querySelectorAll('.review .button.main')].find((b) => b.innerText === '发布')?.disabled")
	desk.press("测算")
	desk.sees("笔会不一样")
	desk.wait("document.querySelector('.plot canvas') && document.querySelectorAll('.whatif tbody tr').length > 1")
	desk.press("照原样重算")
	desk.sees("一分不差")
	if os.Getenv("GONGJI_SCREENS") != "" {
		js[bool](desk, "(document.querySelector('.whatif').scrollIntoView(), true)")
		desk.keepBoth("desk-whatif")
	}
	other.enter(h.base, "roles:operator")
	other.pressA("link", "规则")
	other.press("430100@2026-99")
	other.sees("可以由您发布")
	other.press("发布")
	other.sees("已发布")
}

// TestAdjust puts an account right: one operator proposes and cannot book it, another
// does, and the owner finds it in the account's history.
func TestAdjust(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	desk, other, p := open(t, browser, "desk", desktop), open(t, browser, "other desk", desktop), open(t, browser, "phone", phone)
	desk.enter(h.base, "roles:operator,reviewer")
	desk.pressA("link", "账户更正")
	desk.types("人员编号", "DEMO01")
	desk.types("金额", "12.34")
	desk.chooses("原因", "漏记入账")
	desk.types("更正编号", "FIX-1")
	desk.press("提出")
	desk.sees("要由另一个人入账")
	desk.wait("[...document.querySelectorAll('.queue .button.main')].every((b) => b.disabled)")
	other.enter(h.base, "roles:operator")
	other.pressA("link", "账户更正")
	other.press("核对无误，入账")
	other.sees("没有。")
	other.press("已入账")
	other.sees("FIX-1")
	p.enter(h.base, "person:DEMO01")
	p.goes("/account")
	p.sees("+¥12.34")
}
