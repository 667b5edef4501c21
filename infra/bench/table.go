package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// table prints rows as they are measured.
type table struct{ out io.Writer }

// row prints one row; met tells whether the aim is reached.
func (t table) row(what, measured, aim string, met bool) {
	verdict := "missed"
	if met {
		verdict = "met"
	}
	fmt.Fprintf(t.out, "| %s | %s | %s | %s |\n", what, measured, aim, verdict)
}

// note prints a row without an aim.
func (t table) note(what, measured string) {
	fmt.Fprintf(t.out, "| %s | %s | | |\n", what, measured)
}

// median returns the middle of some measurements, and 0 of none.
func median[N int | float64 | time.Duration](all []N) N {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// ratios divides measurements of the same rounds, round by round.
func ratios(a, b []float64) []float64 {
	out := make([]float64, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] / b[i]
	}
	return out
}

// span tells a median with the least and the most.
func span(all []float64, format string) string {
	if len(all) == 0 {
		return "–"
	}
	if len(all) == 1 {
		return fmt.Sprintf(format, all[0])
	}
	return fmt.Sprintf(format+" ("+format+" to "+format+")", median(all), slices.Min(all), slices.Max(all))
}

// percentile returns the least duration that so many hundredths of all do not exceed.
func percentile(sorted []time.Duration, hundredths int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*hundredths/100)]
}
