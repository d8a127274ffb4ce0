package adobe_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	webhook "countersign/internal/lms/adobe"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/adobe"
	"countersign/internal/lmsapi/lmsapitest"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/simulator/fault"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

const enrollment = "course:5541_5541_10291"

// event is a delivery of Jane's completion.
func event(t *testing.T) training.Completion {
	t.Helper()
	return decoded(t, `{"accountId":69101,"events":[{"eventId":"c41d7e0a","eventName":"COURSE_COMPLETED",
		"timestamp":"2026-04-08T14:30:46.000Z","eventInfo":"1775658646000-040363-12018-0","data":{"userId":10291,"loId":"course:5541",
		"loInstanceId":"course:5541_5541","loType":"course","enrollmentSource":"SELF_ENROLL","dateCompleted":"2026-04-08T14:30:22.000Z","hasPassed":true}}]}`)
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

func TestAdobe_R15_R143_R146(t *testing.T) {
	passed := true
	lmsapitest.Run(t, lmsapitest.Spec{
		Manner: adobe.Manner(),
		New:    func(cfg rest.Config) (lmsapi.Client, error) { return adobe.New(cfg) },
		Event:  event(t),
		Details: lmsapi.Details{
			Learner: training.Learner{Email: "jane.roe@example.test", ExternalID: "EMP-20001", FirstName: "Jane Roe"},
			Course:  training.Course{Title: "Line clearance & release", Code: "SOP-017"},
			Score:   training.Score{Raw: "91.5", Max: "100", Passed: &passed},
		},
		Listed: training.Completion{
			Platform: "adobe-learning-manager", EnrollmentID: enrollment,
			Learner: training.Learner{ID: "10291"}, Course: training.Course{ID: "course:5541"},
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "dateCompleted",
			Score: training.Score{Passed: &passed},
		},
	})
}

// connect makes a client of a simulated LMS in which Jane finished at that instant.
func connect(t *testing.T, at time.Time) (*simulated.LMS, *adobe.Client) {
	t.Helper()
	lms, err := simulated.New(simulated.Options{Platform: adobe.Platform})
	require.NoError(t, err)
	t.Cleanup(lms.Close)
	lms.AddLearner(lmsapitest.Jane())
	lms.AddCourse(lmsapitest.Clearance())
	e := lmsapitest.Enrollment()
	e.CompletedAt = at
	lms.AddEnrollment(e)
	server := httptest.NewServer(lms.Handler())
	t.Cleanup(server.Close)
	return lms, client(t, server.URL, lms.Credentials())
}

func client(t *testing.T, url string, credentials map[string]string) *adobe.Client {
	t.Helper()
	cfg := rest.Config{URL: url, Credentials: map[rest.Key]string{}}
	for key, value := range credentials {
		cfg.Credentials[rest.Key(key)] = value
	}
	c, err := adobe.New(cfg)
	require.NoError(t, err)
	return c
}

// Since August 2026 the webhook's seconds are 00 and the API's are true: the listing says what the webhook says, so that
// both are one completion, and the lookup brings the true instant.
func TestSecondsThatTheWebhookCutsOff_R15_R143(t *testing.T) {
	truth := time.Date(2026, time.September, 3, 9, 12, 47, 0, time.UTC)
	_, c := connect(t, truth)
	sent := event(t)
	sent.CompletedAt = truth.Truncate(time.Minute)

	page, err := c.Completions(t.Context(), lmsapi.Window{From: truth, To: truth.Add(time.Second)}, "")
	require.NoError(t, err)
	require.Len(t, page.Completions, 1, "the window is one of true instants")
	require.Equal(t, sent.Fingerprint(), page.Completions[0].Fingerprint())

	d, err := c.Lookup(t.Context(), sent)
	require.NoError(t, err)
	require.Equal(t, truth, d.Fill(sent).CompletedAt)

	before := time.Date(2026, time.July, 31, 23, 59, 47, 0, time.UTC)
	_, c = connect(t, before)
	page, err = c.Completions(t.Context(), lmsapi.Window{From: before, To: before.Add(time.Second)}, "")
	require.NoError(t, err)
	require.Equal(t, before, page.Completions[0].CompletedAt, "before, nothing was cut off")
}

// A re-enrolled learner finishes again under the same id: that says nothing about the first time.
func TestAnEnrollmentThatWentOn(t *testing.T) {
	_, c := connect(t, lmsapitest.Finished().AddDate(0, 3, 0))
	d, err := c.Lookup(t.Context(), event(t))
	require.NoError(t, err)
	require.Empty(t, d.Score)
	require.Zero(t, d.CompletedAt)
	require.Equal(t, "jane.roe@example.test", d.Learner.Email, "the person is the same")
}

// The enrollment of somebody else is not read, whatever the event says.
func TestAnEnrollmentOfSomebodyElse(t *testing.T) {
	lms, c := connect(t, lmsapitest.Finished())
	e := event(t)
	e.EnrollmentID = "course:5541_5541_10292"
	_, err := c.Lookup(t.Context(), e)
	require.NoError(t, err)
	require.Zero(t, lms.Calls(simulated.EndpointAdobeEnrollment))
	require.Equal(t, 1, lms.Calls(simulated.EndpointAdobeUser))
	require.Equal(t, 1, lms.Calls(simulated.EndpointAdobeObject))
}

// Trouble in the middle of a page loses nothing of what was read, and the cursor goes on with who was not.
func TestAPageThatEndsEarly_R145(t *testing.T) {
	lms, c := connect(t, lmsapitest.Finished())
	other := lmsapitest.Jane()
	other.ID = "10292"
	lms.AddLearner(other)
	e := lmsapitest.Enrollment()
	e.ID, e.LearnerID = "77002", other.ID
	lms.AddEnrollment(e)
	w := lmsapi.Window{From: lmsapitest.Finished(), To: lmsapitest.Finished().Add(time.Hour)}

	lms.Fault(simulated.EndpointAdobeEnrollments, fault.Slow(0, 1), fault.Status(503, 1))
	page, err := c.Completions(t.Context(), w, "")
	require.NoError(t, err)
	require.Len(t, page.Completions, 1)
	require.Equal(t, "10291", page.Completions[0].Learner.ID)
	page, err = c.Completions(t.Context(), w, page.Next)
	require.NoError(t, err)
	require.Len(t, page.Completions, 1)
	require.Equal(t, "10292", page.Completions[0].Learner.ID)
	require.Empty(t, page.Next)
}

// A link leads to a query here, never to another host with our token, and never to where it stands.
func TestALinkThatLeadsElsewhere(t *testing.T) {
	for name, link := range map[string]string{
		"here": "/primeapi/v2/users?page%5Blimit%5D=10&page%5Boffset%5D=0&sort=id", "nowhere": "https://evil.example/",
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/vnd.api+json")
				body := `{"data":[{"id":"1","type":"user"}],"links":{"next":"` + link + `"}}`
				if r.URL.Path == "/oauth/token/refresh" {
					body = `{"access_token":"t","expires_in":600}`
				}
				if _, err := w.Write([]byte(body)); err != nil {
					t.Errorf("answer: %v", err)
				}
			}))
			t.Cleanup(server.Close)
			c := client(t, server.URL, map[string]string{"client_id": "a", "client_secret": "b", "refresh_token": "c"})
			_, err := c.Completions(t.Context(), lmsapi.Window{From: time.Unix(0, 0), To: time.Now()}, "")
			var failure *training.Failure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, training.FailureMisread, failure.Class)
		})
	}
}
