package webtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// walker is a person who has never seen the pages: he presses what a page shows, by the
// words on it, and every press and every text typed is counted.
type walker struct {
	*tab
	presses, texts, letters int
}

func (w *walker) press(name string) { w.t.Helper(); w.presses++; w.tab.press(name) }

func (w *walker) pressA(role, name string) { w.t.Helper(); w.presses++; w.tab.pressA(role, name) }

func (w *walker) types(field, text string) {
	w.t.Helper()
	w.texts++
	w.letters += len([]rune(text))
	w.tab.types(field, text)
}

// TestTwoMinutes is the first walk through a fresh house, as `make run` leaves it: bind a
// child, show his code in one window, read the digits into the till in the other, and
// read the receipt. Nothing is used but what the pages say. It prints what it took;
// nothing is asserted of the time but that the test ends.
func TestTwoMinutes(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	began := time.Now()
	p, till := &walker{tab: open(t, browser, "phone", phone)}, &walker{tab: open(t, browser, "till", desktop)}

	p.visit(h.base + "/")
	p.press("登录")
	p.press("王芳")
	p.settles()
	p.press("添加家庭成员")
	p.sees("可以试着添加这个虚构的孩子") // who else would know an ID number?
	p.press("帮我填好")
	p.pressA("choice", "可以用我的余额")
	p.pressA("choice", "我承诺")
	p.press("提交")
	p.sees("绑定成功")

	till.visit(h.base + "/")
	till.press("登录")
	till.press("长沙示例社区卫生服务中心")
	till.sees("先加上项目")
	till.types("找项目", "布洛芬") // the example in the field
	till.wait("document.querySelector('[role=option]')")
	till.keys("\r")
	till.sees("请填好单价和数量")
	till.keys("35.8\r")
	till.texts++
	till.sees("再扫就诊人的医保码")

	p.press("生成医保电子凭证二维码")
	p.press("点一下显示数字")
	p.wait("document.querySelector('.digits .number')")
	digits := js[string](p.tab, "document.querySelector('.digits .number').innerText")
	till.types("医保码（20 位数字）", digits) // read off the other window, with its spaces
	till.sees("就诊人 李**")
	till.press("结算 F8")
	till.sees("结算成功")
	p.sees("结算完成")
	for _, said := range []string{"¥35.80", "医保报销", "家庭共济"} {
		p.sees(said)
	}
	if strings.Contains(p.text(), "undefined") {
		t.Error("the receipt says undefined")
	}
	// A person looks, presses and types more slowly than a program: about two seconds
	// for each press and three letters a second.
	presses, texts, letters := p.presses+till.presses, p.texts+till.texts, p.letters+till.letters+4
	fmt.Printf("the first walk: %d presses, %d texts of %d letters together; %.1f s by the program, about %d s by a person\n",
		presses, texts, letters, time.Since(began).Seconds(), presses*2+letters/3)
}
