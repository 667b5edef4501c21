package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"

	"github.com/danielgtaylor/huma/v2"
)

// balanceWire is an account as its owner sees it.
type balanceWire struct {
	Balance family.Fen `json:"balance_fen"`
	Current family.Fen `json:"current_fen" doc:"当年账户"`
	Past    family.Fen `json:"past_fen" doc:"历年结余"`
	Frozen  family.Fen `json:"frozen_fen" doc:"Part of the balance that is frozen for relatives (共济额度)"`
}

func balanceOf(a family.Account) balanceWire {
	return balanceWire{a.Balance.Total(), a.Balance.Current, a.Balance.Past, a.FrozenQuota()}
}

type insuranceWire struct {
	Region   string `json:"region"`
	RegionZH string `json:"region_zh" doc:"The name of the place whose rules apply"`
	RegionEN string `json:"region_en"`
	Insutype string `json:"insutype"`
	PsnType  string `json:"psn_type"`
	Insured  bool   `json:"insured"`
}

func insuranceOf(self app.Self) insuranceWire {
	i := self.Account.Insurance
	return insuranceWire{string(i.Region), self.PolicyZH, self.PolicyEN, string(i.Insutype), string(i.PsnType), i.Insured()}
}

type entryWire struct {
	Seq          uint64     `json:"seq"`
	At           time.Time  `json:"at"`
	Kind         string     `json:"kind" enum:"credit,settlement,reversal,refund,adjustment,rollover,premium,premium_refund"`
	Reference    string     `json:"reference" doc:"The credit's or the adjustment's reference, that of the turn of a year, the settlement_id, or the premium_id and which payment of it"`
	Reason       string     `json:"reason,omitempty" enum:"duplicate_credit,missed_credit,wrong_amount,wrong_person,ruling" doc:"Why the account was adjusted"`
	Role         string     `json:"role,omitempty" enum:"patient,payer"`
	Delta        family.Fen `json:"delta_fen"`
	DeltaCurrent family.Fen `json:"delta_current_fen"`
	DeltaPast    family.Fen `json:"delta_past_fen"`
	Balance      family.Fen `json:"balance_fen" doc:"After the entry"`
	Hash         string     `json:"hash" doc:"Of the entry, which holds the hash of the one before"`
}

func entryOf(e family.Entry) entryWire {
	w := entryWire{
		Seq: e.Seq, At: e.At, Kind: string(e.Kind), Reference: e.Ref, Reason: string(e.Reason), Delta: e.Delta.Total(), DeltaCurrent: e.Delta.Current, DeltaPast: e.Delta.Past,
		Balance: e.After.Total(), Hash: string(e.Hash()),
	}
	if !e.Kind.PaidIn() { // who pays a premium is its payer, whosever it is
		w.Role = string(app.AsPayer)
		if e.Patient {
			w.Role = string(app.AsPatient)
		}
	}
	return w
}

type institutionWire struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Kind string `json:"kind" enum:"hospital,pharmacy"`
}

// receiptWire is a settlement as one person may see it: the patient all of it,
// a payer where, when and how much he paid.
type receiptWire struct {
	SettlementID string          `json:"settlement_id"`
	Kind         string          `json:"kind" enum:"settlement,reversal,refund"`
	OriginalID   string          `json:"original_settlement_id,omitempty"`
	State        string          `json:"state" enum:"settled,partially_refunded,reversed"`
	Role         string          `json:"role" enum:"patient,payer,presenter"`
	Institution  institutionWire `json:"institution"`
	Patient      patientWire     `json:"patient"`
	Relation     string          `json:"relation,omitempty" doc:"What the patient is to me, GB/T 4761"`
	Paid         family.Fen      `json:"paid_fen" doc:"What my account paid"`
	SettledAt    time.Time       `json:"settled_at"`
	*Amounts
	Shares []shareWire `json:"shares,omitempty"`
	Lines  []lineWire  `json:"lines,omitempty"`
	Policy string      `json:"policy,omitempty"`
}

// TransformSchema implements huma.SchemaTransformer: the amounts stand there all or
// not at all, and huma would have them always.
func (receiptWire) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = slices.DeleteFunc(s.Required, func(name string) bool { return strings.HasSuffix(name, "_fen") && name != "paid_fen" })
	return s
}

func receiptOf(r app.Receipt, by family.PersonNo) receiptWire {
	s := r.Settlement
	w := receiptWire{
		SettlementID: string(s.ID), Kind: string(s.Kind), OriginalID: string(s.Original), State: string(s.State()), Role: string(r.Role),
		Institution: institutionWire{string(s.Place), r.Place.Name, string(r.Place.Kind)},
		Patient:     patientWire{NameMasked: r.Names[s.Patient]}, SettledAt: s.At,
	}
	for _, share := range s.Shares {
		if share.Grantor == by {
			w.Paid, w.Relation = share.Paid.Total(), string(share.Relation)
		}
	}
	if r.Role == app.AsPatient {
		w.Paid = s.Own.Total()
	}
	if r.Lines {
		amounts := amountsOf(s.Paid)
		w.Amounts, w.Shares, w.Lines, w.Policy = &amounts, sharesOf(r.Outcome), linesWireOf(s), s.Policy
	}
	return w
}

// accountRoutes are for people: their own account and receipts.
func (d *door) accountRoutes() {
	tags := []string{"people"}
	type meAnswer struct {
		Body struct {
			PersonNo   string        `json:"person_no"`
			NameMasked string        `json:"name_masked"`
			IDNoMasked string        `json:"id_no_masked"`
			Insurance  insuranceWire `json:"insurance"`
			Account    balanceWire   `json:"account"`
			Frozen     bool          `json:"frozen" doc:"By an operator"`
			Policy     string        `json:"policy" doc:"Of my region, in force today"`
			Order      string        `json:"grant_order" enum:"filing_order,balance_desc,user_set" doc:"How my grantors take turns"`
		}
	}
	route(d, Persons, huma.Operation{OperationID: "me", Method: http.MethodGet, Path: "/v1/me", Summary: "Who I am", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*meAnswer, error) {
			self, err := d.app.Me(ctx, person(ctx))
			if err != nil {
				return nil, err
			}
			var out meAnswer
			b := &out.Body
			b.PersonNo, b.NameMasked, b.IDNoMasked = string(self.Account.Person), self.NameMasked, self.IDNoMasked
			b.Insurance = insuranceOf(self)
			b.Account, b.Frozen, b.Policy, b.Order = balanceOf(self.Account), self.Account.Frozen, self.PolicyID, string(self.OrderOfUsing)
			return &out, nil
		})

	type accountAnswer struct{ Body balanceWire }
	route(d, Persons, huma.Operation{OperationID: "account", Method: http.MethodGet, Path: "/v1/account", Summary: "My balance", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*accountAnswer, error) {
			account, err := d.app.Account(ctx, person(ctx))
			if err != nil {
				return nil, err
			}
			return &accountAnswer{balanceOf(account)}, nil
		})

	type entriesAnswer struct{ Body Page[entryWire] }
	route(d, Persons, huma.Operation{OperationID: "entries", Method: http.MethodGet, Path: "/v1/account/entries", Summary: "My account's history, newest first", Tags: tags},
		func(ctx context.Context, in *PageQuery) (*entriesAnswer, error) {
			page, err := d.app.Entries(ctx, person(ctx), in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &entriesAnswer{pageOf(page, entryOf)}, nil
		})

	type receiptsQuery struct {
		PageQuery
		Role string `query:"role" enum:"patient,payer" default:"patient"`
	}
	type receiptsAnswer struct{ Body Page[receiptWire] }
	route(d, Persons, huma.Operation{OperationID: "receipts", Method: http.MethodGet, Path: "/v1/settlements", Summary: "My receipts, as patient or as payer, newest first", Tags: tags},
		func(ctx context.Context, in *receiptsQuery) (*receiptsAnswer, error) {
			by := person(ctx)
			page, err := d.app.Receipts(ctx, by, app.Role(in.Role), in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			return &receiptsAnswer{pageOf(page, func(r app.Receipt) receiptWire { return receiptOf(r, by) })}, nil
		})
}
