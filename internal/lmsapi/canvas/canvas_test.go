package canvas_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/canvas"
	"countersign/internal/lmsapi/lmsapitest"
	"countersign/internal/lmsapi/rest"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

// event is what the webhook's adapter makes of a course_completed of a course without a SIS id.
func event() training.Completion {
	return training.Completion{
		Platform: "canvas", Event: "course_completed",
		Learner:     training.Learner{ID: "10291", Email: "jane.roe@example.test", FirstName: "Jane Roe"},
		Course:      training.Course{ID: "5541", Title: "Line clearance & release"},
		CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "body.progress.completed_at",
	}
}

func jane() training.Learner {
	return training.Learner{Username: "jane.roe", Email: "jane.roe@example.test", ExternalID: "EMP-20001", FirstName: "Jane Roe"}
}

func clearance() training.Course {
	return training.Course{Title: "Line clearance & release", Code: "SOP-017"}
}

func TestCanvas_R15(t *testing.T) {
	course := clearance()
	course.ID = "5541"
	lmsapitest.Run(t, lmsapitest.Spec{
		Manner:   canvas.Manner(),
		New:      func(cfg rest.Config) (lmsapi.Client, error) { return canvas.New(cfg) },
		Event:    event(),
		Undated:  true,
		Details:  lmsapi.Details{Learner: jane(), Course: clearance(), Score: training.Score{Raw: "91.5", Max: "100"}},
		PageSize: "per_page",
		Listed: training.Completion{
			Platform: "canvas", Learner: training.Learner{ID: "10291"}, Course: course,
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "progress.completed_at",
		},
	})
}

// client is a client of the LMS behind handler.
func client(t *testing.T, handler http.Handler) *canvas.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := canvas.New(rest.Config{URL: server.URL, Credentials: map[rest.Key]string{rest.KeyToken: "s3cret-canvas-token"}})
	require.NoError(t, err)
	return c
}

func lms(t *testing.T) *simulated.LMS {
	t.Helper()
	lms, err := simulated.New(simulated.Options{Platform: "canvas"})
	require.NoError(t, err)
	t.Cleanup(lms.Close)
	lms.AddLearner(lmsapitest.Jane())
	lms.AddCourse(lmsapitest.Clearance())
	lms.AddEnrollment(lmsapitest.Enrollment())
	return lms
}

// An event without completed_at carries the time of sending; Canvas knows better.
func TestProvisionalInstantIsLookedUp_R15(t *testing.T) {
	provisional := event()
	provisional.CompletedAt, provisional.CompletedAtSource = lmsapitest.Finished().Add(5*time.Minute), "metadata.event_time"
	got, err := client(t, lms(t).Handler()).Lookup(t.Context(), provisional)
	require.NoError(t, err)
	require.Equal(t, lmsapitest.Finished(), got.CompletedAt)
}

// A learner who did the course again has a later one, which is not the event's.
func TestLaterInstantIsOfAnotherCompletion(t *testing.T) {
	provisional := event()
	provisional.CompletedAt, provisional.CompletedAtSource = lmsapitest.Finished().Add(-time.Minute), "metadata.event_time"
	got, err := client(t, lms(t).Handler()).Lookup(t.Context(), provisional)
	require.NoError(t, err)
	require.Zero(t, got.CompletedAt)
}

// A page of courses may shrink between two calls, or be empty, and others follow it all the same.
func TestListingGoesOnBehindAShorterPage_R143(t *testing.T) {
	pages := map[string]string{"1": `[]`, "2": `[{"id":5541,"name":"Line clearance & release"}]`}
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := `[{"id":10291,"progress":{"completed_at":"2026-04-08T14:30:22Z"}}]`
		if r.URL.Path == "/api/v1/accounts/self/courses" {
			answer = pages[r.URL.Query().Get("page")]
			if r.URL.Query().Get("page") == "1" {
				w.Header().Set("Link", `<https://canvas.example.test/>; rel="next"`)
			}
		}
		if _, err := io.WriteString(w, answer); err != nil {
			t.Errorf("answer: %v", err)
		}
	}))
	w := lmsapi.Window{From: lmsapitest.Finished(), To: lmsapitest.Finished().Add(time.Second)}
	first, err := c.Completions(t.Context(), w, "")
	require.NoError(t, err)
	require.NotEmpty(t, first.Next)
	second, err := c.Completions(t.Context(), w, first.Next)
	require.NoError(t, err)
	require.Len(t, second.Completions, 1)
	require.Empty(t, second.Next)
}

// The vendor's pages disagree on the status of a throttled call; a 403 with these words is one.
func TestThrottled403IsARateLimit(t *testing.T) {
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		if _, err := io.WriteString(w, "403 Forbidden (Rate Limit Exceeded)\n"); err != nil {
			t.Errorf("answer: %v", err)
		}
	}))
	_, err := c.Lookup(t.Context(), event())
	var failure *training.Failure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, training.FailureRateLimited, failure.Class)
}

func TestExtraCreditIsNoScoreOfAHundred(t *testing.T) {
	world := lms(t)
	e := lmsapitest.Enrollment()
	e.Score = "104.5"
	world.AddEnrollment(e)
	got, err := client(t, world.Handler()).Lookup(t.Context(), event())
	require.NoError(t, err)
	require.Zero(t, got.Score)
}

// A course without modules has no progress; the listing goes on behind it.
func TestListingPassesCoursesWithoutModules_R143(t *testing.T) {
	world := lms(t)
	world.AddCourse(simulated.Course{ID: "12", Title: "A page of links"})
	c := client(t, world.Handler())
	w := lmsapi.Window{From: lmsapitest.Finished(), To: lmsapitest.Finished().Add(time.Second)}
	first, err := c.Completions(t.Context(), w, "")
	require.NoError(t, err)
	require.Empty(t, first.Completions)
	second, err := c.Completions(t.Context(), w, first.Next)
	require.NoError(t, err)
	require.Len(t, second.Completions, 1)
	require.Empty(t, second.Next)
}
