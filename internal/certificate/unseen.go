package certificate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/shaping"
)

// unseenText is all text of a page in the order of reading. It is written over the outlines with nothing to be seen,
// so that the page can be searched, copied and read aloud.
//
// Its fonts have one byte for a letter, and every certificate numbers its letters itself: what a number means is
// said by the letter's name in the font's encoding, which every reader of PDF understands (ISO 32000-1, 9.10.2;
// Adobe Glyph List Specification, 2). A font for all of Unicode would be parsed and written anew for every page.
type unseenText struct {
	pieces  []piece
	numbers map[rune]int
}

// piece is one run of a line in the order in which it is seen, in points.
type piece struct {
	text              []rune
	x, y, width, size float64
}

// add notes what run says at x, y over width. Readers of PDF expect right-to-left text as it is seen and turn it
// round themselves.
func (u *unseenText) add(runes []rune, run shaping.Output, x, y, width, size float64) {
	text := slices.DeleteFunc(slices.Clone(runes[run.Runes.Offset:run.Runes.Offset+run.Runes.Count]), beyond)
	if run.Direction.Progression() == di.TowardTopLeft {
		slices.Reverse(text)
	}
	if len(text) > 0 {
		u.pieces = append(u.pieces, piece{text, x, y, width, size})
	}
}

// beyond reports whether r lies beyond the basic plane. No embedded font has a letter there, and all that can be
// printed are variation selectors, which have no shape. They are left out because MuPDF keeps 16 bits of a letter:
// it would copy U+E0100 as U+0100.
func beyond(r rune) bool { return r > 0xFFFF }

// The numbers that fpdf gives a width to.
const (
	firstNumber    = 32
	lettersPerFont = 256 - firstNumber
)

// narrowest is the width, in thousandths of an em, of letters that have none, as marks: with none, a reader that
// goes by places (Poppler) takes a mark for one of the letter behind it.
const narrowest = 10

// unseenMode is the text rendering mode that draws nothing (ISO 32000-1, table 106).
const unseenMode = 3

// write adds all text with its fonts to pdf. width is a letter's in thousandths of an em, compress makes a zlib stream.
func (u *unseenText) write(pdf *fpdf.Fpdf, width func(rune) int, compress func([]byte) ([]byte, error)) error {
	for n, letters := range slices.Collect(slices.Chunk(u.number(), lettersPerFont)) {
		widths := make([]int, len(letters))
		for i, r := range letters {
			widths[i] = width(r)
		}
		file := unseenFont(letters, widths)
		definition, err := fontDefinition(n, letters, widths, len(file))
		if err != nil {
			return err
		}
		compressed, err := compress(file)
		if err != nil {
			return err
		}
		pdf.AddFontFromBytes(unseenFamily(n), "", definition, compressed)
	}
	pdf.RawWriteStr(fmt.Sprintf("q %d Tr", unseenMode))
	for _, p := range u.pieces {
		u.writePiece(pdf, p, width)
	}
	pdf.RawWriteStr("Q")
	return nil
}

// number gives every letter its number, and returns them sorted: the space, if there is one, has its usual number.
func (u *unseenText) number() []rune {
	u.numbers = make(map[rune]int)
	var letters []rune
	for _, p := range u.pieces {
		for _, r := range p.text {
			if _, ok := u.numbers[r]; !ok {
				u.numbers[r] = 0
				letters = append(letters, r)
			}
		}
	}
	slices.Sort(letters)
	for n, r := range letters {
		u.numbers[r] = n
	}
	return letters
}

// unseenFamily is what fpdf calls the nth font.
func unseenFamily(n int) string { return "unseen" + strconv.Itoa(n) }

// writePiece writes p stretched to its width, neighbours of the same font in one go.
func (u *unseenText) writePiece(pdf *fpdf.Fpdf, p piece, width func(rune) int) {
	natural := 0
	for _, r := range p.text {
		natural += width(r)
	}
	stretch := 1.0
	if p.width > 0 { // marks alone are as wide as nothing
		stretch = p.width / (float64(natural) * p.size / em)
	}
	pdf.RawWriteStr(strconv.FormatFloat(100*stretch, 'f', 3, 64) + " Tz")

	x := p.x
	for rest := p.text; len(rest) > 0; {
		font := u.numbers[rest[0]] / lettersPerFont
		var codes []byte
		taken := 0
		for _, r := range rest {
			n := u.numbers[r]
			if n/lettersPerFont != font {
				break
			}
			codes = append(codes, byte(firstNumber+n%lettersPerFont))
			taken += width(r)
		}
		pdf.SetFont(unseenFamily(font), "", p.size)
		pdf.Text(x, p.y, string(codes))
		x += float64(taken) * p.size / em * stretch
		rest = rest[len(codes):]
	}
}

// fontDefinition is the nth font's description in the format of fpdf's makefont.
func fontDefinition(n int, letters []rune, widths []int, size int) ([]byte, error) {
	const nonsymbolic = 32 // ISO 32000-1, table 123
	var definition struct {
		Tp, Name, Diff, File string
		Desc                 fpdf.FontDescType
		Cw                   [256]int
		OriginalSize         int
	}
	definition.Tp, definition.Name = "TrueType", unseenFontName
	definition.File = unseenFamily(n) + ".z" // by which fpdf knows that it is compressed
	definition.OriginalSize = size
	definition.Desc = fpdf.FontDescType{Ascent: unseenAscent, Descent: unseenDescent, CapHeight: unseenCap, Flags: nonsymbolic}
	box := &definition.Desc.FontBBox
	box.Xmax, box.Ymin, box.Ymax = slices.Max(widths), unseenDescent, unseenAscent

	differences := strconv.AppendInt(nil, firstNumber, 10)
	for i, r := range letters {
		definition.Cw[firstNumber+i] = widths[i]
		differences = append(append(differences, " /"...), letterName(r)...)
	}
	definition.Diff = string(differences)
	out, err := json.Marshal(definition)
	if err != nil {
		return nil, fmt.Errorf("define font: %w", err)
	}
	return out, nil
}

// letterName is the name of a letter of the basic plane by the Adobe Glyph List Specification.
func letterName(r rune) string {
	if r == ' ' {
		return "space"
	}
	return fmt.Sprintf("uni%04X", r)
}
