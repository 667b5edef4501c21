package his

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gongji/shared/app"
	"gongji/shared/family"
)

// period reads the days of a statement, as the insurer's times of settlement fall.
func (c *call) period(in node) (first, last family.Day) {
	begin, end := c.timeIn(in, "stmt_begndate"), c.timeIn(in, "stmt_enddate")
	if begin.IsZero() {
		in.wrong("stmt_begndate", "the field is missing")
	}
	if end.IsZero() {
		in.wrong("stmt_enddate", "the field is missing")
	}
	return family.DayOf(begin), family.DayOf(end)
}

// stated is one row that the insurer's side of a statement has.
type stated struct {
	visit, id, patient   string
	medfee, fund, acct   family.Fen
	givenBack            bool
	insutype, clr, msgid string
}

// stated lists what was settled here on the days of a statement, of one kind of
// insurance and of clearing where they are named.
func (c *call) stated(in node, first, last family.Day) ([]stated, error) {
	insutype, clr := in.text("insutype", 6), in.text("clr_type", 6)
	outcomes, err := c.app.Statement(c, c.place, first, last)
	if err != nil {
		return nil, err
	}
	place, err := c.app.FindPlace(c, c.place)
	if err != nil {
		return nil, err
	}
	withAccount := c.app.FundSumIncludesAccount(place)
	rows := make([]stated, 0, len(outcomes))
	for _, o := range outcomes {
		s := &o.Settlement
		r := stated{
			visit: string(o.Visit), id: string(s.ID), patient: string(s.Patient), medfee: s.Paid.Total, fund: s.Paid.FundPaid,
			acct: s.Paid.OwnPaid + s.Paid.SharedPaid, givenBack: s.Kind != family.Settled, insutype: string(s.Basis.Insutype), clr: clrType(s.MedType), msgid: string(s.ID),
		}
		if withAccount {
			r.fund += r.acct
		}
		if r.visit == "" {
			r.visit = r.id
			if s.Original != "" {
				r.visit = string(s.Original)
			}
		}
		if (insutype == "" || insutype == r.insutype) && (clr == "" || clr == r.clr) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b stated) int { return strings.Compare(a.id, b.id) })
	return rows, nil
}

// stateTotals compares an institution's totals with ours (3201).
func stateTotals(c *call) (any, error) {
	in := c.input.first("data")
	first, last := c.period(in)
	told := [4]family.Fen{in.money("medfee_sumamt"), in.money("fund_pay_sumamt"), in.money("acct_pay"), family.Fen(in.number("fixmedins_setl_cnt", 0))}
	optins := in.text("setl_optins", 6)
	if *in.fault != nil {
		return nil, *in.fault
	}
	rows, err := c.stated(in, first, last)
	if err != nil {
		return nil, err
	}
	var ours [4]family.Fen
	for _, r := range rows {
		ours[0] += r.medfee
		ours[1] += r.fund
		ours[2] += r.acct
		ours[3]++
	}
	type result struct {
		SetlOptins string `json:"setl_optins"`
		StmtRslt   string `json:"stmt_rslt"`
		Dscr       string `json:"stmt_rslt_dscr"`
	}
	out := result{optins, "0", ""}
	var differs []string
	for i, name := range []string{"medfee_sumamt", "fund_pay_sumamt", "acct_pay"} {
		if told[i] != ours[i] {
			differs = append(differs, fmt.Sprintf("%s %s ≠ %s", name, told[i], ours[i]))
		}
	}
	if told[3] != ours[3] {
		differs = append(differs, fmt.Sprintf("fixmedins_setl_cnt %d ≠ %d", told[3], ours[3]))
	}
	if len(differs) > 0 {
		out.StmtRslt, out.Dscr = "1", strings.Join(differs, "; ")
	}
	return struct {
		Info result `json:"stmtinfo"`
	}{out}, nil
}

// upload keeps a file for a statement (9101). Its bytes come as Base64, or as the list
// of signed bytes that some systems make of them.
func upload(c *call) (any, error) {
	in := c.input.first("fsUploadIn", "data")
	name := fileName(in.text("filename", 100))
	body, err := fileBytes(in.o["in"])
	if err != nil {
		in.wrong("in", err.Error())
	}
	if *in.fault != nil {
		return nil, *in.fault
	}
	if err := c.app.PutFile(c, c.place, app.File{ID: c.envelope.message, Name: name, Body: body}); err != nil {
		return nil, err
	}
	type uploaded struct {
		FileQuryNo    string `json:"file_qury_no"`
		Filename      string `json:"filename"`
		FixmedinsCode string `json:"fixmedins_code"`
	}
	return uploaded{string(c.envelope.message), name, string(c.place)}, nil
}

// fileName keeps the letters, digits and signs of a name that every system can take.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '_'
	}, s)
	if s == "" {
		return "file.zip"
	}
	return s
}

func fileBytes(v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(v))
		if err != nil || len(b) == 0 {
			return nil, fmt.Errorf("not a file in Base64")
		}
		return b, nil
	case []any:
		b := make([]byte, len(v))
		for i, e := range v {
			n, ok := e.(json.Number)
			at, err := strconv.Atoi(n.String())
			if !ok || err != nil || at < -128 || at > 255 {
				return nil, fmt.Errorf("not a list of bytes")
			}
			b[i] = byte(at)
		}
		if len(b) > 0 {
			return b, nil
		}
	}
	return nil, fmt.Errorf("the field is missing")
}

// downloadFile returns a file as it is (9102).
func downloadFile(c *call) (any, error) {
	in := c.input.first("fsDownloadIn", "data")
	id := messageIn(in, "file_qury_no")
	if *in.fault != nil {
		return nil, *in.fault
	}
	f, err := c.app.GetFile(c, c.place, id)
	if err != nil {
		return nil, err
	}
	return download{f.Name, f.Body}, nil
}

// maxUnzipped bounds a file out of its zip, in bytes.
const maxUnzipped = 4 << 20

// unzip returns the text of the one file in a zip.
func unzip(body []byte) (string, *family.Refusal) {
	fault := func(detail string) *family.Refusal {
		return &family.Refusal{Code: family.Malformed, Field: "file_qury_no", Detail: detail}
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil || len(z.File) != 1 {
		return "", fault("not a zip of one file")
	}
	f, err := z.File[0].Open()
	if err != nil {
		return "", fault("the zip does not open")
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxUnzipped+1))
	if err != nil || len(text) > maxUnzipped {
		return "", fault("the zip does not open, or holds too much")
	}
	return string(text), nil
}

// zipped returns a text as a zip of one file.
func zipped(name, text string) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err == nil {
		_, err = io.WriteString(f, text)
	}
	if err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}

// stateDetails compares an institution's file of settlements with ours, row by row,
// and makes a file of what differs (3202): lines of TAB-separated UTF-8, nothing as
// "null". What was given back is two rows, one positive and one negative.
func stateDetails(c *call) (any, error) {
	in := c.input.first("data")
	first, last := c.period(in)
	id := messageIn(in, "file_qury_no")
	if *in.fault != nil {
		return nil, *in.fault
	}
	sent, err := c.app.GetFile(c, c.place, id)
	if err != nil {
		return nil, err
	}
	text, refusal := unzip(sent.Body)
	if refusal != nil {
		return nil, refusal
	}
	theirs, refusal := statedIn(text)
	if refusal != nil {
		return nil, refusal
	}
	ours, err := c.stated(in, first, last)
	if err != nil {
		return nil, err
	}
	result, err := zipped("result.txt", compare(theirs, ours))
	if err != nil {
		return nil, err
	}
	name := "result-" + string(c.envelope.message) + ".zip"
	if err := c.app.PutFile(c, c.place, app.File{ID: c.envelope.message, Name: name, Body: result}); err != nil {
		return nil, err
	}
	type fileinfo struct {
		FileQuryNo string `json:"file_qury_no"`
		Filename   string `json:"filename"`
		DldEndtime string `json:"dld_endtime"`
	}
	return struct {
		Info fileinfo `json:"fileinfo"`
	}{fileinfo{string(c.envelope.message), name, clock(c.now().Add(app.FileLife))}}, nil
}

// statedIn reads an institution's rows: setl_id, mdtrt_id, psn_no, medfee_sumamt,
// fund_pay_sumamt, acct_pay, refd_setl_flag.
func statedIn(text string) ([]stated, *family.Refusal) {
	var rows []stated
	for i, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		fault := func(detail string) *family.Refusal {
			return &family.Refusal{Code: family.Malformed, Field: "file_qury_no", Detail: fmt.Sprintf("line %d: %s", i+1, detail)}
		}
		f := strings.Split(line, "\t")
		if len(f) < 7 {
			return nil, fault("seven fields, separated by tabs")
		}
		for j := range f {
			if f[j] = strings.TrimSpace(f[j]); strings.EqualFold(f[j], "null") {
				f[j] = ""
			}
		}
		r := stated{id: f[0], visit: f[1], patient: f[2], givenBack: f[6] == "1"}
		for j, into := range []*family.Fen{&r.medfee, &r.fund, &r.acct} {
			if f[3+j] == "" {
				continue
			}
			n, err := parseNumber(f[3+j], 2)
			if err != nil {
				return nil, fault(err.Error())
			}
			*into = family.Fen(n)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// compare writes what two lists of settlements do not agree on. A row that only the
// insurer has begins with an empty setl_id and ends with the msgid by which 2601
// undoes it.
func compare(theirs, ours []stated) string {
	var b strings.Builder
	write := func(result, id string, r stated, why string) {
		flag := "0"
		if r.givenBack {
			flag = "1"
		}
		fields := []string{id, r.visit, r.patient, r.msgid, result, flag, why, r.medfee.String(), r.fund.String(), r.acct.String()}
		for i, f := range fields {
			if f == "" {
				fields[i] = "null"
			}
		}
		b.WriteString(strings.Join(fields, "\t") + "\n")
	}
	known := map[string]stated{}
	for _, r := range ours {
		known[r.id] = r
	}
	told := map[string]bool{}
	for _, r := range theirs {
		o, ok := known[r.id]
		switch {
		case !ok:
			write("1", r.id, r, "insurer has none")
		case told[r.id]:
			write("1", r.id, r, "twice")
		case o.patient != r.patient || o.medfee != r.medfee || o.fund != r.fund || o.acct != r.acct:
			write("1", r.id, o, "differs")
		}
		told[r.id] = true
	}
	for _, o := range ours {
		if !told[o.id] {
			write("1", "", o, "institution has none")
		}
	}
	return b.String()
}
