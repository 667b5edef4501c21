package webtest

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// A family in Guangdong, where papers are reviewed by people. Nobody in it exists.
const (
	canton = `{"person_no":"DEMO11","name":"陈小美","id_no":"999999198802020025","region":"440100","insutype":"310","psn_type":"11","status":"1"}
{"person_no":"DEMO12","name":"陈大山","id_no":"999999196003030033","region":"440100","insutype":"390","psn_type":"1701","status":"1"}`
	father = "999999196003030033"
)

// paper makes a picture as a phone would take one of a paper.
func paper(t *testing.T, name string, shade byte) string {
	t.Helper()
	sheet := image.NewRGBA(image.Rect(0, 0, 600, 420))
	for y := range 420 {
		for x := range 600 {
			c := color.RGBA{250, 248, 240, 255}
			if y > 60 && y%36 < 8 && x > 60 && x < 540-int(shade)%90 {
				c = color.RGBA{shade, shade, shade, 255} // lines of writing
			}
			sheet.SetRGBA(x, y, c)
		}
	}
	path := filepath.Join(t.TempDir(), name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, sheet); err != nil {
		t.Fatal(err)
	}
	return path
}

// enterAs signs somebody in whom the sign-in page does not list.
func (p *tab) enterAs(base, number string) {
	p.t.Helper()
	p.visit(base + "/")
	p.press("登录")
	p.press("其他人或机构")
	p.types("人员编号或机构编码", number)
	p.keys("\r")
	p.wait("performance.getEntriesByName('gongji:usable').length > 0 && !document.querySelector('.welcome')")
	p.settles()
}

// uploads gives the open step its paper.
func (p *tab) uploads(path string) {
	p.t.Helper()
	p.wait("document.querySelector('.upload input:not([capture]):not(:disabled)')")
	before := js[int](p, "document.querySelectorAll('.timeline .done').length")
	p.do(chromedp.SetUploadFiles(chromedp.CSS(".upload input:not([capture])"), []string{path}))
	p.wait("document.querySelectorAll('.timeline .done').length > %s", before)
}

// feed feeds records through the operators' door.
func (h *house) feed(path, records string) {
	h.t.Helper()
	for _, record := range splitLines(records) {
		if status := h.ask("POST", path, h.token(`{"roles":["operator"]}`), raw(record), nil); status/100 != 2 {
			h.t.Fatalf("%s: %d for %s", path, status, record)
		}
	}
}

// TestReview binds a father with papers: a reviewer asks for one more, gets it in the
// same request, and approves; the father has agreed on his own phone before.
func TestReview(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	h.feed("/v1/persons", canton)
	h.feed("/v1/credits", `{"reference":"DEMO-11","person_no":"DEMO11","amount_fen":100000,"pocket":"current"}`)
	p, desk := open(t, browser, "phone", phone), open(t, browser, "desk", desktop)
	p.enterAs(h.base, "DEMO11")
	p.press("添加家庭成员")
	p.types("姓名", "陈大山")
	p.types("身份证号", father)
	p.chooses("他是我的", "父亲")
	p.pressA("choice", "可以用我的余额")
	p.pressA("choice", "我承诺")
	p.press("提交")
	for i, name := range []string{"id.png", "register.png", "letter.png"} {
		p.uploads(paper(t, name, byte(40+20*i)))
	}
	p.pressA("choice", "我承诺")
	p.press("承诺并提交")
	him := open(t, browser, "father's phone", phone)
	him.enterAs(h.base, "DEMO12")
	him.pressA("link", "想和您绑定")
	him.sees("不同意也没有影响")
	if path := os.Getenv("GONGJI_SCREENS"); path != "" {
		him.keep(path, "consent")
	}
	him.press("我同意")
	him.sees("一般需要 1 到 2 个工作日")
	p.sees("一般需要 1 到 2 个工作日") // by itself

	desk.enter(h.base, "roles:reviewer")
	desk.pressA("link", "陈** 绑定 陈**")
	desk.press("我来审核")
	desk.sees("放回队列")
	desk.press("查看")
	desk.wait("document.querySelector('.papers img')?.naturalWidth === 600")
	js[bool](desk, "(scrollTo(0, 0), true)")
	desk.keepBoth("desk-review")
	desk.press("补一份材料")
	desk.chooses("缺哪一份", "户口本")
	desk.types("说明", "请上传写有两个人姓名的那一页")
	desk.press("请对方补材料")
	desk.sees("没有等待审核的申请")

	p.sees("请上传写有两个人姓名的那一页")
	if path := os.Getenv("GONGJI_SCREENS"); path != "" {
		p.keep(path, "steps")
	}
	p.uploads(paper(t, "again.png", 120))
	p.pressA("choice", "我承诺")
	p.press("承诺并提交")
	p.sees("一般需要 1 到 2 个工作日")
	desk.press("没人在看")
	desk.press("全部")
	desk.pressA("link", "陈** 绑定 陈**")
	desk.pressA("tab", "通过")
	desk.wait("document.querySelector('.decide > .button.main')")
	js[bool](desk, "(document.querySelector('.decide > .button.main').click(), true)")
	desk.sees("没有等待审核的申请")

	p.sees("可以出示他的医保码")
	p.sees("现在可以用")
}
