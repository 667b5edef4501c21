package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"gongji/shared/qrimage"
)

var drawing = regexp.MustCompile(`BenchmarkSVGDrawing\S*\s+\d+\s+([0-9.]+) ns/op`)

// measurePictures draws codes. That they are of version 1 is a test of qrimage's, and
// what of a picture is not its matrix only a benchmark of qrimage's can tell.
func measurePictures(ctx context.Context, p plan, t table) error {
	const digits = "28261234567890123451"
	for _, c := range []struct {
		what string
		draw func() ([]byte, error)
	}{
		{"QR as SVG, the matrix too", func() ([]byte, error) { return qrimage.SVG(digits) }},
		{"QR as PNG, 12 pixels a module", func() ([]byte, error) { return qrimage.PNG(digits, 12) }},
	} {
		var times []float64
		size := 0
		for range p.rounds {
			const n = 100
			began := time.Now()
			for range n {
				picture, err := c.draw()
				if err != nil {
					return err
				}
				size = len(picture)
			}
			times = append(times, float64(time.Since(began).Microseconds())/n)
		}
		t.note(c.what, fmt.Sprintf("%s, %d bytes", span(times, "%.0f µs"), size))
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "SVGDrawing", "-benchtime", "2000x", "-count", strconv.Itoa(p.rounds), "gongji/shared/qrimage").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	var times []float64
	for _, found := range drawing.FindAllStringSubmatch(string(out), -1) {
		ns, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			return err
		}
		times = append(times, ns/1000)
	}
	t.row("QR as SVG, beyond the matrix", span(times, "%.0f µs"), "≤ 100 µs", len(times) > 0 && median(times) <= 100)
	return nil
}
