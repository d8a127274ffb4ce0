package lmstest

import (
	"net/http"
	"slices"
	"sync"
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
			require.Equal(t, s.want(vector), decoded.Completions)
		})
	}
	for _, vector := range s.Ignored {
		t.Run(vector.Name, func(t *testing.T) {
			decoded := s.read(t, vector.Request())
			require.Empty(t, decoded.Completions, "what is no completion must never become one (R79)")
			require.Empty(t, decoded.Problems)
			require.Empty(t, decoded.Enrollments)
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
			_, err := s.adapter.Decode(vector.Request())
			require.ErrorIs(t, err, lms.ErrUnreadable)
			require.ErrorContains(t, err, vector.Reason)
		})
	}
}

// want is what the vector holds, with what every completion of the platform has.
func (s Spec) want(vector Valid) []training.Completion {
	want := slices.Clone(vector.Want)
	for i := range want {
		want[i].Platform = s.adapter.Platform()
		if want[i].MappingVersion == "" {
			want[i].MappingVersion = s.Mapping.Version()
		}
	}
	return want
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
	decoded, err := s.adapter.Decode(r)
	require.Equal(t, body, r.Body, "the raw bytes are evidence and stay as they came (R24)")
	require.Equal(t, header, r.Header, "the headers are the ingress's")
	Check(t, s.adapter, decoded, err)
	return decoded, err
}

// Check holds what every answer of Decode keeps, whatever the request. Fuzz tests call it.
func Check(t *testing.T, adapter lms.Adapter, decoded lms.Decoded, err error) {
	t.Helper()
	if err != nil {
		require.ErrorIs(t, err, lms.ErrUnreadable)
		require.Empty(t, decoded.Completions, "completions beside an error would be lost")
		require.Empty(t, decoded.Enrollments, "enrollments beside an error would be lost")
		return
	}
	found := len(decoded.Completions) + len(decoded.Enrollments) + len(decoded.Ignored) + len(decoded.Problems)
	require.NotZero(t, found, "a readable body that says nothing is dropped silently (law 4)")
	for _, completion := range decoded.Completions {
		require.NoError(t, completion.Validate())
		require.Equal(t, adapter.Platform(), completion.Platform)
		require.True(t, isVersion(completion.MappingVersion, adapter.Platform()), "the mapping's version is missing")
		require.Empty(t, completion.Tenant, "the tenant is the ingress's to say")
		require.Empty(t, completion.Source, "the source is the ingress's to say")
		require.Equal(t, completion.Precision.Truncate(completion.CompletedAt), completion.CompletedAt)
		require.NotEmpty(t, completion.CompletedAtSource)
	}
	checkEnrollments(t, adapter, decoded)
	for _, ignored := range decoded.Ignored {
		require.NotEmpty(t, ignored.Reason)
	}
	for _, problem := range decoded.Problems {
		require.NotEmpty(t, problem.Reason)
	}
}

// extraMembers puts an unknown member into every place, one at a time.
func (s Spec) extraMembers(t *testing.T) {
	for _, vector := range s.Valid {
		want := s.read(t, vector.Request())
		for i, document := range s.extended(t, vector.Recorded) {
			require.Equal(t, want, s.read(t, s.with(vector.Recorded, document)), "%s, place %d", vector.Name, i)
		}
	}
}

// anyType sends every valid delivery under types that are not its own.
func (s Spec) anyType(t *testing.T) {
	for _, vector := range s.Valid {
		want := s.want(vector)
		for _, types := range [][]string{
			nil, {""}, {"application/json"}, {formType}, {"text/plain; charset=utf-16"}, {"multipart/form-data; boundary=x"}, {"?"}, {"application/json", formType},
		} {
			r := vector.Request()
			r.Header = r.Header.Clone()
			if r.Header == nil {
				r.Header = http.Header{}
			}
			r.Header["Content-Type"] = types
			decoded := s.read(t, r)
			require.Empty(t, decoded.Problems, "%s as %q", vector.Name, types)
			require.Equal(t, want, decoded.Completions, "%s as %q", vector.Name, types)
		}
	}
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

// concurrent decodes every delivery several times at once; the race detector looks on.
func (s Spec) concurrent(t *testing.T) {
	const times = 4
	for _, vector := range s.Valid {
		answers := make([]lms.Decoded, times)
		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() {
				// An error leaves the answer empty, which is not what is wanted.
				answers[i], _ = s.adapter.Decode(vector.Request())
			})
		}
		group.Wait()
		for _, answer := range answers {
			require.Equal(t, s.want(vector), answer.Completions, vector.Name)
		}
	}
}
