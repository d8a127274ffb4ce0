package certificate

import (
	"slices"

	"github.com/go-text/typesetting/shaping"
)

// Sizes in points.
const (
	// smallestSize is below what anybody reads, and the end of shrinking: a text of the
	// longest length fits every box at it.
	smallestSize = 1.0
	// unbrokenSize is where words stop being kept whole in order to stay readable.
	unbrokenSize = 9.0
	sizeStep     = 0.5
)

// leading is the distance of two lines as a share of the size: room for stacked Vietnamese,
// Thai and Devanagari marks.
const leading = 1.32

// setting is a text broken into lines at the size that fits its box.
type setting struct {
	runes []rune
	size  float64
	lines []shaping.Line
}

// fit sets p as large as the box allows, at most largest points. Text is never cut: it shrinks,
// takes as many lines as the height has room for, and shrinks again. The lines are valid until the next fit.
func (t *typesetter) fit(p paragraph, width, height, largest float64) setting {
	for size := largest; ; size = max(size-sizeStep, smallestSize) {
		lines := t.wrap(p, width, size)
		if size <= smallestSize || fits(lines, width, height, size) {
			return setting{runes: p.runes, size: size, lines: lines}
		}
	}
}

func fits(lines []shaping.Line, width, height, size float64) bool {
	if float64(len(lines))*size*leading > height {
		return false
	}
	return !slices.ContainsFunc(lines, func(line shaping.Line) bool { return lineWidth(line, size) > width })
}

func (t *typesetter) wrap(p paragraph, width, size float64) []shaping.Line {
	policy := shaping.Never
	if size < unbrokenSize {
		policy = shaping.WhenNecessary
	}
	// The wrapper trims the space at a line's end in place.
	runs := slices.Clone(p.runs)
	for i := range runs {
		runs[i].Glyphs = slices.Clone(runs[i].Glyphs)
	}
	lines, _ := t.wrapper.WrapParagraph(
		shaping.WrapConfig{Direction: p.direction, BreakPolicy: policy},
		int(width/size*em), p.runes, shaping.NewSliceIterator(runs))
	return lines
}

// lineWidth is in points.
func lineWidth(line shaping.Line, size float64) float64 {
	var total float64
	for _, run := range line {
		total += fromFixed(run.Advance)
	}
	return total * size / em
}

// fromFixed reads a 26.6 fixed point number.
func fromFixed[T ~int32](v T) float64 { return float64(v) / 64 }
