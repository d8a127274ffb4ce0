package certificate

import (
	"fmt"
	"slices"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode/qr"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/shaping"
)

// A4 landscape in points.
const (
	pageWidth  = 841.89
	pageHeight = 595.28
)

// color is red, green and blue in 0 to 255.
type color [3]int

// operator is the PDF operator that makes the color the one to fill with.
func (c color) operator() string {
	return fmt.Sprintf("%.3f %.3f %.3f rg", float64(c[0])/255, float64(c[1])/255, float64(c[2])/255)
}

// align is which point of a line is given.
type align int

const (
	left align = iota
	center
)

// page draws on the one page of a PDF. Positions are points from the top left corner.
type page struct {
	pdf *fpdf.Fpdf
	// textFace is textFont for shaping.
	textFace *font.Face
}

// textFont is the name in the PDF of the one font in it: Noto Sans Regular.
const textFont = "text"

// line draws one line with its baseline at y. Small text that needs no shaping is text; all
// else is drawn as shaped outlines with the same text unseen over them, so that the whole page
// can be searched, copied and read aloud.
func (p *page) line(s setting, line shaping.Line, x, y float64, a align, c color) {
	if a == center {
		x -= lineWidth(line, s.size) / 2
	}
	visual := slices.Clone(line)
	slices.SortFunc(visual, func(a, b shaping.Output) int { return int(a.VisualIndex - b.VisualIndex) })

	for _, run := range visual {
		width := fromFixed(run.Advance) * s.size / em
		mode := fillText
		if s.size >= outlinedSize || !p.plain(s.runes, run) {
			p.outlines(run, s.size, x, y, c)
			mode = unseenText
		}
		p.text(runText(s.runes, run), mode, x, y, width, s.size, c)
		x += width
	}
}

// outlinedSize is the size in points from which text is always drawn as outlines, because
// a lack of kerning would show.
const outlinedSize = 16

// plain reports whether run looks the same without shaping, letter by letter in the text font.
func (p *page) plain(runes []rune, run shaping.Output) bool {
	if run.Face != p.textFace || len(run.Glyphs) != run.Runes.Count {
		return false
	}
	for i, g := range run.Glyphs {
		nominal, ok := run.Face.NominalGlyph(runes[run.Runes.Offset+i])
		if !ok || g.GlyphID != nominal || g.XOffset != 0 || g.YOffset != 0 {
			return false
		}
	}
	return true
}

// outlines fills the shapes of run.
func (p *page) outlines(run shaping.Output, size, x, y float64, c color) {
	var shapes path
	shapes.run(run)
	if len(shapes) == 0 {
		return
	}
	p.pdf.RawWriteStr(fmt.Sprintf("q %s %.6f 0 0 %.6f %.3f %.3f cm\n%sf Q",
		c.operator(), size/em, size/em, x, pageHeight-y, shapes))
}

// runText is what a run says in the order in which it is seen: readers of PDF expect
// right-to-left text so and turn it round themselves.
func runText(runes []rune, run shaping.Output) string {
	part := slices.Clone(runes[run.Runes.Offset : run.Runes.Offset+run.Runes.Count])
	if run.Direction.Progression() == di.TowardTopLeft {
		slices.Reverse(part)
	}
	return strings.Map(func(r rune) rune {
		if r > 0xffff { // fpdf knows the basic plane only
			return -1
		}
		return r
	}, string(part))
}

// Text rendering modes (ISO 32000-1, table 106).
const (
	fillText   = 0
	unseenText = 3
)

// text writes text in the text font, stretched to width.
func (p *page) text(text string, mode int, x, y, width, size float64, c color) {
	p.pdf.SetFont(textFont, "", size)
	natural := p.pdf.GetStringWidth(text)
	if natural == 0 || width == 0 {
		return
	}
	p.pdf.RawWriteStr(fmt.Sprintf("q %s %d Tr %.3f Tz", c.operator(), mode, 100*width/natural))
	p.pdf.Text(x, y, text)
	p.pdf.RawWriteStr("Q")
}

// lines draws all lines of s centered on x, and in the middle of the box from top to bottom.
func (p *page) lines(s setting, x, top, bottom float64, c color) {
	const ascent = 0.98 // of the size, in a line of leading × size
	height := float64(len(s.lines)) * s.size * leading
	y := (top+bottom)/2 - height/2 + ascent*s.size
	for _, line := range s.lines {
		p.line(s, line, x, y, center, c)
		y += s.size * leading
	}
}

func (p *page) frame(inset, lineWidth float64, c color) {
	p.pdf.SetDrawColor(c[0], c[1], c[2])
	p.pdf.SetLineWidth(lineWidth)
	p.pdf.Rect(inset, inset, pageWidth-2*inset, pageHeight-2*inset, "D")
}

func (p *page) rule(x, y, width, lineWidth float64, c color) {
	p.pdf.SetDrawColor(c[0], c[1], c[2])
	p.pdf.SetLineWidth(lineWidth)
	p.pdf.Line(x-width/2, y, x+width/2, y)
}

// qrCode draws content as a square with its quiet zone inside: level M, modules as rectangles
// merged along their row, the whole a link for those who read on a screen.
func (p *page) qrCode(content string, x, y, side float64) error {
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil {
		return fmt.Errorf("encode QR code: %w", err)
	}
	const quiet = 4 // modules on every side (ISO/IEC 18004)
	modules := code.Bounds().Dx()
	dark := func(col, row int) bool {
		r, _, _, _ := code.At(col, row).RGBA()
		return r == 0
	}
	var squares path
	for row := range modules {
		for col := 0; col < modules; col++ {
			start := col
			for col < modules && dark(col, row) {
				col++
			}
			if col > start {
				squares.op("re", float64(start+quiet), float64(modules-1-row+quiet), float64(col-start), 1)
			}
		}
	}
	scale := side / float64(modules+2*quiet)
	p.pdf.RawWriteStr(fmt.Sprintf("q 0 g %.6f 0 0 %.6f %.3f %.3f cm\n%sf Q",
		scale, scale, x, pageHeight-y-side, squares))
	p.pdf.LinkString(x, y, side, side, content)
	return nil
}
