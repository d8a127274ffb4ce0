package lmstest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/training"
)

func (s Spec) decode(t *testing.T) {
	for _, vector := range s.Valid {
		t.Run(vector.Name, func(t *testing.T) {
			decoded := s.read(t, vector.Request())
			require.Empty(t, decoded.Problems)
			want := slices.Clone(vector.Want)
			for i := range want {
				want[i].Platform = s.Adapter.Platform()
			}
			require.Equal(t, want, decoded.Completions)
		})
	}
	for _, vector := range s.Ignored {
		t.Run(vector.Name, func(t *testing.T) {
			decoded := s.read(t, vector.Request())
			require.Empty(t, decoded.Completions, "what is no completion must never become one (R79)")
			require.Empty(t, decoded.Problems)
			require.Equal(t, vector.Want, decoded.Ignored)
		})
	}
	for _, vector := range s.Problems {
		t.Run(vector.Name, func(t *testing.T) {
			decoded := s.read(t, vector.Request())
			require.Empty(t, decoded.Completions)
			require.Len(t, decoded.Problems, 1)
			require.Contains(t, decoded.Problems[0].Reason, vector.Reason)
		})
	}
	for _, vector := range s.Unreadable {
		t.Run(vector.Name, func(t *testing.T) {
			_, err := s.Adapter.Decode(vector.Request())
			require.ErrorIs(t, err, lms.ErrUnreadable)
			require.ErrorContains(t, err, vector.Reason)
		})
	}
}

// read decodes a request that must be readable.
func (s Spec) read(t *testing.T, r lms.Request) lms.Decoded {
	t.Helper()
	decoded, err := s.check(t, r)
	require.NoError(t, err)
	return decoded
}

// check decodes any request at all and holds what every answer must keep.
func (s Spec) check(t *testing.T, r lms.Request) (lms.Decoded, error) {
	t.Helper()
	body, header := slices.Clone(r.Body), r.Header.Clone()
	decoded, err := s.Adapter.Decode(r)
	require.Equal(t, body, r.Body, "the raw bytes are evidence and stay as they came (R24)")
	require.Equal(t, header, r.Header, "the headers are the ingress's")
	Check(t, s.Adapter, decoded, err)
	return decoded, err
}

// Check holds what every answer of Decode keeps, whatever the request. Fuzz tests call it.
func Check(t *testing.T, adapter lms.Adapter, decoded lms.Decoded, err error) {
	t.Helper()
	if err != nil {
		require.ErrorIs(t, err, lms.ErrUnreadable)
		require.Empty(t, decoded.Completions, "completions beside an error would be lost")
		return
	}
	found := len(decoded.Completions) + len(decoded.Ignored) + len(decoded.Problems)
	require.NotZero(t, found, "a readable body that says nothing is dropped silently (law 4)")
	for _, completion := range decoded.Completions {
		require.NoError(t, completion.Validate())
		require.Equal(t, adapter.Platform(), completion.Platform)
		require.Empty(t, completion.Tenant, "the tenant is the ingress's to say")
		require.Empty(t, completion.Source, "the source is the ingress's to say")
		require.Equal(t, completion.Precision.Truncate(completion.CompletedAt), completion.CompletedAt)
		require.NotEmpty(t, completion.CompletedAtSource)
	}
	for _, ignored := range decoded.Ignored {
		require.NotEmpty(t, ignored.Reason)
	}
	for _, problem := range decoded.Problems {
		require.NotEmpty(t, problem.Reason)
	}
}

// extraMembers puts an unknown member into every object, one at a time.
func (s Spec) extraMembers(t *testing.T) {
	for _, vector := range s.Valid {
		want := s.read(t, vector.Request())
		for _, at := range objects(vector.Body) {
			extra := `"countersign-unknown":{"id":[1,null,"x"],"event":false}`
			if rest := strings.TrimSpace(string(vector.Body[at:])); !strings.HasPrefix(rest, "}") {
				extra += ","
			}
			body := slices.Concat(vector.Body[:at], []byte(extra), vector.Body[at:])
			require.True(t, json.Valid(body))
			require.Equal(t, want, s.read(t, post(vector.Header, body)), "%s, member added at byte %d", vector.Name, at)
		}
	}
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

func (s Spec) replay(t *testing.T) {
	for _, vector := range s.Valid {
		first, second := s.read(t, vector.Request()), s.read(t, vector.Request())
		require.Equal(t, fingerprints(first), fingerprints(second), vector.Name)
		require.Len(t, fingerprints(first), len(vector.Want), vector.Name)
	}
}

func fingerprints(decoded lms.Decoded) (all []training.Fingerprint) {
	for _, completion := range decoded.Completions {
		all = append(all, completion.Fingerprint())
	}
	return all
}
