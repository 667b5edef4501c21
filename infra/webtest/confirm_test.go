package webtest

import (
	"encoding/json"
	"testing"
)

// A family in Shenzhen, where a large share waits for the word of the one whose money it
// is. Nobody in it exists.
const (
	shenzhen = `{"person_no":"DEMO21","name":"何丽","id_no":"999999198505050041","region":"440300","insutype":"310","psn_type":"11","status":"1"}
{"person_no":"DEMO23","name":"何小宝","id_no":"999999201906060018","region":"440300","insutype":"390","psn_type":"1403","status":"1"}`
	shenzhenHospital = "H44030399021"
	child            = "999999201906060018"
)

// TestConfirm settles a large bill: the till waits, the mother is asked on her phone,
// and when she has agreed both are done by themselves.
func TestConfirm(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	h.feed("/v1/persons", shenzhen)
	h.feed("/v1/institutions", `{"code":"`+shenzhenHospital+`","name":"深圳示例医院","kind":"hospital","level":"5","region":"440303","status":"designated"}`)
	h.feed("/v1/credits", `{"reference":"DEMO-21","person_no":"DEMO21","amount_fen":800000,"pocket":"current"}`)
	mother := h.token(`{"person_no":"DEMO21"}`)
	var bound struct {
		ID string `json:"binding_id"`
	}
	h.ask("POST", "/v1/bindings", mother, json.RawMessage(`{"name":"何小宝","id_no":"`+child+`","relation":"20","show":true,"pay":{"purposes":["care"]}}`), &bound)
	if status := h.ask("POST", "/v1/bindings/"+bound.ID+"/submit", mother, json.RawMessage(`{"commitment":true}`), nil); status != 200 {
		t.Fatalf("submitting: %d", status)
	}
	p, till := open(t, browser, "phone", phone), open(t, browser, "till", desktop)
	till.enterAs(h.base, shenzhenHospital)
	till.types("找项目", "xbct")
	till.pressA("option", "胸部CT平扫")
	till.types("胸部CT平扫 的单价", "20000")
	p.enterAs(h.base, "DEMO21")
	p.pressA("link", "儿子")
	till.wedge(p.shownDigits())
	till.sees("就诊人 何**")
	till.press("结算 F8")
	till.sees("正在等账户本人在手机上确认")
	p.sees("正在等账户本人确认")
	p.press("去首页确认")
	p.sees("请确认这一笔")
	p.sees("深圳示例医院")
	p.press("我同意")
	till.sees("结算成功")
	p.wait("!document.querySelector('.confirm')")
	p.press("收据")
	p.press("我替家人付的")
	p.sees("深圳示例医院")
}
