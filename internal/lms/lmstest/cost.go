package lmstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	// hostile is how many bytes of unknown members, and of further events, are put into a delivery.
	hostile = 64 << 10
	// dearest is how many bytes may be allocated for each byte of a body. Reading it costs less than half of that;
	// what grows with members times events, or with the square of either, costs thousands.
	dearest = 200
)

// Allocated is how many bytes were allocated while f ran, by whoever else ran meanwhile too. Time would say
// less: a machine is busy now and then.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// cost puts thousands of members beside the known ones of every valid delivery, and thousands of events
// beside its own: what is made of it, and the look at its credential, may cost no more than its length.
func (s Spec) cost(t *testing.T) {
	verifier := s.verifier(t, s.Secret)
	for _, vector := range s.Valid {
		for i, document := range s.swollen(t, vector.Recorded) {
			r := s.with(vector.Recorded, document)
			allocated := Allocated(func() {
				_, _ = s.adapter.Decode(r)
				_, _ = verifier.Verify(r)
			})
			require.Less(t, allocated, uint64(dearest*len(r.Body)), "%s, way %d: a body of %d bytes", vector.Name, i, len(r.Body))
		}
	}
}

// swollen returns the delivery's document in several ways: with members more in its first object, which is the
// envelope or an event; in every object; and with these and events more.
func (s Spec) swollen(t *testing.T, r Recorded) [][]byte {
	t.Helper()
	document := s.document(r)
	if r.isForm() {
		members, err := url.ParseQuery(string(document))
		require.NoError(t, err)
		for i := range hostile / len("&extra00000=-") {
			members.Set(fmt.Sprintf("extra%05d", i), "-")
		}
		return [][]byte{[]byte(members.Encode())}
	}
	everywhere := objects(document)
	documents := [][]byte{padded(document, everywhere[:1], hostile), padded(document, everywhere, hostile)}
	if more, ok := repeated(t, document); ok {
		documents = append(documents, padded(more, objects(more)[:1], hostile), padded(more, objects(more), hostile))
	}
	for _, d := range documents {
		require.True(t, json.Valid(d))
	}
	return documents
}

// padded puts members behind each place, where an object begins, together size bytes of them. They hold
// what some senders write for none.
func padded(document []byte, places []int, size int) []byte {
	var result []byte
	last := 0
	for _, at := range places {
		result = append(result, document[last:at]...)
		for i := range size/len(places)/len(`"extra00000":"-",`) + 1 {
			result = fmt.Appendf(result, `"extra%05d":"-",`, i)
		}
		if bytes.HasPrefix(bytes.TrimSpace(document[at:]), []byte("}")) {
			result = result[:len(result)-1]
		}
		last = at
	}
	return append(result, document[last:]...)
}

// repeated is the document with the items of its first array again and again; false where it has no array of
// objects at its top or in its first object.
func repeated(t *testing.T, document []byte) ([]byte, bool) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var root any
	require.NoError(t, decoder.Decode(&root))
	if items, ok := root.([]any); ok {
		return asJSON(t, more(items)), len(items) > 0
	}
	members, _ := root.(map[string]any)
	for key, value := range members {
		items, ok := value.([]any)
		if !ok || len(items) == 0 {
			continue
		}
		if _, ok := items[0].(map[string]any); ok {
			members[key] = more(items)
			return asJSON(t, members), true
		}
	}
	return nil, false
}

// more are the items, repeated until they are a few hundred.
func more(items []any) (all []any) {
	for len(all) < 400 {
		all = append(all, items...)
	}
	return all
}
