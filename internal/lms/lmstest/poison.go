package lmstest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
)

// poisonous bodies are what no sender should send and the internet does.
func poisonous() map[string][]byte {
	return map[string][]byte{
		"nothing":           nil,
		"space":             []byte("  \n"),
		"NUL":               {0},
		"NULs":              make([]byte, 1000),
		"byte order mark":   []byte("\xef\xbb\xbf{}"),
		"UTF-16":            {0xff, 0xfe, '{', 0, '}', 0},
		"invalid UTF-8":     []byte("{\"event\":\"\xff\xfe\"}"),
		"lone surrogate":    []byte(`{"event":"\ud83d"}`),
		"null":              []byte("null"),
		"true":              []byte("true"),
		"number":            []byte("1"),
		"string":            []byte(`"x"`),
		"empty array":       []byte("[]"),
		"array of nothing":  []byte("[null,[],{},1]"),
		"empty object":      []byte("{}"),
		"HTML":              []byte("<html><body>502 Bad Gateway</body></html>"),
		"form":              []byte("event=course.completion&id=1"),
		"two values":        []byte("{}{}"),
		"deep arrays":       []byte(strings.Repeat("[", 100_000)),
		"deep, closed":      []byte(strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)),
		"deep objects":      []byte(strings.Repeat(`{"payload":`, 50_000)),
		"many tokens":       []byte("[" + strings.Repeat("0,", 400_000) + "0]"),
		"duplicate keys":    []byte(`{"event":"a","event":"b"}`),
		"huge number":       []byte(`{"timestamp":1e999999999,"id":` + strings.Repeat("9", 10_000) + `}`),
		"prototype members": []byte(`{"__proto__":{"event":"x"},"constructor":null}`),
	}
}

// poison feeds broken bodies, with the headers of a delivery that reports a completion, and every
// valid one cut off at every position and with every byte spoilt.
func (s Spec) poison(t *testing.T) {
	first := s.Valid[0].Recorded
	for name, body := range poisonous() {
		decoded, _ := s.check(t, first.with(body))
		require.Empty(t, decoded.Completions, name)
		if s.Seal != nil {
			decoded, _ = s.check(t, s.with(first, body))
			require.Empty(t, decoded.Completions, name)
		}
	}
	for _, vector := range s.Valid {
		document := s.document(vector.Recorded)
		for cut := range bytes.TrimSpace(document) {
			decoded, err := s.check(t, s.with(vector.Recorded, document[:cut]))
			if vector.isForm() { // a form that is cut off is a form
				continue
			}
			require.Error(t, err, "%s cut off after %d bytes", vector.Name, cut)
			require.Empty(t, decoded.Completions)
		}
		for at := range vector.Body {
			spoilt := slices.Clone(vector.Body)
			spoilt[at] = 0
			_, _ = s.check(t, vector.with(spoilt))
			if s.Seal != nil { // else this is the document, which was cut above
				_, _ = s.check(t, vector.with(vector.Body[:at]))
			}
		}
	}
}

// wrongValues stand in for every member in turn.
func wrongValues() []string {
	return []string{
		`null`, `true`, `false`, `0`, `-1`, `1.5`, `1e3`, `1e400`, `-0`, strings.Repeat("9", 400),
		`""`, `" "`, `"x"`, `"\u0000"`, `"\u202e"`, `"1e999999999"`, `"NaN"`, `"-1"`, `"true"`,
		`"9999-12-31T23:59:59Z"`, `"0000-00-00T00:00:00Z"`, `"2026-04-08T14:30:00"`, `"2026-04-08"`,
		`"` + strings.Repeat("x", 5000) + `"`, `[]`, `[[]]`, `[null]`, `{}`, `{"":{}}`, `[{}]`,
	}
}

func (s Spec) wrongTypes(t *testing.T) {
	for _, vector := range s.Valid {
		for _, wrong := range wrongValues() {
			for _, document := range s.replaced(t, vector.Recorded, json.RawMessage(wrong)) {
				_, _ = s.check(t, s.with(vector.Recorded, document))
			}
		}
	}
}

// canary is a personal value: errors and reasons are logged and shown, so they must not repeat it
// (law 7).
const canary = "canary.7f3a"

// noValues makes every string of a body, and every header, a personal one in turn, and breaks the
// body in several ways.
func (s Spec) noValues(t *testing.T) {
	inside := map[string]any{canary: []any{canary, canary}}
	for _, vector := range s.Valid {
		for _, document := range append(s.replaced(t, vector.Recorded, canary), s.replaced(t, vector.Recorded, inside)...) {
			for _, spoilt := range [][]byte{
				document, document[:len(document)-1], append(slices.Clone(document), '}'),
				bytes.ReplaceAll(document, []byte(canary), []byte(canary+`\ud83d`)),
				bytes.ReplaceAll(document, []byte(`"`+canary), []byte(`"x":"`+canary)),
			} {
				s.silent(t, s.with(vector.Recorded, spoilt))
			}
		}
		for key := range vector.Header {
			for _, values := range [][]string{{canary}, {canary, canary + "2"}, {canary + "\xff\x00"}} {
				r := vector.Request()
				r.Header = vector.Header.Clone()
				r.Header[key] = values
				s.silent(t, r)
			}
		}
		r := vector.Request()
		r.Path, r.Query = canary, "event="+canary
		s.silent(t, r)
	}
}

// silent decodes a request with the canary in it.
func (s Spec) silent(t *testing.T, r lms.Request) {
	t.Helper()
	decoded, err := s.check(t, r)
	if err != nil {
		require.NotContains(t, err.Error(), canary)
	}
	for _, problem := range decoded.Problems {
		require.NotContains(t, problem.Reason, canary)
	}
	for _, ignored := range decoded.Ignored {
		require.NotContains(t, ignored.Reason, canary)
	}
}
