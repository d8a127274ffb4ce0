package talentlms_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	webhook "countersign/internal/lms/talentlms"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/lmsapitest"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/lmsapi/talentlms"
	"countersign/internal/simulator/fault"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

// event is a timeline's record of Jane's completion.
func event(t *testing.T) training.Completion {
	t.Helper()
	return decoded(t, `{"action":"course_completion","message":"Jane Roe completed the course","timestamp":"08/04/2026, 15:30:22",
		"unix_timestamp":"1775658622","user_id":"10291","user_username":"jane.roe","user_email":"","user_fullname":"Jane Roe","object_id":"5541",
		"object_name":"Line clearance & release","secondary_object_id":"-","secondary_object_name":"-","event_counter":"1"}`)
}

// decoded is what the webhook's adapter makes of a delivery: listing and delivery must agree on who, what and when.
func decoded(t *testing.T, body string) training.Completion {
	t.Helper()
	got, err := webhook.New(nil).Decode(lms.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)})
	require.NoError(t, err)
	require.Empty(t, got.Problems)
	require.Len(t, got.Completions, 1)
	require.Equal(t, lmsapitest.Finished(), got.Completions[0].CompletedAt)
	return got.Completions[0]
}

func TestTalentLMS_R15_R132_R145_R169(t *testing.T) {
	lmsapitest.Run(t, lmsapitest.Spec{
		Manner:    talentlms.Manner(),
		New:       func(cfg rest.Config) (lmsapi.Client, error) { return talentlms.New(cfg) },
		Configure: func(cfg *rest.Config) { cfg.ExternalIDField = "custom_field_4" },
		Event:     event(t),
		Details: lmsapi.Details{
			Learner: training.Learner{Username: "jane.roe", Email: "jane.roe@example.test", ExternalID: "EMP-20001"},
			Course:  training.Course{Title: "Line clearance & release", Code: "SOP-017"},
			Score:   training.Score{Raw: "91.5", Max: "100"},
		},
		Listed: training.Completion{
			Platform: "talentlms", Learner: training.Learner{ID: "10291", FirstName: "Jane Roe"},
			Course:      training.Course{ID: "5541", Title: "Line clearance & release", Code: "SOP-017"},
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "completed_on_timestamp",
		},
	})
}

func config(url string, lms *simulated.LMS) rest.Config {
	cfg := rest.Config{URL: url, Credentials: map[rest.Key]string{rest.KeyAPIKey: "s3cret"}}
	if lms != nil {
		cfg.Credentials[rest.KeyAPIKey] = lms.Credentials()["api_key"]
	}
	return cfg
}

func connect(t *testing.T, now func() time.Time) (*simulated.LMS, *talentlms.Client) {
	t.Helper()
	lms, err := simulated.New(simulated.Options{Platform: talentlms.Platform, Now: now})
	require.NoError(t, err)
	t.Cleanup(lms.Close)
	lms.AddLearner(lmsapitest.Jane())
	lms.AddCourse(lmsapitest.Clearance())
	lms.AddEnrollment(lmsapitest.Enrollment())
	server := httptest.NewServer(lms.Handler())
	t.Cleanup(server.Close)
	cfg := config(server.URL, lms)
	cfg.Now = now
	c, err := talentlms.New(cfg)
	require.NoError(t, err)
	return lms, c
}

func window() lmsapi.Window {
	return lmsapi.Window{From: lmsapitest.Finished().Add(-time.Hour), To: lmsapitest.Finished().Add(time.Hour)}
}

// A name that the event has in one piece is not doubled by the user's two.
func TestANameInOnePiece(t *testing.T) {
	_, c := connect(t, nil)
	d, err := c.Lookup(t.Context(), event(t))
	require.NoError(t, err)
	require.Equal(t, "Jane Roe", d.Fill(event(t)).Learner.FullName())

	without := event(t)
	without.Learner.FirstName = ""
	d, err = c.Lookup(t.Context(), without)
	require.NoError(t, err)
	require.Equal(t, "Roe", d.Fill(without).Learner.LastName)
}

// The user's status is the present one: after a repeated course its score is that of the later completion.
func TestAStatusOfAnotherCompletion(t *testing.T) {
	lms, c := connect(t, nil)
	e := lmsapitest.Enrollment()
	e.CompletedAt = e.CompletedAt.Add(time.Hour)
	lms.AddEnrollment(e)
	d, err := c.Lookup(t.Context(), event(t))
	require.NoError(t, err)
	require.Empty(t, d.Score)
}

// The list of courses is read once for many completions, and again for a course that is new.
func TestTheListOfCoursesIsKeptForAWhile(t *testing.T) {
	now := lmsapitest.Finished()
	lms, c := connect(t, func() time.Time { return now })
	for range 3 {
		_, err := c.Lookup(t.Context(), event(t))
		require.NoError(t, err)
	}
	require.Equal(t, 1, lms.Calls(simulated.EndpointTalentCourses))

	lms.AddCourse(simulated.Course{ID: "5542", Title: "New", Code: "N"})
	e := event(t)
	e.Course = training.Course{ID: "5542"}
	d, err := c.Lookup(t.Context(), e)
	require.NoError(t, err)
	require.Empty(t, d.Course, "not every minute for a course that may not exist")
	now = now.Add(10 * time.Minute)
	d, err = c.Lookup(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, "N", d.Course.Code)
	require.Equal(t, 2, lms.Calls(simulated.EndpointTalentCourses))

	now = now.Add(time.Hour)
	_, err = c.Lookup(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, 3, lms.Calls(simulated.EndpointTalentCourses), "a title may change")
}

// A course that was failed is no completion, as with the webhook.
func TestAFailedCourseIsNotListed(t *testing.T) {
	lms, c := connect(t, nil)
	e, failed := lmsapitest.Enrollment(), false
	e.Passed = &failed
	lms.AddEnrollment(e)
	page, err := c.Completions(t.Context(), window(), "")
	require.NoError(t, err)
	require.Empty(t, page.Completions)
	require.Empty(t, page.Unreadable)
}

// Trouble in the middle of a page loses nothing of what was read, and the cursor goes on with what was not.
func TestAPageThatEndsEarly_R145(t *testing.T) {
	lms, c := connect(t, nil)
	for i := range 3 {
		course := simulated.Course{ID: fmt.Sprint(6000 + i), Title: "C"}
		lms.AddCourse(course)
		e := lmsapitest.Enrollment()
		e.ID, e.CourseID = fmt.Sprint(78000+i), course.ID
		lms.AddEnrollment(e)
	}
	lms.Fault(simulated.EndpointTalentCourse, fault.Slow(0, 2), fault.Status(500, 1))
	page, err := c.Completions(t.Context(), window(), "")
	require.NoError(t, err)
	require.Len(t, page.Completions, 2)
	require.Equal(t, "6001", page.Next)
	rest, err := c.Completions(t.Context(), window(), page.Next)
	require.NoError(t, err)
	require.Len(t, rest.Completions, 2)
	require.Empty(t, rest.Next)
}

// answering is a portal that answers one path, and everything else with a list of two courses.
func answering(t *testing.T, path string, status int, body string) *talentlms.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := `[{"id":"1","name":"A","code":""},{"id":2,"name":"B","code":null}]`
		if r.URL.Path == path {
			w.WriteHeader(status)
			answer = body
		} else if strings.HasPrefix(r.URL.Path, "/api/v1/courses/") {
			answer = `{"id":"2","name":"B","users":[{"id":7,"name":"J R","completed_on_timestamp":1775658622},{"id":"8","completed_on_timestamp":"soon"},
				{"id":"9","completion_status":"Abgeschlossen","completed_on_timestamp":"1775658622"},
				{"id":"10","completion_status":"Failed","completed_on_timestamp":"1775658622"},
				{"id":"11","completion_status":"In progress","completed_on_timestamp":null}]}`
		}
		if _, err := w.Write([]byte(answer)); err != nil {
			t.Errorf("answer: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	c, err := talentlms.New(config(server.URL, nil))
	require.NoError(t, err)
	return c
}

// An error is one under whatever status it comes, and its words stay where they are.
func TestAnErrorUnderAnyStatus(t *testing.T) {
	user := training.Completion{Learner: training.Learner{ID: "7"}}
	for name, tc := range map[string]struct {
		status  int
		message string
		want    training.FailureClass // "" for nothing found
	}{
		"nobody, said with 404":  {404, "The requested user does not exist", ""},
		"nobody, said with 200":  {200, "The requested user does not exist", ""},
		"nobody, said with 400":  {400, "The requested user does not exist", ""},
		"no such call":           {404, "The requested API action does not exist", training.FailureRefused},
		"another error with 200": {200, "Jane Roe may not", training.FailureRefused},
		"no key":                 {401, "Invalid API key", training.FailureCredentials},
		"switched off":           {403, "API is not enabled", training.FailureCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			c := answering(t, "/api/v1/users/id:7", tc.status, `{"error":{"type":"invalid_request_error","message":"`+tc.message+`"}}`)
			d, err := c.Lookup(t.Context(), user)
			if tc.want == "" {
				require.NoError(t, err)
				require.Empty(t, d)
				return
			}
			var failure *training.Failure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, tc.want, failure.Class)
			require.NotContains(t, err.Error(), "Jane")
		})
	}
}

// A course with more users than one answer may hold is said, and does not hold up the others; so is a row whose date or
// word nobody knows.
func TestWhatCannotBeRead_R145(t *testing.T) {
	w := lmsapi.Window{From: time.Unix(0, 0), To: lmsapitest.Finished().AddDate(1, 0, 0)}
	c := answering(t, "/api/v1/courses/id:1", http.StatusOK, `{"users":["`+strings.Repeat("x", 33<<20)+`"]}`)
	page, err := c.Completions(t.Context(), w, "")
	require.NoError(t, err)
	require.Equal(t, []string{"users of course 1: misread: list completions /api/v1/courses/id:{}: answer is larger than 32 MiB, the most that is read",
		"completed_on_timestamp: want whole seconds since 1970", "completion_status: unknown word beside a date"}, page.Unreadable)
	require.Len(t, page.Completions, 1)
	require.Equal(t, "7", page.Completions[0].Learner.ID)

	c = answering(t, "/api/v1/courses/id:1", http.StatusOK, `{"id":"1","name":"A"}`)
	_, err = c.Completions(t.Context(), w, "")
	var failure *training.Failure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, training.FailureMisread, failure.Class, "no users is not nobody")
}

// Two units with scores: which of them is the course's is not ours to say.
func TestTwoScoresAreNone(t *testing.T) {
	c := answering(t, "/api/v1/getuserstatusincourse/course_id:1,user_id:7", http.StatusOK,
		`{"completed_on_timestamp":"1775658622","units":[{"score":"80"},{"score":"60"},{"score":""}]}`)
	d, err := c.Lookup(t.Context(), training.Completion{
		Learner: training.Learner{ID: "7", Username: "j", Email: "j@example.test", FirstName: "J"}, Course: training.Course{ID: "1", Title: "A", Code: "A"},
		CompletedAt: time.Unix(1775658622, 0),
	})
	require.NoError(t, err)
	require.Empty(t, d.Score)
}
