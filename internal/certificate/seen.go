package certificate

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/go-text/typesetting/shaping"
)

// run fills the shapes of a run with its origin at x, y. Every glyph is written as it stands in its font and moved to
// its place: a letter that comes again is the same bytes again, which cost next to nothing once compressed.
func (p *page) run(run shaping.Output, size, x, y float64, c color) {
	p.shapes = append(append(append(p.shapes, "q "...), c.operator()...), ' ')
	p.shapes.place(size/em, x, pageHeight-y)

	var advance, fromX, fromY float64 // in thousandths of an em
	for _, g := range run.Glyphs {
		if shape := p.outlines.of(run.Face, g.GlyphID); len(shape) > 0 {
			atX, atY := math.Round(advance+fromFixed(g.XOffset)), math.Round(fromFixed(g.YOffset))
			p.shapes.op("cm", 1, 0, 0, 1, atX-fromX, atY-fromY)
			p.shapes = append(p.shapes, shape...)
			p.shapes.op("f")
			fromX, fromY = atX, atY
		}
		advance += fromFixed(g.Advance)
	}
	p.shapes.op("Q")
}

// place appends the operator that makes the unit scale points long and puts 0, 0 at x, y from the bottom left corner.
func (p *path) place(scale, x, y float64) {
	for _, v := range [...]struct {
		value    float64
		decimals int
	}{{scale, 6}, {0, 0}, {0, 0}, {scale, 6}, {x, 3}, {y, 3}} {
		*p = append(strconv.AppendFloat(*p, v.value, 'f', v.decimals, 64), ' ')
	}
	p.op("cm")
}

// finish writes what was collected: all that is seen, and the text over it.
func (p *page) finish(width func(rune) int, compress func([]byte) ([]byte, error)) error {
	object, err := form(p.shapes, compress)
	if err != nil {
		return err
	}
	// What fpdf compresses itself costs a new compressor, a megabyte. Objects of other PDFs it takes as they are, so
	// this one is handed over as such: one only, because fpdf puts several into any order.
	const key, name = "seen", "/Seen"
	p.pdf.ImportObjects(map[string][]byte{key: object})
	p.pdf.ImportTemplates(map[string]string{name: key})
	p.pdf.RawWriteStr(name + " Do")
	return p.unseen.write(p.pdf, width, compress)
}

// form is a form XObject of the whole page with these operators, from its dictionary on (ISO 32000-1, 8.10).
func form(operators []byte, compress func([]byte) ([]byte, error)) ([]byte, error) {
	content, err := compress(operators)
	if err != nil {
		return nil, err
	}
	var object bytes.Buffer
	fmt.Fprintf(&object, "<</Type /XObject /Subtype /Form /BBox [0 0 %.2f %.2f] /Resources <<>>", pageWidth, pageHeight)
	fmt.Fprintf(&object, " /Filter /FlateDecode /Length %d>>\nstream\n", len(content))
	object.Write(content)
	object.WriteString("\nendstream\nendobj")
	return object.Bytes(), nil
}
