package family

import (
	"fmt"
	"time"
)

// shanghai is the time of the trade. China has kept one zone and no summer time
// since 1991, so a fixed offset needs no zone table in the binary.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// Day is a calendar day in Asia/Shanghai as the number YYYYMMDD; 0 is none.
type Day int32

// DayOf returns the day on which t falls.
func DayOf(t time.Time) Day {
	y, m, d := t.In(shanghai).Date()
	return Day(y*10000 + int(m)*100 + d)
}

// ParseDay reads YYYYMMDD.
func ParseDay(s string) (Day, error) {
	t, err := time.ParseInLocation("20060102", s, shanghai)
	if err != nil || len(s) != 8 {
		return 0, fmt.Errorf("%q is not a day YYYYMMDD", clip(s))
	}
	return DayOf(t), nil
}

// String writes YYYYMMDD.
func (d Day) String() string { return fmt.Sprintf("%08d", int32(d)) }

// noon returns the middle of the day.
func (d Day) noon() time.Time {
	return time.Date(d.Year(), time.Month(d/100%100), int(d%100), 12, 0, 0, 0, shanghai)
}

// Month returns the day's month.
func (d Day) Month() Month { return Month(d / 100) }

// Year returns the day's year.
func (d Day) Year() int { return int(d / 10000) }

// Begins returns the time at which the day begins in Asia/Shanghai.
func (d Day) Begins() time.Time {
	t, err := time.ParseInLocation("20060102", d.String(), shanghai)
	if err != nil {
		panic("family: a day that was not parsed")
	}
	return t
}

// After returns the day so many days later, or with a minus earlier.
func (d Day) After(days int) Day { return DayOf(d.Begins().AddDate(0, 0, days)) }

// Month is a calendar month as the number YYYYMM.
type Month int32

// ageOn returns the completed years of someone born on birth. Who is born on
// 29 February completes a year on 1 March of a common year.
func ageOn(birth, day Day) int { return (int(day) - int(birth)) / 10000 }

// Birthday returns the day on which someone born on birth completes so many years.
func Birthday(birth Day, years int) Day {
	return DayOf(time.Date(birth.Year()+years, time.Month(birth/100%100), int(birth%100), 12, 0, 0, 0, shanghai))
}
