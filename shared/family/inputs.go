package family

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"time"
)

// inputs returns the fingerprint of all that decided a settlement and is kept in
// it: who, where, what, under which policy, and what each account could have paid.
// What a refund changes afterwards (Kept, Refunds) is not of it.
func (s *Settlement) inputs() string {
	w := writer{buf: make([]byte, 0, 256+128*len(s.Lines))}
	w.text("gongji inputs 1", string(s.Kind), string(s.Original), s.At.UTC().Format(time.RFC3339Nano), string(s.Place),
		string(s.Patient), string(s.Presenter), string(s.MedType), s.Policy)
	b := &s.Basis
	w.text(string(b.PsnType), string(b.Kind), string(b.Level), string(b.InsuredRegion), string(b.Insutype),
		strconv.FormatBool(b.PoolCapped), strconv.FormatBool(b.PaysOutOfScope))
	if b.NoAccount {
		w.text("no account")
	}
	w.numbers(int64(b.Day), int64(b.Used.Deductible), int64(b.Used.Pool), int64(b.Used.Day), int64(b.DeductibleLeft), int64(b.Ratio), int64(b.PoolLeft))
	if s.MedType.IsStay() || b.Used.Stay != 0 {
		w.numbers(int64(b.Used.Stay))
	}
	for i := range s.Lines {
		l := &s.Lines[i]
		w.text(l.Code, l.Name, string(l.Class), string(l.Reason))
		w.text(l.TraceCodes...)
		w.numbers(int64(l.No), int64(l.Quantity), int64(l.UnitPrice), int64(l.Amount), int64(l.SelfPay), int64(l.Ceiling), int64(l.Since))
	}
	if t := s.Told; t != nil {
		w.text(t.Diagnoses...)
		w.text(t.Counted...)
		for _, no := range t.OwnExpense {
			w.numbers(int64(no))
		}
		for _, no := range slices.Sorted(maps.Keys(t.Prescriptions)) {
			w.text(t.Prescriptions[no].No)
			w.numbers(int64(no), int64(t.Prescriptions[no].Days))
		}
		for _, no := range slices.Sorted(maps.Keys(t.Why)) {
			why := t.Why[no]
			w.numbers(int64(no))
			w.text(why.Rule, why.Observed, why.Allowed)
		}
	}
	w.numbers(int64(s.Free.Current), int64(s.Free.Past))
	for i := range s.Shares {
		h := &s.Shares[i]
		w.text(string(h.Grantor), string(h.Binding), string(h.Relation), string(h.Reason))
		if h.Rule != "" {
			w.text("rule", h.Rule)
		}
		w.numbers(int64(h.Limit.Current), int64(h.Limit.Past))
	}
	sum := sha256.Sum256(w.buf)
	return hex.EncodeToString(sum[:16])
}

// writer writes texts and numbers so that no two lists of them are written alike.
type writer struct{ buf []byte }

func (w *writer) text(list ...string) {
	w.numbers(int64(len(list)))
	for _, s := range list {
		w.buf = append(strconv.AppendInt(w.buf, int64(len(s)), 10), ':')
		w.buf = append(w.buf, s...)
	}
}

func (w *writer) numbers(list ...int64) {
	for _, n := range list {
		w.buf = append(strconv.AppendInt(w.buf, n, 10), ',')
	}
}
