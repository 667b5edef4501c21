package papers

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// cleanJPEG returns a JPEG without its application segments and comments, but for
// JFIF, Adobe's colour transform and ICC profiles, which say how it looks. What
// follows the end of the picture is left out.
func cleanJPEG(file []byte) ([]byte, error) {
	broken := fault("content", "the picture is cut off or not a JPEG")
	out := append(make([]byte, 0, len(file)), file[:2]...)
	for at := 2; ; {
		if at+4 > len(file) || file[at] != 0xff {
			return nil, broken
		}
		marker := file[at+1]
		if marker == 0xff { // fill bytes may stand before a marker
			at++
			continue
		}
		size := int(binary.BigEndian.Uint16(file[at+2:]))
		if size < 2 || at+2+size > len(file) {
			return nil, broken
		}
		segment := file[at : at+2+size]
		at += 2 + size
		keep := true
		switch {
		case marker == 0xfe: // comment
			keep = false
		case marker == 0xe0:
			keep = bytes.HasPrefix(segment[4:], []byte("JFIF\x00"))
		case marker == 0xe2:
			keep = bytes.HasPrefix(segment[4:], []byte("ICC_PROFILE\x00"))
		case marker == 0xee:
			keep = bytes.HasPrefix(segment[4:], []byte("Adobe"))
		case marker >= 0xe1 && marker <= 0xef: // Exif, XMP, IPTC and the makers' own
			keep = false
		}
		if keep {
			out = append(out, segment...)
		}
		if marker != 0xda {
			continue
		}
		// The picture itself: to the next marker that is neither a stuffed zero nor
		// a restart. Progressive pictures have several.
		from := at
		for {
			i := bytes.IndexByte(file[at:], 0xff)
			if i < 0 || at+i+1 >= len(file) {
				return nil, broken
			}
			at += i
			if next := file[at+1]; next == 0 || next >= 0xd0 && next <= 0xd7 {
				at += 2
				continue
			}
			break
		}
		out = append(out, file[from:at]...)
		if file[at+1] == 0xd9 {
			return append(out, 0xff, 0xd9), nil
		}
	}
}

// pngKept are the chunks that say how a picture looks; texts, times, EXIF and what
// nobody knows are left out.
var pngKept = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true,
	"gAMA": true, "cHRM": true, "sRGB": true, "iCCP": true, "sBIT": true, "bKGD": true, "pHYs": true,
}

// cleanPNG returns a PNG of nothing but its picture, after unfolding it once to see
// that it is as large as it says.
func cleanPNG(file []byte) ([]byte, error) {
	broken := fault("content", "the picture is cut off or not a PNG")
	out := append(make([]byte, 0, len(file)), file[:8]...)
	var folded []io.Reader
	var bound int64
	for at := 8; ; {
		if at+12 > len(file) {
			return nil, broken
		}
		size := int(binary.BigEndian.Uint32(file[at:]))
		if size < 0 || size > len(file)-at-12 {
			return nil, broken
		}
		chunk, kind, body := file[at:at+12+size], string(file[at+4:at+8]), file[at+8:at+8+size]
		if crc32.ChecksumIEEE(chunk[4:8+size]) != binary.BigEndian.Uint32(chunk[8+size:]) {
			return nil, broken
		}
		at += len(chunk)
		switch {
		case kind == "IHDR" && size == 13:
			// At most 8 bytes a pixel, a byte more a row, and interlaced in seven passes.
			width, height := int64(binary.BigEndian.Uint32(body)), int64(binary.BigEndian.Uint32(body[4:]))
			bound = 8*width*height + 14*height + 1024
		case kind == "IDAT":
			folded = append(folded, bytes.NewReader(body))
		}
		if pngKept[kind] {
			out = append(out, chunk...)
		}
		if kind == "IEND" {
			break
		}
	}
	unfold, err := zlib.NewReader(io.MultiReader(folded...))
	if err != nil {
		return nil, broken
	}
	n, err := io.Copy(io.Discard, io.LimitReader(unfold, bound+1))
	if err != nil || n == 0 {
		return nil, broken
	}
	if n > bound {
		return nil, fault("content", "the picture unfolds to more than its size")
	}
	return out, nil
}

// cleanHEIC returns a HEIC whose EXIF and XMP items are overwritten with zeros, in
// their places, so that no offset in the file moves.
func cleanHEIC(file []byte) ([]byte, error) {
	broken := fault("content", "the picture is cut off or not a HEIC")
	out := bytes.Clone(file)
	meta, found := 0, false
	for at := 0; at < len(out); {
		size, head, kind, ok := box(out, at)
		if !ok {
			return nil, broken
		}
		switch kind {
		case "meta":
			if found || size < head+4 {
				return nil, broken
			}
			meta, found = at, true
		case "ftyp", "mdat", "free", "skip":
		default: // uuid, moov and others carry what is no still picture
			return nil, fault("content", "the file holds more than a picture")
		}
		if kind == "free" || kind == "skip" {
			clear(out[at+head : at+size])
		}
		at += size
	}
	if !found {
		return nil, broken
	}
	size, head, _, _ := box(out, meta)
	from, end := meta+head+4, meta+size
	items := map[uint32]bool{} // those to be wiped
	var iloc []byte
	for at := from; at < end; {
		size, head, kind, ok := box(out[:end], at)
		if !ok {
			return nil, broken
		}
		body := out[at+head : at+size]
		switch kind {
		case "iinf":
			if !wiped(body, items) {
				return nil, broken
			}
		case "iloc":
			iloc = body
		}
		at += size
	}
	if len(items) == 0 {
		return out, nil
	}
	if !wipe(out, iloc, items, from, end) {
		return nil, broken
	}
	return out, nil
}

// box reads the head of an ISO base media box.
func box(file []byte, at int) (size, head int, kind string, ok bool) {
	if at < 0 || at+8 > len(file) {
		return 0, 0, "", false
	}
	size, head, kind = int(binary.BigEndian.Uint32(file[at:])), 8, string(file[at+4:at+8])
	switch size {
	case 0: // to the end
		size = len(file) - at
	case 1:
		if at+16 > len(file) {
			return 0, 0, "", false
		}
		large := binary.BigEndian.Uint64(file[at+8:])
		if large > uint64(len(file)) {
			return 0, 0, "", false
		}
		size, head = int(large), 16
	}
	return size, head, kind, size >= head && size <= len(file)-at
}

// wiped finds the items of an iinf box that say where and how a picture was taken.
func wiped(iinf []byte, items map[uint32]bool) bool {
	r := reader{b: iinf}
	version := r.uint(1)
	r.uint(3)
	n := r.uint(2)
	if version > 0 {
		n = n<<16 | r.uint(2)
	}
	for range min(n, 10_000) {
		if r.bad {
			return false
		}
		size, head, kind, ok := box(iinf, r.at)
		if !ok || kind != "infe" {
			return false
		}
		e := reader{b: iinf[:r.at+size], at: r.at + head}
		v := e.uint(1)
		e.uint(3)
		id := uint32(0)
		switch v {
		case 2:
			id = uint32(e.uint(2))
		case 3:
			id = uint32(e.uint(4))
		default:
			return false
		}
		e.uint(2)
		if what := e.text(4); what == "Exif" || what == "mime" || what == "uri " {
			items[id] = true
		}
		if e.bad {
			return false
		}
		r.at += size
	}
	return !r.bad
}

// wipe overwrites the extents that an iloc box gives for items. The box meta itself
// may hold them (idat), from its first child to its end.
func wipe(file, iloc []byte, items map[uint32]bool, metaFrom, metaEnd int) bool {
	idat := -1
	for at := metaFrom; at < metaEnd; {
		size, head, kind, ok := box(file[:metaEnd], at)
		if !ok {
			return false
		}
		if kind == "idat" {
			idat = at + head
		}
		at += size
	}
	r := reader{b: iloc}
	version := r.uint(1)
	r.uint(3)
	sizes := r.uint(2)
	offsetSize, lengthSize, baseSize, indexSize := sizes>>12, sizes>>8&15, sizes>>4&15, sizes&15
	idSize := uint64(2)
	if version == 2 {
		idSize = 4
	}
	found := 0
	for range min(r.uint(int(idSize)), 10_000) {
		id, method := uint32(r.uint(int(idSize))), uint64(0)
		if version > 0 {
			method = r.uint(2) & 15
		}
		r.uint(2)
		base := r.uint(int(baseSize))
		for range min(r.uint(2), 10_000) {
			if version > 0 {
				r.uint(int(indexSize))
			}
			offset, length := base+r.uint(int(offsetSize)), r.uint(int(lengthSize))
			if r.bad {
				return false
			}
			if !items[id] {
				continue
			}
			if method == 1 {
				if idat < 0 {
					return false
				}
				offset += uint64(idat)
			} else if method > 1 {
				return false
			}
			if offset > uint64(len(file)) || length > uint64(len(file))-offset {
				return false
			}
			clear(file[offset : offset+length])
			found++
		}
	}
	return !r.bad && found >= len(items)
}

// reader reads big-endian numbers and notes when there are none left.
type reader struct {
	b   []byte
	at  int
	bad bool
}

func (r *reader) uint(n int) (v uint64) {
	if n > 8 || r.at+n > len(r.b) {
		r.bad = true
		return 0
	}
	for range n {
		v = v<<8 | uint64(r.b[r.at])
		r.at++
	}
	return v
}

func (r *reader) text(n int) string {
	if r.at+n > len(r.b) {
		r.bad = true
		return ""
	}
	r.at += n
	return string(r.b[r.at-n : r.at])
}
