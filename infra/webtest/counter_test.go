package webtest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestCounter binds a wife for a man without a phone: an operator fills it in, scans the
// papers and notes both signatures, and a reviewer, not he himself, approves it.
func TestCounter(t *testing.T) {
	browser := browse(t)
	h := start(t, true)
	desk, reviewer := open(t, browser, "desk", desktop), open(t, browser, "reviewer", desktop)
	desk.enter(h.base, "roles:operator,reviewer")
	desk.pressA("link", "窗口代办")
	desk.types("姓名", "李强")
	desk.types("身份证号", "999999198901010034")
	desk.sees("这个身份证号不对")
	desk.empties("身份证号")
	desk.types("身份证号", "999999198901010033")
	desk.press("查绑定")
	desk.sees("还没有绑定家人")
	desk.press("代填一份绑定")
	desk.types("姓名", "王芳")
	desk.types("身份证号", "999999199001010024")
	desk.chooses("是申请人的", "妻子")
	desk.press("登记申请")
	for i, kind := range []string{"身份证", "个人承诺书"} {
		desk.sees("扫描：" + kind)
		desk.do(chromedp.SetUploadFiles(chromedp.CSS(".upload input:not([capture])"), []string{paper(t, kind+".png", byte(40+20*i))}))
	}
	desk.pressA("choice", "本人当面在承诺书上签了字")
	desk.press("提交")
	desk.pressA("choice", "家庭成员本人当面签字同意")
	desk.press("登记同意")
	desk.sees("等另一位同事审核")
	desk.keepBoth("desk-counter")

	reviewer.enter(h.base, "roles:reviewer")
	reviewer.pressA("link", "李* 绑定 王*")
	reviewer.sees("在窗口由工作人员代填")
	reviewer.pressA("tab", "通过")
	reviewer.wait("document.querySelector('.decide > .button.main')")
	js[bool](reviewer, "(document.querySelector('.decide > .button.main').click(), true)")
	reviewer.sees("没有等待审核的申请")

	desk.press("换一位")
	desk.types("姓名", "李强")
	desk.types("身份证号", "999999198901010033")
	desk.press("查绑定")
	desk.sees("有效")
	desk.press("解除绑定")
	desk.sees("以前的收据都在") // what stays is said before it is ended
	desk.press("解除")
	desk.sees("已解除")
}
