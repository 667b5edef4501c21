package app

import (
	"context"
	"time"

	"gongji/shared/family"
	"gongji/shared/store"
)

// VisitRef names a visit at an institution.
type VisitRef struct {
	ID      family.MessageID
	Patient family.PersonNo
	// Stay tells that a stay is meant, and else an outpatient's visit.
	Stay bool
}

// VisitBill is what of a visit is to be settled.
type VisitBill struct {
	VisitRef
	// Batch is the charges' batch; family.EveryBatch takes all.
	Batch string
}

func (in *SettleAsk) visit() family.MessageID {
	if in.Visit == nil {
		return ""
	}
	return in.Visit.ID
}

// VisitAsk opens a visit.
type VisitAsk struct {
	Message    family.MessageID
	Credential Credential
	Patient    family.PersonNo // whom the credential must name
	Number     string
	Inpatient  bool
	MedType    family.MedType // empty until it is told
	Sent       Sent
}

// OpenVisit registers or admits a patient. A code that was decoded for it belongs
// to this visit from then on.
func (a *App) OpenVisit(ctx context.Context, place family.InstitutionCode, in VisitAsk) (family.Visit, error) {
	if refusal := in.Credential.check(true); refusal != nil {
		return family.Visit{}, refusal
	}
	if in.Number == "" || len(in.Number) > 30 {
		return family.Visit{}, &family.Refusal{Code: family.Malformed, Field: "ipt_otp_no", Detail: "a visit's number has 1 to 30 characters"}
	}
	opening := family.Visit{ID: in.Message, Place: place, Patient: in.Patient, Number: in.Number, Inpatient: in.Inpatient, MedType: in.MedType}
	if in.MedType != "" {
		if refusal := opening.KindFits(in.MedType); refusal != nil {
			return family.Visit{}, refusal
		}
	}
	return step(ctx, a, place, in.Credential.Value, in.Message, "open", in.Sent, func(t *tx, now time.Time) (family.Visit, error) {
		none := family.Visit{}
		key := visitKey(place, in.Patient, in.Message)
		need := a.needs(place, SettleAsk{Credential: in.Credential})
		if err := t.load(append(need.decisive, key), append(need.reference, accountKey(in.Patient), personKey(in.Patient))); err != nil {
			return none, err
		}
		if _, opened, err := get(t, key); opened || err != nil {
			if err == nil { // its answer is forgotten, and its charges are not
				err = family.Refuse(family.MessageReused)
			}
			return none, err
		}
		if err := a.mayLook(t, place, in.Credential, now); err != nil {
			return none, err
		}
		patient, qr, err := a.credited(t, place, in.Credential)
		if err != nil {
			return none, err
		}
		if patient != in.Patient {
			return none, &family.Refusal{Code: family.IdentityMismatch, Field: "person_no"}
		}
		if in.Credential.Name != "" {
			if fits, err := a.nameFits(t, patient, in.Credential.Name); err != nil || !fits {
				if err == nil {
					err = &family.Refusal{Code: family.IdentityMismatch, Field: "credential.name"}
				}
				return none, err
			}
		}
		account, known, err := get(t, accountKey(patient))
		if err != nil {
			return none, err
		}
		if !known {
			return none, family.Refuse(family.PersonNotInsured)
		}
		if refusal := family.MayBenefit(account.Account); refusal != nil {
			return none, refusal
		}
		if qr != nil {
			if refusal := qr.Token.Redeemable(place, "", in.Credential.Type == ByECToken, now); refusal != nil {
				return none, refusal
			}
			if qr.Token.Visit != "" {
				return none, family.Refuse(family.QRSpent) // it opened another visit
			}
			qr.Token.Visit = in.Message
			qrRef, _ := a.qrOf(place, in.Credential)
			if err := putUntil(t, qrRef, *qr, later(qr.Token.Expires, qr.Token.DecodedUntil).Add(qrKeep)); err != nil {
				return none, err
			}
		}
		visit := opening
		visit.Opened = now
		return visit, putUntil(t, key, visit, now.Add(family.VisitLife))
	})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ChangeVisit carries out one step of an open visit under its message: op names it,
// change is the law's transition.
func (a *App) ChangeVisit(ctx context.Context, place family.InstitutionCode, at VisitRef, id family.MessageID, op string, sent Sent, change func(family.Visit, time.Time) (family.Visit, *family.Refusal)) (family.Visit, error) {
	return step(ctx, a, place, "", id, op, sent, func(t *tx, now time.Time) (family.Visit, error) {
		key := visitKey(place, at.Patient, at.ID)
		if err := t.read(key); err != nil {
			return family.Visit{}, err
		}
		visit, err := foundVisit(t, key, at.Stay)
		if err != nil {
			return family.Visit{}, err
		}
		next, refusal := change(visit, now)
		if refusal != nil {
			return family.Visit{}, refusal
		}
		return next, putUntil(t, key, next, now.Add(family.VisitLife))
	})
}

// foundVisit returns a visit, which has to be a stay, or none.
func foundVisit(t *tx, key ref[family.Visit], stay bool) (family.Visit, error) {
	visit, found, err := get(t, key)
	switch {
	case err == nil && !found:
		err = &family.Refusal{Code: family.NotFound, Field: "mdtrt_id"}
	case err == nil && visit.Inpatient != stay && stay:
		err = &family.Refusal{Code: family.StateForbids, Field: "mdtrt_id", Detail: "the visit is no stay"}
	case err == nil && visit.Inpatient != stay:
		err = &family.Refusal{Code: family.StateForbids, Field: "mdtrt_id", Detail: "the visit is a stay"}
	}
	return visit, err
}

// ChargeVisit adds charges to a visit (2204) and returns how each of them, and each
// that was there already, divides before anybody pays. A charge that could not be
// settled is refused here, and none of its batch is added.
func (a *App) ChargeVisit(ctx context.Context, place family.InstitutionCode, at VisitRef, id family.MessageID, charges []family.Charge, sent Sent) ([]family.PricedLine, error) {
	bill := family.Bill{MedType: family.Outpatient}
	for i, c := range charges {
		c.Line.No = i + 1 // each at its place in the message
		bill.Lines = append(bill.Lines, c.Line)
		bill.Total += c.Line.Amount
	}
	return step(ctx, a, place, "", id, "charge", sent, func(t *tx, now time.Time) ([]family.PricedLine, error) {
		key := visitKey(place, at.Patient, at.ID)
		if err := t.read(key); err != nil {
			return nil, err
		}
		visit, err := foundVisit(t, key, at.Stay)
		if err != nil {
			return nil, err
		}
		next, refusal := visit.Charge(charges)
		if refusal != nil {
			return nil, refusal
		}
		if visit.MedType != "" {
			bill.MedType = visit.MedType
		}
		t.looking = true // the price decides nothing yet, and meets nobody's account
		c, _, err := a.gatherFor(t, place, at.Patient, bill, now)
		t.looking = false
		if err != nil {
			return nil, err
		}
		c.Need = family.Need{Diagnoses: visit.Diagnoses, Prescriptions: map[int]family.Prescription{}}
		for i, charge := range charges {
			if charge.OwnExpense {
				c.OwnExpense = append(c.OwnExpense, i+1)
			}
			c.Need.Prescriptions[i+1] = charge.Rx
		}
		priced, refusal := family.Quote(c.Case)
		if refusal != nil {
			return nil, refusal
		}
		return priced.Lines, putUntil(t, key, next, now.Add(family.VisitLife))
	})
}

// UndoOpening cancels a visit by the message that opened it (2601 of 2401). One that
// never came is refused and fenced, so that it cannot come later.
func (a *App) UndoOpening(ctx context.Context, place family.InstitutionCode, at VisitRef, id family.MessageID, sent Sent) error {
	if at.ID.Institution() != place {
		return family.Refuse(family.OriginalUnknown)
	}
	known, err := step(ctx, a, place, "", id, "undo open", sent, func(t *tx, now time.Time) (bool, error) {
		key, opening := visitKey(place, at.Patient, at.ID), stepKey(at.ID, "open")
		if err := t.read(key, opening); err != nil {
			return false, err
		}
		visit, found, err := get(t, key)
		if err != nil {
			return false, err
		}
		if !found {
			if _, came, err := get(t, opening); came || err != nil {
				return false, err // it opened another's visit, or is fenced already
			}
			return false, putUntil(t, opening, stepRecord{Fingerprint: fencedStep}, now.Add(stepLife))
		}
		next, refusal := visit.Cancel(now)
		if refusal != nil {
			return false, refusal
		}
		return true, putUntil(t, key, next, now.Add(family.VisitLife))
	})
	if err == nil && !known {
		err = family.Refuse(family.OriginalUnknown)
	}
	return err
}

// FindVisit returns a visit to its institution.
func (a *App) FindVisit(ctx context.Context, place family.InstitutionCode, at VisitRef) (family.Visit, error) {
	visit, found, err := one(ctx, a, visitKey(place, at.Patient, at.ID))
	if err == nil && !found {
		err = &family.Refusal{Code: family.NotFound, Field: "mdtrt_id"}
	}
	return visit, err
}

// maxVisits bounds how many visits of one patient are looked through.
const maxVisits = 200

// Visits returns a patient's visits to an institution, newest first.
func (a *App) Visits(ctx context.Context, place family.InstitutionCode, patient family.PersonNo) ([]family.Visit, error) {
	records, err := a.list(ctx, store.Range{Part: visitsPart(place, patient), Prefix: visitPrefix, Limit: maxVisits, Descending: true})
	if err != nil {
		return nil, err
	}
	return decodeAll[family.Visit](records)
}

// visitBill takes a bill's lines from the visit that it is of, and returns which of
// them are the person's own expense.
func (a *App) visitBill(t *tx, place family.InstitutionCode, patient family.PersonNo, in *SettleAsk) (*family.Visit, []int, error) {
	visit, err := foundVisit(t, visitKey(place, patient, in.Visit.ID), in.Visit.Stay)
	if err != nil {
		return nil, nil, err
	}
	kind := in.Bill.MedType
	switch {
	case kind == family.Registration && !visit.Inpatient: // the fee is settled before anything is told
	case visit.MedType == "":
		return nil, nil, &family.Refusal{Code: family.StateForbids, Field: "med_type", Detail: "what the visit is for was not told yet"}
	case visit.MedType != kind:
		return nil, nil, &family.Refusal{Code: family.StateForbids, Field: "med_type", Observed: string(kind), Allowed: string(visit.MedType), Detail: "a visit has one kind"}
	}
	lines, need, own, refusal := visit.Bill(in.Visit.Batch)
	if refusal != nil {
		return nil, nil, refusal
	}
	in.Bill.Lines, in.Need = lines, &need
	return &visit, own, nil
}

// giveBackVisit takes what was given back of a settlement out of its visit.
func (a *App) giveBackVisit(t *tx, place family.InstitutionCode, back, settlement family.Settlement, id family.MessageID, now time.Time) error {
	key := visitKey(place, back.Patient, id)
	if err := t.read(key); err != nil {
		return err
	}
	visit, found, err := get(t, key)
	if err != nil || !found {
		return err // forgotten: nobody can charge it
	}
	return putUntil(t, key, visit.GivenBack(back, settlement), now.Add(family.VisitLife))
}
