package certificate

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/text/unicode/bidi"
)

// em is the size at which text is shaped: lengths are thousandths of the font size.
const em = 1000

// typesetter shapes text with HarfBuzz and breaks it into lines. It belongs to one drawing at a time.
type typesetter struct {
	chains    [len(weightNames)]chain
	shaper    shaping.HarfbuzzShaper
	segmenter shaping.Segmenter
	wrapper   shaping.LineWrapper
}

func newTypesetter(fonts fontSet) *typesetter {
	t := &typesetter{}
	for w := range weightNames {
		t.chains[w] = newChain(fonts[w])
	}
	return t
}

// paragraph is a shaped text that is not yet broken into lines.
type paragraph struct {
	runes     []rune
	direction di.Direction
	runs      []shaping.Output
}

// shape turns text into glyphs. field names the text in errors.
func (t *typesetter) shape(field, text string, w weight) (paragraph, error) {
	faces := t.chains[w]
	p := paragraph{runes: []rune(text), direction: direction(text)}

	var missing []rune
	for _, r := range p.runes {
		if !printable(r, faces) {
			missing = append(missing, r)
		}
	}
	if len(missing) > 0 {
		return paragraph{}, noGlyph(field, missing)
	}

	inputs := t.segmenter.Split(shaping.Input{
		Text:      p.runes,
		RunEnd:    len(p.runes),
		Direction: p.direction,
		Size:      em << 6, // 26.6 fixed point
	}, faces)
	for _, input := range inputs {
		run := t.shaper.Shape(input)
		for _, g := range run.Glyphs {
			// A mark may stand in another font than the letter it belongs to; then it has
			// a glyph and still cannot be placed.
			if g.GlyphID == 0 {
				missing = append(missing, p.runes[g.TextIndex():g.TextIndex()+g.RunesCount()]...)
			}
		}
		p.runs = append(p.runs, run)
	}
	if len(missing) > 0 {
		return paragraph{}, noGlyph(field, missing)
	}
	return p, nil
}

// width is what a letter of the unseen text takes, in thousandths of an em.
func (t *typesetter) width(r rune) int { return max(narrowest, t.chains[regular].width(r)) }

// printable reports whether faces can show r. Joiners and variation selectors have no shape of
// their own. A replacement character says that the name was lost before it came here, and a
// private character means something else in every font: neither belongs on a certificate.
func printable(r rune, faces chain) bool {
	switch {
	case r == zeroWidthJoiner, r == zeroWidthNonJoiner, unicode.Is(unicode.Variation_Selector, r):
		return true
	case r == unicode.ReplacementChar, unicode.Is(unicode.Co, r):
		return false
	}
	return faces.has(r)
}

func noGlyph(field string, missing []rune) error {
	const shown = 8
	slices.Sort(missing)
	missing = slices.Compact(missing)
	var points []string
	for _, r := range missing[:min(shown, len(missing))] {
		points = append(points, fmt.Sprintf("U+%04X", r))
	}
	text := strings.Join(points, ", ")
	if more := len(missing) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("%w %s of the %s", ErrNoGlyph, text, field)
}

// direction is that of the first letter that has one (UAX #9, rules P2 and P3).
func direction(text string) di.Direction {
	for _, r := range text {
		properties, _ := bidi.LookupRune(r)
		switch properties.Class() {
		case bidi.L:
			return di.DirectionLTR
		case bidi.R, bidi.AL:
			return di.DirectionRTL
		}
	}
	return di.DirectionLTR
}
