package certificate_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/certificate"
)

// readable is a certificate as a reader of PDF finds it: everything below comes from the file alone.
type readable struct {
	objects map[string][]byte
	// content are the operators of the page, seen those of what is drawn on it.
	content, seen []byte
	// fonts are by their names in the page's resources.
	fonts map[string]pdfFont
	shown []shown
}

// pdfFont is a single-byte font: what its codes mean, how wide they are and the font file.
type pdfFont struct {
	letters map[byte]rune
	widths  map[byte]float64
	file    []byte
}

// shown is one text on the page, from x over width, in points.
type shown struct {
	text, baseline string
	x, width       float64
}

var (
	objects    = regexp.MustCompile(`(?s)(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj`)
	streams    = regexp.MustCompile(`(?s)^(<<.*?>>)\nstream\n(.*)\nendstream`)
	contents   = regexp.MustCompile(`/Contents (\d+) 0 R`)
	seen       = regexp.MustCompile(`/Seen (\d+) 0 R`)
	fontNames  = regexp.MustCompile(`/F([0-9a-f]+) (\d+) 0 R`)
	encodings  = regexp.MustCompile(`/Encoding (\d+) 0 R`)
	widthLists = regexp.MustCompile(`/FirstChar 32 /LastChar 255\n/Widths (\d+) 0 R`)
	describers = regexp.MustCompile(`/FontDescriptor (\d+) 0 R`)
	fontFiles  = regexp.MustCompile(`/FontFile2 (\d+) 0 R`)
	lists      = regexp.MustCompile(`\[(.*)\]`)
	texts      = regexp.MustCompile(`(?s)BT /F([0-9a-f]+) ([\d.]+) Tf ET|([\d.]+) Tz|BT (-?[\d.]+) (-?[\d.]+) Td \(((?:[^\\)]|\\.)*)\) Tj ET`)
)

// readPage draws c and reads it back.
func readPage(t *testing.T, c certificate.Certificate) readable {
	t.Helper()
	pdf, err := drawer(t).Draw(c)
	require.NoError(t, err)
	r := readable{objects: map[string][]byte{}, fonts: map[string]pdfFont{}}
	for _, o := range objects.FindAllSubmatch(pdf, -1) {
		r.objects[string(o[1])] = o[2]
	}
	r.content = r.stream(t, r.follow(t, contents, pdf))
	r.seen = r.stream(t, r.follow(t, seen, pdf))
	for _, f := range fontNames.FindAllSubmatch(pdf, -1) {
		r.fonts[string(f[1])] = r.font(t, r.objects[string(f[2])])
	}
	require.Regexp(t, `(?s)/Seen Do\nq 3 Tr\n`, string(r.content))
	require.NotRegexp(t, `[0-24-7] Tr`, string(r.content), "all text is unseen")
	r.readTexts(t)
	return r
}

// follow is the object that the pattern's reference in from leads to.
func (r readable) follow(t *testing.T, reference *regexp.Regexp, from []byte) []byte {
	t.Helper()
	match := reference.FindSubmatch(from)
	require.NotNil(t, match, "no %s", reference)
	object, ok := r.objects[string(match[1])]
	require.True(t, ok, "no object %s", match[1])
	return object
}

// stream is what an object's stream says.
func (readable) stream(t *testing.T, object []byte) []byte {
	t.Helper()
	match := streams.FindSubmatch(object)
	require.NotNil(t, match, "no stream")
	if !bytes.Contains(match[1], []byte("/Filter /FlateDecode")) {
		return match[2]
	}
	inflater, err := zlib.NewReader(bytes.NewReader(match[2]))
	require.NoError(t, err)
	content, err := io.ReadAll(inflater)
	require.NoError(t, err)
	return content
}

func (r readable) font(t *testing.T, object []byte) pdfFont {
	t.Helper()
	f := pdfFont{letters: map[byte]rune{}, widths: map[byte]float64{}}
	differences := lists.FindSubmatch(r.follow(t, encodings, object))
	require.NotNil(t, differences)
	code := 0
	for _, field := range strings.Fields(string(differences[1])) {
		name, isName := strings.CutPrefix(field, "/")
		if !isName {
			var err error
			code, err = strconv.Atoi(field)
			require.NoError(t, err)
			continue
		}
		require.Less(t, code, 256)
		f.letters[byte(code)] = letterOf(t, name)
		code++
	}
	for i, field := range strings.Fields(string(lists.FindSubmatch(r.follow(t, widthLists, object))[1])) {
		width, err := strconv.ParseFloat(field, 64)
		require.NoError(t, err)
		f.widths[byte(32+i)] = width
	}
	f.file = r.stream(t, r.follow(t, fontFiles, r.follow(t, describers, object)))
	return f
}

// letterOf reads a glyph's name as the Adobe Glyph List Specification says.
func letterOf(t *testing.T, name string) rune {
	t.Helper()
	if name == "space" {
		return ' '
	}
	require.Regexp(t, `^uni[0-9A-F]{4}$`, name)
	digits := strings.TrimPrefix(name, "uni")
	letter, err := strconv.ParseUint(digits, 16, 32)
	require.NoError(t, err, name)
	return rune(letter)
}

func (r *readable) readTexts(t *testing.T) {
	t.Helper()
	number := func(text []byte) float64 {
		v, err := strconv.ParseFloat(string(text), 64)
		require.NoError(t, err)
		return v
	}
	unescape := strings.NewReplacer(`\\`, `\`, `\(`, "(", `\)`, ")", `\r`, "\r")
	var font pdfFont
	var size, stretch float64
	for _, m := range texts.FindAllSubmatch(r.content, -1) {
		switch {
		case m[1] != nil:
			var ok bool
			font, ok = r.fonts[string(m[1])]
			require.True(t, ok)
			size = number(m[2])
		case m[3] != nil:
			stretch = number(m[3]) / 100
		default:
			s := shown{x: number(m[4]), baseline: string(m[5])}
			for _, code := range []byte(unescape.Replace(string(m[6]))) {
				letter, ok := font.letters[code]
				require.True(t, ok, "code %d has no name", code)
				s.text += string(letter)
				s.width += font.widths[code] / 1000 * size * stretch
			}
			r.shown = append(r.shown, s)
		}
	}
}

// pageText is the text of the page, one line of it per baseline.
func pageText(t *testing.T, c certificate.Certificate) string {
	t.Helper()
	var text strings.Builder
	var baseline string
	for _, s := range readPage(t, c).shown {
		if s.baseline != baseline {
			baseline = s.baseline
			text.WriteByte('\n')
		}
		text.WriteString(s.text)
	}
	return text.String()
}
