package papers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/jpeg" // for DecodeConfig
	_ "image/png"
	"slices"
)

// Types are the types of file that a paper may be.
var Types = []string{"image/jpeg", "image/png", "application/pdf", "image/heic"}

// Fault says by which rule a file is no paper: papers.size, papers.sha256,
// papers.type or papers.content. It repeats nothing of the file.
type Fault struct{ Rule, Detail string }

// Error implements error.
func (f *Fault) Error() string { return f.Rule + ": " + f.Detail }

func fault(rule, detail string, args ...any) error {
	return &Fault{"papers." + rule, fmt.Sprintf(detail, args...)}
}

// maxPixels bounds a picture: 50 million, more than a phone's camera takes. A small
// file that unfolds to more would be a bomb in the reviewer's hands.
const maxPixels = 50_000_000

// Inspect compares a file with what was announced and returns it without what nobody
// asked for: where and when a picture was taken, by whom and with what (EXIF, GPS,
// XMP, comments). The error is a *Fault.
func Inspect(a Announced, file []byte) ([]byte, error) {
	sum := sha256.Sum256(file)
	switch {
	case int64(len(file)) != a.Size || len(file) > MaxBytes:
		return nil, fault("size", "the file has not the %d bytes that were announced", a.Size)
	case hex.EncodeToString(sum[:]) != a.SHA256:
		return nil, fault("sha256", "the file has not the checksum that was announced")
	case !slices.Contains(Types, a.ContentType):
		return nil, fault("type", "a paper is none of the types that are taken")
	case sniff(file) != a.ContentType:
		return nil, fault("type", "the file's content is not %s", a.ContentType)
	}
	switch a.ContentType {
	case "image/jpeg":
		if err := checkPixels(file); err != nil {
			return nil, err
		}
		return cleanJPEG(file)
	case "image/png":
		if err := checkPixels(file); err != nil {
			return nil, err
		}
		return cleanPNG(file)
	case "image/heic":
		return cleanHEIC(file)
	}
	return file, checkPDF(file)
}

// sniff returns the type of a file by its first bytes, or "".
func sniff(file []byte) string {
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(file, []byte("%PDF-1.")), bytes.HasPrefix(file, []byte("%PDF-2.")):
		return "application/pdf"
	case len(file) >= 12 && string(file[4:8]) == "ftyp" && slices.Contains([]string{"heic", "heix", "heim", "heis", "mif1"}, string(file[8:12])):
		return "image/heic"
	}
	return ""
}

// checkPixels refuses a picture that is too large once unfolded, or none at all.
func checkPixels(file []byte) error {
	c, _, err := image.DecodeConfig(bytes.NewReader(file))
	switch {
	case err != nil:
		return fault("content", "the picture does not open")
	case c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height:
		return fault("content", "the picture has more than %d pixels", maxPixels)
	}
	return nil
}

// active are what a PDF could do to whoever opens it, or carry along.
var active = [][]byte{[]byte("/JavaScript"), []byte("/JS"), []byte("/Launch"), []byte("/EmbeddedFile"), []byte("/OpenAction"), []byte("/AA"), []byte("/RichMedia"), []byte("/XFA")}

// checkPDF refuses a PDF that acts, carries files, or has something behind its end.
// Encrypted ones cannot be looked at and are refused too.
func checkPDF(file []byte) error {
	end := bytes.LastIndex(file, []byte("%%EOF"))
	if end < 0 || len(bytes.Trim(file[end+len("%%EOF"):], "\r\n\t \x00")) > 0 {
		return fault("content", "the document has no end, or something stands behind it")
	}
	if bytes.Contains(file, []byte("/Encrypt")) {
		return fault("content", "the document is encrypted")
	}
	for _, name := range active {
		for at := 0; ; {
			i := bytes.Index(file[at:], name)
			if i < 0 {
				break
			}
			at += i + len(name)
			// A name ends where a delimiter stands: /AAPL is none of them.
			if at == len(file) || bytes.IndexByte([]byte("/<>[](){} \r\n\t\x00%"), file[at]) >= 0 {
				return fault("content", "the document acts or carries another file")
			}
		}
	}
	return nil
}
