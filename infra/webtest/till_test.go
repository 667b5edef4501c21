package webtest

import (
	"strings"
	"testing"
)

// goods are a bill:布洛芬混悬液 2 × 35.80, 血细胞分析 60.00, 退热贴 28.00, as in the
// worked example E12 of the law.
var goods = []struct{ typed, name, price, quantity string }{
	{"blfhx", "布洛芬混悬液", "35.80", "2"},
	{"血细胞", "血细胞分析", "60", "1"},
	{"C140202", "退热贴", "28", "1"},
}

// fillBill finds the goods and prices them.
func (p *tab) fillBill() {
	p.t.Helper()
	for _, g := range goods {
		p.types("找项目", g.typed)
		p.pressA("option", g.name)
		p.types(g.name+" 的单价", g.price)
		if g.quantity != "1" {
			p.empties(g.name + " 的数量")
			p.types(g.name+" 的数量", g.quantity)
		}
	}
}

// wedge types a code as a scanner does: digits and Enter, into whatever has the focus.
func (p *tab) wedge(digits string) {
	p.t.Helper()
	p.pressA("field", "医保码（20 位数字）")
	p.keys(digits + "\r")
}

// shownDigits reads the digits that the phone shows, as a person would read them out.
func (p *tab) shownDigits() string {
	p.t.Helper()
	p.wait("document.querySelector('[data-testid=code]')?.naturalWidth > 0")
	if !js[bool](p, "!!document.querySelector('.digits .number')") {
		p.press("点一下显示数字")
	}
	p.wait("document.querySelector('.digits .number')")
	digits := strings.ReplaceAll(js[string](p, "document.querySelector('.digits .number').innerText"), " ", "")
	if len(digits) != 20 {
		p.t.Fatalf("the phone shows %q", digits)
	}
	return digits
}

// TestSettle is the main story on two devices: the phone shows, the till scans it with a
// scanner that types, and the phone gets the receipt by itself.
func TestSettle(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	p, till := open(t, browser, "phone", phone), open(t, browser, "till", desktop)
	till.enter(h.base, "institution:H43010299001")
	till.sees("长沙示例社区卫生服务中心")
	till.fillBill()
	p.enter(h.base, "person:DEMO01")
	p.pressA("link", "女儿")
	digits := p.shownDigits()
	till.wedge(digits)
	till.sees("就诊人 李**")
	till.sees("现金 ¥28.00")
	till.press("结算 F8")
	till.sees("结算成功")
	p.sees("结算完成")
	p.sees("¥159.60")
	p.sees("没有报销、余额也不能付的")
	till.press("下一位")
	till.pressA("link", "今天")
	till.sees("已结算")
}
