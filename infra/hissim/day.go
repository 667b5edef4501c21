package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"
)

// player plays the day and notes what it hears.
type player struct {
	*house
	*report
	ctx  context.Context
	part string
	err  error // the first that kept the day from going on
}

// play plays a hospital's day.
func play(ctx context.Context, h *house, r *report) error {
	if err := h.furnish(ctx); err != nil {
		return err
	}
	p := &player{house: h, report: r, ctx: ctx}
	p.visit()
	p.duplicates()
	p.lostAnswers()
	p.wrongOrder()
	p.slowAndBroken()
	p.changedCatalogue()
	p.stay()
	p.reconciliation()
	return p.err
}

// say sends a new message.
func (p *player) say(infno string, input any) (message, said) {
	if p.err != nil {
		return message{}, said{}
	}
	m, err := p.message(infno, input)
	if err != nil {
		p.err = err
		return m, said{}
	}
	return m, p.again(m)
}

// again sends a message as it was.
func (p *player) again(m message) said {
	if p.err != nil {
		return said{}
	}
	s, err := p.send(p.ctx, m, bytes.NewReader(m.body))
	if err != nil {
		p.err = fmt.Errorf("%s: %w", m.infno, err)
	}
	return s
}

// want notes what came of something.
func (p *player) want(what, expected, came string) {
	if p.err == nil {
		p.check(p.part, what, expected, came)
	}
}

func (p *player) byID(more object) object {
	o := object{"psn_no": p.person, "mdtrt_cert_type": "02", "mdtrt_cert_no": p.idNo, "certno": p.idNo, "psn_name": "仿真患者"}
	for k, v := range more {
		o[k] = v
	}
	return o
}

// charged opens a visit with one line in it and returns its number.
func (p *player) charged(sum string) string {
	_, open := p.say("2201", object{"data": p.byID(object{"ipt_otp_no": fmt.Sprint("OP", p.serial)})})
	visit := open.at("data", "mdtrt_id")
	p.say("2203", object{"mdtrtinfo": object{"mdtrt_id": visit, "psn_no": p.person, "med_type": "11"}})
	p.say("2204", object{"feedetail": []object{p.line(visit, sum)}})
	return visit
}

func (p *player) line(visit, sum string) object {
	return object{"mdtrt_id": visit, "psn_no": p.person, "chrg_bchno": "0", "feedetl_sn": "1", "med_list_codg": p.drug(), "medins_list_codg": "L1", "cnt": "1", "pric": sum, "det_item_fee_sumamt": sum}
}

func (p *player) bill(visit, sum string) object {
	return object{"data": p.byID(object{"mdtrt_id": visit, "med_type": "11", "medfee_sumamt": sum, "chrg_bchno": "0", "acct_used_flag": "1", "psn_setlway": "01"})}
}

// balance is what the insurer says is in the patient's account.
func (p *player) balance() string {
	_, s := p.say("1101", object{"data": p.byID(nil)})
	list, _ := s.Output["insuinfo"].([]any)
	if len(list) == 0 {
		return "none"
	}
	first, _ := list[0].(object)
	return fmt.Sprint(first["balc"])
}

func (p *player) visit() {
	p.part = "一次门诊 A visit"
	_, s := p.say("9001", object{"signIn": object{"opter_no": "sim"}})
	p.want("9001 签到 sign in", "0", s.code())
	p.want("1101 余额 balance", "1000.00", p.balance())
	visit := p.charged("10.00")
	_, s = p.say("2206", p.bill(visit, "10.00"))
	p.want("2206 预结算 pre-settlement", "0", s.code())
	p.want("2206 不动钱 moves nothing", "1000.00", p.balance())
	m, s := p.say("2207", p.bill(visit, "10.00"))
	p.want("2207 结算 settlement", "0", s.code())
	p.want("setl_id 即报文号 is the message's", m.id, s.at("setlinfo", "setl_id"))
	cash := s.at("setlinfo", "psn_cash_pay")
	p.want("现金 cash", "0.00", cash)
	_, s = p.say("2208", object{"data": object{"setl_id": m.id, "mdtrt_id": visit, "psn_no": p.person}})
	p.want("2208 撤销 reversal", "0", s.code())
	p.want("2208 金额取负 negated", "-10.00", s.at("setlinfo", "medfee_sumamt"))
	p.want("钱已退回 the money is back", "1000.00", p.balance())
	_, s = p.say("2208", object{"data": object{"setl_id": m.id, "mdtrt_id": visit, "psn_no": p.person}})
	p.want("再撤销 reversed twice", "already_reversed", s.code())
	_, s = p.say("9876", object{})
	p.want("未提供的交易 not offered", "unsupported_infno", s.code())
}

// same is what two answers are that are one.
const same = "相同 identical"

// alike tells whether a second answer is the first one; if not, it is told whole.
func alike(first, second said) string {
	if second.code() == first.code() && second.at("setlinfo") == first.at("setlinfo") {
		return same
	}
	return second.at("setlinfo")
}

// stay is a stay in hospital with two bills, whose deductible is one.
func (p *player) stay() {
	p.part = "一次住院 A stay"
	before := p.balance()
	_, open := p.say("2401", object{"mdtrtinfo": p.byID(object{"ipt_otp_no": "ZY1", "med_type": "2101"})})
	visit := open.at("result", "mdtrt_id")
	of := object{"mdtrt_id": visit, "psn_no": p.person}
	p.want("2401 入院 admitted", "0", open.code())
	line := func(serial, batch, sum string) object {
		l := p.line(visit, sum)
		l["feedetl_sn"], l["chrg_bchno"] = serial, batch
		return l
	}
	_, s := p.say("2301", object{"feedetail": []object{line("1", "1", "100.00"), line("2", "2", "300.00")}})
	p.want("2301 费用明细 charged", "0", s.code())
	bill := func(batch, sum string) object {
		b := p.bill(visit, sum)
		b["data"].(object)["med_type"], b["data"].(object)["chrg_bchno"] = "2101", batch
		return b
	}
	m, first := p.say("2304", bill("1", "100.00"))
	p.want("2304 中途结算 the first bill", "90.00", first.at("setlinfo", "act_pay_dedc")) // of class B: 10 % first
	p.want("同一报文再发 the same again", same, alike(first, p.again(m)))
	_, s = p.say("2402", object{"dscginfo": of})
	p.want("2402 出院 discharged", "0", s.code())
	_, s = p.say("2303", bill("2", "300.00"))
	p.want("2303 起付线合计一次 one deductible of both", "110.00", s.at("setlinfo", "act_pay_dedc"))
	last, s := p.say("2304", bill("2", "300.00"))
	p.want("2304 统筹支付 the fund pays 93 % of 160", "148.80", s.at("setlinfo", "hifp_pay"))
	_, s = p.say("2208", object{"data": object{"setl_id": last.id, "mdtrt_id": visit, "psn_no": p.person + "9"}})
	p.want("他人的单据 another's settlement", "identity_mismatch", s.code())
	for _, id := range []string{m.id, last.id} {
		_, s = p.say("2305", object{"data": object{"setl_id": id, "mdtrt_id": visit, "psn_no": p.person}})
		p.want("2305 结算撤销 given back", "0", s.code())
	}
	_, s = p.say("2405", object{"data": of})
	p.want("2405 出院撤销 back in bed", "0", s.code())
	p.want("钱已退回 the money is back", before, p.balance())
}

func (p *player) duplicates() {
	p.part = "重复报文 Duplicates"
	visit := p.charged("20.00")
	before := p.balance()
	m, first := p.say("2207", p.bill(visit, "20.00"))
	for range 3 {
		p.want("同一报文再发 the same again", same, alike(first, p.again(m)))
	}
	p.want("只扣一次 charged once", before+" → "+first.at("setlinfo", "balc"), before+" → "+p.balance())
	other, err := p.message("2207", p.bill(visit, "21.00"))
	if err != nil {
		p.err = err
		return
	}
	other.body = bytes.ReplaceAll(other.body, []byte(other.id), []byte(m.id))
	p.want("同号不同文 another body", "message_reused", p.again(other).code())
}

func (p *player) lostAnswers() {
	p.part = "丢失应答 Lost answers"
	visit := p.charged("30.00")
	before := p.balance()
	m, _ := p.say("2207", p.bill(visit, "30.00")) // the answer is lost: nobody looks at it
	_, s := p.say("2601", object{"data": object{"psn_no": p.person, "omsgid": m.id, "oinfno": "2207"}})
	p.want("2601 冲正 undone", "0", s.code())
	p.want("钱已退回 the money is back", before, p.balance())
	never, err := p.message("2207", p.bill(visit, "30.00"))
	if err != nil {
		p.err = err
		return
	}
	_, s = p.say("2601", object{"data": object{"psn_no": p.person, "omsgid": never.id, "oinfno": "2207"}})
	p.want("2601 未知报文 of a message that never came", "original_unknown", s.code())
	p.want("迟到的原报文 the late original", "message_fenced", p.again(never).code())
	p.want("未动钱 nothing moved", before, p.balance())
}

func (p *player) wrongOrder() {
	p.part = "次序颠倒 Out of order"
	before := p.balance()
	_, open := p.say("2201", object{"data": p.byID(object{"ipt_otp_no": "OPX"})})
	visit := open.at("data", "mdtrt_id")
	_, s := p.say("2207", p.bill(visit, "40.00"))
	p.want("先结算后上传 settled before charged", "state_forbids", s.code())
	_, s = p.say("2204", object{"feedetail": []object{p.line(visit[:26]+"9999", "40.00")}})
	p.want("未登记的就诊 a visit nobody opened", "not_found", s.code())
	p.want("未动钱 nothing moved", before, p.balance())
}

// slowReader gives a body in pieces.
type slowReader struct{ r io.Reader }

func (s slowReader) Read(b []byte) (int, error) {
	time.Sleep(2 * time.Millisecond)
	return s.r.Read(b[:min(len(b), 64)])
}

func (p *player) slowAndBroken() {
	p.part = "缓慢与残缺 Slow and broken"
	m, err := p.message("1201", object{"medinsinfo": object{"fixmedins_code": p.place}})
	if err != nil || p.err != nil {
		p.err = err
		return
	}
	s, err := p.send(p.ctx, m, slowReader{bytes.NewReader(m.body)})
	if err != nil {
		p.err = err
		return
	}
	p.want("缓慢发送 sent slowly", "0", s.code())
	if m, err = p.message("1201", object{}); err != nil {
		p.err = err
		return
	}
	m.body = m.body[:len(m.body)/2]
	p.want("截断的报文 truncated", "malformed", p.again(m).code())
	m.header.Set("X-Tif-Signature", "00")
	p.want("签名不对 signed wrongly", "HTTP 401", p.again(m).code())
}

func (p *player) changedCatalogue() {
	p.part = "目录变更 The catalogue changes between quote and settlement"
	visit := p.charged("50.00")
	before := p.balance()
	_, quote := p.say("2206", p.bill(visit, "50.00"))
	day := p.now().In(shanghai).Format("20060102")
	if p.err == nil {
		_, p.err = p.post(p.ctx, p.operator, "/v1/catalogue", object{
			"code": p.drug(), "name": "仿真甲类药", "list_type": "101", "class": "B", "self_pay_ratio": object{"310": "0.1000", "390": "0.1000"}, "effective_from": day,
		})
	}
	bill := p.bill(visit, "50.00")
	data := bill["data"].(object)
	for _, name := range []string{"fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt"} {
		data[name] = quote.at("setlinfo", name)
	}
	_, s := p.say("2207", bill)
	p.want("2207 带旧金额 with the old amounts", "quote_stale", s.code())
	p.want("未动钱 nothing moved", before, p.balance())
	_, s = p.say("2206", p.bill(visit, "50.00"))
	p.want("2206 重新试算 quoted anew", "5.00", s.at("setlinfo", "preselfpay_amt"))
	_, s = p.say("2207", p.bill(visit, "50.00"))
	p.want("2207 结算 settled", "0", s.code())
}

func (p *player) reconciliation() {
	p.part = "对账 Reconciliation"
	day := p.now().In(shanghai).Format("2006-01-02")
	// A visit given back, one settled (20.00), one undone, one settled (50.00).
	totals := object{"insutype": "310", "clr_type": "11", "setl_optins": "430100", "stmt_begndate": day, "stmt_enddate": day, "medfee_sumamt": "70.00", "fixmedins_setl_cnt": "6"}
	fund, account := p.sums()
	totals["fund_pay_sumamt"], totals["acct_pay"] = fund, account
	_, s := p.say("3201", object{"data": totals})
	p.want("3201 总额 totals", "0", s.at("stmtinfo", "stmt_rslt"))
	totals["medfee_sumamt"] = "70.01"
	_, s = p.say("3201", object{"data": totals})
	p.want("3201 差一分 a fen off", "1", s.at("stmtinfo", "stmt_rslt"))
}

// sums are what the fund and the account paid of the day, by the patient's balance.
func (p *player) sums() (fund, account string) {
	var yuan, part int64
	if _, err := fmt.Sscanf(p.balance(), "%d.%02d", &yuan, &part); err != nil && p.err == nil {
		p.err = err
	}
	paid := 1000_00 - yuan*100 - part
	text := func(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }
	return text(70_00 - paid), text(paid)
}
