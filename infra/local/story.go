package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"gongji/infra/demo"
)

// story walks a family's first visit through the house's own doors. It knows no
// more than any client does, and stops at the first thing that is not as it says.
type story struct {
	narrator
	ctx   context.Context
	house *client

	mother, child, grandmother, clinic, pharmacy, auditor string // tokens
	wife, husband, reviewer                               string // of the chapter with papers

	days map[string]bool // of the messages that were sent
}

// tell loads the demo region and tells the story in it.
func tell(ctx context.Context, house *client, out io.Writer) error {
	s := &story{narrator: narrator{out: out}, ctx: ctx, house: house, days: map[string]bool{}}
	if err := s.tell(); err != nil {
		return fmt.Errorf("故事讲到第 %[1]d 段时没有成功 / the story failed in chapter %[1]d: %[2]w\n"+
			"如果改动过示范数据，请用 -data 换一个新目录，或用 -demo=false 启动。\n"+
			"If the demo data was changed by hand, name a new directory with -data, or start with -demo=false.", s.chapters, err)
	}
	signpost(ctx, house, out)
	return nil
}

func (s *story) tell() error {
	if err := s.introduce(); err != nil {
		return err
	}
	daughter, err := s.bindChild()
	if err != nil {
		return err
	}
	if err := s.bindGrandmother(); err != nil {
		return err
	}
	if err := s.visit(daughter); err != nil {
		return err
	}
	if err := s.buyAtPharmacy(); err != nil {
		return err
	}
	if err := s.bindWithPapers(); err != nil {
		return err
	}
	return s.prove()
}

func (s *story) introduce() error {
	s.chapter("认识一家人", "Meet a family")
	s.say("这是长沙的一家人，都是虚构的。王芳和丈夫李强是职工医保，有个人账户；女儿李小雨 8 岁，居民医保，没有个人账户；王芳的母亲张桂英 70 岁，已退休，自己的账户里起初有 50 元。",
		"A family in Changsha, all made up. Wang Fang and her husband Li Qiang are insured at work and have accounts; their daughter Xiaoyu, 8, is insured as a resident and has none; Wang Fang's mother Zhang Guiying, 70, is retired, with 50 yuan in an account of her own at first.")
	s.say("先由医保系统送来基础数据：", "First the insurer's own systems feed in what they know:")
	if err := loadDemo(s.ctx, s.house, &s.narrator); err != nil {
		return err
	}
	for _, t := range []struct {
		token *string
		who   claims
	}{
		{&s.mother, claims{Person: demo.Mother}},
		{&s.child, claims{Person: demo.Child}},
		{&s.grandmother, claims{Person: demo.Grandmother}},
		{&s.clinic, claims{Institution: demo.Clinic}},
		{&s.pharmacy, claims{Institution: demo.Pharmacy}},
		{&s.auditor, claims{Roles: []string{"auditor"}}},
		{&s.wife, claims{Person: demo.CantonWife}},
		{&s.husband, claims{Person: demo.CantonHusband}},
		{&s.reviewer, claims{Roles: []string{"reviewer"}}},
	} {
		var err error
		if *t.token, err = s.house.token(s.ctx, t.who); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) buyAtPharmacy() error {
	s.chapter("外婆在药店", "Grandmother at the pharmacy")
	s.say("张桂英不用手机，出示自己的社保卡。先用她自己的账户，用完了再用女儿的，她不需要多说一句话。",
		"Zhang Guiying uses no phone and shows her insurance card. Her own account pays first, then her daughter's; she has nothing to ask for.")
	bill := billAsk{
		MessageID:  s.messageID(demo.Pharmacy),
		Credential: credential{Type: "card", Value: demo.GrandmotherCard}, MedType: "41", Total: 19790,
		Lines: []lineAsk{
			{1, "XC08CAX105A001010100003", "硝苯地平控释片", "2", 4500, 9000},
			{2, "ZC03AAF0258010100004", "复方丹参片", "1", 1990, 1990},
			{3, "T0001700099", "西洋参片", "1", 8800, 8800},
		},
	}
	var settled settlement
	if _, err := s.house.call(s.ctx, request{method: "POST", path: "/v1/settlements", token: s.pharmacy, body: bill}, &settled); err != nil {
		return err
	}
	if err := settled.check(); err != nil {
		return err
	}
	s.lines(settled)
	s.waterfall(settled)
	payer, err := s.payerReceipt(settled)
	if err != nil || payer == nil {
		return err
	}
	if len(payer.Lines) != 0 {
		return fmt.Errorf("the daughter sees what her mother bought")
	}
	s.say("女儿的收据上只有地点、时间和金额 "+payer.Paid.String()+" 元：母亲买了什么，是母亲自己的事。",
		"Her daughter's receipt says where, when and "+payer.Paid.String()+" yuan: what was bought is the mother's own affair.")
	return nil
}

func (s *story) prove() error {
	s.chapter("对账", "Prove the books")
	var accounts, entries, settlements int
	for day := range s.days {
		for after, page := "", 0; page == 0 || after != ""; page++ {
			var proof struct {
				OK                             bool
				Settlements, Accounts, Entries int
				Next                           string `json:"next_after"`
			}
			if _, err := s.house.call(s.ctx, request{method: "GET", path: "/v1/proofs/" + day + "?after=" + after, token: s.auditor}, &proof); err != nil {
				return err
			}
			if !proof.OK {
				return fmt.Errorf("the books of %s are not in order", day)
			}
			settlements, accounts, entries, after = settlements+proof.Settlements, accounts+proof.Accounts, entries+proof.Entries, proof.Next
		}
	}
	s.say(fmt.Sprintf("当天 %d 笔结算、%d 个账户、%d 条流水，从头重算一遍：每一分钱都有来处和去处，账是平的。", settlements, accounts, entries),
		fmt.Sprintf("%d settlements, %d accounts and %d entries of the day, reckoned again from the beginning: every fen came from somewhere and went somewhere.", settlements, accounts, entries))
	return nil
}

// messageID makes the identity of an institution's message. The till goes by the
// machine's clock, as a till does.
func (s *story) messageID(institution string) string {
	now := time.Now().In(shanghai)
	s.days[now.Format("20060102")] = true
	return institution + now.Format("20060102150405") + rand.Text()[:4]
}
