package lmstest

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/training"
)

// Enrolled is a delivery and every field of the enrollments in it. Platform and MappingVersion are filled in.
type Enrolled struct {
	Recorded
	Want []training.Enrollment
}

// Unenrolled is a delivery whose one enrollment cannot be processed, and a part of the reason.
type Unenrolled struct {
	Recorded
	Reason string
}

// enrollments holds for enrollment events what the suite holds for completions.
func (s Spec) enrollments(t *testing.T) {
	for _, vector := range s.Enrolled {
		t.Run(vector.Name, func(t *testing.T) {
			want := slices.Clone(vector.Want)
			for i := range want {
				want[i].Platform, want[i].MappingVersion = s.adapter.Platform(), s.Mapping.Version()
			}
			decoded := s.read(t, vector.Request())
			require.Empty(t, decoded.Completions, "what is no completion must never become one (R79)")
			require.Empty(t, decoded.Problems)
			require.Equal(t, want, decoded.Enrollments)
			for i, document := range s.extended(t, vector.Recorded) {
				require.Equal(t, decoded, s.read(t, s.with(vector.Recorded, document)), "an extra member in place %d", i)
			}
			for _, wrong := range wrongValues() {
				for _, document := range s.replaced(t, vector.Recorded, json.RawMessage(wrong)) {
					_, _ = s.check(t, s.with(vector.Recorded, document))
				}
			}
			for _, document := range s.replaced(t, vector.Recorded, canary) {
				s.silent(t, s.with(vector.Recorded, document))
			}
		})
	}
	for _, vector := range s.Unenrolled {
		t.Run(vector.Name, func(t *testing.T) {
			decoded := s.read(t, vector.Request())
			require.Empty(t, decoded.Enrollments)
			require.Len(t, decoded.Problems, 1)
			require.True(t, decoded.Problems[0].Enrollment, "who wants no enrollments must not hear of it")
			require.Contains(t, decoded.Problems[0].Reason, vector.Reason)
		})
	}
	for _, target := range mapping.Targets() {
		for _, text := range constants(target) {
			s.enrolledOverride(t, target, text)
		}
	}
}

// enrolledOverride decodes every enrollment with one field overridden and wants text in its place.
func (s Spec) enrolledOverride(t *testing.T, target mapping.Target, text string) {
	t.Helper()
	m, err := s.Mapping.Override(mapping.Definition{
		Version: overrideVersion, Fields: map[mapping.Target]mapping.Field{target: constant(target, text)},
	})
	require.NoError(t, err)
	adapter := s.New(m)
	for _, vector := range s.Enrolled {
		decoded, err := adapter.Decode(vector.Request())
		require.NoError(t, err)
		Check(t, adapter, decoded, err)
		require.Len(t, decoded.Enrollments, len(vector.Want), "%s: %s", vector.Name, target)
		for _, e := range decoded.Enrollments {
			if got, has := ofEnrollment(e)[target]; has {
				require.Equal(t, text, got, "%s: %s", vector.Name, target)
			}
			require.Equal(t, m.Version(), e.MappingVersion)
		}
	}
}

// ofEnrollment is what the enrollment has for its targets, in the form of constants.
func ofEnrollment(e training.Enrollment) map[mapping.Target]string {
	due := ""
	if e.DueAt != nil {
		due = e.DueAt.Format(time.DateTime)
	}
	return map[mapping.Target]string{
		mapping.LearnerID: e.Learner.ID, mapping.LearnerUsername: e.Learner.Username, mapping.LearnerEmail: e.Learner.Email,
		mapping.LearnerExternalID: e.Learner.ExternalID, mapping.LearnerFirstName: e.Learner.FirstName,
		mapping.LearnerLastName: e.Learner.LastName, mapping.CourseID: e.Course.ID, mapping.CourseTitle: e.Course.Title,
		mapping.CourseCode: e.Course.Code, mapping.EnrollmentID: e.EnrollmentID, mapping.EventID: e.EventID, mapping.Event: e.Event,
		mapping.EnrolledAt: e.EnrolledAt.Format(time.DateTime), mapping.DueAt: due,
	}
}

// checkEnrollments holds what every enrollment keeps, whatever the request.
func checkEnrollments(t *testing.T, adapter lms.Adapter, decoded lms.Decoded) {
	t.Helper()
	for _, e := range decoded.Enrollments {
		require.NoError(t, e.Validate())
		require.Equal(t, adapter.Platform(), e.Platform)
		require.True(t, isVersion(e.MappingVersion, adapter.Platform()), "the mapping's version is missing")
		require.Empty(t, e.Tenant, "the tenant is the ingress's to say")
		require.Empty(t, e.Source, "the source is the ingress's to say")
		require.Equal(t, training.PrecisionMillisecond.Truncate(e.EnrolledAt), e.EnrolledAt)
	}
}
