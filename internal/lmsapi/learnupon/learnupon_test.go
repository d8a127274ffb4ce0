package learnupon_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	webhook "countersign/internal/lms/learnupon"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/learnupon"
	"countersign/internal/lmsapi/lmsapitest"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/simulator/fault"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

// event is a delivery of Jane's completion, in version 2 and without a score.
func event(t *testing.T) training.Completion {
	t.Helper()
	return decoded(t, `{"data":[{"courseId":5541,"enrollmentId":77001,"courseReferenceCode":null,
		"dateEnrolled":"2026-03-30T08:00:00.000Z","dateCompleted":"2026-04-08T14:30:22.000Z","enrollmentStatus":"completed","percentage":null,
		"user":{"userId":10291,"username":"jane.roe","email":"jane.roe@example.test"},"eventCreated":"2026-04-08T14:30:25.000Z"}]}`)
}

// decoded is what the webhook's adapter makes of a delivery: listing and delivery must agree on who, what and when.
func decoded(t *testing.T, body string) training.Completion {
	t.Helper()
	got, err := webhook.New(nil).Decode(lms.Request{Method: http.MethodPost, Header: http.Header{"X-Webhook-Type": {"course_completion"}, "X-Webhook-Id": {"wh-1"}}, Body: []byte(body)})
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.Len(t, got.Completions, 1)
	require.Equal(t, lmsapitest.Finished(), got.Completions[0].CompletedAt)
	return got.Completions[0]
}

func score() training.Score {
	passed := true
	return training.Score{Raw: "91.5", Max: "100", Passed: &passed}
}

func TestLearnUpon_R15_R143_R175(t *testing.T) {
	jane := training.Learner{Username: "jane.roe", Email: "jane.roe@example.test", FirstName: "Jane", LastName: "Roe"}
	listed := jane
	listed.ID = "10291"
	jane.ExternalID = "EMP-20001"
	lmsapitest.Run(t, lmsapitest.Spec{
		Manner:    learnupon.Manner(),
		New:       func(cfg rest.Config) (lmsapi.Client, error) { return learnupon.New(cfg) },
		Configure: func(cfg *rest.Config) { cfg.ExternalIDField = "employee_number" },
		Event:     event(t),
		Details: lmsapi.Details{
			Learner: jane, Course: training.Course{Title: "Line clearance & release", Code: "SOP-017"}, EnrollmentID: "77001", Score: score(),
		},
		Listed: training.Completion{
			Platform: "learnupon", EnrollmentID: "77001", Learner: listed, Course: training.Course{ID: "5541", Title: "Line clearance & release"},
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "date_completed", Score: score(),
		},
	})
}

func connect(t *testing.T) (*simulated.LMS, *learnupon.Client) {
	t.Helper()
	lms, err := simulated.New(simulated.Options{Platform: learnupon.Platform})
	require.NoError(t, err)
	t.Cleanup(lms.Close)
	lms.AddLearner(lmsapitest.Jane())
	lms.AddCourse(lmsapitest.Clearance())
	lms.AddEnrollment(lmsapitest.Enrollment())
	server := httptest.NewServer(lms.Handler())
	t.Cleanup(server.Close)
	cfg := rest.Config{URL: server.URL, Credentials: map[rest.Key]string{}}
	for key, value := range lms.Credentials() {
		cfg.Credentials[rest.Key(key)] = value
	}
	c, err := learnupon.New(cfg)
	require.NoError(t, err)
	return lms, c
}

func window() lmsapi.Window {
	return lmsapi.Window{From: lmsapitest.Finished().Add(-time.Hour), To: lmsapitest.Finished().Add(time.Hour)}
}

// Without its number the enrollment is the learner's only one in the course that was completed at that second.
func TestAnEnrollmentWithoutItsNumber_R15(t *testing.T) {
	lms, c := connect(t)
	again := lmsapitest.Enrollment()
	again.ID, again.CompletedAt, again.Score = "77002", again.CompletedAt.AddDate(1, 0, 0), "12"
	lms.AddEnrollment(again)
	e := event(t)
	e.EnrollmentID = ""
	d, err := c.Lookup(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, "77001", d.EnrollmentID)
	require.Equal(t, score(), d.Score)

	e.CompletedAt = e.CompletedAt.Add(time.Minute)
	d, err = c.Lookup(t.Context(), e)
	require.NoError(t, err)
	require.Empty(t, d.EnrollmentID, "none is chosen by guessing")
}

// The enrollment of another learner or course says nothing about this one, whatever number the event names.
func TestAnEnrollmentOfSomebodyElse(t *testing.T) {
	lms, c := connect(t)
	other := lmsapitest.Enrollment()
	other.ID, other.LearnerID = "77002", "10292"
	lms.AddEnrollment(other)
	e := event(t)
	e.EnrollmentID = "77002"
	d, err := c.Lookup(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, lmsapi.Details{Course: training.Course{Code: "SOP-017"}}, d)
}

// The score and the expiry of an enrollment that went on are not those of the completion.
func TestAnEnrollmentThatWentOn(t *testing.T) {
	lms, c := connect(t)
	e, expires := lmsapitest.Enrollment(), lmsapitest.Finished().AddDate(2, 0, 0)
	e.ExpiresAt = &expires
	lms.AddEnrollment(e)
	d, err := c.Lookup(t.Context(), event(t))
	require.NoError(t, err)
	require.Equal(t, &expires, d.ExpiresAt)

	e.CompletedAt = e.CompletedAt.AddDate(1, 0, 0)
	lms.AddEnrollment(e)
	d, err = c.Lookup(t.Context(), event(t))
	require.NoError(t, err)
	require.Empty(t, d.Score)
	require.Nil(t, d.ExpiresAt)
	require.Equal(t, "Jane", d.Learner.FirstName)
}

// A course that was failed is finished, as in the webhook; a score of 0 is a score, and none is none (R72).
func TestWhatTheStatusSays_R72_R143(t *testing.T) {
	lms, c := connect(t)
	failed := false
	for i, score := range []string{"0", ""} {
		e := lmsapitest.Enrollment()
		e.ID, e.Passed, e.Score = fmt.Sprint(77002+i), &failed, score
		if score == "" {
			e.Passed = nil
		}
		lms.AddEnrollment(e)
	}
	page, err := c.Completions(t.Context(), window(), "")
	require.NoError(t, err)
	require.Len(t, page.Completions, 3)
	require.Equal(t, training.Score{Raw: "0", Max: "100", Passed: &failed}, page.Completions[1].Score)
	require.Equal(t, training.Score{}, page.Completions[2].Score)
}

// Trouble in the middle of a page loses nothing of what was read, and the cursor goes on with what was not.
func TestAPageThatEndsEarly_R145(t *testing.T) {
	lms, c := connect(t)
	for i := range 3 {
		course := simulated.Course{ID: fmt.Sprint(6000 + i), Title: "C"}
		lms.AddCourse(course)
		e := lmsapitest.Enrollment()
		e.ID, e.CourseID = fmt.Sprint(78000+i), course.ID
		lms.AddEnrollment(e)
	}
	lms.Fault(simulated.EndpointLearnUponSearch, fault.Slow(0, 2), fault.Status(500, 1))
	page, err := c.Completions(t.Context(), window(), "")
	require.NoError(t, err)
	require.Len(t, page.Completions, 2)
	rest, err := c.Completions(t.Context(), window(), page.Next)
	require.NoError(t, err)
	require.Len(t, rest.Completions, 2)
	require.Equal(t, "6001", rest.Completions[0].Course.ID)
	require.Empty(t, rest.Next)
}
