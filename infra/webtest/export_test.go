package webtest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestExport reads the till's files back: an archive that others can read, numbers that
// are numbers, and nothing that a spreadsheet takes for a formula.
func TestExport(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	till := open(t, browser, "till", desktop)
	till.enter(h.base, "institution:H43010299001")
	file := func(call string) []byte {
		t.Helper()
		text := js[string](till, `import(document.querySelector('script[type=module]').src.replace('main.js', 'till/export.js')).then(async (m) => {
		  const rows = [['时间', '编号'], ['=1+1', { fen: -12345 }], ['a "b", <c> & d', { fen: 5 }]];
		  const bytes = new Uint8Array(await new Blob([`+call+`]).arrayBuffer());
		  return btoa(String.fromCharCode(...bytes));
		})`)
		content, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	want := "\ufeff时间,编号\r\n'=1+1,-123.45\r\n\"a \"\"b\"\", <c> & d\",0.05\r\n"
	if got := string(file("m.csv(rows)")); got != want {
		t.Errorf("CSV: %q, not %q", got, want)
	}
	book := file("m.xlsx('2026-11-22', rows)")
	archive, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r) // which checks the sums
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		texts[f.Name] = string(content)
		for d := xml.NewDecoder(bytes.NewReader(content)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	}
	if len(texts) != 6 {
		t.Errorf("the book has %d parts", len(texts))
	}
	for _, cell := range []string{`<c r="B2" s="1"><v>-123.45</v></c>`, `<t>=1+1</t>`, `<t>a &quot;b&quot;, &lt;c&gt; &amp; d</t>`, `<t>时间</t>`} {
		if !strings.Contains(texts["xl/worksheets/sheet1.xml"], cell) {
			t.Errorf("the sheet lacks %s: %s", cell, texts["xl/worksheets/sheet1.xml"])
		}
	}
}

// TestGiveBack gives one line of a bill back, then the rest, from the day's list.
func TestGiveBack(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	p, till := open(t, browser, "phone", phone), open(t, browser, "till", desktop)
	till.enter(h.base, "institution:H43010299001")
	till.fillBill()
	p.enter(h.base, "person:DEMO01")
	p.pressA("link", "女儿")
	till.wedge(p.shownDigits())
	till.sees("就诊人 李**")
	till.press("结算 F8")
	till.sees("结算成功")
	till.pressA("link", "今天")
	js[bool](till, "new Promise((done) => { const look = () => { const b = [...document.querySelectorAll('.list tbody button')]; if (b.length) { b.at(-1).click(); done(true); } else setTimeout(look, 50); }; look(); })")
	till.press("退一部分")
	till.types("退热贴：退几个", "2")
	till.sees("不能超过还没退的数量")
	till.empties("退热贴：退几个")
	till.types("退热贴：退几个", "1")
	till.press("退回")
	till.sees("已部分退回")
	till.sees("请退现金 ¥28.00")
	till.press("下一位")
	till.sees("部分已退")
	js[bool](till, "([...document.querySelectorAll('.list tbody tr')].find((r) => r.innerText.includes('部分已退')).querySelector('button').click(), true)")
	till.press("全部退")
	till.types("原因", "开错了")
	till.press("全部退回")
	till.sees("已全部退回")
	till.press("下一位")
	till.sees("已全退")
}
