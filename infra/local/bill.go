package main

import (
	"fmt"
	"time"

	"gongji/shared/family"
)

// check holds what is true of every bill: nobody's share is lost or paid twice.
func (b *settlement) check() error {
	if b.Total != b.FundPaid+b.PersonBurden || b.PersonBurden != b.OwnPaid+b.SharedPaid+b.CashDue {
		return fmt.Errorf("the parts of the bill do not add up")
	}
	return nil
}

// shanghai is the time of the trade: one zone, no summer time.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// heading says where and when.
func (r *receipt) heading() string {
	return r.Institution.Name + "  " + r.SettledAt.In(shanghai).Format("2006-01-02 15:04:05") + "\n"
}

var classesZH = map[string]string{"A": "甲类", "B": "乙类", "C": "丙类"}

// lines says of each line how it divides and why.
func (n *narrator) lines(b settlement) {
	for _, l := range b.Lines {
		n.row(fmt.Sprintf("%s × %s（%s %s）", l.Name, l.Quantity, classesZH[l.Class], l.Class), l.Amount.String())
		parts := ""
		for _, part := range []struct {
			label  string
			amount family.Fen
		}{{"纳入报销 in scope", l.InScope}, {"先行自付 pays first", l.PreSelfPay}, {"超限价 above the ceiling", l.OverLimit}, {"自费 own cost", l.OutOfScope}} {
			if part.amount != 0 {
				parts += "  " + part.label + " " + part.amount.String()
			}
		}
		n.text(fmt.Sprintf("%s\n  %s\n  %s\n", parts, l.ReasonZH, l.ReasonEN))
	}
}

// waterfall says who pays the bill, in the order in which they are asked.
func (n *narrator) waterfall(b settlement) {
	n.row("总额 total", b.Total.String())
	n.row("− 统筹基金（按患者自己的医保）fund, by her own insurance", b.FundPaid.String())
	n.row("− 患者自己的账户 her own account", b.OwnPaid.String())
	for _, share := range b.Shares {
		n.row(fmt.Sprintf("− 家庭共济 %s（患者是其%s）shared, for a %s", share.Grantor, share.RelationZH, share.RelationEN), share.Paid.String())
		if share.ReasonZH != "" {
			n.text(fmt.Sprintf("  %s\n  %s\n", share.ReasonZH, share.ReasonEN))
		}
	}
	n.row("= 现金 cash", b.CashDue.String())
}

// uncovered says what no account may pay, and why.
func (n *narrator) uncovered(b settlement) {
	n.say("没有报销、家人的账户也不能付的：", "What was not covered, and what a relative's account may not pay either:")
	for _, l := range b.Lines {
		if own := l.OutOfScope + l.OverLimit; own > 0 {
			n.row(l.Name, own.String())
			n.text(fmt.Sprintf("  %s\n  %s\n", l.ReasonZH, l.ReasonEN))
		}
	}
	n.say("医保的钱只付目录以内的费用（社会保险法第二十八条），所以这一部分收现金。",
		"Insurance money pays only what is in the catalogue (Social Insurance Law, art. 28), so this part is cash.")
}
