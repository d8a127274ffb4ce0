package certificate

import (
	"encoding/binary"
	"unicode/utf16"

	ot "github.com/go-text/typesetting/font/opentype"
)

// Measures of Noto Sans in thousandths of an em, so that what is marked in a reader is as high as what is seen.
const (
	unseenAscent  = 1069
	unseenDescent = -293
	unseenCap     = 714
)

// unseenFontName is what readers list among the document's fonts.
const unseenFontName = "CountersignUnseen"

// unseenFont writes a TrueType font for these letters of the basic plane, sorted, of these widths, in thousandths of an em: the font of the
// text that is there to be found, copied and read aloud, over the outlines that are there to be seen. Programs that
// put text over scanned pages do the same (Tesseract's "GlyphLessFont").
//
// It is written anew for every page because MuPDF goes by the widths in the font itself where it looks for spaces.
// Glyph 0 is for what is missing, glyph n+1 for letter n. Its shape is a line from corner to corner of the letter's
// place: there is nothing to fill, but readers that go by the shape find its place, and MuPDF leaves out what has none.
// The tables are those that the OpenType specification requires (learn.microsoft.com/typography/opentype/spec/otff).
func unseenFont(letters []rune, widths []int) []byte {
	const (
		version1     = uint32(0x00010000)
		magic        = uint32(0x5F0F3CF5)
		regularStyle = 0x40
		normalWidth  = 5
	)
	var shapes, places, advances []byte
	widest := 0
	for _, width := range append([]int{narrowest}, widths...) {
		places = append(places, be(len(shapes)/2)...)
		advances = append(advances, be(width, 0)...)
		// One contour of two points on it, the second as far from the first as the place is large.
		shapes = append(shapes, be(1, 0, 0, width, unseenCap, 1, 0, []byte{1, 1}, 0, width, 0, unseenCap)...)
		widest = max(widest, width)
	}
	places = append(places, be(len(shapes)/2)...)
	glyphs := len(letters) + 1

	tables := []struct {
		tag     string
		content []byte
	}{
		{"OS/2", be(3, widest, 400, normalWidth, 0, zeros(20), 0, zeros(10), zeros(16), []byte("    "), regularStyle,
			int(letters[0]), int(letters[len(letters)-1]), unseenAscent, unseenDescent, 0, unseenAscent, -unseenDescent,
			uint32(1), uint32(0), 536, unseenCap, 0, int(' '), 0)},
		{"cmap", unseenMap(letters)},
		{"glyf", shapes},
		{"head", be(version1, version1, uint32(0), magic, 0, em, zeros(16), 0, 0, widest, unseenCap, 0, 8, 2, 0, 0)},
		{"hhea", be(version1, unseenAscent, unseenDescent, 0, widest, 0, 0, widest, 1, 0, 0, zeros(8), 0, glyphs)},
		{"hmtx", advances},
		{"loca", places},
		{"maxp", be(version1, glyphs, 2, 1, 0, 0, 2, zeros(16))},
		{"name", unseenNames()},
		{"post", be(uint32(0x00030000), uint32(0), -100, 50, zeros(20))},
	}
	written := make([]ot.Table, len(tables))
	var head, size int
	for i, t := range tables {
		written[i] = ot.Table{Tag: ot.MustNewTag(t.tag), Content: append(t.content, zeros(-len(t.content)&3)...)}
		if t.tag == "head" {
			head = size
		}
		size += len(written[i].Content)
	}
	file := ot.WriteTTF(written)

	// The head's checkSumAdjustment makes the sum of the whole file this number.
	sum := uint32(0xB1B0AFBA)
	for i := 0; i < len(file); i += 4 {
		sum -= binary.BigEndian.Uint32(file[i:])
	}
	const checkSumAdjustment = 8
	binary.BigEndian.PutUint32(file[len(file)-size+head+checkSumAdjustment:], sum)
	return file
}

// unseenMap is a cmap in format 4, which every reader looks for first. It has no place for letters beyond the basic plane.
func unseenMap(letters []rune) []byte {
	var starts, ends, deltas []byte
	segments := 0
	for i := 0; i < len(letters); {
		first := i
		for i < len(letters) && int(letters[i]-letters[first]) == i-first {
			i++
		}
		starts, ends = append(starts, be(int(letters[first]))...), append(ends, be(int(letters[i-1]))...)
		deltas = append(deltas, be(first+1-int(letters[first]))...) // modulo 65,536
		segments++
	}
	// The last segment must be this one; with its delta it is glyph 0.
	starts, ends, deltas = append(starts, be(0xFFFF)...), append(ends, be(0xFFFF)...), append(deltas, be(1)...)
	segments++

	power, log := 1, 0
	for power*2 <= segments {
		power, log = power*2, log+1
	}
	body := be(0, 2*segments, 2*power, log, 2*(segments-power), ends, 0, starts, deltas, zeros(2*segments))
	return be(0, 1, 3, 1, uint32(12), 4, len(body)+4, body)
}

// unseenNames is a name table for Windows in US English.
func unseenNames() []byte {
	names := []struct {
		id   int
		text string
	}{
		{1, unseenFontName}, {2, "Regular"}, {3, unseenFontName + " 1"}, {4, unseenFontName}, {5, "Version 1.0"}, {6, unseenFontName},
	}
	var records, text []byte
	for _, n := range names {
		at := len(text)
		for _, unit := range utf16.Encode([]rune(n.text)) {
			text = append(text, be(int(unit))...)
		}
		records = append(records, be(3, 1, 0x409, n.id, len(text)-at, at)...)
	}
	return be(0, len(names), 6+len(records), records, text)
}

// be joins values as big-endian, as all of a TrueType font is: an int is 16 bits of it.
func be(values ...any) []byte {
	var out []byte
	for _, v := range values {
		switch v := v.(type) {
		case int:
			out = binary.BigEndian.AppendUint16(out, uint16(v))
		case uint32:
			out = binary.BigEndian.AppendUint32(out, v)
		case []byte:
			out = append(out, v...)
		}
	}
	return out
}

func zeros(n int) []byte { return make([]byte, n) }
