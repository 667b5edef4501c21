package family

import "slices"

// Purchase is how much of an item that is limited by period a patient bought in one
// settlement, less what came back.
type Purchase struct {
	Day      Day
	Ref      MessageID
	Quantity Quantity
}

// maxPurchases bounds what is remembered of one item; a purchase is forgotten
// after [maxPeriod] days, the longest period that an item may have.
const (
	maxPurchases = 200
	maxPeriod    = 366
)

// Bought sums the purchases of the last days, today among them.
func Bought(purchases []Purchase, today Day, days int) Quantity {
	var sum Quantity
	for _, p := range purchases {
		if p.Day > today.After(-days) && p.Day <= today {
			sum += p.Quantity
		}
	}
	return sum
}

// Buy adds what a settlement sold of an item to the purchases, or with its signs
// turned takes back what a refund returned.
func Buy(purchases []Purchase, s Settlement, code string) []Purchase {
	ref := s.ID
	if s.Kind != Settled {
		ref = s.Original
	}
	var sum Quantity
	for _, l := range s.Lines {
		if l.Code == code {
			sum += l.Quantity
		}
	}
	kept := slices.Clone(purchases)
	if i := slices.IndexFunc(kept, func(p Purchase) bool { return p.Ref == ref }); i >= 0 {
		kept[i].Quantity = max(0, kept[i].Quantity+sum)
	} else if s.Kind == Settled {
		kept = append(kept, Purchase{Day: s.Basis.Day, Ref: ref, Quantity: sum})
	}
	return Remembered(kept, s.Basis.Day)
}

// Remembered leaves out of purchases, the oldest first, those that no period can count
// any more on a day, and all but the newest that are remembered of one item.
func Remembered(purchases []Purchase, today Day) []Purchase {
	kept := slices.DeleteFunc(slices.Clone(purchases), func(p Purchase) bool { return forgotten(p, today) })
	return kept[max(0, len(kept)-maxPurchases):]
}

// MayLack tells whether purchases may rightly be without one, because it is forgotten.
func MayLack(purchases []Purchase, p Purchase, today Day) bool {
	return forgotten(p, today) || len(purchases) >= maxPurchases
}

func forgotten(p Purchase, today Day) bool { return p.Day <= today.After(-maxPeriod) }

// Bought returns what a sale, as it stands after what came back of it, counts of an
// item; false where it does not count it.
func (s *Settlement) Bought(code string) (Purchase, bool) {
	if s.Kind != Settled || s.Told == nil || !slices.Contains(s.Told.Counted, code) || len(s.Kept) != len(s.Lines) {
		return Purchase{}, false
	}
	bought := Purchase{Day: s.Basis.Day, Ref: s.ID}
	for i, l := range s.Lines {
		if l.Code == code {
			bought.Quantity += s.Kept[i]
		}
	}
	return bought, true
}
