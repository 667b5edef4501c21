package webtest

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// conditions is the command that also stops requests, and not only says that there is no
// network; the protocol's own list calls it deprecated.
var conditions = cdp.Command[network.OverrideNetworkStateParams, cdp.Empty]{Method: "Network.emulateNetworkConditions"}

// offline takes the network from a page, or gives it back.
func (p *tab) offline(off bool) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, conditions, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
		return err
	}))
	p.wait("navigator.onLine === %s", !off)
}

// loses has the network lose what is sent to an address, once: the request before it
// arrives, or the answer after the work was done.
func (p *tab) loses(address string, stage fetch.RequestStage) {
	p.t.Helper()
	pattern := []fetch.RequestPattern{{URLPattern: address, RequestStage: stage}}
	var lost atomic.Bool // a listener stays as long as its page
	if err := chromedp.Listen(p.ctx, func(event any) {
		paused, ok := event.(*fetch.EventRequestPaused)
		if !ok || lost.Swap(true) {
			return
		}
		go p.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
			if _, err := cdp.Call(ctx, s, fetch.FailRequest, fetch.FailRequestParams{RequestID: paused.RequestID, ErrorReason: network.ErrorReasonConnectionReset}); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, s, fetch.Disable, chromedp.Void{})
			return err
		}))
	}); err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		list := make([]*fetch.RequestPattern, len(pattern))
		for i := range pattern {
			list[i] = &pattern[i]
		}
		_, err := cdp.Call(ctx, s, fetch.Enable, fetch.EnableParams{Patterns: list})
		return err
	}))
}

// TestTrouble is all that goes wrong at a counter, one after another, on one phone and
// one till.
func TestTrouble(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	p, till := open(t, browser, "phone", phone), open(t, browser, "till", desktop)
	for _, device := range []*tab{p, till} {
		device.expect("Failed to load resource") // how a browser notes an answer that is no 2xx, or none
	}
	till.enter(h.base, "institution:H43010299001")
	p.enter(h.base, "person:DEMO01")
	p.pressA("link", "女儿")

	step := func(name string, do func(t *testing.T)) {
		t.Helper()
		t.Run(name, func(step *testing.T) {
			p.t, till.t = step, step
			defer func() { p.t, till.t = t, t }()
			do(step)
		})
	}

	// quoted fills in one bill and quotes it for what the phone shows.
	quoted := func() string {
		digits := p.shownDigits()
		till.types("找项目", "血细胞")
		till.pressA("option", "血细胞分析")
		till.types("血细胞分析 的单价", "60")
		till.wedge(digits)
		till.sees("就诊人 李**")
		return digits
	}

	step("the answer is lost", func(t *testing.T) {
		quoted()
		till.loses("*/v1/settlements", fetch.RequestStageResponse)
		till.press("结算 F8")
		till.sees("有一笔还不知道结果")
		// Nothing else can be settled meanwhile, not even after a reload.
		till.wait("[...document.querySelectorAll('.sum button')].every((b) => b.disabled)")
		till.do(chromedp.Reload())
		till.sees("有一笔还不知道结果")
		till.press("查一查结果")
		till.sees("结算成功")
		p.sees("结算完成") // it was done: the phone has the receipt
		till.press("下一位")
	})

	step("the request is lost", func(t *testing.T) {
		p.press("首页")
		p.pressA("link", "女儿")
		quoted()
		till.loses("*/v1/settlements", fetch.RequestStageRequest)
		till.press("结算 F8")
		till.sees("有一笔还不知道结果")
		till.press("查一查结果")
		till.sees("没有结算，没有扣款，可以重新结算")
		till.press("结算 F8") // the same bill, under a new id
		till.sees("结算成功")
		p.sees("结算完成")
		till.press("下一位")
	})

	step("used", func(t *testing.T) {
		p.press("首页")
		p.pressA("link", "女儿")
		digits := quoted()
		till.press("结算 F8")
		till.sees("结算成功")
		p.sees("结算完成")
		till.press("下一位")
		till.types("找项目", "血细胞")
		till.pressA("option", "血细胞分析")
		till.types("血细胞分析 的单价", "60")
		till.wedge(digits)
		till.sees("请就诊人换一个新码")
		till.press("清空")
	})

	step("replaced", func(t *testing.T) {
		other := open(t, browser, "other phone", phone)
		p.press("首页")
		p.pressA("link", "女儿")
		p.shownDigits()
		other.enter(h.base, "person:DEMO01")
		other.pressA("link", "女儿")
		other.shownDigits()
		p.sees("已经换了新码")
		p.wait("!document.querySelector('[data-testid=code]')")
	})

	step("expired", func(t *testing.T) {
		p.press("换一个新码")
		digits := p.shownDigits()
		h.ask("POST", "/dev/clock", "", map[string]int{"advance_seconds": 61}, nil)
		till.types("找项目", "血细胞")
		till.pressA("option", "血细胞分析")
		till.types("血细胞分析 的单价", "60")
		till.wedge(digits)
		till.sees("请就诊人换一个新码")
		till.press("清空")
		// The phone, whose clock knows nothing of that, gets a fresh one by itself in time.
		first := js[string](p, "document.querySelector('[data-testid=code]').src")
		js[bool](p, "(() => { const now = Date.now; Date.now = () => now() + 61_000; return true; })()")
		p.wait("(document.querySelector('[data-testid=code]')?.src ?? %[1]s) !== %[1]s", first)
	})

	step("offline", func(t *testing.T) {
		p.offline(true)
		p.sees("这个码到时间之前还能扫")
		js[bool](p, "(() => { const now = Date.now; Date.now = () => now() + 61_000; return true; })()")
		p.sees("没有网络，不能换新码")
		p.wait("!document.querySelector('[data-testid=code]')")
		p.offline(false)
		p.press("换一个新码")
		p.shownDigits()
	})

	step("revoked during the scan", func(t *testing.T) {
		quoted()
		h.endBindings()
		till.press("结算 F8")
		till.wait("document.querySelector('.sum .notice.bad')")
		till.seesNot("结算成功")
		till.press("清空")
	})

	step("a wrong digit", func(t *testing.T) {
		till.wedge("86000000000000000000")
		till.sees("有一位数字不对")
	})

	step("refused binding", func(t *testing.T) {
		p.visit(h.base + "/#/add")
		p.wait("performance.getEntriesByName('gongji:usable').length > 0")
		p.press("提交") // with nothing filled in each field says what it lacks
		p.sees("请填家人的姓名")
		p.sees("请先作出承诺")
		p.types("姓名", "张桂英")
		p.types("身份证号", "999999195601010045")
		p.chooses("他是我的", "婆婆")
		p.pressA("choice", "可以用我的余额")
		p.pressA("choice", "我承诺")
		p.press("提交")
		p.sees("这个身份证号不对")
		p.empties("身份证号")
		p.types("身份证号", "999999195601010046")
		p.press("提交")
		p.wait("document.querySelector('.notice.bad')")
		if text := p.text(); strings.Contains(text, "绑定成功") || !strings.Contains(text, "relation_not_allowed") {
			t.Errorf("a mother-in-law: %s", text)
		}
	})
}
