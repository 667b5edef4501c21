package qrimage

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	zxing "github.com/makiuchi-d/gozxing/qrcode"

	"gongji/shared/seedtest"
)

var update = flag.Bool("update", false, "write the pictures under testdata anew")

// fixed is the code of the golden pictures and the benchmarks.
const fixed = "28123456789012345676"

// codes returns n random codes and some awkward ones.
func codes(t *testing.T, n int) []string {
	t.Helper()
	r := seedtest.Rand(t)
	all := []string{fixed}
	for d := range 10 {
		all = append(all, strings.Repeat(strconv.Itoa(d), 20))
	}
	for range n {
		all = append(all, fmt.Sprintf("%02d%018d", r.IntN(100), r.Int64N(1e18)))
	}
	return all
}

// picture is a black and white drawing, [y][x], true is dark.
type picture [][]bool

func newPicture(w, h int) picture {
	p := make(picture, h)
	for y := range p {
		p[y] = make([]bool, w)
	}
	return p
}

// image draws p with px×px pixels to a unit.
func (p picture) image(px int) image.Image {
	img := image.NewGray(image.Rect(0, 0, len(p[0])*px, len(p)*px))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if !p[y/px][x/px] {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img
}

// reader reads QR codes back and counts those it did not find by itself.
type reader struct{ read, missed int }

// want checks that the QR code in img is digits at level Q. bare is the same
// picture with nothing but white about the code.
//
// The reader's way of finding a code in a photograph takes, in about one code of
// 500, modules among the data for a corner, whoever made the code; other readers
// find those. So the second time it is told that there is nothing but the code.
// It may need that rarely, and what it does read must be right.
func (r *reader) want(t *testing.T, what, digits string, img, bare image.Image) {
	t.Helper()
	r.read++
	got, err := decode(img, nil)
	if err != nil {
		r.missed++
		got, err = decode(bare, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	}
	if err != nil {
		t.Errorf("%s of %s: %v", what, digits, err)
		return
	}
	level := got.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL]
	if got.GetText() != digits || level != "Q" {
		t.Errorf("%s of %s reads as %s, level %v", what, digits, got.GetText(), level)
	}
	if r.missed > 3+r.read/20 {
		t.Fatalf("%d of %d codes were not found", r.missed, r.read)
	}
}

func decode(img image.Image, hints map[gozxing.DecodeHintType]any) (*gozxing.Result, error) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return nil, err
	}
	return zxing.NewQRCodeReader().Decode(bitmap, hints)
}

func TestPNGReadsBack(t *testing.T) {
	var r reader
	for i, digits := range codes(t, 120) {
		px := []int{2, 3, 4, 8}[i%4]
		text, err := PNG(digits, px)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b != image.Rect(0, 0, 29*px, 29*px) {
			t.Errorf("at %d pixels to a module: %v, want 29 modules to a side", px, b)
		}
		r.want(t, fmt.Sprintf("PNG at %d", px), digits, img, img)
	}
}

func TestPNGForm(t *testing.T) {
	for _, px := range []int{1, 2, 7, MaxModulePx} {
		text, err := PNG(fixed, px)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		// The same picture, only larger, and nothing dark in the border.
		m, _ := matrix(fixed)
		for y := range 29 * px {
			for x := range 29 * px {
				mx, my := x/px-4, y/px-4
				dark := mx >= 0 && mx < 21 && my >= 0 && my < 21 && m[my][mx]
				if r, _, _, _ := img.At(x, y).RGBA(); (r == 0) != dark {
					t.Fatalf("at %d pixels to a module: pixel %d, %d is wrong", px, x, y)
				}
			}
		}
		// One bit a pixel, and no chunk that could carry text.
		var chunks []string
		for at := 8; at < len(text); {
			chunks = append(chunks, string(text[at+4:at+8]))
			at += 12 + int(binary.BigEndian.Uint32(text[at:]))
		}
		if want := []string{"IHDR", "PLTE", "IDAT", "IEND"}; !slices.Equal(slices.Compact(chunks), want) {
			t.Errorf("chunks %v, want %v", chunks, want)
		}
		if depth := text[24]; depth != 1 {
			t.Errorf("%d bits to a pixel, want 1", depth)
		}
	}
	for _, px := range []int{-1, 0, MaxModulePx + 1, 1 << 40} {
		if _, err := PNG(fixed, px); err == nil || strings.Contains(err.Error(), fixed) {
			t.Errorf("PNG with %d pixels to a module: %v", px, err)
		}
	}
}

var run = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z`)

// rasterise draws an SVG document of this package: it takes just what the
// package writes and refuses everything else.
func rasterise(t *testing.T, text []byte) picture {
	t.Helper()
	var doc struct {
		XMLName xml.Name
		ViewBox string `xml:"viewBox,attr"`
		Shape   string `xml:"shape-rendering,attr"`
		Title   string `xml:"title"`
		Paths   []struct {
			Fill string `xml:"fill,attr"`
			D    string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var w, h int
	if n, err := fmt.Sscanf(doc.ViewBox, "0 0 %d %d", &w, &h); n != 2 {
		t.Fatalf("viewBox %q: %v", doc.ViewBox, err)
	}
	if doc.XMLName.Space != "http://www.w3.org/2000/svg" || doc.Shape != "crispEdges" || len(doc.Paths) != 2 {
		t.Fatalf("not the SVG of this package: %s", text)
	}
	if !strings.Contains(doc.Title, "码 / ") || strings.ContainsAny(doc.Title, "0123456789") {
		t.Errorf("title %q", doc.Title)
	}
	if ground := doc.Paths[0]; ground.Fill != "#fff" || ground.D != fmt.Sprintf("M0 0h%dv%dh-%dz", w, h, w) {
		t.Errorf("the ground is %+v, want all of it white", ground)
	}
	p := newPicture(w, h)
	d := doc.Paths[1].D
	if rest := run.ReplaceAllString(d, ""); rest != "" || doc.Paths[1].Fill != "#000" {
		t.Fatalf("the path has something else than runs: %q", rest)
	}
	for _, m := range run.FindAllStringSubmatch(d, -1) {
		var n [5]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		if n[2] != n[4] {
			t.Fatalf("%s is no rectangle", m[0])
		}
		for y := n[1]; y < n[1]+n[3]; y++ {
			for x := n[0]; x < n[0]+n[2]; x++ {
				if p[y][x] {
					t.Fatalf("%s is drawn over another run", m[0])
				}
				p[y][x] = true
			}
			if p[y][n[0]-1] || p[y][n[0]+n[2]] {
				t.Fatalf("%s touches another run: they were not merged", m[0])
			}
		}
	}
	return p
}

func TestSVGReadsBack(t *testing.T) {
	var r reader
	for _, digits := range codes(t, 80) {
		text, err := SVG(digits)
		if err != nil {
			t.Fatal(err)
		}
		p := rasterise(t, text)
		if len(p) != 29 || len(p[0]) != 29 {
			t.Fatalf("%d×%d, want the 29×29 of version 1 with its border", len(p[0]), len(p))
		}
		for y := range 29 {
			for x := range 29 {
				if p[y][x] && (min(x, y) < 4 || max(x, y) > 24) {
					t.Fatalf("the border is dark at %d, %d", x, y)
				}
			}
		}
		r.want(t, "SVG", digits, p.image(4), p.image(4))
		noDigits(t, string(text), digits)
	}
}

// noDigits checks that text has no part of the digits as text.
func noDigits(t *testing.T, text, digits string) {
	t.Helper()
	for i := range len(digits) - 5 {
		if strings.Contains(text, digits[i:i+6]) {
			t.Errorf("digits %d to %d stand in the picture", i, i+6)
		}
	}
}

// A blot over six of the 26 codewords, which is all that level Q mends.
func TestBlot(t *testing.T) {
	var r reader
	for _, digits := range codes(t, 40) {
		text, err := SVG(digits)
		if err != nil {
			t.Fatal(err)
		}
		p := rasterise(t, text)
		for y := 9; y < 15; y++ {
			for x := 9; x < 13; x++ {
				p[y+4][x+4] = true
			}
		}
		r.want(t, "blotted SVG", digits, p.image(4), p.image(4))
	}
}

func TestMatrix(t *testing.T) {
	for _, digits := range codes(t, 100) {
		m, err := matrix(digits)
		if err != nil {
			t.Fatal(err)
		}
		if len(m) != 21 {
			t.Fatalf("%d rows, want 21", len(m))
		}
		for _, row := range m {
			if len(row) != 21 {
				t.Fatalf("a row of %d modules, want 21", len(row))
			}
		}
	}
}

func TestCode128ReadsBack(t *testing.T) {
	for _, digits := range codes(t, 80) {
		text, err := Code128SVG(digits)
		if err != nil {
			t.Fatal(err)
		}
		p := rasterise(t, text)
		// 145 modules between the borders is code set C throughout: in B the same
		// digits take 255.
		for _, row := range p {
			if first, last := slices.Index(row, true), len(row)-1-slices.Index(reversed(row), true); first != 10 || last != 154 || len(row) != 165 {
				t.Fatalf("bars from %d to %d of %d, want 10 to 154 of 165", first, last, len(row))
			}
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(p.image(2))
		if err != nil {
			t.Fatal(err)
		}
		result, err := oned.NewCode128Reader().Decode(bitmap, nil)
		if err != nil {
			t.Errorf("bars of %s: %v", digits, err)
		} else if result.GetText() != digits {
			t.Errorf("bars of %s read as %s", digits, result.GetText())
		}
		noDigits(t, string(text), digits)
	}
}

func reversed(row []bool) []bool {
	row = slices.Clone(row)
	slices.Reverse(row)
	return row
}

// screen plays a terminal whose own background is dark or light and returns
// what it shows, two units to a line, with a margin of the background about it.
func screen(t *testing.T, text string, dark bool) picture {
	t.Helper()
	const margin = 6
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 15 {
		t.Fatalf("%d lines, want 15", len(lines))
	}
	p := newPicture(29+2*margin, 30+2*margin)
	for y := range p {
		for x := range p[y] {
			p[y][x] = dark
		}
	}
	for i, line := range lines {
		line, ok := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m") // black on white
		line, end := strings.CutSuffix(line, "\x1b[0m")
		if !ok || !end || utf8.RuneCountInString(line) != 29 {
			t.Fatalf("line %d: %q", i, line)
		}
		x := margin
		for _, c := range line {
			halves, ok := map[rune][2]bool{' ': {}, '▀': {true, false}, '▄': {false, true}, '█': {true, true}}[c]
			if !ok {
				t.Fatalf("line %d has %q", i, c)
			}
			p[margin+2*i][x], p[margin+2*i+1][x] = halves[0], halves[1]
			x++
		}
	}
	return p
}

func TestTerminalReadsBack(t *testing.T) {
	var r reader
	for i, digits := range codes(t, 60) {
		text, err := Terminal(digits)
		if err != nil {
			t.Fatal(err)
		}
		dark := i%2 == 0
		r.want(t, fmt.Sprintf("terminal (dark: %t)", dark), digits, screen(t, text, dark).image(4), screen(t, text, false).image(4))
		noDigits(t, text, digits)
	}
}

func TestRefuses(t *testing.T) {
	for _, digits := range []string{
		"", "1", fixed[:19], fixed + "1", fixed + "\n", " " + fixed[1:], "-" + fixed[1:], fixed[:19] + "X",
		fixed[:10] + "\x00" + fixed[11:], strings.Repeat("１", 20), "１23456789012345678", strings.Repeat("٣", 10),
	} {
		for name, draw := range map[string]func() (any, error){
			"SVG":        func() (any, error) { b, err := SVG(digits); return len(b), err },
			"PNG":        func() (any, error) { b, err := PNG(digits, 4); return len(b), err },
			"Code128SVG": func() (any, error) { b, err := Code128SVG(digits); return len(b), err },
			"Terminal":   func() (any, error) { s, err := Terminal(digits); return len(s), err },
		} {
			n, err := draw()
			if !errors.Is(err, ErrDigits) || n != 0 {
				t.Errorf("%s(%q): %d bytes, %v, want ErrDigits", name, digits, n, err)
			}
			if err != nil && len(digits) > 2 && strings.Contains(err.Error(), digits[:3]) {
				t.Errorf("%s: the error repeats the digits", name)
			}
		}
	}
}

// The pictures of one code stay as they are. Look at them after -update.
func TestGolden(t *testing.T) {
	draw := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	terminal, err := Terminal(fixed)
	for name, got := range map[string][]byte{
		"code.svg":     draw(SVG(fixed)),
		"code.png":     draw(PNG(fixed, 8)),
		"code128.svg":  draw(Code128SVG(fixed)),
		"terminal.txt": draw([]byte(terminal), err),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if name == "code.png" {
			// The pixels count: how they are deflated is up to the Go release.
			got, want = pixels(t, got), pixels(t, want)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what is under testdata; if that is meant, run with -args -update and look at it", name)
		}
	}
}

func pixels(t *testing.T, text []byte) []byte {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := img.(*image.Paletted)
	if !ok {
		t.Fatalf("the PNG is a %T, want two colours", img)
	}
	return append(fmt.Appendf(nil, "%v %v\n", p.Rect, p.Palette), p.Pix...)
}

// The libraries must not share state between drawings.
func TestConcurrent(t *testing.T) {
	svg, _ := SVG(fixed)
	bars, _ := Code128SVG(fixed)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 10 {
				if got, _ := SVG(fixed); !bytes.Equal(got, svg) {
					t.Error("another SVG than alone")
				}
				if got, _ := Code128SVG(fixed); !bytes.Equal(got, bars) {
					t.Error("another bar code than alone")
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkMatrix(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := matrix(fixed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := SVG(fixed); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSVGDrawing is what SVG takes beyond the matrix.
func BenchmarkSVGDrawing(b *testing.B) {
	m, err := matrix(fixed)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		drawSVG(m)
	}
}

func BenchmarkPNG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := PNG(fixed, 8); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCode128SVG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Code128SVG(fixed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTerminal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Terminal(fixed); err != nil {
			b.Fatal(err)
		}
	}
}
