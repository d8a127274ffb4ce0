package certificate

import (
	"bytes"
	"embed"
	"fmt"
	"math"

	"github.com/go-text/typesetting/font"
)

// The Noto Sans family, SIL Open Font License 1.1 (fonts/OFL.txt). Regular covers Latin with
// Vietnamese, Greek and Cyrillic; the others one script each. Han, kana and Hangul are not
// embedded: one of their fonts is larger than this whole program's other data.
//
//go:embed fonts/*.ttf fonts/OFL.txt
var fontFiles embed.FS

// families are tried in this order for every letter.
var families = []string{"NotoSans", "NotoSansArabic", "NotoSansHebrew", "NotoSansDevanagari", "NotoSansThai"}

// weight is a row of the family.
type weight int

const (
	regular weight = iota
	bold
)

var weightNames = [...]string{regular: "Regular", bold: "Bold"}

// fontSet holds the parsed fonts of both weights. It is read only and shared by all drawings.
type fontSet [len(weightNames)][]*font.Font

func loadFonts() (fontSet, error) {
	var set fontSet
	for w, name := range weightNames {
		for _, family := range families {
			path := "fonts/" + family + "-" + name + ".ttf"
			data, err := fontFiles.ReadFile(path)
			if err != nil {
				return fontSet{}, fmt.Errorf("load font: %w", err)
			}
			face, err := font.ParseTTF(bytes.NewReader(data))
			if err != nil {
				return fontSet{}, fmt.Errorf("load font %s: %w", path, err)
			}
			set[w] = append(set[w], face.Font)
		}
	}
	return set, nil
}

// chain is one weight's faces for one drawing, because a face caches and is not safe for
// concurrent use.
type chain []*font.Face

func newChain(fonts []*font.Font) chain {
	c := make(chain, len(fonts))
	for i, f := range fonts {
		c[i] = font.NewFace(f)
	}
	return c
}

// ResolveFace is the first face that has r, and the first of all when none has.
func (c chain) ResolveFace(r rune) *font.Face {
	for _, face := range c {
		if _, ok := face.NominalGlyph(r); ok {
			return face
		}
	}
	return c[0]
}

func (c chain) has(r rune) bool {
	_, ok := c.ResolveFace(r).NominalGlyph(r)
	return ok
}

// width is r's advance in thousandths of an em, before shaping.
func (c chain) width(r rune) int {
	face := c.ResolveFace(r)
	id, ok := face.NominalGlyph(r)
	if !ok {
		return 0
	}
	return int(math.Round(float64(face.HorizontalAdvance(id)) * em / float64(face.Upem())))
}
