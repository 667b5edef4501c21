package his

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"gongji/shared/answer"
	"gongji/shared/app"
	"gongji/shared/family"
)

// signIn opens a till's day (9001). The number follows from the message, so the same
// message gets the same; nothing asks for it later, as SPEC lets it be empty.
func signIn(c *call) (any, error) {
	in := c.input.first("signIn", "signin")
	opter := in.need("opter_no", 30)
	sum := sha256.Sum256([]byte(string(c.message) + "\n" + opter))
	type signed struct {
		SignTime string `json:"sign_time"`
		SignNo   string `json:"sign_no"`
	}
	return struct {
		Signed signed `json:"signinoutb"`
	}{signed{clock(c.now()), strings.ToUpper(hex.EncodeToString(sum[:15]))}}, nil
}

// signOut closes it (9002).
func signOut(c *call) (any, error) {
	in := c.input.first("signOut", "signout")
	in.need("sign_no", 30)
	type signed struct {
		SignTime string `json:"sign_time"`
	}
	return struct {
		Signed signed `json:"signinoutb"`
	}{signed{clock(c.now())}}, nil
}

// credential reads what the patient showed: an ecToken or the code itself (01), an ID
// number (02) or a card's number (03).
func credential(n node) (app.Credential, string) {
	kind := n.need("mdtrt_cert_type", 3)
	c := app.Credential{Value: n.text("mdtrt_cert_no", 50), Name: n.text("psn_name", 50)}
	switch kind {
	case "01":
		c.Type = app.ByECToken
		if len(c.Value) == 20 {
			c.Type = app.ByQR
		}
	case "02":
		c.Type = app.ByID
		if c.Value == "" {
			c.Value = n.text("certno", 50)
		}
	case "03":
		c.Type = app.ByCard
	default:
		n.wrong("mdtrt_cert_type", "01, 02 or 03")
	}
	if c.Value == "" {
		n.wrong("mdtrt_cert_no", "the field is missing")
	}
	return c, kind
}

// psnNo reads a person's number that must be there.
func psnNo(n node) family.PersonNo {
	p, err := family.ParsePersonNo(n.need("psn_no", 30))
	if err != nil {
		n.wrong("psn_no", err.Error())
	}
	return p
}

// person tells who a patient is and how he is insured (1101).
func person(c *call) (any, error) {
	in := c.input.first("data")
	shown, _ := credential(in)
	if *in.fault != nil {
		return nil, *in.fault
	}
	who, err := c.app.Identify(c, c.place, shown)
	if err != nil {
		return nil, err
	}
	type base struct {
		PsnNo       string  `json:"psn_no"`
		PsnCertType string  `json:"psn_cert_type"`
		Certno      string  `json:"certno"`
		PsnName     string  `json:"psn_name"`
		Gend        string  `json:"gend"`
		Naty        string  `json:"naty"`
		Brdy        string  `json:"brdy"`
		Age         literal `json:"age"`
		ExpContent  string  `json:"exp_content"`
	}
	type insurance struct {
		Balc         yuan   `json:"balc"`
		Insutype     string `json:"insutype"`
		PsnType      string `json:"psn_type"`
		PsnInsuStas  string `json:"psn_insu_stas"`
		PsnInsuDate  string `json:"psn_insu_date"`
		PausInsuDate string `json:"paus_insu_date"`
		CvlservFlag  string `json:"cvlserv_flag"`
		Insuplc      string `json:"insuplc_admdvs"`
		EmpName      string `json:"emp_name"`
	}
	out := struct {
		Base      base        `json:"baseinfo"`
		Insurance []insurance `json:"insuinfo"`
		Identity  []empty     `json:"idetinfo"`
	}{
		Base: base{
			PsnNo: string(who.Person), PsnCertType: "01", Certno: string(who.ID), PsnName: who.Name,
			Gend: gender(who.ID), Brdy: birthday(who.ID), Age: age(who.ID, family.DayOf(who.At)),
		},
		Insurance: []insurance{}, Identity: []empty{},
	}
	if i := who.Account.Insurance; i.Insutype != family.NoCover {
		status := "2"
		if i.Active {
			status = "1"
		}
		free := who.Account.Free()
		out.Insurance = append(out.Insurance, insurance{
			Balc: yuan(free.Total()), Insutype: string(i.Insutype), PsnType: string(i.PsnType), PsnInsuStas: status, CvlservFlag: "0", Insuplc: string(i.Region),
		})
	}
	return out, nil
}

// institution tells of an institution by its code (1201).
func institution(c *call) (any, error) {
	in := c.input.first("medinsinfo", "data")
	text := in.text("fixmedins_code", 12)
	if text == "" {
		text = string(c.place)
	}
	code, err := family.ParseInstitutionCode(text)
	if err != nil {
		in.wrong("fixmedins_code", err.Error())
	}
	if *in.fault != nil {
		return nil, *in.fault
	}
	type medins struct {
		Code  string `json:"fixmedins_code"`
		Name  string `json:"fixmedins_name"`
		USCC  string `json:"uscc"`
		Type  string `json:"fixmedins_type"`
		Level string `json:"hosp_lv"`
	}
	out := struct {
		Medins []medins `json:"medinsinfo"`
	}{[]medins{}}
	place, err := c.app.FindPlace(c, code)
	if err != nil {
		return nil, err
	}
	kind := "1"
	if place.Kind == family.Pharmacy {
		kind = "2"
	}
	if asked := in.text("fixmedins_type", 3); asked == "" || asked == kind {
		if name := in.text("fixmedins_name", 200); strings.Contains(place.Name, name) {
			out.Medins = append(out.Medins, medins{string(place.Code), place.Name, "", kind, string(place.Level)})
		}
	}
	return out, nil
}

// decodedWire is what decoding a code gives (6101, 1162).
type decodedWire struct {
	UserName    string `json:"userName"`
	IDNo        string `json:"idNo"`
	IDType      string `json:"idType"`
	ECToken     string `json:"ecToken"`
	InsuOrg     string `json:"insuOrg"`
	ECIndexNo   string `json:"ecIndexNo"`
	Gender      string `json:"gender"`
	Birthday    string `json:"birthday"`
	Nationality string `json:"nationality"`
	Email       string `json:"email"`
	ChnlID      string `json:"chnlId"`
	ECQRCode    string `json:"ecQrCode"`
	AuthNo      string `json:"authNo"`
}

// decode reads the code in an input (6101, 1162, and the mobile envelope).
func (c *call) decode(in node) (decodedWire, error) {
	digits := ""
	for _, name := range []string{"ecQrCode", "qrCode", "ec_qr_code", "data"} {
		if _, nested := in.o[name].(object); !nested && digits == "" {
			digits = in.text(name, 64)
		}
	}
	if digits == "" {
		in.wrong("ecQrCode", "the field is missing")
	}
	in.text("businessType", 5)
	if *in.fault != nil {
		return decodedWire{}, *in.fault
	}
	decoded, err := c.app.Decode(c, c.place, digits)
	if err != nil {
		return decodedWire{}, err
	}
	return decodedWire{
		UserName: decoded.Name, IDNo: string(decoded.ID), IDType: "01", ECToken: decoded.ECToken,
		InsuOrg: string(decoded.Account.Insurance.Region), Gender: gender(decoded.ID), Birthday: birthday(decoded.ID),
		Nationality: "", ECQRCode: digits,
	}, nil
}

func decodeQR(c *call) (any, error) { return c.decode(c.input.first("data", "input")) }

// notOurCode is the code of 1162 for what is no code of the insurance's.
const notOurCode = 500159

// localQRCode is decoding (1162). At its own address it answers in its own shape.
func localQRCode(c *call) (any, error) {
	out, err := c.decode(c.input.first("data"))
	if c.own == "" {
		return out, err
	}
	type done struct {
		Code    int         `json:"code"`
		Type    string      `json:"type"`
		Message string      `json:"message"`
		Data    decodedWire `json:"data"`
	}
	type failed struct {
		Message string `json:"message"`
		Success bool   `json:"success"`
		Code    int    `json:"code"`
	}
	refusal := (*family.Refusal)(nil)
	switch {
	case err == nil:
		return raw{done{0, "success", "成功", out}}, nil
	case !errors.As(err, &refusal) || status(refusal) != http.StatusOK:
		return nil, err
	case refusal.Code == family.QRInvalid:
		return raw{failed{"请使用医保电子凭证二维码", false, notOurCode}}, nil
	}
	return raw{failed{c.sentence(answer.Of(refusal.Code), refusal), false, notOurCode}}, nil
}

// entitlement tells whether the fund pays for a kind of visit (2001).
func entitlement(c *call) (any, error) {
	in := c.input.first("data")
	who := psnNo(in)
	kind := family.MedType(in.need("med_type", 6))
	if *in.fault != nil {
		return nil, *in.fault
	}
	e, err := c.app.Entitlement(c, c.place, who, kind)
	if err != nil {
		return nil, err
	}
	type treatment struct {
		PsnNo       string `json:"psn_no"`
		TrtChkType  string `json:"trt_chk_type"`
		FundPayType string `json:"fund_pay_type"`
		Enjoys      string `json:"trt_enjymnt_flag"`
		Begndate    string `json:"begndate"`
		Enddate     string `json:"enddate"`
		Result      string `json:"trt_chk_rslt"`
	}
	row := treatment{PsnNo: string(who), TrtChkType: "1", FundPayType: "310102", Enjoys: "0", Begndate: date(e.Policy.From), Result: e.Policy.ID()}
	if e.Reason != "" {
		row.Result = answer.Of(e.Reason).HISText
	}
	switch resident := e.Insurance.Insutype == family.Resident; {
	case kind.IsStay() && resident:
		row.FundPayType = "390100"
	case kind.IsStay():
		row.FundPayType = "310100"
	case resident:
		row.FundPayType = "390102"
	}
	if e.Policy.To != 0 {
		row.Enddate = date(e.Policy.To)
	}
	if e.Enjoys {
		row.Enjoys = "1"
	}
	return struct {
		Treatments []treatment `json:"trtinfo"`
	}{[]treatment{row}}, nil
}
