package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"gongji/infra/demo"
)

// signpost says where to go when the story is over.
func signpost(ctx context.Context, house *client, out io.Writer) {
	web := ""
	if _, err := house.call(ctx, request{method: "GET", path: "/"}, nil); err == nil {
		web = "\n    " + house.base + "/               网页 the web app"
	}
	fmt.Fprint(out, strings.NewReplacer(
		"{web}", web, "{base}", house.base,
		"{mother}", demo.Mother, "{father}", demo.Father, "{child}", demo.Child, "{grandmother}", demo.Grandmother,
		"{clinic}", demo.Clinic, "{hospital}", demo.Hospital, "{pharmacy}", demo.Pharmacy, "{card}", demo.MotherCard,
	).Replace(signs))
}

const signs = `
━━ 接下来 · Where to go next ━━
  服务仍在运行，按 Ctrl-C 结束。The house stays open; Ctrl-C ends it.
{web}
    {base}/openapi.json   全部接口 every door

  想成为谁，就领谁的令牌（只有本机演示才有这扇门）：
  Be anybody: ask for a token (only the local server has this door):

    token() { curl -s {base}/dev/token -d "$1" | sed 's/.*"token":"\([^"]*\)".*/\1/'; }
    MOTHER=$(token '{"person_no":"{mother}"}')               # 王芳；父 father {father}，女儿 child {child}，外婆 grandmother {grandmother}
    TILL=$(token '{"fixmedins_code":"{hospital}"}')   # 医院 hospital；诊所 clinic {clinic}，药店 pharmacy {pharmacy}
    OPERATOR=$(token '{"roles":["operator"]}')

  王芳的绑定，和她作为付款人的收据 Her bindings, and her receipts as a payer:

    curl -s -H "Authorization: Bearer $MOTHER" {base}/v1/bindings
    curl -s -H "Authorization: Bearer $MOTHER" '{base}/v1/settlements?role=payer'

  出示王芳的社保卡，让医院试算，每一行都说明为什么 A hospital's quote by her card, and why, line by line:

    curl -s -H "Authorization: Bearer $TILL" -H 'Content-Type: application/json' {base}/v1/quotes -d '{
      "credential": {"type": "card", "value": "{card}"}, "med_type": "11", "total_fen": 52500, "lines": [
        {"line_no": 1, "code": "XM01AEB277X007010100002", "name": "布洛芬混悬液", "quantity": "4", "unit_price_fen": 1250, "amount_fen": 5000},
        {"line_no": 2, "code": "002103000010000", "name": "胸部CT平扫", "quantity": "1", "unit_price_fen": 38000, "amount_fen": 38000},
        {"line_no": 3, "code": "C1402010000000000001", "name": "一次性雾化器", "quantity": "1", "unit_price_fen": 9500, "amount_fen": 9500}]}'

  领一个她自己的医保码；把时钟拨快一分钟，码就过期 A code of her own; a minute later it has expired:

    curl -s -H "Authorization: Bearer $MOTHER" -H 'Content-Type: application/json' {base}/v1/qr -d '{}'
    curl -s {base}/dev/clock -d '{"advance_seconds":60}'

`
