package certificate

import (
	"fmt"
	"slices"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-text/typesetting/shaping"
	qr "github.com/piglig/go-qr"
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
	pdf      *fpdf.Fpdf
	outlines *outlines
	// shapes are the operators of all that is seen, but for frames and rules.
	shapes path
	unseen unseenText
}

// line draws one line with its baseline at y, as outlines with the same text unseen over them.
func (p *page) line(s setting, line shaping.Line, x, y float64, a align, c color) {
	if a == center {
		x -= lineWidth(line, s.size) / 2
	}
	visual := slices.Clone(line)
	slices.SortFunc(visual, func(a, b shaping.Output) int { return int(a.VisualIndex - b.VisualIndex) })

	for _, run := range visual {
		width := fromFixed(run.Advance) * s.size / em
		p.run(run, s.size, x, y, c)
		p.unseen.add(s.runes, run, x, y, width, s.size)
		x += width
	}
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

// qrCode draws content as a square with its quiet zone inside: level M, or better where there is room, modules as rectangles
// merged along their row, the whole a link for those who read on a screen.
func (p *page) qrCode(content string, x, y, side float64) error {
	code, err := qr.EncodeText(content, qr.Medium)
	if err != nil {
		return fmt.Errorf("encode QR code: %w", err)
	}
	const quiet = 4 // modules on every side (ISO/IEC 18004)
	modules := code.GetSize()
	p.shapes = append(p.shapes, "q 0 g "...)
	p.shapes.place(side/float64(modules+2*quiet), x, pageHeight-y-side)
	for row := range modules {
		for col := 0; col < modules; col++ {
			start := col
			for col < modules && code.GetModule(col, row) {
				col++
			}
			if col > start {
				p.shapes.op("re", float64(start+quiet), float64(modules-1-row+quiet), float64(col-start), 1)
			}
		}
	}
	p.shapes.op("f Q")
	p.pdf.LinkString(x, y, side, side, content)
	return nil
}
