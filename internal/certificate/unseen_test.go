package certificate_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/go-text/typesetting/font"
	"github.com/stretchr/testify/require"
)

// manyLetters are more letters than two single-byte fonts hold.
func manyLetters() []string {
	var letters []string
	for r := '!'; r <= 'ɏ'; r++ {
		if r < 0x7f || r > 0xa0 && r != 0xad { // no controls, no soft hyphen
			letters = append(letters, string(r))
		}
	}
	return letters
}

func TestTextOfMoreLettersThanAFontHolds(t *testing.T) {
	letters := manyLetters()
	require.Greater(t, len(letters), 2*224)
	c := sample()
	c.CourseTitle = strings.Join(letters, "")
	page := readPage(t, c)
	require.Len(t, page.fonts, 3)

	var all strings.Builder
	for _, s := range page.shown {
		all.WriteString(s.text)
	}
	require.Contains(t, all.String(), c.CourseTitle)
	for _, other := range []string{"Jürgen Groß-Müller", "Acme Medical Devices", "on 14 March 2026 at 14:30 UTC"} {
		require.Contains(t, all.String(), other)
	}
}

// A variation selector has no shape. MuPDF would read one from beyond the basic plane as another letter.
func TestSelectorsBeyondTheBasicPlaneAreNotInTheText(t *testing.T) {
	c := sample()
	c.LearnerName = "Ann\U000E0100 Lee\ufe00"
	require.Contains(t, pageText(t, c), "Ann Lee\ufe00")
}

// What is marked in a reader is what is seen: a centered line is centered as text too, whatever the shaping.
func TestTextLiesOnWhatIsSeen(t *testing.T) {
	for _, name := range []string{"AVA Töll", "สมหญิง ใจดีที่สุด", "क्षितिज श्रीवास्तव", "محمد الأحمد", "אבא Ann 12"} {
		c := sample()
		c.LearnerName = name
		shown := readPage(t, c).shown
		var from, to float64
		for i, s := range shown {
			if strings.Contains(shown[i].text, "This certifies") {
				for _, part := range shown[i+1:] {
					if part.baseline != shown[i+1].baseline {
						break
					}
					if from == 0 {
						from = part.x
					}
					require.InDelta(t, max(from, to), part.x, 0.02, "%q: one part begins where the other ends", name)
					to = part.x + part.width
				}
			}
			require.Positive(t, s.width)
		}
		require.InDelta(t, 841.89, from+to, 0.02, "%q", name)
		require.Greater(t, to-from, 100.0)
	}
}

func TestFontOfTheTextIsATrueTypeFont(t *testing.T) {
	c := sample()
	c.LearnerName = "สมหญิง q\u0304\U000E0100"
	c.CourseTitle = strings.Join(manyLetters(), "")
	for _, f := range readPage(t, c).fonts {
		face, err := font.ParseTTF(bytes.NewReader(f.file))
		require.NoError(t, err)
		require.Equal(t, "CountersignUnseen", face.Describe().Family)
		require.NotEmpty(t, f.letters)
		var sum uint32
		require.Zero(t, len(f.file)%4)
		for i := 0; i < len(f.file); i += 4 {
			sum += binary.BigEndian.Uint32(f.file[i:])
		}
		require.Equal(t, uint32(0xB1B0AFBA), sum, "checkSumAdjustment")

		glyphs := map[font.GID]bool{}
		for code, letter := range f.letters {
			require.Positive(t, f.widths[code], "%U", letter)
			glyph, ok := face.NominalGlyph(letter)
			require.True(t, ok, "%U", letter)
			require.False(t, glyphs[glyph], "%U has a glyph of its own", letter)
			glyphs[glyph] = true
			require.InDelta(t, f.widths[code], face.HorizontalAdvance(glyph), 0, "%U", letter)
			box, ok := face.GlyphExtents(glyph)
			require.True(t, ok, "%U has a place", letter)
			require.InDelta(t, f.widths[code], box.Width, 0)
		}
	}
}

// Readers narrow a filled rectangle to whole pixels; an "l" in small print would be thinner than its neighbours.
func TestNoLetterIsTakenForARule(t *testing.T) {
	c := sample()
	c.LearnerName, c.VerifyURL = "Ill-Ill l|l", ""
	drawn := readPage(t, c).seen
	require.Regexp(t, `m\n(-?\d+ -?\d+ l\n){5}h\nf`, string(drawn), "the letter l")
	require.NotRegexp(t, `cm\n-?\d+ -?\d+ m\n(-?\d+ -?\d+ l\n){0,4}h\nf`, string(drawn))
	require.Empty(t, regexp.MustCompile(`T[jJdfmrz*]`).FindAll(drawn, -1), "nothing is seen of any font")
}

func TestLettersStandSideBySide(t *testing.T) {
	c := sample()
	c.LearnerName = strings.Repeat("H", 12)
	page := readPage(t, c)
	for _, f := range page.fonts {
		for code, letter := range f.letters {
			if letter == 'H' {
				move := fmt.Sprintf("1 0 0 1 %.0f 0 cm\n", f.widths[code])
				require.GreaterOrEqual(t, bytes.Count(page.seen, []byte(move)), 11, "each is one H behind the one before")
				return
			}
		}
	}
	require.Fail(t, "no H")
}

// At 9 MB for each certificate, drawing them was half of what a worker did.
func TestDrawingLeavesLittleGarbage(t *testing.T) {
	d, c := drawer(t), sample()
	_, err := d.Draw(c)
	require.NoError(t, err)

	const drawings = 100 // the race detector drops a quarter of what is pooled
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range drawings {
		_, err := d.Draw(c)
		require.NoError(t, err)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/drawings, uint64(2_500_000), "bytes per certificate")
}
