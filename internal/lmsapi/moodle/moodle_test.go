package moodle_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/lmsapitest"
	"countersign/internal/lmsapi/moodle"
	"countersign/internal/lmsapi/rest"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

// noticed is when Moodle's cron noticed, days after the learner finished.
func noticed() time.Time { return lmsapitest.Finished().Add(3*24*time.Hour + 7*time.Minute) }

// event is what the webhook's adapter makes of a delivery: ids and a provisional instant.
func event() training.Completion {
	return training.Completion{
		Platform: "moodle", Event: `\core\event\course_completed`,
		Learner: training.Learner{ID: "10291"}, Course: training.Course{ID: "5541"},
		CompletedAt: noticed(), Precision: training.PrecisionMillisecond, CompletedAtSource: "timecreated",
	}
}

func jane() training.Learner {
	return training.Learner{ID: "10291", Username: "jane.roe", Email: "jane.roe@example.test", ExternalID: "EMP-20001", FirstName: "Jane", LastName: "Roe"}
}

func clearance() training.Course {
	return training.Course{ID: "5541", Title: "Line clearance & release", Code: "SOP-017"}
}

func TestMoodle_R15(t *testing.T) {
	passed := true
	lmsapitest.Run(t, lmsapitest.Spec{
		Manner: moodle.Manner(),
		New:    func(cfg rest.Config) (lmsapi.Client, error) { return moodle.New(cfg) },
		Event:  event(),
		Asks:   1,
		Details: lmsapi.Details{
			Learner: jane(), Course: clearance(),
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond,
			Score: training.Score{Raw: "91.5", Max: "100", Passed: &passed},
		},
		Apart: true,
		Listed: training.Completion{
			Platform: "moodle", Learner: jane(), Course: clearance(),
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "completions[].timecompleted",
		},
	})
}

// client is a client of a simulated Moodle with Jane's completion, at the time at which the event came.
func client(t *testing.T, change func(*simulated.LMS)) (*moodle.Client, *simulated.LMS) {
	t.Helper()
	lms, err := simulated.New(simulated.Options{Platform: "moodle"})
	require.NoError(t, err)
	t.Cleanup(lms.Close)
	lms.AddLearner(lmsapitest.Jane())
	lms.AddCourse(lmsapitest.Clearance())
	lms.AddEnrollment(lmsapitest.Enrollment())
	if change != nil {
		change(lms)
	}
	server := httptest.NewServer(lms.Handler())
	t.Cleanup(server.Close)
	c, err := moodle.New(rest.Config{URL: server.URL, Now: noticed, Credentials: map[rest.Key]string{rest.KeyToken: lms.Credentials()["token"]}})
	require.NoError(t, err)
	return c, lms
}

// Moodle sends an event before its own transaction is committed: at first "not completed" is not believed.
func TestNotCompletedYetIsAskedAgain_R15(t *testing.T) {
	c, lms := client(t, func(lms *simulated.LMS) {
		e := lmsapitest.Enrollment()
		e.CompletedAt = time.Time{}
		lms.AddEnrollment(e)
	})
	_, err := c.Lookup(t.Context(), event())
	var failure *training.Failure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, "unreachable: look up completion /webservice/rest/server.php: Moodle does not show the completion yet", failure.Error())

	lms.AddEnrollment(lmsapitest.Enrollment())
	got, err := c.Lookup(t.Context(), event())
	require.NoError(t, err)
	require.Equal(t, lmsapitest.Finished(), got.CompletedAt)
}

// After a reset of the course the completion is gone from Moodle, and the event's own instant stands.
func TestCompletionThatWasResetKeepsTheEventsInstant(t *testing.T) {
	c, _ := client(t, func(lms *simulated.LMS) {
		e := lmsapitest.Enrollment()
		e.CompletedAt = time.Time{}
		lms.AddEnrollment(e)
	})
	old := event()
	old.CompletedAt = noticed().Add(-time.Hour)
	got, err := c.Lookup(t.Context(), old)
	require.NoError(t, err)
	require.Zero(t, got.CompletedAt)
	require.Equal(t, "jane.roe@example.test", got.Learner.Email)
}

// logstore_xapi may name the learner by e-mail address only.
func TestLearnerIsFoundByEmail_R15(t *testing.T) {
	c, _ := client(t, nil)
	bare := event()
	bare.Learner = training.Learner{Email: "jane.roe@example.test"}
	got, err := c.Lookup(t.Context(), bare)
	require.NoError(t, err)
	require.Equal(t, jane(), got.Learner)
	require.Equal(t, lmsapitest.Finished(), got.CompletedAt)
}

// Moodle cleans an id to its leading digits, and asked about user 0 it shows everybody's grades.
func TestAnswerAboutAnotherIsNone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, err := fmt.Fprint(w, map[string]string{
			"core_user_get_users_by_field":                 `[{"id":12,"username":"muller","email":"muller@example.test","idnumber":"e-7"}]`,
			"core_course_get_courses_by_field":             `{"courses":[{"id":55,"fullname":"Another"}]}`,
			"core_completion_get_course_completion_status": `{"completionstatus":{"completed":true,"completions":[]}}`,
			"gradereport_user_get_grade_items": `{"usergrades":[{"courseid":55,"userid":12,
				"gradeitems":[{"itemtype":"course","graderaw":90,"grademin":0,"grademax":100,"scaleid":null}]}]}`,
		}[r.FormValue("wsfunction")])
		if err != nil {
			t.Errorf("answer: %v", err)
		}
	}))
	defer server.Close()
	c, err := moodle.New(rest.Config{URL: server.URL, Credentials: map[rest.Key]string{rest.KeyToken: "t"}})
	require.NoError(t, err)
	for _, learner := range []training.Learner{{Username: "müller"}, {Email: "müller@example.test"}, {ExternalID: "E-7"}} {
		asked := event()
		asked.Learner, asked.Course = learner, training.Course{ID: "55"}
		got, err := c.Lookup(t.Context(), asked)
		require.NoError(t, err)
		require.Empty(t, got.Learner)
		require.Empty(t, got.Score)
	}
	for _, ids := range [][2]string{{"12b", "55"}, {"0", "55"}, {"12", "55b"}} {
		asked := event()
		asked.Learner, asked.Course = training.Learner{ID: ids[0]}, training.Course{ID: ids[1]}
		_, err := c.Lookup(t.Context(), asked)
		require.ErrorContains(t, err, "answer is about another id")
	}
	whole := event()
	whole.Learner = training.Learner{ID: "0", Username: "u", Email: "u@example.test", ExternalID: "E-8", FirstName: "U"}
	whole.Course = training.Course{ID: "55", Title: "T", Code: "C"}
	got, err := c.Lookup(t.Context(), whole)
	require.NoError(t, err)
	require.Empty(t, got.Score)
}

// The code says what is wrong; the message may name a person.
func TestErrorsComeAs200(t *testing.T) {
	for code, want := range map[string]training.FailureClass{
		"invalidtoken": training.FailureCredentials, "accessexception": training.FailureCredentials,
		"sitemaintenance": training.FailureUnreachable, "invalidparameter": training.FailureRefused, "somethingelse": training.FailureRefused,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_, err := fmt.Fprintf(w, `{"exception":"moodle_exception","errorcode":%q,"message":"Jane Roe is not here"}`, code)
			if err != nil {
				t.Errorf("answer: %v", err)
			}
		}))
		c, err := moodle.New(rest.Config{URL: server.URL, Credentials: map[rest.Key]string{rest.KeyToken: "t"}})
		require.NoError(t, err)
		_, err = c.Lookup(t.Context(), event())
		server.Close()
		var failure *training.Failure
		require.ErrorAs(t, err, &failure)
		require.Equal(t, want, failure.Class, code)
		require.NotContains(t, failure.Error(), "Jane")
	}
}
