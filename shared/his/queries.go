package his

import (
	"fmt"

	"gongji/shared/app"
	"gongji/shared/family"
)

// queryVisits lists a patient's visits here (5201).
func queryVisits(c *call) (any, error) {
	in := c.input.first("data")
	patient, id := psnNo(in), in.text("mdtrt_id", 30)
	begin, end := c.timeIn(in, "begntime"), c.timeIn(in, "endtime")
	if *in.fault != nil {
		return nil, *in.fault
	}
	visits, err := c.app.Visits(c, c.place, patient)
	if err != nil {
		return nil, err
	}
	type visit struct {
		MdtrtID  string `json:"mdtrt_id"`
		PsnNo    string `json:"psn_no"`
		IptOtpNo string `json:"ipt_otp_no"`
		MedType  string `json:"med_type"`
		Begntime string `json:"begntime"`
		Endtime  string `json:"endtime"`
		Place    string `json:"fixmedins_code"`
		ValiFlag string `json:"vali_flag"`
	}
	out := []visit{}
	for _, v := range visits {
		if id != "" && string(v.ID) != id || !begin.IsZero() && v.Opened.Before(begin) || !end.IsZero() && v.Opened.After(end) {
			continue
		}
		row := visit{string(v.ID), string(v.Patient), v.Number, string(v.MedType), clock(v.Opened), "", string(v.Place), "1"}
		if !v.Closed.IsZero() {
			row.Endtime = clock(v.Closed)
		}
		if v.Cancelled {
			row.ValiFlag = "0"
		}
		out = append(out, row)
	}
	return struct {
		Visits []visit `json:"mdtrtinfo"`
	}{out}, nil
}

// ownSettlement returns the settlement that a query names, if it is the patient's.
func (c *call) ownSettlement() (app.Outcome, error) {
	in := c.input.first("data")
	id, patient := messageIn(in, "setl_id"), psnNo(in)
	if *in.fault != nil {
		return app.Outcome{}, *in.fault
	}
	o, err := c.app.PlaceSettlement(c, c.place, id)
	if err == nil && o.Settlement.Patient != patient {
		err = family.Refuse(family.NotFound)
	}
	return o, err
}

// querySettlement tells of a settlement again (5203).
func querySettlement(c *call) (any, error) {
	o, err := c.ownSettlement()
	if err != nil {
		return nil, err
	}
	p, err := c.app.Particulars(c, &o.Settlement)
	if err != nil {
		return nil, err
	}
	info := setlinfoOf(o, p, noteOf(o).CertType)
	type queried struct {
		paidinfo
		RefdSetlFlag string `json:"refd_setl_flag"`
		InitSetlID   string `json:"init_setl_id"`
	}
	out := queried{paidinfo{info, info.PsnPart, info.PsnCashPay}, "0", string(o.Settlement.Original)}
	if o.Settlement.Kind != family.Settled || o.Settlement.State() != family.StateSettled {
		out.RefdSetlFlag = "1"
	}
	return struct {
		Info    queried  `json:"setlinfo"`
		Details []detail `json:"setldetail"`
	}{out, detailsOf(o)}, nil
}

// queryLines tells of a settlement's lines (5204).
func queryLines(c *call) (any, error) {
	o, err := c.ownSettlement()
	if err != nil {
		return nil, err
	}
	serial, err := c.serials(o)
	if err != nil {
		return nil, err
	}
	type line struct {
		MdtrtID     string `json:"mdtrt_id"`
		SetlID      string `json:"setl_id"`
		MedListCodg string `json:"med_list_codg"`
		Medins      string `json:"medins_list_codg"`
		lineinfo
	}
	out := make([]line, 0, len(o.Settlement.Lines))
	for i, l := range o.Settlement.Lines {
		out = append(out, line{string(o.Visit), string(o.Settlement.ID), l.Code, l.Name, lineinfoOf(l, serial(i, l))})
	}
	return out, nil
}

// serials names a settlement's lines as their sender did.
func (c *call) serials(o app.Outcome) (func(int, family.PricedLine) string, error) {
	if o.Visit == "" {
		return noteOf(o).serial, nil
	}
	v, err := c.app.FindVisit(c, c.place, app.VisitRef{ID: o.Visit, Patient: o.Settlement.Patient})
	return func(_ int, l family.PricedLine) string {
		if s := serialOf(v, l.No); s != "" {
			return s
		}
		return fmt.Sprint(l.No) // taken out of the visit since
	}, err
}

// accumulators tells what a person's benefit has used up in its year (5206).
func accumulators(c *call) (any, error) {
	in := c.input.first("data")
	who := psnNo(in)
	if *in.fault != nil {
		return nil, *in.fault
	}
	e, err := c.app.Entitlement(c, c.place, who, family.Outpatient)
	if err != nil {
		return nil, err
	}
	type sum struct {
		Insutype string `json:"insutype"`
		Year     string `json:"year"`
		CumYM    string `json:"cum_ym"`
		TypeCode string `json:"cum_type_code"`
		Cum      yuan   `json:"cum"`
	}
	year := fmt.Sprintf("%04d", family.DayOf(c.now()).Year())
	used := e.Used
	row := func(code string, amount family.Fen) sum {
		return sum{string(e.Insurance.Insutype), year, year + "00", code, yuan(amount)}
	}
	return struct {
		Sums []sum `json:"cuminfo"`
	}{[]sum{row(cumDeductible, used.Deductible), row(cumFund, used.Pool)}}, nil
}

// The kinds of accumulator (cum_type_code). The dictionary is a province's own; these
// are Hunan's for the deductible and the pooled fund of outpatients.
const (
	cumDeductible = "S001"
	cumFund       = "C001"
)

// pageOf wraps rows as the catalogue's queries do.
func pageOf(rows any, n int) any {
	return struct {
		Data      any  `json:"data"`
		Records   int  `json:"recordCounts"`
		Pages     int  `json:"pages"`
		PageNum   int  `json:"pageNum"`
		Size      int  `json:"size"`
		FirstPage bool `json:"firstPage"`
		LastPage  bool `json:"lastPage"`
	}{rows, n, 1, 1, max(n, 1), true, true}
}

// item looks up the item that a query of the catalogue names (hilist_code) on its day
// (query_date; today if nothing is said).
func (c *call) item() (family.Item, error) {
	in := c.input.first("data")
	code := in.need("hilist_code", 50)
	on := c.timeIn(in, "query_date")
	if on.IsZero() {
		on = c.now()
	}
	if *in.fault != nil {
		return family.Item{}, *in.fault
	}
	return c.app.FindItem(c, code, family.DayOf(on))
}

func until(d family.Day) string {
	if d == 0 {
		return ""
	}
	return date(d)
}

// catalogueItem tells what the catalogue says of an item (1312).
func catalogueItem(c *call) (any, error) {
	i, err := c.item()
	if err != nil {
		return nil, err
	}
	type row struct {
		Code       string `json:"hilist_code"`
		Name       string `json:"hilist_name"`
		Admdvs     string `json:"insu_admdvs"`
		Begndate   string `json:"begndate"`
		Enddate    string `json:"enddate"`
		ListType   string `json:"list_type"`
		ChrgitmLv  string `json:"chrgitm_lv"`
		ChargeType string `json:"med_chrgitm_type"`
		ValiFlag   string `json:"vali_flag"`
	}
	return pageOf([]row{{i.Code, i.Name, c.region, date(i.From), until(i.To), i.ListType, classLevels[i.Class], chargeType(i.Code), "1"}}, 1), nil
}

// catalogueCeilings tells an item's price ceilings by hospital level (1318).
func catalogueCeilings(c *call) (any, error) {
	i, err := c.item()
	if err != nil {
		return nil, err
	}
	type row struct {
		Code     string `json:"hilist_code"`
		Level    string `json:"hosp_lv"`
		Admdvs   string `json:"insu_admdvs"`
		Begndate string `json:"begndate"`
		Enddate  string `json:"enddate"`
		Ceiling  yuan   `json:"hilist_pric_uplmt_amt"`
		ValiFlag string `json:"vali_flag"`
	}
	rows := []row{}
	for _, level := range family.Levels {
		if ceiling, ok := i.Ceiling[level]; ok {
			rows = append(rows, row{i.Code, string(level), c.region, date(i.From), until(i.To), yuan(ceiling), "1"})
		}
	}
	return pageOf(rows, len(rows)), nil
}

// catalogueShares tells what a person pays first of an item, by insurance (1319).
func catalogueShares(c *call) (any, error) {
	i, err := c.item()
	if err != nil {
		return nil, err
	}
	type row struct {
		Code     string `json:"hilist_code"`
		PsnType  string `json:"selfpay_prop_psn_type"`
		Admdvs   string `json:"insu_admdvs"`
		Begndate string `json:"begndate"`
		Enddate  string `json:"enddate"`
		Prop     ratio  `json:"selfpay_prop"`
		ValiFlag string `json:"vali_flag"`
	}
	rows := []row{}
	for _, insutype := range []family.Insutype{family.Employee, family.Resident} {
		prop := ratio(i.SelfPay[insutype])
		if i.Class == family.ClassC {
			prop = ratio(family.Whole)
		}
		rows = append(rows, row{i.Code, string(insutype), c.region, date(i.From), until(i.To), prop, "1"})
	}
	return pageOf(rows, len(rows)), nil
}
