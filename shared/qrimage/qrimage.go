// Package qrimage draws the 20 digits of a QR token: as a QR code for screens
// (SVG, PNG) and terminals, and as a Code 128 bar code for laser scanners.
//
// The QR code is always version 1, 21×21 modules, the coarsest there is, at
// error level Q: nearly a quarter of it may be scratched or glare. Twenty digits
// take 81 of its 104 bits; level H has only 72.
//
// A picture carries the digits as modules or bars and nowhere as text.
package qrimage

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/code128"
	"github.com/skip2/go-qrcode"
)

const (
	modules = 21 // the side of a version 1 code
	quiet   = 4  // the light border the standard asks for, in modules
	side    = modules + 2*quiet

	bars      = 145 // 20 digits as Code 128 set C: start, 10 pairs, check, stop
	barQuiet  = 10  // the light border left and right, in modules
	barHeight = 50  // modules; the bars' height takes up for a hand that holds the scanner askew
)

// MaxModulePx is the most pixels PNG draws a module with: 1160×1160 in all.
const MaxModulePx = 40

// ErrDigits means that what was to be drawn is not 20 ASCII digits. It does not
// say what it was.
var ErrDigits = errors.New("qrimage: want exactly 20 digits, 0 to 9")

func check(digits string) error {
	if len(digits) != 20 {
		return ErrDigits
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return ErrDigits
		}
	}
	return nil
}

// matrix returns the 21 rows of 21 modules, true is dark, without the border.
func matrix(digits string) ([][]bool, error) {
	if err := check(digits); err != nil {
		return nil, err
	}
	// The library's names are one off the standard's: its High is level Q.
	q, err := qrcode.NewWithForcedVersion(digits, 1, qrcode.High)
	if err != nil {
		return nil, errors.New("qrimage: 20 digits did not fit a version 1 code") // cannot be
	}
	q.DisableBorder = true
	return q.Bitmap(), nil // once only: a second call encodes the bits again behind the first
}

// SVG returns the QR code as an SVG document of 29×29 units, one to a module,
// border included. It has no size of its own and fills the room it is given.
// The error is [ErrDigits].
func SVG(digits string) ([]byte, error) {
	m, err := matrix(digits)
	if err != nil {
		return nil, err
	}
	return drawSVG(m), nil
}

func drawSVG(m [][]bool) []byte {
	b := make([]byte, 0, 3<<10)
	b = openSVG(b, side, side, "医保码 / QR code")
	for y, row := range m {
		b = appendRuns(b, row, quiet, y+quiet, 1)
	}
	return append(b, svgEnd...)
}

// Code128SVG returns the digits as a Code 128 bar code, in pairs (code set C):
// an SVG document 165 units wide, one to the narrowest bar, border included,
// and 50 high. It must be shown at its full proportions. The error is
// [ErrDigits].
func Code128SVG(digits string) ([]byte, error) {
	if err := check(digits); err != nil {
		return nil, err
	}
	code, err := code128.Encode(digits)
	if err != nil || code.Bounds().Dx() != bars {
		return nil, errors.New("qrimage: 20 digits did not make 145 bars") // cannot be; err would repeat the digits
	}
	row := make([]bool, bars)
	for x := range row {
		row[x] = code.At(x, 0) == color.Black
	}
	b := make([]byte, 0, 1<<10)
	b = openSVG(b, bars+2*barQuiet, barHeight, "医保条形码 / bar code")
	b = appendRuns(b, row, barQuiet, 0, barHeight)
	return append(b, svgEnd...), nil
}

// openSVG writes all up to the path's runs: a white ground under black modules.
// crispEdges keeps the renderer from smoothing hairlines in between them.
func openSVG(b []byte, w, h int, title string) []byte {
	return fmt.Appendf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" role="img" shape-rendering="crispEdges">`+
		`<title>%[3]s</title><path fill="#fff" d="M0 0h%[1]dv%[2]dh-%[1]dz"/><path fill="#000" d="`, w, h, title)
}

const svgEnd = `"/></svg>` + "\n"

// appendRuns writes each run of dark modules in row as one rectangle of the
// path, h units high, with the row's first module at x0, y.
func appendRuns(b []byte, row []bool, x0, y, h int) []byte {
	for x := 0; x < len(row); x++ {
		if !row[x] {
			continue
		}
		begin := x
		for x < len(row) && row[x] {
			x++
		}
		n := int64(x - begin)
		b = append(b, 'M')
		b = strconv.AppendInt(b, int64(x0+begin), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(y), 10)
		b = append(b, 'h')
		b = strconv.AppendInt(b, n, 10)
		b = append(b, 'v')
		b = strconv.AppendInt(b, int64(h), 10)
		b = append(b, 'h', '-')
		b = strconv.AppendInt(b, n, 10)
		b = append(b, 'z')
	}
	return b
}

var blackOnWhite = color.Palette{color.White, color.Black}

// PNG returns the QR code as a PNG of two colours, one bit a pixel, modulePx
// pixels to a module and 29 modules to a side, border included. modulePx is 1
// to [MaxModulePx]. Otherwise the error is [ErrDigits].
func PNG(digits string, modulePx int) ([]byte, error) {
	if modulePx < 1 || modulePx > MaxModulePx {
		return nil, fmt.Errorf("qrimage: %d pixels to a module, want 1 to %d", modulePx, MaxModulePx)
	}
	m, err := matrix(digits)
	if err != nil {
		return nil, err
	}
	img := image.NewPaletted(image.Rect(0, 0, side*modulePx, side*modulePx), blackOnWhite)
	line := make([]byte, img.Stride)
	for y, row := range m {
		for x, dark := range row {
			from := (x + quiet) * modulePx
			for i := range modulePx {
				line[from+i] = 0
				if dark {
					line[from+i] = 1
				}
			}
		}
		for i := range modulePx {
			copy(img.Pix[((y+quiet)*modulePx+i)*img.Stride:], line)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("qrimage: %w", err)
	}
	return b.Bytes(), nil
}

// Terminal returns the QR code as 15 lines of 29 columns for a terminal with
// ANSI colours, two modules to a character, border included.
//
// Both colours are named, black and white out of the 256-colour cube, so that
// the code is dark on light whatever the terminal's own colours are; the basic
// sixteen would be a theme's idea of black and white, and many scanners do not
// read a code inside out.
func Terminal(digits string) (string, error) {
	m, err := matrix(digits)
	if err != nil {
		return "", err
	}
	dark := func(x, y int) bool {
		x, y = x-quiet, y-quiet
		return x >= 0 && x < modules && y >= 0 && y < modules && m[y][x]
	}
	var b strings.Builder
	for y := 0; y < side; y += 2 { // 29 is odd: the last line's lower half is light too
		b.WriteString("\x1b[38;5;16;48;5;231m")
		for x := range side {
			switch top, bottom := dark(x, y), dark(x, y+1); {
			case top && bottom:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case bottom:
				b.WriteString("▄")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String(), nil
}
