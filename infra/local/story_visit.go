package main

import (
	"bytes"
	"crypto/rand"
	"fmt"

	"gongji/infra/demo"
	"gongji/shared/qrimage"
)

// visit takes the child to the clinic, under a binding of hers.
func (s *story) visit(binding string) error {
	code, err := s.showCode(binding)
	if err != nil {
		return err
	}
	bill := billAsk{
		Credential: credential{Type: "qr", Value: code}, MedType: "11", Total: 15960,
		Lines: []lineAsk{
			{1, "XM01AEB277X007010100002", "布洛芬混悬液", "2", 3580, 7160},
			{2, "002501010150000", "血细胞分析", "1", 6000, 6000},
			{3, "C1402020000000000002", "退热贴", "1", 2800, 2800},
		},
	}
	quote, err := s.quoteVisit(bill)
	if err != nil {
		return err
	}
	bill.ExpectedCash = &quote.CashDue
	settled, err := s.settleVisit(bill)
	if err != nil {
		return err
	}
	return s.readReceipts(settled)
}

func (s *story) showCode(bindingID string) (string, error) {
	s.chapter("出示孩子的医保码", "Show the child's code")
	var qr struct {
		Digits string
		Life   int `json:"life_seconds"`
	}
	if _, err := s.house.call(s.ctx, request{method: "POST", path: "/v1/qr", token: s.mother, key: rand.Text(), body: map[string]string{"binding_id": bindingID}}, &qr); err != nil {
		return "", err
	}
	picture, err := qrimage.Terminal(qr.Digits)
	if err != nil {
		return "", err
	}
	s.say("小雨发烧了，在社区卫生服务中心看病。王芳用自己的手机出示小雨的医保码，不是王芳自己的：医保认的是看病的人。",
		"Xiaoyu has a fever and is at the community clinic. On her own phone Wang Fang shows Xiaoyu's code, not her own: what counts is who is being treated.")
	s.text(picture + qr.Digits + "\n")
	s.say(fmt.Sprintf("%d 秒内有效，只能用一次，截图没有用。码里没有姓名，也没有写由谁付钱。", qr.Life),
		fmt.Sprintf("Good for %d seconds and for one use, so a screenshot is worth nothing. There is no name in it, and nothing of who pays.", qr.Life))
	return qr.Digits, nil
}

func (s *story) quoteVisit(bill billAsk) (settlement, error) {
	s.chapter("收费窗口试算", "The till asks what it would be")
	var quote settlement
	if _, err := s.house.call(s.ctx, request{method: "POST", path: "/v1/quotes", token: s.clinic, body: bill}, &quote); err != nil {
		return quote, err
	}
	if err := quote.check(); err != nil {
		return quote, err
	}
	s.lines(quote)
	s.waterfall(quote)
	s.say("这只是试算，钱还没有动。", "This was a quote; no money has moved.")
	return quote, nil
}

func (s *story) settleVisit(bill billAsk) (settlement, error) {
	s.chapter("结算", "Settle")
	bill.MessageID = s.messageID(demo.Clinic)
	ask := request{method: "POST", path: "/v1/settlements", token: s.clinic, body: bill}
	var settled settlement
	first, err := s.house.call(s.ctx, ask, &settled)
	if err != nil {
		return settled, err
	}
	if err := settled.check(); err != nil {
		return settled, err
	}
	s.say(fmt.Sprintf("结算成功，与试算一致。窗口只收现金 %s 元。", settled.CashDue), fmt.Sprintf("Settled, as it was quoted. The till collects %s yuan in cash.", settled.CashDue))
	s.text("结算编号 settlement_id  " + settled.ID + "\n")
	if first.tries > 1 {
		s.say("（途中丢失了应答，用同一报文号重发，只结算了一次。）", "(An answer was lost on the way; the same message was sent again, and it was settled once.)")
	}
	again, err := s.house.call(s.ctx, ask, nil)
	if err != nil {
		return settled, err
	}
	if !again.replay || !bytes.Equal(first.body, again.body) {
		return settled, fmt.Errorf("the same message got another answer")
	}
	s.say("网络不好时窗口会重发。把同一报文原样再发一次：得到一字不差的同一个应答，钱没有再动。",
		"Where the network is bad a till sends again. The very same message once more: the very same answer, and no money moved.")
	return settled, nil
}

func (s *story) readReceipts(settled settlement) error {
	s.chapter("两张收据", "Two receipts")
	var patient receipt
	if _, err := s.house.call(s.ctx, request{method: "GET", path: "/v1/settlements/" + settled.ID, token: s.child}, &patient); err != nil {
		return err
	}
	if patient.Role != "patient" || patient.CashDue != settled.CashDue || len(patient.Lines) != len(settled.Lines) {
		return fmt.Errorf("the patient's receipt is not that of the settlement")
	}
	s.say("小雨的收据（就诊人）：", "Xiaoyu's receipt (the patient's):")
	s.text(patient.heading())
	s.row("总额 total", patient.Total.String())
	s.row("医保报销 paid by the fund", patient.FundPaid.String())
	s.row("家人的账户 paid by a relative's account", patient.SharedPaid.String())
	s.row("现金 cash", patient.CashDue.String())

	payer, err := s.payerReceipt(settled)
	if err != nil {
		return err
	}
	if payer != nil {
		if len(payer.Lines) != len(settled.Lines) {
			return fmt.Errorf("the guardian does not see the lines")
		}
		s.say("王芳的收据（付款人）；她是监护人，所以也看得到明细：", "Wang Fang's receipt (the payer's); as the guardian she sees the lines too:")
		s.text(payer.heading())
		s.row("我的账户支付 paid by my account", payer.Paid.String())
	}
	s.uncovered(patient.settlement)
	return nil
}

// payerReceipt reads the mother's receipt of a settlement, nil when her account paid
// nothing: after many starts its limits are used up.
func (s *story) payerReceipt(settled settlement) (*receipt, error) {
	if settled.SharedPaid == 0 {
		s.say("王芳的账户这次没有付钱，所以没有付款人的收据。", "Wang Fang's account paid nothing this time, so there is no receipt of a payer.")
		return nil, nil
	}
	var payer receipt
	_, err := s.house.call(s.ctx, request{method: "GET", path: "/v1/settlements/" + settled.ID, token: s.mother}, &payer)
	if err == nil && (payer.Role != "payer" || payer.Paid != settled.SharedPaid) {
		err = fmt.Errorf("the payer's receipt is not that of the settlement")
	}
	return &payer, err
}
