package certificate

import (
	"bytes"
	"math"
	"strconv"
	"sync"

	"github.com/go-text/typesetting/font"
	ot "github.com/go-text/typesetting/font/opentype"
)

// path collects PDF path operators in thousandths of an em.
type path []byte

func (p *path) op(operator string, points ...float64) {
	for _, v := range points {
		// At 44 points a thousandth is a 60th of a millimetre; decimals would double the file.
		*p = strconv.AppendInt(*p, int64(math.Round(v)), 10)
		*p = append(*p, ' ')
	}
	*p = append(*p, operator...)
	*p = append(*p, '\n')
}

// outlines keeps the path of every glyph that was drawn once, with its origin at 0, 0. It is safe for concurrent
// use, and bounded by what the embedded fonts hold: 12,302 shapes, 9.7 MB if ever all of them were drawn.
type outlines struct {
	drawn sync.Map // of glyph to path
}

type glyph struct {
	font *font.Font
	id   font.GID
}

// of is the path of a glyph, empty where it has no shape.
func (o *outlines) of(face *font.Face, id font.GID) path {
	key := glyph{face.Font, id}
	value, _ := o.drawn.Load(key)
	if drawn, ok := value.(path); ok {
		return drawn
	}
	var p path
	if outline, ok := face.GlyphDataOutline(id); ok {
		p.outline(outline, em/float64(face.Upem()))
	}
	p = bytes.Clone(p) // to its length: it stays
	o.drawn.Store(key, p)
	return p
}

// outline appends one glyph's outline.
func (p *path) outline(outline font.GlyphOutline, scale float64) {
	at := func(q ot.SegmentPoint) (float64, float64) { return float64(q.X) * scale, float64(q.Y) * scale }
	var fromX, fromY float64
	open, split := false, bar(outline)
	for _, s := range outline.Segments {
		switch s.Op {
		case ot.SegmentOpMoveTo:
			if open {
				p.op("h")
			}
			fromX, fromY = at(s.Args[0])
			p.op("m", fromX, fromY)
			open = true
		case ot.SegmentOpLineTo:
			toX, toY := at(s.Args[0])
			if split {
				p.op("l", (fromX+toX)/2, (fromY+toY)/2)
				split = false
			}
			fromX, fromY = toX, toY
			p.op("l", fromX, fromY)
		case ot.SegmentOpQuadTo:
			// TrueType curves are quadratic, PDF's are cubic.
			cx, cy := at(s.Args[0])
			toX, toY := at(s.Args[1])
			p.op("c", fromX+(cx-fromX)*2/3, fromY+(cy-fromY)*2/3, toX+(cx-toX)*2/3, toY+(cy-toY)*2/3, toX, toY)
			fromX, fromY = toX, toY
		case ot.SegmentOpCubeTo:
			ax, ay := at(s.Args[0])
			bx, by := at(s.Args[1])
			fromX, fromY = at(s.Args[2])
			p.op("c", ax, ay, bx, by, fromX, fromY)
		}
	}
	if open {
		p.op("h")
	}
}

// bar reports whether the outline is one contour of straight lines, as of "l" and "-". One of four lines would be
// taken for a rule, which readers (Poppler, after Acrobat) widen or narrow to whole pixels; so one line of it is
// written as two halves.
func bar(outline font.GlyphOutline) bool {
	contours := 0
	for _, s := range outline.Segments {
		switch s.Op {
		case ot.SegmentOpMoveTo:
			contours++
		case ot.SegmentOpLineTo:
		default:
			return false
		}
	}
	return contours == 1
}
