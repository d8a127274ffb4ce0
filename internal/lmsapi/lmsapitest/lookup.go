package lmsapitest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi"
	"countersign/internal/training"
)

func testFills(t *testing.T, spec Spec) {
	w := newWorld(t, spec, nil)
	got, err := w.client.Lookup(t.Context(), spec.Event)
	require.NoError(t, err)
	require.Equal(t, spec.Details, got)
	filled := got.Fill(spec.Event)
	require.NoError(t, filled.Validate(), "what was looked up can be stored")
}

func testSparing(t *testing.T, spec Spec) {
	w := newWorld(t, spec, nil)
	got, err := w.client.Lookup(t.Context(), whole(spec))
	require.NoError(t, err)
	require.Equal(t, spec.Asks, w.calls())
	require.Empty(t, got.Learner)
	require.Empty(t, got.Course)
	require.Empty(t, got.Score)
}

// whole is a completion that lacks nothing.
func whole(spec Spec) training.Completion {
	jane, course, passed := Jane(), Clearance(), true
	expires := Finished().AddDate(1, 0, 0)
	return lmsapi.Details{
		Learner:      training.Learner{ID: jane.ID, Username: jane.Username, Email: jane.Email, ExternalID: jane.ExternalID, FirstName: jane.FirstName, LastName: jane.LastName},
		Course:       training.Course{ID: course.ID, Title: course.Title, Code: course.Code},
		EnrollmentID: Enrollment().ID,
		Score:        training.Score{Raw: "91.5", Max: "100", Passed: &passed},
		ExpiresAt:    &expires,
	}.Fill(spec.Event)
}

// Somebody who was enrolled a moment ago has completed nothing: learner and course are found all the same.
func testBegun(t *testing.T, spec Spec) {
	w := newWorld(t, spec, nil)
	begun := Enrollment()
	begun.CompletedAt, begun.Score, begun.Max = time.Time{}, "", ""
	w.lms.Reset()
	w.lms.AddLearner(Jane())
	w.lms.AddCourse(Clearance())
	w.lms.AddEnrollment(begun)
	event := spec.Event
	event.CompletedAt, event.Precision, event.CompletedAtSource, event.Score = time.Time{}, "", "", training.Score{Raw: "0"}
	got, err := w.client.Lookup(t.Context(), event)
	require.NoError(t, err)
	require.Equal(t, spec.Details.Learner, got.Learner)
	require.Equal(t, spec.Details.Course, got.Course)
	require.Zero(t, got.CompletedAt)
}

// An LMS that knows neither the learner nor the course says nothing, and that is no failure: a person may have been
// deleted since.
func testUnknown(t *testing.T, spec Spec) {
	w := newWorld(t, spec, nil)
	w.lms.Reset()
	got, err := w.client.Lookup(t.Context(), spec.Event)
	require.NoError(t, err)
	require.Empty(t, got)
}

// An id is what some event said. It is never an address.
func testStrangeIDs(t *testing.T, spec Spec) {
	for _, id := range []string{"..", ".", "../../admin", "7?x=1", "7#x", "7/../8", "%2e%2e", "7 8", "'; --", strings.Repeat("9", 999), "ж"} {
		w := newWorld(t, spec, nil)
		c := spec.Event
		c.Learner = training.Learner{ID: id}
		c.Course = training.Course{ID: id}
		got, err := w.client.Lookup(t.Context(), c)
		if err != nil {
			failure := requireFailure(t, err, "")
			require.Contains(t, []training.FailureClass{training.FailureRefused, training.FailureMisread}, failure.Class, id)
		}
		require.Empty(t, got, id)
		require.Zero(t, w.lms.Calls("unknown"), "a path that the platform does not have: %s", id)
	}
}
