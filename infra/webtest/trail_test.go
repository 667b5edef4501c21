package webtest

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// keepBoth writes a picture in Chinese and one in English, where pictures are asked for.
func (p *tab) keepBoth(name string) {
	p.t.Helper()
	dir := os.Getenv("GONGJI_SCREENS")
	if dir == "" {
		return
	}
	p.keep(dir, name)
	p.prefers("{language: 'en'}")
	p.keep(dir, name+"-english")
	p.prefers("{language: 'zh'}")
}

// TestTrail: an operator looks a person up by a whole number, freezes and unfreezes him,
// and suspends a pharmacy and lets it go on; each of it stands in the trail.
func TestTrail(t *testing.T) {
	browser, engine := browse(t), axe(t)
	h := start(t, true)
	h.ask("POST", "/v1/institutions/P43010299003/keys", h.token(`{"roles":["operator"]}`), raw(`{"scheme":"api","key_id":"AK-2026","secret":"made-up-secret"}`), nil)
	desk := open(t, browser, "desk", desktop)
	desk.enter(h.base, "roles:operator,reviewer")
	desk.pressA("link", "查参保人")
	desk.press("人员编号")
	desk.expect("404")
	desk.types("人员编号", "NOBODY")
	desk.press("查询")
	desk.wait("document.querySelector('.notice.bad')")
	desk.empties("人员编号")
	desk.types("人员编号", "DEMO01")
	desk.press("查询")
	desk.sees("王* 正常")
	desk.press("冻结")
	desk.sees("冻结后账户不能支出")
	js[bool](desk, "(document.querySelector('dialog .button.danger').click(), true)")
	desk.sees("已冻结")
	desk.press("解冻")
	js[bool](desk, "(document.querySelector('dialog .button.main').click(), true)")
	desk.sees("王* 正常")
	desk.keepBoth("desk-person")
	desk.sized(engine, "the person")
	desk.press("经过")
	desk.sees("绑定的经过")
	desk.sees("发起人")
	desk.sized(engine, "the binding's history")

	desk.pressA("link", "查机构")
	desk.types("机构名称或编码", "dyf")
	desk.pressA("option", "大药房")
	desk.sees("AK-2026")
	desk.press("暂停")
	js[bool](desk, "(document.querySelector('dialog .button.danger').click(), true)")
	desk.sees("已暂停")
	desk.press("恢复")
	js[bool](desk, "(document.querySelector('dialog .button.main').click(), true)")
	desk.sees("恢复机构")
	desk.keepBoth("desk-institution")
	desk.sized(engine, "the institution")

	desk.pressA("link", "操作记录")
	for _, line := range []string{"查看参保人", "冻结", "解冻", "暂停机构", "恢复机构", "更换密钥"} {
		desk.sees(line)
	}
	desk.keepBoth("desk-trail")
	desk.sized(engine, "the trail")
	desk.press("前一天")
	desk.sees("没有人查看或改动")
}

// sized holds a page that is open to three widths and, dark and in English, to axe.
func (p *tab) sized(engine, where string) {
	p.t.Helper()
	for _, size := range []device{phone, tablet, desktop} {
		p.size(size)
		p.fits(where, 44)
	}
	p.prefers("{language: 'en', theme: 'dark'}")
	p.settles()
	p.accessible(engine, where)
	p.prefers("{language: 'zh', theme: 'light'}")
}

// TestPremium: a mother pays her daughter's premium from her account, whole, under a
// grant for premiums; what may not be paid yet has no button.
func TestPremium(t *testing.T) {
	browser, engine := browse(t), axe(t)
	h := start(t, true)
	year := time.Now().In(time.FixedZone("", 8*3600)).Year()
	for _, n := range []int{1, 2} { // next year's may be paid now, that of the year after from next September on
		h.feed("/v1/dues", fmt.Sprintf(`{"person_no":"DEMO03","kind":"resident","year":%d,"amount_fen":40000,"from":"%d","to":"%d0228"}`, year+n, []int{year*10000 + 101, (year+1)*10000 + 901}[n-1], year+n))
	}
	var list struct {
		Items []struct {
			ID       string `json:"binding_id"`
			Relation string
		}
	}
	mother := h.token(`{"person_no":"DEMO01"}`)
	h.ask("GET", "/v1/bindings", mother, nil, &list)
	for _, b := range list.Items {
		if b.Relation == "30" {
			h.ask("PATCH", "/v1/bindings/"+b.ID, mother, raw(`{"pay":{"purposes":["care","pharmacy","premium"]}}`), nil)
		}
	}
	p := open(t, browser, "phone", phone)
	p.enter(h.base, "person:DEMO01")
	p.goes("/me")
	p.settles() // what comes late moves what is pressed
	p.pressA("link", "缴医保费")
	p.sees(fmt.Sprintf("%d-09-01 起可以缴", year+1))
	if dir := os.Getenv("GONGJI_SCREENS"); dir != "" {
		p.keep(dir, "premiums")
	}
	p.sized(engine, "premiums")
	p.size(phone)
	p.press("用我的账户缴")
	p.sees("要么全额缴清")
	p.press("确认缴费")
	p.sees("已用您的账户缴清")
	p.goes("/account")
	p.sees("缴保费")
	p.sees("−¥400.00")
}
