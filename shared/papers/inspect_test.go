package papers

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

func announced(kind string, file []byte) Announced {
	sum := sha256.Sum256(file)
	return Announced{kind, int64(len(file)), hex.EncodeToString(sum[:])}
}

func picture() image.Image { return image.NewGray(image.Rect(0, 0, 30, 20)) }

func jpegOf(t *testing.T) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t *testing.T) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func chunk(kind string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func bmff(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
}

const place = "GPS 28.2282N 112.9388E"

// heicOf is a HEIC of one picture item and one EXIF item.
func heicOf() []byte {
	ftyp := bmff("ftyp", []byte("heic\x00\x00\x00\x00mif1heic"))
	infe := func(id byte, kind string) []byte {
		return bmff("infe", []byte{2, 0, 0, 0, 0, id, 0, 0}, []byte(kind), []byte{0})
	}
	build := func(picture, exif uint32) []byte {
		item := func(id byte, offset, length uint32) []byte {
			out := []byte{0, id, 0, 0, 0, 1}
			return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(out, offset), length)
		}
		return bmff("meta", []byte{0, 0, 0, 0},
			bmff("iinf", []byte{0, 0, 0, 0, 0, 2}, infe(1, "hvc1"), infe(2, "Exif")),
			bmff("iloc", []byte{0, 0, 0, 0, 0x44, 0, 0, 2}, item(1, picture, 7), item(2, exif, uint32(len(place)))))
	}
	at := uint32(len(ftyp) + len(build(0, 0)) + 8)
	return bytes.Join([][]byte{ftyp, build(at, at+7), bmff("mdat", []byte("PICTURE"), []byte(place))}, nil)
}

const pdf = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"

func TestWhatNobodyAskedForIsTakenOut(t *testing.T) {
	plain := jpegOf(t)
	exif := append([]byte{0xff, 0xe1, 0, byte(2 + 6 + len(place))}, "Exif\x00\x00"+place...)
	comment := append([]byte{0xff, 0xfe, 0, byte(2 + len(place))}, place...)
	withPlace := bytes.Join([][]byte{plain[:2], exif, comment, plain[2:], []byte(place)}, nil)
	flat := pngOf(t)
	texts := bytes.Join([][]byte{flat[:33], chunk("tEXt", []byte("Comment\x00"+place)), chunk("eXIf", []byte(place)), flat[33:]}, nil)
	for kind, file := range map[string][]byte{"image/jpeg": withPlace, "image/png": texts, "image/heic": heicOf()} {
		clean, err := Inspect(announced(kind, file), file)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if bytes.Contains(clean, []byte(place)) {
			t.Errorf("%s still says where it was taken", kind)
		}
		if kind == "image/heic" {
			if !bytes.Contains(clean, []byte("PICTURE")) || len(clean) != len(file) {
				t.Error("the picture itself was touched")
			}
		} else if _, _, err := image.Decode(bytes.NewReader(clean)); err != nil {
			t.Errorf("%s does not open any more: %v", kind, err)
		}
	}
	if clean, err := Inspect(announced("application/pdf", []byte(pdf)), []byte(pdf)); err != nil || string(clean) != pdf {
		t.Errorf("a PDF: %v", err)
	}
}

func TestFilesThatAreNoPapers(t *testing.T) {
	// A small PNG that says it is small and unfolds to 64 MB.
	var folded bytes.Buffer
	z := zlib.NewWriter(&folded)
	if _, err := z.Write(make([]byte, 64<<20)); err != nil {
		t.Fatal(err)
	}
	z.Close()
	header := []byte{0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0}
	bomb := bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", header), chunk("IDAT", folded.Bytes()), chunk("IEND", nil)}, nil)
	huge := bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", []byte{0, 1, 0, 0, 0, 1, 0, 0, 8, 0, 0, 0, 0}), chunk("IDAT", nil), chunk("IEND", nil)}, nil)
	photo, flat := jpegOf(t), pngOf(t)
	for name, c := range map[string]struct {
		kind, rule string
		file       []byte
	}{
		"an executable as PDF":          {"application/pdf", "papers.type", []byte("MZ\x90\x00" + pdf)},
		"an executable behind a PDF":    {"application/pdf", "papers.content", []byte(pdf + "MZ\x90\x00")},
		"a PDF that acts":               {"application/pdf", "papers.content", []byte(strings.Replace(pdf, "/Type", "/OpenAction 2 0 R /Type", 1))},
		"a PDF with a script":           {"application/pdf", "papers.content", []byte(strings.Replace(pdf, "/Type", "/JS (x) /Type", 1))},
		"a PDF that carries a file":     {"application/pdf", "papers.content", []byte(strings.Replace(pdf, "/Type", "/EmbeddedFile /Type", 1))},
		"an encrypted PDF":              {"application/pdf", "papers.content", []byte(strings.Replace(pdf, "/Root", "/Encrypt 3 0 R /Root", 1))},
		"a JPEG as PNG":                 {"image/png", "papers.type", photo},
		"a web page as JPEG":            {"image/jpeg", "papers.type", []byte("<script>")},
		"a zip bomb as PNG":             {"image/png", "papers.content", bomb},
		"a PNG of 4 thousand megapixel": {"image/png", "papers.content", huge},
		"a PNG cut off":                 {"image/png", "papers.content", flat[:len(flat)-13]},
		"a JPEG cut off":                {"image/jpeg", "papers.content", photo[:len(photo)-2]},
		"a PNG with a wrong checksum":   {"image/png", "papers.content", append(bytes.Clone(flat[:len(flat)-1]), flat[len(flat)-1]^1)},
		"a film as HEIC":                {"image/heic", "papers.content", append(heicOf(), bmff("moov")...)},
		"a HEIC that is only a head":    {"image/heic", "papers.content", heicOf()[:24]},
		"text":                          {"text/plain", "papers.type", []byte("text")},
	} {
		_, err := Inspect(announced(c.kind, c.file), c.file)
		if f := (*Fault)(nil); !errors.As(err, &f) || f.Rule != c.rule {
			t.Errorf("%s: %v, want %s", name, err, c.rule)
		}
	}
	a := announced("image/png", flat)
	for rule, change := range map[string]func(*Announced){
		"papers.size": func(a *Announced) { a.Size++ }, "papers.sha256": func(a *Announced) { a.SHA256 = strings.Repeat("0", 64) },
	} {
		other := a
		change(&other)
		_, err := Inspect(other, flat)
		if f := (*Fault)(nil); !errors.As(err, &f) || f.Rule != rule {
			t.Errorf("%v, want %s", err, rule)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(0, heicOf())
	f.Add(1, []byte(pdf))
	f.Add(2, []byte("\xff\xd8\xff\xe0\x00\x02\xff\xda\x00\x02\xff\xd9"))
	f.Add(3, []byte("\x89PNG\r\n\x1a\n"))
	f.Fuzz(func(t *testing.T, kind int, file []byte) {
		a := announced(Types[((kind%len(Types))+len(Types))%len(Types)], file)
		if clean, err := Inspect(a, file); err == nil && len(clean) > len(file) {
			t.Error("what was cleaned is longer")
		}
	})
}
