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
// turned takes back what a refund returned. Purchases that no period can count any
// more are forgotten.
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
	kept := slices.DeleteFunc(slices.Clone(purchases), func(p Purchase) bool { return p.Day <= s.Basis.Day.After(-maxPeriod) })
	if i := slices.IndexFunc(kept, func(p Purchase) bool { return p.Ref == ref }); i >= 0 {
		kept[i].Quantity = max(0, kept[i].Quantity+sum)
	} else if s.Kind == Settled {
		kept = append(kept, Purchase{Day: s.Basis.Day, Ref: ref, Quantity: sum})
	}
	return kept[max(0, len(kept)-maxPurchases):]
}
