package cornerstone_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	webhook "countersign/internal/lms/cornerstone"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/cornerstone"
	"countersign/internal/lmsapi/lmsapitest"
	"countersign/internal/lmsapi/rest"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

// event is a delivery of Jane's completion.
func event(t *testing.T) training.Completion {
	t.Helper()
	return decoded(t, `{"records":[{"lag":4.2,"value":{"headers":{"corpName":"planta","messageId":"8761503e"},
		"lmsEventsCase":"TrainingCompleted","trainingCompleted":{"data":{"eventId":"8761503e","trainingId":"`+simulated.CornerstoneGUID("5541")+`",
		"trainingRef":"SOP-017","trainingTitle":"Line clearance & release","targetUserId":10291,"targetUserRef":"EMP-20001","targetUsername":"jane.roe",
		"targetUserFirstName":"Jane","targetUserLastName":"Roe","trainingRegistrationNumber":1,"trainingActionDateTimestamp":"2026-04-08T14:30:22.000Z"}}},
		"offset":168,"timestamp":"2026-04-08T14:30:30.481Z"}],"sessionId":"37ae5176","attemptNumber":1,"subscriptionId":"2f977027"}`)
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

func score() training.Score {
	passed := true
	return training.Score{Raw: "91.5", Passed: &passed}
}

func TestCornerstone_R15_R143_R146_R173(t *testing.T) {
	lmsapitest.Run(t, lmsapitest.Spec{
		Manner: cornerstone.Manner(),
		New:    func(cfg rest.Config) (lmsapi.Client, error) { return cornerstone.New(cfg) },
		Event:  event(t),
		Details: lmsapi.Details{
			Learner: training.Learner{Email: "jane.roe@example.test", ExternalID: "EMP-20001", FirstName: "Jane", LastName: "Roe"},
			Score:   score(),
		},
		Listed: training.Completion{
			Platform: "cornerstone", Learner: training.Learner{ID: "10291"}, Course: training.Course{ID: simulated.CornerstoneGUID("5541")},
			CompletedAt: lmsapitest.Finished(), Precision: training.PrecisionMillisecond, CompletedAtSource: "user_lo_comp_dt",
			Score: score(),
		},
	})
}

// answering makes a client of a portal that answers each view with what is given, and says what it was asked.
func answering(t *testing.T, views map[string]string) (*cornerstone.Client, *[]string) {
	t.Helper()
	asked := &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/services/api/oauth2/token" {
			write(t, w, `{"access_token":"t","expires_in":3600,"token_type":"Bearer"}`)
			return
		}
		filter := r.URL.Query().Get("$filter")
		*asked = append(*asked, filter)
		body, ok := views[filter]
		if !ok {
			body = views[r.URL.Path[len("/services/api/x/odata/api/views/"):]]
		}
		if body == "400" {
			w.WriteHeader(http.StatusBadRequest)
			body = `{"error":{"code":"400","message":"no such property"}}`
		}
		write(t, w, body)
	}))
	t.Cleanup(server.Close)
	c, err := cornerstone.New(rest.Config{URL: server.URL, Credentials: map[rest.Key]string{rest.KeyClientID: "a", rest.KeyClientSecret: "b"}})
	require.NoError(t, err)
	return c, asked
}

func write(t *testing.T, w http.ResponseWriter, body string) {
	t.Helper()
	if _, err := w.Write([]byte(body)); err != nil {
		t.Errorf("answer: %v", err)
	}
}

// A training that was repeated has several registrations: the score is that of the one the event is about, or none.
func TestTheScoreIsThatOfTheRegistration(t *testing.T) {
	passed, failed := true, false
	for name, tc := range map[string]struct {
		rows string
		want training.Score
	}{
		"the same second": {`{"user_lo_comp_dt":"2026-04-08T14:30:22.973Z","user_lo_score":80,"user_lo_pass":true},
			{"user_lo_comp_dt":"2026-04-08T10:00:00Z","user_lo_score":40,"user_lo_pass":false}`, training.Score{Raw: "80", Passed: &passed}},
		"the only one of that day": {`{"user_lo_comp_dt":"2026-04-08T10:30:22-04:30","user_lo_score":80,"user_lo_pass":1},
			{"user_lo_comp_dt":"2025-04-01T10:00:00Z","user_lo_score":40,"user_lo_pass":0}`, training.Score{Raw: "80", Passed: &passed}},
		"two of that day": {`{"user_lo_comp_dt":"2026-04-08T12:00:00Z","user_lo_score":80},
			{"user_lo_comp_dt":"2026-04-08T10:00:00Z","user_lo_score":40}`, training.Score{}},
		"another year's":             {`{"user_lo_comp_dt":"2025-04-08T14:30:22Z","user_lo_score":80}`, training.Score{}},
		"removed":                    {`{"user_lo_comp_dt":"2026-04-08T14:30:22Z","user_lo_score":80,"is_removed":true}`, training.Score{}},
		"failed with a score":        {`{"user_lo_comp_dt":"2026-04-08T14:30:22Z","user_lo_score":30,"user_lo_pass":false}`, training.Score{Raw: "30", Passed: &failed}},
		"no score, so no pass":       {`{"user_lo_comp_dt":"2026-04-08T14:30:22Z","user_lo_score":null,"user_lo_pass":false}`, training.Score{}},
		"passed without a score":     {`{"user_lo_comp_dt":"2026-04-08T14:30:22Z","user_lo_score":null,"user_lo_pass":true}`, training.Score{Passed: &passed}},
		"not completed, no instant":  {`{"user_lo_comp_dt":null,"user_lo_score":80}`, training.Score{}},
		"an instant without a zone":  {`{"user_lo_comp_dt":"2026-04-08T14:30:22","user_lo_score":80}`, training.Score{}},
		"nobody's registration left": {``, training.Score{}},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := answering(t, map[string]string{"vw_rpt_transcript": `{"value":[` + tc.rows + `]}`, "vw_rpt_user": `{"value":[]}`})
			d, err := c.Lookup(t.Context(), event(t))
			require.NoError(t, err)
			require.Equal(t, tc.want, d.Score)
		})
	}
}

// The login is asked for where it lacks.
func TestALoginThatLacks_R15(t *testing.T) {
	c, _ := answering(t, map[string]string{"vw_rpt_transcript": `{"value":[]}`, "vw_rpt_user": `{"value":[{"user_login":"jane.roe"}]}`})
	e := event(t)
	e.Learner.Username = ""
	d, err := c.Lookup(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, "jane.roe", d.Learner.Username)
}

// Public clients know the training's id by two names.
func TestATrainingByEitherName(t *testing.T) {
	id := simulated.CornerstoneGUID("5541")
	found := `{"value":[{"lo_title":"Line clearance","lo_ref":"SOP-017"}]}`
	for name, views := range map[string]map[string]string{
		"object_id":    {"object_id eq " + id: found, "lo_object_id eq " + id: "400"},
		"lo_object_id": {"object_id eq " + id: "400", "lo_object_id eq " + id: found},
	} {
		t.Run(name, func(t *testing.T) {
			views["vw_rpt_transcript"], views["vw_rpt_user"] = `{"value":[]}`, `{"value":[]}`
			c, _ := answering(t, views)
			e := event(t)
			e.Course.Title, e.Course.Code = "", ""
			d, err := c.Lookup(t.Context(), e)
			require.NoError(t, err)
			require.Equal(t, training.Course{Title: "Line clearance", Code: "SOP-017"}, d.Course)
		})
	}
}

func window() lmsapi.Window {
	return lmsapi.Window{From: lmsapitest.Finished().Add(-time.Hour), To: lmsapitest.Finished().Add(time.Hour)}
}

// What the vendor documents of dates in a filter, and nothing that ends elsewhere.
func TestTheListingsFilter_R143(t *testing.T) {
	c, asked := answering(t, map[string]string{"vw_rpt_transcript": `{"value":[]}`})
	page, err := c.Completions(t.Context(), window(), "")
	require.NoError(t, err)
	require.Empty(t, page.Next)
	require.Equal(t, []string{"user_lo_comp_dt ge cast('2026-04-08T13:30:22.000Z', Edm.DateTimeOffset) and " +
		"user_lo_comp_dt lt cast('2026-04-08T15:30:22.000Z', Edm.DateTimeOffset)"}, *asked)
}

// Nothing is dropped silently, and no value gets out.
func TestRowsThatCannotBeRead(t *testing.T) {
	c, _ := answering(t, map[string]string{"vw_rpt_transcript": `{"value":[
		{"transc_user_id":10291,"transc_object_id":"x","user_lo_comp_dt":"2026-04-08T14:30:22"},
		{"transc_user_id":null,"transc_object_id":"x","user_lo_comp_dt":"2026-04-08T14:30:22Z"},
		{"transc_user_id":10291,"transc_object_id":"x","user_lo_comp_dt":"2026-04-08T14:30:22Z","is_removed":true},
		{"transc_user_id":10291,"transc_object_id":"x","user_lo_comp_dt":"2026-04-08T14:30:22Z"}]}`})
	page, err := c.Completions(t.Context(), window(), "")
	require.NoError(t, err)
	require.Len(t, page.Completions, 1)
	require.Len(t, page.Unreadable, 2)
	for _, reason := range page.Unreadable {
		require.NotContains(t, reason, "10291")
		require.NotContains(t, reason, "2026")
	}
}

// An answer in another shape is no portal without completions, and a link that does not lead on is not followed.
func TestAnswersThatAreNoListing(t *testing.T) {
	for name, body := range map[string]string{
		"no value":        `{"Message":"maintenance"}`,
		"a link nowhere":  `{"value":[],"@odata.nextLink":"https://evil.example/"}`,
		"the whole view":  `{"value":[],"@odata.nextLink":"https://x.csod.com/views/vw_rpt_transcript?$skip=1000"}`,
		"a link to where": `{"value":[],"@odata.nextLink":"https://evil.example/%zz"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := answering(t, map[string]string{"vw_rpt_transcript": body})
			_, err := c.Completions(t.Context(), window(), "")
			var failure *training.Failure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, training.FailureMisread, failure.Class)
		})
	}
}

// What stands in a filter without quotes is never a text of the event's own making.
func TestAFilterIsNotWrittenByAnEvent(t *testing.T) {
	for _, e := range []training.Completion{
		{Learner: training.Learner{ID: "1 or user_id gt 0"}, Course: training.Course{ID: "00000000-0000-4000-8000-000000005541 or 1 eq 1"}},
		{Learner: training.Learner{ID: "-1"}, Course: training.Course{ID: "'x'"}},
	} {
		c, asked := answering(t, nil)
		d, err := c.Lookup(t.Context(), e)
		require.NoError(t, err)
		require.Empty(t, d)
		require.Empty(t, *asked)
	}
}
