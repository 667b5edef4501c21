package main

import (
	"crypto/rand"
	"fmt"
)

func (s *story) bindChild() (string, error) {
	s.chapter("绑定女儿", "Bind the daughter")
	s.say("王芳填一张表：李小雨是我的女儿；可以替她出示医保码（亲情账户）；我的个人账户可以替她付钱（家庭共济），每月最多 500 元。",
		"Wang Fang fills in one form: Xiaoyu is my daughter; I may show her code (the link); my account may pay for her (the grant), 500 yuan a month at most.")
	return s.bind(bindAsk{Name: "李小雨", IDNo: "999999201801010022", Relation: "30", Show: true, Pay: &pay{[]string{"care", "pharmacy"}, 50000}}, "Xiaoyu", s.child)
}

func (s *story) bindGrandmother() error {
	s.chapter("绑定母亲", "Bind the mother")
	s.say("再填一张：张桂英是我的母亲，每月最多 1000 元。", "And one more: Zhang Guiying is my mother, 1000 yuan a month at most.")
	_, err := s.bind(bindAsk{Name: "张桂英", IDNo: "999999195601010046", Relation: "52", Show: true, Pay: &pay{[]string{"care", "pharmacy"}, 100000}}, "Zhang Guiying", s.grandmother)
	return err
}

// bind asks for a binding of the mother's and does its steps; one that is there
// from an earlier start is taken as it is.
func (s *story) bind(ask bindAsk, nameEN, member string) (string, error) {
	b, err := s.boundBefore(s.mother, ask.Relation)
	switch {
	case err == nil && b.ID != "":
		s.say("上次运行时已经绑定，直接沿用。", "They were bound at an earlier start; the binding is used as it is.")
	case err == nil:
		_, err = s.house.call(s.ctx, request{method: "POST", path: "/v1/bindings", token: s.mother, key: rand.Text(), body: ask}, &b)
	}
	if err != nil {
		return "", err
	}
	if b.Guardian {
		s.say("孩子未满 16 岁，由监护人代为同意。", "The child is below 16: her guardian acts for her.")
	}
	for _, step := range b.Steps {
		q, zh, en := request{method: "POST", path: "/v1/bindings/" + b.ID + "/" + step.Action}, "", ""
		switch step.Action + " by " + step.By {
		case "submit by holder":
			q.token, q.body = s.mother, map[string]bool{"commitment": true}
			zh, en = "王芳承诺亲属关系属实并提交", "Wang Fang promises that the relation is true, and submits"
		case "accept by member":
			q.token = member
			zh, en = ask.Name+"在自己的手机上同意", nameEN+" accepts, on her own phone"
		default:
			return "", fmt.Errorf("a step that the story does not know: %s by %s", step.Action, step.By)
		}
		if !step.Done {
			var after binding
			if _, err := s.house.call(s.ctx, q, &after); err != nil {
				return "", err
			}
			b.State = after.State
		}
		s.done(zh, en)
	}
	if b.State != "active" {
		return "", fmt.Errorf("the binding is %s, not active", b.State)
	}
	s.say("绑定已生效；任何一方随时可以暂停或解除。", "The binding is active; either side can pause or end it at any time.")
	return b.ID, nil
}

// boundBefore finds a holder's live binding with a relation; one without an ID is
// none.
func (s *story) boundBefore(holder, relation string) (binding, error) {
	var list struct{ Items []binding }
	_, err := s.house.call(s.ctx, request{method: "GET", path: "/v1/bindings?limit=100", token: holder}, &list)
	for _, b := range list.Items {
		if b.Role == "holder" && b.Relation == relation && b.State != "ended" && b.State != "declined" {
			return b, err
		}
	}
	return binding{}, err
}
