package certificate

import (
	"math"
	"strconv"

	"github.com/go-text/typesetting/font"
	ot "github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/shaping"
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

// run appends the outlines of a shaped run.
func (p *path) run(run shaping.Output) {
	var x float64
	scale := em / float64(run.Face.Upem())
	for _, g := range run.Glyphs {
		if outline, ok := run.Face.GlyphDataOutline(g.GlyphID); ok {
			p.glyph(outline, scale, x+fromFixed(g.XOffset), fromFixed(g.YOffset))
		}
		x += fromFixed(g.Advance)
	}
}

// glyph appends one outline with its origin at x, y.
func (p *path) glyph(outline font.GlyphOutline, scale, x, y float64) {
	at := func(q ot.SegmentPoint) (float64, float64) { return x + float64(q.X)*scale, y + float64(q.Y)*scale }
	var fromX, fromY float64
	open := false
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
			fromX, fromY = at(s.Args[0])
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
