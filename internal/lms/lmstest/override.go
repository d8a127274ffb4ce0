package lmstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/training"
)

// overrideVersion is stamped on what the suite's own mappings read.
const overrideVersion = "suite-1"

// overrides takes every target there is from a constant, and then from nowhere, as a tenant's mapping may:
// what the platform says in more ways than a path can, included.
func (s Spec) overrides(t *testing.T) {
	for _, target := range mapping.Targets() {
		if target.OfEnrollments() {
			continue // a completion has none of it
		}
		t.Run(string(target), func(t *testing.T) {
			for _, text := range constants(target) {
				s.overridden(t, target, constant(target, text), text)
			}
			s.overridden(t, target, mapping.Field{Omit: true}, "")
		})
	}
}

// narrowed gives the mapping a condition that no event meets. A tenant's completionWhen takes away from what the
// platform reports as completions, with a reason; see lms.Adapter for where it adds to it too.
func (s Spec) narrowed(t *testing.T) {
	never := &mapping.Condition{Path: "$['countersign-unknown']", In: []string{"yes"}}
	m, err := s.Mapping.Override(mapping.Definition{Version: overrideVersion, CompletionWhen: never})
	require.NoError(t, err)
	adapter := s.New(m)
	for _, vector := range s.Valid {
		decoded, err := adapter.Decode(vector.Request())
		require.NoError(t, err)
		require.Empty(t, decoded.Completions, "%s: the adapter asks mapping.Reader.IsCompletion", vector.Name)
		require.GreaterOrEqual(t, len(decoded.Ignored), len(vector.Want), vector.Name)
	}
}

// overridden decodes every valid delivery with one field overridden and wants text in its place.
func (s Spec) overridden(t *testing.T, target mapping.Target, field mapping.Field, text string) {
	t.Helper()
	fields := map[mapping.Target]mapping.Field{target: field}
	if target == mapping.ScoreMax && text != "" { // a scale without a score says nothing
		fields[mapping.ScoreRaw] = constant(mapping.ScoreRaw, "7")
	}
	m, err := s.Mapping.Override(mapping.Definition{Version: overrideVersion, Fields: fields})
	require.NoError(t, err)
	adapter := s.New(m)
	for _, vector := range s.Valid {
		decoded, err := adapter.Decode(vector.Request())
		require.NoError(t, err)
		Check(t, adapter, decoded, err)
		if text != "" {
			require.Len(t, decoded.Completions, len(vector.Want), vector.Name)
			require.Empty(t, decoded.Problems)
		}
		for _, completion := range decoded.Completions { // without a learner, say, there is none
			require.Equal(t, text, value(completion, target), vector.Name)
			require.Equal(t, m.Version(), completion.MappingVersion)
		}
	}
}

// constants are the texts a target is given; no delivery has them of itself but for the two that passed can be.
func constants(target mapping.Target) []string {
	switch target {
	case mapping.CompletedAt, mapping.ExpiresAt, mapping.EnrolledAt, mapping.DueAt:
		return []string{"2031-02-03 04:05:06"}
	case mapping.ScoreRaw:
		return []string{"12.75"}
	case mapping.ScoreMax:
		return []string{"12.5"}
	case mapping.Passed:
		return []string{"true", "false"}
	default:
		return []string{"suite-7f3a"}
	}
}

func constant(target mapping.Target, text string) mapping.Field {
	field := mapping.Field{Const: &text}
	if target == mapping.CompletedAt || target == mapping.ExpiresAt || target.OfEnrollments() {
		field.Parse = "yyyy-MM-dd HH:mm:ss" // whatever way the platform writes its dates
	}
	return field
}

// value is what the completion has for the target, in the form of constants; "" for nothing.
func value(c training.Completion, target mapping.Target) string {
	switch target {
	case mapping.CompletedAt:
		return c.CompletedAt.Format(time.DateTime)
	case mapping.ExpiresAt:
		if c.ExpiresAt == nil {
			return ""
		}
		return c.ExpiresAt.Format(time.DateTime)
	case mapping.Passed:
		switch {
		case c.Score.Passed == nil:
			return ""
		case *c.Score.Passed:
			return "true"
		default:
			return "false"
		}
	default:
		return texts(c)[target]
	}
}

func texts(c training.Completion) map[mapping.Target]string {
	return map[mapping.Target]string{
		mapping.LearnerID: c.Learner.ID, mapping.LearnerUsername: c.Learner.Username, mapping.LearnerEmail: c.Learner.Email,
		mapping.LearnerExternalID: c.Learner.ExternalID, mapping.LearnerFirstName: c.Learner.FirstName,
		mapping.LearnerLastName: c.Learner.LastName, mapping.CourseID: c.Course.ID, mapping.CourseTitle: c.Course.Title,
		mapping.CourseCode: c.Course.Code, mapping.EnrollmentID: c.EnrollmentID, mapping.ScoreRaw: c.Score.Raw,
		mapping.ScoreMax: c.Score.Max, mapping.EventID: c.EventID, mapping.Event: c.Event,
	}
}

// trace decodes with a trace, as explain and the rehearsal do: the same comes out, and every completion
// can be explained.
func (s Spec) trace(t *testing.T) {
	for _, vector := range s.Valid {
		var trace mapping.Trace
		var decoded lms.Decoded
		decoded, err := s.New(s.Mapping.WithTrace(&trace)).Decode(vector.Request())
		require.NoError(t, err)
		require.Equal(t, s.want(vector), decoded.Completions, vector.Name)
		require.GreaterOrEqual(t, len(trace.Events), len(vector.Want), vector.Name)
		for _, event := range trace.Events {
			require.NotEmpty(t, event.Reads, vector.Name)
		}
	}
}
