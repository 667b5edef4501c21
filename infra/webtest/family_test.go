package webtest

import "testing"

// TestBindAndShow walks the seed documents' way on a phone: home, 亲情账户, add the
// daughter, her code full screen.
func TestBindAndShow(t *testing.T) {
	browser := browse(t)
	h := start(t, false)
	p := open(t, browser, "phone", phone)
	p.enter(h.base, "person:DEMO01")
	p.sees("您好，王*")
	p.press("添加家庭成员")
	p.types("姓名", "李小雨")
	p.types("身份证号", "999999201801010022")
	p.chooses("他是我的", "女儿")
	p.pressA("choice", "可以用我的余额")
	p.types("每月最多", "500")
	p.pressA("choice", "我承诺")
	p.press("提交")
	p.sees("绑定成功")
	p.sees("还可付 ¥500.00")
	p.press("生成医保电子凭证二维码")
	p.wait("document.querySelector('[data-testid=code]')?.naturalWidth > 0")
}
