package webtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/fetch"
)

func splitLines(s string) []string { return strings.Split(s, "\n") }

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// palette returns the 256 colours that a picture has most of, near ones taken together.
func palette(picture image.Image) color.Palette {
	counts := map[color.RGBA]int{}
	b := picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := picture.At(x, y).RGBA()
			counts[color.RGBA{byte(r>>8) &^ 3, byte(g>>8) &^ 3, byte(bl>>8) &^ 3, 255}]++
		}
	}
	colours := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	var p color.Palette
	for _, c := range colours[:min(len(colours), 256)] {
		p = append(p, c)
	}
	return p
}

// keep writes a small picture of what is seen, for docs/screens.
func (p *tab) keep(dir, name string) {
	p.t.Helper()
	p.settles()
	js[bool](p, "(document.activeElement?.blur(), document.fonts.ready.then(() => true))")
	seen := p.picture()
	small := image.NewPaletted(seen.Bounds(), palette(seen))
	near := map[color.Color]uint8{}
	for y := seen.Bounds().Min.Y; y < seen.Bounds().Max.Y; y++ {
		for x := seen.Bounds().Min.X; x < seen.Bounds().Max.X; x++ {
			c := seen.At(x, y)
			i, known := near[c]
			if !known {
				i = uint8(small.Palette.Index(c))
				near[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		p.t.Fatal(err)
	}
	if out.Len() > 90_000 {
		p.t.Errorf("%s has %d bytes", name, out.Len())
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// TestScreens takes the pictures of docs/screens: GONGJI_SCREENS names the folder.
func TestScreens(t *testing.T) {
	dir := os.Getenv("GONGJI_SCREENS")
	if dir == "" {
		t.Skip("no pictures were asked for: make screens")
	}
	browser := browse(t)
	h := start(t, true)
	handy := device{360, 740, 1.5, true}
	counter := device{1280, 800, 1, false}
	p, till, desk := open(t, browser, "phone", handy), open(t, browser, "till", counter), open(t, browser, "desk", counter)
	till.visit(h.base + "/")
	till.sees("一家人的医保")
	till.keep(dir, "welcome")

	p.enter(h.base, "person:DEMO01")
	for path, name := range map[string]string{"/": "home", "/members": "members", "/add": "add", "/account": "account", "/me": "me"} {
		p.goes(path)
		p.sees(map[string]string{"/": "您好", "/members": "看谁的病", "/add": "添加之前", "/account": "最近六个月", "/me": "医保"}[path])
		if path == "/account" {
			p.wait("document.querySelector('.u-wrap canvas') && document.querySelector('.legend')")
		}
		p.keep(dir, name)
	}
	p.goes("/members")
	p.pressA("link", "女儿")
	p.sees("现在可以")
	p.keep(dir, "binding")
	p.goes("/check")
	p.chooses("谁看病", "女儿")
	p.types("去哪里", "cssl")
	p.pressA("option", "社区卫生")
	for _, g := range goods[:1] {
		p.types("要用什么", g.typed)
		p.pressA("option", g.name)
		p.types("单价", g.price)
	}
	p.press("算一算")
	p.wait("document.querySelector('.receipt .parts')")
	js[bool](p, "(document.querySelector('section[aria-live] .notice').scrollIntoView({ block: 'start' }), true)")
	p.keep(dir, "check")

	p.goes("/")
	p.pressA("link", "女儿")
	digits := p.shownDigits()
	p.keep(dir, "show")
	till.enter(h.base, "institution:H43010299001")
	till.fillBill()
	till.wedge(digits)
	till.sees("就诊人 李**")
	till.keepBoth("till-quote")
	till.press("结算 F8")
	till.sees("结算成功")
	till.keepBoth("till-settled")
	p.sees("结算完成")
	p.keep(dir, "receipt")
	till.press("下一位")
	till.pressA("link", "今天")
	till.sees("已结算")
	till.keepBoth("till-day")
	till.pressA("link", "收款")

	p.goes("/")
	p.pressA("link", "女儿")
	digits = p.shownDigits()
	till.expect("Failed to load resource")
	till.types("找项目", "血细胞")
	till.pressA("option", "血细胞分析")
	till.types("血细胞分析 的单价", "60")
	till.wedge(digits)
	till.sees("就诊人 李**")
	till.loses("*/v1/settlements", fetch.RequestStageResponse)
	till.press("结算 F8")
	till.sees("有一笔还不知道结果")
	till.keepBoth("till-lost")
	p.sees("结算完成")

	p.prefers("{language: 'en', theme: 'dark'}")
	p.goes("/")
	p.sees("Hello")
	p.keep(dir, "home-dark-english")
	p.prefers("{language: 'zh', theme: 'light', elder: 1}")
	p.sees("您好")
	p.keep(dir, "home-elder")

	desk.enter(h.base, "roles:operator,reviewer")
	desk.pressA("link", "每日对账")
	desk.press("对账")
	desk.sees("账目相符")
	desk.keepBoth("desk-proof")
	desk.pressA("link", "导入数据")
	desk.sees("每行一条")
	desk.keepBoth("desk-feeds")
}
