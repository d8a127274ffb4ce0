package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"countersign/internal/simulator/fault"
	lmssim "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// triggered is what Moodle sends of Jordan Lee's completion: ids, and when its cron noticed.
const triggered = `{"eventname":"\\core\\event\\course_completed","courseid":"5541","relateduserid":"10291","timecreated":"1775831422"}`

// A completion whose event says hardly anything is carried with what the LMS knows; an LMS that is down for a moment
// costs a retry and no question.
func TestMoodleCompletionIsLookedUp_R15(t *testing.T) {
	finished := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	moodle, err := lmssim.New(lmssim.Options{Platform: "moodle"})
	require.NoError(t, err)
	t.Cleanup(moodle.Close)
	moodle.AddLearner(lmssim.Learner{ID: "10291", Username: "jordan.lee", Email: "jordan.lee@example.com", ExternalID: "HR-1", FirstName: "Jordan", LastName: "Lee"})
	moodle.AddCourse(lmssim.Course{ID: "5541", Title: "Annual Compliance Training 2026", Code: "COMP-2026"})
	moodle.AddEnrollment(lmssim.Enrollment{ID: "1", LearnerID: "10291", CourseID: "5541", CompletedAt: finished, Score: "91.5", Max: "100"})
	moodle.Fault(fault.Any, fault.Status(http.StatusServiceUnavailable, 1))
	url := serve(t, moodle.Handler())

	s := newSystem(t, func(p *plan) { p.moodle = url })
	record := s.learner(1)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/webhooks/lms/acme/portal", strings.NewReader(triggered))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := lms.Do(request)
	require.NoError(t, err)
	var answer receipt
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.NoError(t, response.Body.Close())
	require.Len(t, answer.Completions, 1)

	f, j := answer.Completions[0].Fingerprint, s.journal()
	s.eventually(func() bool { return state(s, j, f) == training.StateCompleted }, "completion %s ends", f)
	written, ok := s.qms.Record(record)
	require.True(t, ok)
	require.Equal(t, training.RecordCompleted, written.Status)
	require.NotNil(t, written.CompletionDate)
	require.True(t, finished.Equal(*written.CompletionDate), "when the learner finished, not when Moodle noticed: %s", written.CompletionDate)
	stored, err := j.Completion(t.Context(), tenant, f)
	require.NoError(t, err)
	require.Empty(t, stored.Completion.Learner.Email, "the completion stays as it came")
	require.Equal(t, f, stored.Completion.Fingerprint())
	s.record("looked-up", f)
}
