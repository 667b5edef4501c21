package family_test

import (
	"fmt"
	"testing"

	"gongji/shared/family"
)

// BenchmarkAdjudicate is the law's part of a bill of 60 lines that two grantors pay:
// the aim is less than 100 µs.
func BenchmarkAdjudicate(b *testing.B) {
	w := newTown(at(2026, 3, 10, 10, 0), func(family.Region, family.Day) *family.Policy { return samplePolicy() })
	place := family.Place{Code: "H43010000001", Kind: family.Hospital, Level: "5", Region: "430100", Designated: true}
	w.places[place.Code] = place
	w.enrol("P1", 19800101, family.Insurance{Region: "430100", Insutype: family.Employee, PsnType: "11", Active: true})
	w.credit("P1", family.Pockets{Current: 1000_00})
	bill := family.Bill{MedType: family.Outpatient, UseAccount: true}
	for i := range family.MaxLines {
		code := fmt.Sprintf("X%d", i)
		w.items[code] = family.Item{
			Code: code, Class: family.ClassB, From: 20210101, SelfPay: map[family.Insutype]family.Ratio{family.Employee: 1000},
			Ceiling: map[family.Level]family.Fen{"2": 900}, Limits: &family.Limits{MinAge: 1, MaxQuantity: 1_000_0000},
		}
		bill.Lines = append(bill.Lines, family.Line{No: i + 1, Code: code, Name: "货品", Quantity: 2_0000, UnitPrice: 1000, Amount: 2000})
		bill.Total += 2000
	}
	c := w.caseOf("P1", place.Code, bill, nil)
	c.Message = w.message(place.Code)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, refusal := family.Settle(c); refusal != nil {
			b.Fatal(refusal)
		}
	}
}

// BenchmarkWhatIf reckons one settlement under a draft.
func BenchmarkWhatIf(b *testing.B) {
	_, sale := soldOnce(b)
	draft := samplePolicy()
	for b.Loop() {
		family.WhatIf(&sale, draft, family.Drift{})
	}
}
