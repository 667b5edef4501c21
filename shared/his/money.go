package his

import (
	"encoding/json"
	"fmt"
	"time"

	"gongji/shared/app"
	"gongji/shared/family"
)

// yuan is an amount as the interface writes it (16,2): a number with two decimals.
type yuan family.Fen

// MarshalJSON implements json.Marshaler.
func (y yuan) MarshalJSON() ([]byte, error) { return []byte(family.Fen(y).String()), nil }

// ratio is a share as the interface writes it (5,4).
type ratio family.Ratio

// MarshalJSON implements json.Marshaler.
func (r ratio) MarshalJSON() ([]byte, error) { return []byte(family.Ratio(r).String()), nil }

// literal is a number that was written down already.
type literal string

// MarshalJSON implements json.Marshaler.
func (l literal) MarshalJSON() ([]byte, error) { return []byte(l), nil }

// clock writes a time as fields of the interface hold it (19).
func clock(t time.Time) string { return t.In(shanghai).Format("2006-01-02 15:04:05") }

// date writes a day as fields of the interface hold it (10).
func date(d family.Day) string {
	s := d.String()
	return s[:4] + "-" + s[4:6] + "-" + s[6:]
}

// setlinfo is what the interface tells of a settlement (SPEC 2206, 2207, 5203). Every
// field stands in every answer: clients read them without looking.
type setlinfo struct {
	MdtrtID        string  `json:"mdtrt_id"`
	SetlID         string  `json:"setl_id"`
	PsnNo          string  `json:"psn_no"`
	PsnName        string  `json:"psn_name"`
	PsnCertType    string  `json:"psn_cert_type"`
	Certno         string  `json:"certno"`
	Gend           string  `json:"gend"`
	Naty           string  `json:"naty"`
	Brdy           string  `json:"brdy"`
	Age            literal `json:"age"`
	Insutype       string  `json:"insutype"`
	PsnType        string  `json:"psn_type"`
	CvlservFlag    string  `json:"cvlserv_flag"`
	SetlTime       string  `json:"setl_time"`
	MdtrtCertType  string  `json:"mdtrt_cert_type"`
	MedType        string  `json:"med_type"`
	Medfee         yuan    `json:"medfee_sumamt"`
	FulamtOwnpay   yuan    `json:"fulamt_ownpay_amt"`
	OverlmtSelfpay yuan    `json:"overlmt_selfpay"`
	Preselfpay     yuan    `json:"preselfpay_amt"`
	InscpScp       yuan    `json:"inscp_scp_amt"`
	ActPayDedc     yuan    `json:"act_pay_dedc"`
	HifpPay        yuan    `json:"hifp_pay"`
	PoolProp       ratio   `json:"pool_prop_selfpay"`
	CvlservPay     yuan    `json:"cvlserv_pay"`
	HifesPay       yuan    `json:"hifes_pay"`
	HifmiPay       yuan    `json:"hifmi_pay"`
	HifobPay       yuan    `json:"hifob_pay"`
	MafPay         yuan    `json:"maf_pay"`
	HifdmPay       yuan    `json:"hifdm_pay"`
	OthPay         yuan    `json:"oth_pay"`
	FundPaySum     yuan    `json:"fund_pay_sumamt"`
	PsnPart        yuan    `json:"psn_part_amt"`
	AcctPay        yuan    `json:"acct_pay"`
	PsnCashPay     yuan    `json:"psn_cash_pay"`
	HospPart       yuan    `json:"hosp_part_amt"`
	Balc           yuan    `json:"balc"`
	AcctMulaidPay  yuan    `json:"acct_mulaid_pay"`
	MedinsSetlID   string  `json:"medins_setl_id"`
	ClrOptins      string  `json:"clr_optins"`
	ClrWay         string  `json:"clr_way"`
	ClrType        string  `json:"clr_type"`
	ExpContent     string  `json:"exp_content"`
}

// backinfo is setlinfo of what was given back (2103, 2208), where the cash is spelled
// pdn_cash_pay (sic). Both spellings stand: systems read either.
type backinfo struct {
	setlinfo
	PdnCashPay yuan `json:"pdn_cash_pay"`
}

// paidinfo is setlinfo of a query (5203), which names two amounts otherwise.
type paidinfo struct {
	setlinfo
	PsnPay     yuan `json:"psn_pay"`
	CashPayamt yuan `json:"cash_payamt"`
}

// detail is a row of setldetail: what one fund paid.
type detail struct {
	FundPayType     string `json:"fund_pay_type"`
	InscpScp        yuan   `json:"inscp_scp_amt"`
	CrtPaybLmt      yuan   `json:"crt_payb_lmt_amt"`
	FundPayamt      yuan   `json:"fund_payamt"`
	FundPayTypeName string `json:"fund_pay_type_name"`
	SetlProcInfo    string `json:"setl_proc_info"`
}

// expContent is what this house tells beyond the standard: each relative's share. It
// travels as a text, as exp_content does.
type expContent struct {
	Policy string       `json:"policy"`
	Shares []shareWire  `json:"mulaid_shares"`
	Lines  []reasonWire `json:"line_reasons,omitempty"`
}

type shareWire struct {
	Grantor  string `json:"grantor_masked"`
	Relation string `json:"patn_rlts"` // what the patient is to the grantor (GB/T 4761)
	Paid     yuan   `json:"acct_mulaid_pay"`
	Reason   string `json:"reason,omitempty"`
}

type reasonWire struct {
	Line   string `json:"feedetl_sn"`
	Reason string `json:"reason"`
}

func gender(id family.IDNumber) string {
	if len(id) != 18 {
		return "9"
	}
	if (id[16]-'0')%2 == 1 {
		return "1"
	}
	return "2"
}

// age writes completed years on a day (4,1).
func age(id family.IDNumber, day family.Day) literal {
	if len(id) != 18 {
		return "0.0"
	}
	return literal(fmt.Sprintf("%d.0", (int(day)-int(id.Birthday()))/10000))
}

// clrType is how a settlement is cleared (clr_type), by the kind of visit.
func clrType(m family.MedType) string {
	switch m {
	case family.Registration:
		return "12"
	case family.PharmacyBuy:
		return "41"
	case "14":
		return "14"
	}
	if m.IsStay() {
		return "21"
	}
	return "11"
}

// setlinfoOf tells of a settlement, reversal or quote. certType is how the patient
// was told.
func setlinfoOf(o app.Outcome, p app.Particulars, certType string) setlinfo {
	s := &o.Settlement
	b := s.Paid
	account := b.OwnPaid + b.SharedPaid
	visit := o.Visit
	if visit == "" && p.Place.Kind == family.Pharmacy { // a purchase is its own visit
		visit = s.ID
		if s.Original != "" {
			visit = s.Original
		}
	}
	fund := b.FundPaid
	if p.FundSumIncludesAccount {
		fund += account
	}
	pool := ratio(0)
	if b.FundPaid != 0 {
		pool = ratio(s.Basis.Ratio)
	}
	return setlinfo{
		MdtrtID: string(visit), SetlID: string(s.ID), PsnNo: string(s.Patient), PsnName: p.Name, PsnCertType: "01", Certno: string(p.ID),
		Gend: gender(p.ID), Brdy: birthday(p.ID), Age: age(p.ID, family.DayOf(s.At)),
		Insutype: string(s.Basis.Insutype), PsnType: string(p.Account.Insurance.PsnType), CvlservFlag: "0",
		SetlTime: clock(s.At), MdtrtCertType: certType, MedType: string(s.MedType),
		Medfee: yuan(b.Total), FulamtOwnpay: yuan(b.OutOfScope), OverlmtSelfpay: yuan(b.OverLimit), Preselfpay: yuan(b.PreSelfPay), InscpScp: yuan(b.InScope),
		ActPayDedc: yuan(b.Deductible), HifpPay: yuan(b.FundPaid), PoolProp: pool,
		FundPaySum: yuan(fund), PsnPart: yuan(b.PersonBurden), AcctPay: yuan(account), PsnCashPay: yuan(b.CashDue),
		Balc: yuan(p.Balance), AcctMulaidPay: yuan(b.SharedPaid),
		MedinsSetlID: string(s.ID), ClrOptins: string(s.Basis.InsuredRegion), ClrWay: "1", ClrType: clrType(s.MedType),
		ExpContent: expContentOf(o),
	}
}

func birthday(id family.IDNumber) string {
	if len(id) != 18 {
		return ""
	}
	return date(id.Birthday())
}

// expContentOf writes who shared what.
func expContentOf(o app.Outcome) string {
	e := expContent{Policy: o.Settlement.Policy, Shares: []shareWire{}}
	for _, share := range o.Settlement.Shares {
		e.Shares = append(e.Shares, shareWire{
			Grantor: o.Names[share.Grantor], Relation: string(share.Relation), Paid: yuan(share.Paid.Total()), Reason: string(share.Reason),
		})
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // plain texts and numbers
	}
	return string(text)
}

// detailsOf lists what each fund paid. The personal account is a fund here, with what
// relatives paid within it, though fund_pay_sumamt may not count it (E1).
func detailsOf(o app.Outcome) []detail {
	s := &o.Settlement
	rows := []detail{}
	if s.Paid.FundPaid != 0 {
		kind, name := "310102", "职工基本医疗保险门诊统筹基金"
		inpatient := s.MedType.IsStay()
		switch {
		case s.Basis.Insutype == family.Resident && inpatient:
			kind, name = "390100", "城乡居民基本医疗保险统筹基金"
		case s.Basis.Insutype == family.Resident:
			kind, name = "390102", "城乡居民基本医疗保险门诊统筹基金"
		case inpatient:
			kind, name = "310100", "职工基本医疗保险统筹基金"
		}
		rows = append(rows, detail{kind, yuan(s.Paid.InScope), yuan(s.Basis.PoolLeft), yuan(s.Paid.FundPaid), name, ""})
	}
	if account := s.Paid.OwnPaid + s.Paid.SharedPaid; account != 0 {
		rows = append(rows, detail{"310200", yuan(s.Paid.InScope), 0, yuan(account), "职工基本医疗保险个人账户基金", ""})
	}
	return rows
}

// lineinfo is how one line divides (2204 result, 2101 and 2102 detlcutinfo).
type lineinfo struct {
	FeedetlSN      string  `json:"feedetl_sn"`
	DetItemFee     yuan    `json:"det_item_fee_sumamt"`
	Cnt            literal `json:"cnt"`
	Pric           literal `json:"pric"`
	PricUplmt      yuan    `json:"pric_uplmt_amt"`
	SelfpayProp    ratio   `json:"selfpay_prop"`
	FulamtOwnpay   yuan    `json:"fulamt_ownpay_amt"`
	Overlmt        yuan    `json:"overlmt_amt"`
	Preselfpay     yuan    `json:"preselfpay_amt"`
	InscpScp       yuan    `json:"inscp_scp_amt"`
	ChrgitmLv      string  `json:"chrgitm_lv"`
	MedChrgitmType string  `json:"med_chrgitm_type"`
	BasMednFlag    string  `json:"bas_medn_flag"`
	HiNegoDrugFlag string  `json:"hi_nego_drug_flag"`
	ChldMedcFlag   string  `json:"chld_medc_flag"`
	ListSpItemFlag string  `json:"list_sp_item_flag"`
	DrtReimFlag    string  `json:"drt_reim_flag"`
	LmtUsedFlag    string  `json:"lmt_used_flag"`
	Memo           string  `json:"memo"`
}

// noCeiling is how the interface writes that a price has no ceiling.
const noCeiling = 999_999_00

var classLevels = map[family.Class]string{family.ClassA: "01", family.ClassB: "02", family.ClassC: "03"}

// lineinfoOf tells how a line divides; serial is the client's number of it.
func lineinfoOf(l family.PricedLine, serial string) lineinfo {
	ceiling := yuan(l.Ceiling)
	if l.Ceiling == 0 {
		ceiling = noCeiling
	}
	prop := ratio(l.SelfPay)
	if l.Class == family.ClassC {
		prop = ratio(family.Whole)
	}
	return lineinfo{
		FeedetlSN: serial, DetItemFee: yuan(l.Amount), Cnt: literal(l.Quantity.String()), Pric: literal(l.UnitPrice.String()),
		PricUplmt: ceiling, SelfpayProp: prop,
		FulamtOwnpay: yuan(l.Amounts.OutOfScope), Overlmt: yuan(l.Amounts.OverLimit), Preselfpay: yuan(l.Amounts.PreSelfPay), InscpScp: yuan(l.Amounts.InScope),
		ChrgitmLv: classLevels[l.Class], MedChrgitmType: chargeType(l.Code),
		BasMednFlag: "0", HiNegoDrugFlag: "0", ChldMedcFlag: "0", ListSpItemFlag: "0", DrtReimFlag: "0", LmtUsedFlag: "0",
		Memo: string(l.Reason),
	}
}

// chargeType is what kind of charge a national code is (med_chrgitm_type): the first
// letter of a code tells drugs, herbs and consumables.
func chargeType(code string) string {
	switch code[:1] {
	case "X":
		return "09"
	case "Z":
		return "11"
	case "T":
		return "10"
	case "C":
		return "08"
	}
	return "14"
}
