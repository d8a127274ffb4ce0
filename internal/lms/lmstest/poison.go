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
// valid one cut off at every position.
func (s Spec) poison(t *testing.T) {
	for name, body := range poisonous() {
		decoded, _ := s.check(t, post(s.Valid[0].Header, body))
		require.Empty(t, decoded.Completions, name)
	}
	for _, vector := range s.Valid {
		end := len(bytes.TrimSpace(vector.Body))
		for cut := range end {
			decoded, err := s.check(t, post(vector.Header, vector.Body[:cut]))
			require.Error(t, err, "%s cut off after %d bytes", vector.Name, cut)
			require.Empty(t, decoded.Completions)
		}
		for at := range vector.Body {
			spoilt := slices.Clone(vector.Body)
			spoilt[at] = 0
			_, _ = s.check(t, post(vector.Header, spoilt))
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
			for _, body := range s.replaced(t, vector.Body, func(any) any { return json.RawMessage(wrong) }) {
				_, _ = s.check(t, post(vector.Header, body))
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
	asText := func(any) any { return canary }
	inside := func(any) any { return map[string]any{canary: []any{canary, canary}} }
	for _, vector := range s.Valid {
		for _, body := range append(s.replaced(t, vector.Body, asText), s.replaced(t, vector.Body, inside)...) {
			for _, spoilt := range [][]byte{
				body, body[:len(body)-1], append(slices.Clone(body), '}'),
				bytes.ReplaceAll(body, []byte(canary), []byte(canary+`\ud83d`)),
				bytes.ReplaceAll(body, []byte(`"`+canary), []byte(`"x":"`+canary)),
			} {
				s.silent(t, post(vector.Header, spoilt))
			}
		}
		for key := range vector.Header {
			for _, values := range [][]string{{canary}, {canary, canary + "2"}, {canary + "\xff\x00"}} {
				header := vector.Header.Clone()
				header[key] = values
				s.silent(t, post(header, vector.Body))
			}
		}
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

// replaced returns body once per value in it, with that value replaced.
func (s Spec) replaced(t *testing.T, body []byte, replace func(any) any) [][]byte {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var root any
	require.NoError(t, decoder.Decode(&root))
	var bodies [][]byte
	emit := func() {
		text, err := json.Marshal(root)
		require.NoError(t, err, "%T", root)
		bodies = append(bodies, text)
	}
	var walk func(node any)
	walk = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			for key, value := range node {
				node[key] = replace(value)
				emit()
				node[key] = value
				walk(value)
			}
		case []any:
			for i, value := range node {
				node[i] = replace(value)
				emit()
				node[i] = value
				walk(value)
			}
		}
	}
	walk(root)
	return bodies
}
