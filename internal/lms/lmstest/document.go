package lmstest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
)

// document is what the delivery's body says, free of what wraps it.
func (s Spec) document(r Recorded) []byte {
	if s.Open == nil {
		return r.Body
	}
	return s.Open(r.Body)
}

// with is the delivery with another document.
func (s Spec) with(r Recorded, document []byte) lms.Request {
	if s.Seal != nil {
		document = s.Seal(document)
	}
	return r.with(document)
}

// extended returns the delivery's document once per place where an unknown member can stand, with one there.
func (s Spec) extended(t *testing.T, r Recorded) [][]byte {
	t.Helper()
	document := s.document(r)
	if r.isForm() {
		return [][]byte{
			slices.Concat([]byte("countersign-unknown=1&"), document),
			slices.Concat(document, []byte("&countersign-unknown=%7B%7D&countersign-empty")),
		}
	}
	var documents [][]byte
	for _, at := range objects(document) {
		extra := `"countersign-unknown":{"id":[1,null,"x"],"event":false}`
		if rest := strings.TrimSpace(string(document[at:])); !strings.HasPrefix(rest, "}") {
			extra += ","
		}
		documents = append(documents, slices.Concat(document[:at], []byte(extra), document[at:]))
		require.True(t, json.Valid(documents[len(documents)-1]))
	}
	return documents
}

// objects finds the bytes after every "{" that is not inside a string.
func objects(body []byte) (offsets []int) {
	inString := false
	for i := 0; i < len(body); i++ {
		switch {
		case inString && body[i] == '\\':
			i++
		case body[i] == '"':
			inString = !inString
		case body[i] == '{' && !inString:
			offsets = append(offsets, i+1)
		}
	}
	return offsets
}

// replaced returns the delivery's document once per value in it, with that value replaced. A form takes
// the JSON of what stands in for the value as its text, and a string without its quotes.
func (s Spec) replaced(t *testing.T, r Recorded, by any) [][]byte {
	t.Helper()
	if r.isForm() {
		return replacedInForm(t, s.document(r), by)
	}
	decoder := json.NewDecoder(bytes.NewReader(s.document(r)))
	decoder.UseNumber()
	var root any
	require.NoError(t, decoder.Decode(&root))
	var documents [][]byte
	emit := func() {
		text, err := json.Marshal(root)
		require.NoError(t, err, "%T", root)
		documents = append(documents, text)
	}
	var walk func(node any)
	walk = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(node)) {
				value := node[key]
				node[key] = by
				emit()
				node[key] = value
				walk(value)
			}
		case []any:
			for i, value := range node {
				node[i] = by
				emit()
				node[i] = value
				walk(value)
			}
		}
	}
	walk(root)
	return documents
}

func replacedInForm(t *testing.T, document []byte, by any) (documents [][]byte) {
	t.Helper()
	members, err := url.ParseQuery(string(document))
	require.NoError(t, err)
	text, ok := by.(string)
	if !ok {
		text = string(asJSON(t, by))
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		value := members[key]
		members[key] = []string{text}
		documents = append(documents, []byte(members.Encode()))
		members[key] = value
	}
	return documents
}

func asJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err, "%T", value)
	return text
}
