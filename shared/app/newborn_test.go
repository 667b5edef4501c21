package app

import (
	"strings"
	"testing"

	"gongji/shared/family"
)

// The child of wang and li, eleven days old, who has no ID number yet.
const (
	baby            family.PersonNo          = "P4001"
	babyName                                 = "李初生"
	babyCertificate family.CertificateNumber = "O430000001"
)

// birthOf is what the insurer feeds of the child.
func (h *house) birthOf(mother family.PersonNo) PersonFeed {
	h.t.Helper()
	return PersonFeed{
		Person: baby, Name: babyName, Insurance: h.human(ming).insurance, Card: "A10004001",
		Birth: &Birth{Certificate: babyCertificate, Mother: h.idOf(mother), Born: 20260301, Sex: family.Female},
	}
}

func byCertificate(n family.CertificateNumber, r family.Relation) BindingAsk {
	return BindingAsk{Name: babyName, Certificate: n, Relation: r, Show: true, Pay: forAll()}
}

func (h *house) sweepWhole() {
	h.t.Helper()
	for swept := (Swept{}); !swept.Complete; {
		swept = ok(h.Sweep(h.t.Context()))(h.t)
	}
}

// TestANewbornIsBoundByTheCertificateOfBirth: by the mother whom it names, who is the
// child's guardian; the ID number comes later, and nothing that was bound is lost by it.
func TestANewbornIsBoundByTheCertificateOfBirth(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.pay(wang, 50000, 0)
	same(t, "the feed", ok(h.FeedPerson(ctx, h.birthOf(wang)))(t), FedCreated)
	same(t, "the feed again", ok(h.FeedPerson(ctx, h.birthOf(wang)))(t), FedUnchanged)
	for k, r := range h.dump() {
		if strings.Contains(k.Part+r.Body, string(babyCertificate)) {
			t.Errorf("the certificate's number lies open in %s", k.Part)
		}
	}

	asked := ok(h.RequestBinding(ctx, wang, byCertificate(babyCertificate, "30"), Once{}))(t).Answer.Binding
	same(t, "the steps", doneSteps(asked), "submit?")
	same(t, "of age", asked.OfAge, family.Day(20420301))
	refused(h.RequestBinding(ctx, wang, byCertificate(babyCertificate, "30"), Once{}))(t, family.AlreadyBound)
	bound := ok(h.Submit(ctx, wang, asked.ID))(t)
	same(t, "the binding", []string{string(bound.Binding.State), string(bound.Binding.Identity), string(bound.Ready)}, []string{"active", "match", "ready"})
	sale := h.settle(pharmacy, byQR(h.show(wang, asked.ID).Digits), medicine(3000))
	same(t, "what her account pays", sale.Settlement.Paid.SharedPaid, family.Fen(3000))
	same(t, "whom for", sale.Settlement.Patient, baby)

	// A registry that is complete, and does not know the child yet, ends nothing.
	hers := KinFeed{Identity: Identity{h.human(wang).name, h.idOf(wang)}, Complete: true, Relations: []KinRelation{{h.idOf(li), "11"}}}
	ok(h.FeedRegistry(ctx, hers))(t)
	h.sweepWhole()
	same(t, "readiness", ok(h.GetBinding(ctx, wang, asked.ID))(t).Ready, family.Ready)

	// The ID number comes.
	number := idNumber(t, "990102", "20260301", "428")
	numbered := h.birthOf(wang)
	numbered.ID, numbered.Birth = number, nil
	hers.Relations = append(hers.Relations, KinRelation{number, "30"})
	ok(h.FeedRegistry(ctx, hers))(t)
	same(t, "the feed with a number", ok(h.FeedPerson(ctx, numbered))(t), FedUpdated)
	h.sweepWhole()
	same(t, "readiness", ok(h.GetBinding(ctx, wang, asked.ID))(t).Ready, family.Ready)
	paid := h.settle(pharmacy, Credential{Type: ByID, Value: string(number), Name: babyName}, medicine(1000))
	same(t, "what her account pays by the ID number", paid.Settlement.Paid.SharedPaid, family.Fen(1000))
	refused(h.RequestBinding(ctx, wang, byCertificate(babyCertificate, "30"), Once{}))(t, family.IdentityMismatch)
	refused(h.FeedPerson(ctx, h.birthOf(wang)))(t, family.StateForbids)
	refused(h.RequestBinding(ctx, wang, BindingAsk{Name: babyName, ID: number, Relation: "30", Show: true}, Once{}))(t, family.AlreadyBound)

	// From then on the registry is asked about the child as about everybody.
	hers.Relations = hers.Relations[:1]
	ok(h.FeedRegistry(ctx, hers))(t)
	h.sweepWhole()
	same(t, "why it ended", ok(h.GetBinding(ctx, wang, asked.ID))(t).Binding.EndWhy, family.WhyKinship)
	ok(h.Reverse(ctx, pharmacy, sale.Settlement.ID, h.message(pharmacy), "退货"))(t)
	h.prove()
}

// TestACertificateOfBirthServesOneMother: neither another mother nor the father nor who
// guesses binds a child by it, and all of them hear the same; nor does it name a second
// child, nor anybody but the mother's child.
func TestACertificateOfBirthServesOneMother(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	ok(h.FeedPerson(ctx, h.birthOf(wang)))(t)
	before := h.dump()
	bind := func(by family.PersonNo, in BindingAsk) error {
		_, err := h.RequestBinding(ctx, by, in, Once{})
		return err
	}
	misnamed := byCertificate(babyCertificate, "30")
	misnamed.Name = "李某"
	unknown := bind(zhou, byCertificate("O430000002", "30"))
	same(t, "the answer", codeOf(unknown), family.IdentityMismatch)
	for what, err := range map[string]error{
		"another mother":              bind(lijun, byCertificate(babyCertificate, "30")),
		"the father":                  bind(li, byCertificate(babyCertificate, "30")),
		"the mother, by a wrong name": bind(wang, misnamed),
		"another's, unknown to her":   bind(wang, byCertificate("O430000003", "30")),
	} {
		same(t, what, err, unknown)
	}
	same(t, "as her mother", codeOf(bind(wang, byCertificate(babyCertificate, "52"))), family.RelationNotAllowed)

	twin := h.birthOf(wang)
	twin.Person, twin.Card = "P4002", ""
	same(t, "the field at fault", refused(h.FeedPerson(ctx, twin))(t, family.AlreadyBound).Field, "birth_certificate")
	unborn := h.birthOf(wang)
	unborn.Birth.Born = today + 1
	refused(h.FeedPerson(ctx, unborn))(t, family.Malformed)
	// Who has an ID number is not fed as a newborn.
	grown := h.birthOf(wang)
	grown.Person = ming
	refused(h.FeedPerson(ctx, grown))(t, family.StateForbids)
	h.wantNothingMoved(before)
}
