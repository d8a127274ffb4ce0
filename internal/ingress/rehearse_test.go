package ingress_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/training"
)

const rehearsal = path + "/test"

// rehearse posts a signed body to the test URL.
func (d *door) rehearse(body string) answer {
	d.t.Helper()
	return d.send(http.MethodPost, rehearsal, strings.NewReader(body), signed(sign(secret, []byte(body)))...)
}

// looking opens a door with this lookup.
func looking(t *testing.T, lookup func(context.Context, training.Completion) ingress.Lookup, change ...func(*ingress.Config)) *door {
	t.Helper()
	return open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) {
		cfg.Rehearse = lookup
		for _, c := range change {
			c(cfg)
		}
	})
}

func completionOf(learner string) training.Completion {
	return training.Completion{
		Platform: "odd", Learner: training.Learner{ID: learner}, Course: training.Course{ID: "1"},
		CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Precision: training.PrecisionMillisecond,
	}
}

// decoding makes the first source read always the same.
func decoding(d *door, decoded lms.Decoded, err error) {
	d.sources.sources[0].Adapter = adapter{decode: func([]byte) (lms.Decoded, error) { return decoded, err }}
}

func TestRehearsalSaysWhatWasReadAndWhatWouldBeDone_R184_R185_R190_R191(t *testing.T) {
	no := false
	scored, bare := completionOf("007"), completionOf("8")
	scored.Event, scored.EventID, scored.MappingVersion = "done", "e-1", "odd/acme-3"
	scored.Learner.Username, scored.Learner.Email, scored.Learner.ExternalID = "jl", "jl@example.com", "HR-1"
	scored.Course = training.Course{ID: "5541", Title: "Annual", Code: "COMP"}
	scored.Score = training.Score{Raw: "91.50", Max: "100", Passed: &no}
	bare.Precision, bare.Score.Raw = training.PrecisionDay, ""

	var asked []training.Completion
	lookup := make(chan training.Completion, 2)
	d := looking(t, func(_ context.Context, c training.Completion) ingress.Lookup {
		lookup <- c
		return ingress.Lookup{WouldDo: []string{"Look at " + c.Learner.ID + "."}}
	})
	decoding(d, lms.Decoded{Completions: []training.Completion{scored, bare}, Ignored: []lms.Ignored{{Event: "start", Reason: "not a completion"}}}, nil)
	answer := d.rehearse(`{}`)
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	for range 2 {
		asked = append(asked, <-lookup)
	}
	fingerprint := func(c training.Completion) training.Fingerprint {
		c.Tenant, c.Source = "acme", "main"
		return c.Fingerprint()
	}
	require.JSONEq(t, `{"verdict":"test","wouldBe":"accepted","completions":[
		{"platform":"odd","event":"done","eventId":"e-1",
		 "learner":{"id":"007","username":"jl","email":"jl@example.com","externalId":"HR-1"},
		 "course":{"id":"5541","title":"Annual","code":"COMP"},
		 "completedAt":"2026-04-08T14:30:00Z","precision":"millisecond",
		 "score":{"raw":91.50,"max":100,"scaled":0.915},"passed":false,
		 "fingerprint":"`+string(fingerprint(scored))+`","mappingVersion":"odd/acme-3"},
		{"platform":"odd","event":null,"eventId":null,
		 "learner":{"id":"8","username":null,"email":null,"externalId":null},
		 "course":{"id":"1","title":null,"code":null},
		 "completedAt":"2026-04-08T14:30:00Z","precision":"day",
		 "score":{"raw":null,"max":null,"scaled":null},"passed":null,
		 "fingerprint":"`+string(fingerprint(bare))+`","mappingVersion":null}],
		"ignored":[{"event":"start","reason":"not a completion"}],"problems":[],
		"wouldDo":["Completion 1: Look at 007.","Completion 2: Look at 8."],"explain":[]}`, string(answer.body))
	require.Contains(t, string(answer.body), `"raw":91.50,`, "the digits that were sent")
	require.ElementsMatch(t, []string{"acme/main", "acme/main"},
		[]string{asked[0].Tenant + "/" + asked[0].Source, asked[1].Tenant + "/" + asked[1].Source})

	again := d.rehearse(`{}`)
	require.Equal(t, string(answer.body), string(again.body), "it can be repeated (R190)")
	d.stop()
	require.Empty(t, d.journal.kept(), "nothing is written (R192)")
	require.Contains(t, d.logs.String(), `"verdict":"test"`)
	require.Contains(t, d.logs.String(), string(fingerprint(scored)))
	require.NotContains(t, d.logs.String(), "jl@example.com")
}

func TestRehearsalReadsLikeADelivery_R191(t *testing.T) {
	d := open(t)
	rehearsed := d.rehearse(string(sample(t))).json(t)["completions"].([]any)[0].(map[string]any)
	delivered := d.post(string(sample(t))).json(t)["completions"].([]any)[0].(map[string]any)
	require.Equal(t, delivered["fingerprint"], rehearsed["fingerprint"])
	require.Equal(t, "accepted", delivered["status"], "the rehearsal has left nothing behind")
	require.Contains(t, d.rehearse(string(sample(t))).json(t)["wouldDo"].([]any)[0], "not looked up")
}

// TestRehearsalStatuses_R186_R187_R201: content gives a 4xx here and nowhere else.
func TestRehearsalStatuses_R186_R187_R201(t *testing.T) {
	good := lms.Decoded{Completions: []training.Completion{completionOf("7")}}
	failing := func(class training.FailureClass) []*training.Failure {
		return []*training.Failure{training.Fail(class, "check record", "TR-1", "409 SO")}
	}
	for name, test := range map[string]struct {
		decoded  lms.Decoded
		err      error
		failures []*training.Failure
		status   int
		class    string
		wouldBe  string
	}{
		"good":               {good, nil, nil, 200, "", "accepted"},
		"ignored":            {lms.Decoded{Ignored: []lms.Ignored{{Event: "a", Reason: "b"}}}, nil, nil, 200, "", "ignored"},
		"unreadable":         {lms.Decoded{}, fmt.Errorf("%w: not JSON at byte 3", lms.ErrUnreadable), nil, 400, "unreadable", "unmapped"},
		"another error":      {lms.Decoded{}, errors.New("no mapping for this"), nil, 422, "unmapped", "unmapped"},
		"no event":           {lms.Decoded{}, nil, nil, 422, "unmapped", "unmapped"},
		"a problem":          {lms.Decoded{Problems: []lms.Problem{{Event: "a", EventID: "7", Reason: "no date"}}}, nil, nil, 422, "unmapped", "unmapped"},
		"invalid":            {lms.Decoded{Completions: []training.Completion{{}}}, nil, nil, 422, "unmapped", "unmapped"},
		"unknown employee":   {good, nil, failing(training.FailureEmployeeUnknown), 422, "employee_unknown", "accepted"},
		"already completed":  {good, nil, failing(training.FailureCompletedElse), 422, "completed_elsewhere", "accepted"},
		"QMS down":           {good, nil, failing(training.FailureUnreachable), 503, "unreachable", "accepted"},
		"down and not known": {good, nil, append(failing(training.FailureUnreachable), failing(training.FailureEmployeeUnknown)...), 422, "unreachable", "accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			d := looking(t, func(context.Context, training.Completion) ingress.Lookup {
				return ingress.Lookup{Problems: test.failures}
			})
			decoding(d, test.decoded, test.err)
			answer := d.rehearse(`{}`)
			require.Equal(t, test.status, answer.status, string(answer.body))
			require.Equal(t, test.status == 503, answer.header.Get("Retry-After") != "")
			require.Equal(t, "test", answer.json(t)["verdict"])
			require.Equal(t, test.wouldBe, answer.json(t)["wouldBe"])
			problems := answer.json(t)["problems"].([]any)
			require.Equal(t, test.class == "", len(problems) == 0)
			for n, problem := range problems {
				problem := problem.(map[string]any)
				if n == 0 {
					require.Equal(t, test.class, problem["class"])
				}
				for _, sentence := range []string{"happened", "means", "do"} {
					require.NotEmpty(t, problem[sentence])
				}
				require.NotContains(t, problem["means"], "may or may not", "a rehearsal writes nothing, and says so")
				require.NotEmpty(t, problem["detail"])
			}
			d.stop()
			require.Empty(t, d.journal.kept())
		})
	}
}

func TestRehearsalIsRefusedLikeADelivery_R191_R193(t *testing.T) {
	d := open(t)
	for name, test := range map[string]struct {
		path    string
		headers []string
		status  int
	}{
		"wrong secret":       {rehearsal, signed(sign("x", []byte("{}"))), 401},
		"no signature":       {rehearsal, []string{"Content-Type", "application/json"}, 401},
		"wrong type":         {rehearsal, []string{"Content-Type", "text/html"}, 415},
		"unknown source":     {"/webhooks/lms/acme/other/test", signed(sign(secret, []byte("{}"))), 404},
		"another's secret":   {rehearsal, signed(sign("s3cret-beta", []byte("{}"))), 401},
		"no rehearsal there": {"/webhooks/lms/test", nil, 404},
	} {
		answer := d.send(http.MethodPost, test.path, strings.NewReader("{}"), test.headers...)
		require.Equal(t, test.status, answer.status, name)
	}
	d.stop()
	require.Empty(t, d.journal.kept(), "not even a refusal is written")
}

// TestRehearsalIsAnsweredInTime: a QMS that never answers, even one that does not notice the deadline,
// keeps nobody waiting.
func TestRehearsalIsAnsweredInTime_R190(t *testing.T) {
	release := make(chan struct{})
	d := looking(t, func(_ context.Context, c training.Completion) ingress.Lookup {
		if c.Learner.ID == "slow" {
			<-release
		}
		return ingress.Lookup{WouldDo: []string{"Found."}}
	}, func(cfg *ingress.Config) { cfg.RehearsalTimeout = 500 * time.Millisecond })
	defer close(release)
	decoding(d, lms.Decoded{Completions: []training.Completion{completionOf("slow"), completionOf("2")}}, nil)
	answer := d.rehearse(`{}`)
	require.Equal(t, http.StatusServiceUnavailable, answer.status)
	problems := answer.json(t)["problems"].([]any)
	require.Len(t, problems, 1)
	require.Equal(t, "unavailable", problems[0].(map[string]any)["class"])
	require.Equal(t, answer.json(t)["completions"].([]any)[0].(map[string]any)["fingerprint"], problems[0].(map[string]any)["fingerprint"])
	require.Equal(t, []any{"Completion 2: Found."}, answer.json(t)["wouldDo"])
}

func TestRehearsalLooksUpABoundedPartOfABatch(t *testing.T) {
	var asked, running, most atomic.Int64
	arrived, proceed := make(chan struct{}), make(chan struct{})
	d := looking(t, func(context.Context, training.Completion) ingress.Lookup {
		asked.Add(1)
		now := running.Add(1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			continue // another lookup has changed it
		}
		arrived <- struct{}{}
		<-proceed
		running.Add(-1)
		return ingress.Lookup{WouldDo: []string{"x"}}
	})
	go func() {
		for range 5 { // rounds of four that stand there at the same time
			for range 4 {
				<-arrived
			}
			for range 4 {
				proceed <- struct{}{}
			}
		}
	}()
	var batch lms.Decoded
	for n := range 50 {
		batch.Completions = append(batch.Completions, completionOf(fmt.Sprint(n)))
	}
	decoding(d, batch, nil)
	answer := d.rehearse(`{}`)
	require.Equal(t, http.StatusOK, answer.status)
	require.Len(t, answer.json(t)["completions"], 50)
	wouldDo := answer.json(t)["wouldDo"].([]any)
	require.Len(t, wouldDo, 21)
	require.Contains(t, wouldDo[20], "30 more completions were read")
	require.EqualValues(t, 20, asked.Load())
	require.EqualValues(t, 4, most.Load())
}

func TestLookupThatPanicsEndsNothing(t *testing.T) {
	d := looking(t, func(context.Context, training.Completion) ingress.Lookup { panic("canary.7f3a") })
	answer := d.rehearse(string(sample(t)))
	require.Equal(t, http.StatusUnprocessableEntity, answer.status)
	require.Equal(t, "defect", answer.json(t)["problems"].([]any)[0].(map[string]any)["class"])
	d.stop()
	require.Contains(t, d.logs.String(), `"msg":"panic"`)
	require.NotContains(t, d.logs.String()+string(answer.body), "canary.7f3a")
}

func TestAdapterThatPanicsIsADefectInARehearsalToo_R203(t *testing.T) {
	d := open(t)
	d.sources.sources[0].Adapter = adapter{decode: func([]byte) (lms.Decoded, error) { panic("canary.7f3a") }}
	require.Equal(t, http.StatusInternalServerError, d.rehearse(`{}`).status)
	d.stop()
	require.Empty(t, d.journal.kept())
	require.Contains(t, d.logs.String(), `"msg":"panic"`)
}

func TestRehearsalExplains(t *testing.T) {
	d := open(t)
	s := &d.sources.sources[0]
	s.Explain = func(r lms.Request) (lms.Decoded, any, error) {
		decoded, err := s.Adapter.Decode(r)
		return decoded, []map[string]string{{"field": "learner.id", "path": "$.payload.user.id"}}, err
	}
	answer := d.rehearse(string(sample(t))).json(t)
	require.Equal(t, []any{map[string]any{"field": "learner.id", "path": "$.payload.user.id"}}, answer["explain"])
	require.Len(t, answer["completions"], 1)

	s.Explain = func(lms.Request) (lms.Decoded, any, error) { return lms.Decoded{}, make(chan int), nil }
	require.Equal(t, http.StatusInternalServerError, d.rehearse(`{}`).status, "what cannot be encoded is not half an answer")
}

func TestRehearsalsAreLimitedByThemselves(t *testing.T) {
	d := open(t)
	for range 25 { // a stranger uses nothing up
		require.Equal(t, http.StatusUnauthorized, d.send(http.MethodPost, rehearsal, strings.NewReader("{}"), "Content-Type", "application/json").status)
	}
	for range 20 {
		require.Equal(t, http.StatusOK, d.rehearse(`{"event":"ping"}`).status)
	}
	limited := d.rehearse(`{"event":"ping"}`)
	require.Equal(t, http.StatusTooManyRequests, limited.status)
	require.Equal(t, "1", limited.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status, "deliveries are not held up by tests")
	d.clock.move(time.Second)
	require.Equal(t, http.StatusOK, d.rehearse(`{"event":"ping"}`).status)
}

// TestSourceInTestMode keeps everything and hands nothing on.
func TestSourceInTestMode_R192_R211(t *testing.T) {
	d := open(t, func(d *door, cfg *ingress.Config, _ *http.Server) {
		d.sources.sources[0].TestMode = true
		cfg.Rehearse = func(context.Context, training.Completion) ingress.Lookup { panic("nobody is asked") }
	})
	for range 2 { // no duplicate the second time
		answer := d.post(string(sample(t)))
		require.Equal(t, http.StatusOK, answer.status)
		kept := d.journal.next(t)
		require.Equal(t, journal.VerdictTest, kept.Verdict)
		require.Equal(t, string(sample(t)), string(kept.Body))
		require.Contains(t, kept.Reason, "would be accepted")
		said := answer.json(t)
		require.Equal(t, []any{kept.ID, "test", "accepted"}, []any{said["deliveryId"], said["verdict"], said["wouldBe"]})
		require.Len(t, said["completions"], 1)
		require.NotEmpty(t, said["completions"].([]any)[0].(map[string]any)["learner"].(map[string]any)["id"])
		require.Contains(t, said["wouldDo"].([]any)[0], "test mode")

		request, err := ingress.Stored(d.sources.sources[0], kept)
		require.NoError(t, err)
		require.Equal(t, journal.VerdictAccepted, ingress.Read(d.sources.sources[0], request, 0).Verdict, "it can be replayed")
	}
	bad := d.post(`<html>`)
	require.Equal(t, http.StatusOK, bad.status, "content is not refused in test mode either (law 4)")
	require.Equal(t, "unmapped", bad.json(t)["wouldBe"])
	require.Contains(t, d.journal.next(t).Reason, "would be unmapped: unreadable body")
	byDomain := d.send(http.MethodPost, byDomain, strings.NewReader(string(sample(t))), signed(sign(secret, sample(t)))...)
	require.Equal(t, "test", byDomain.json(t)["verdict"])
	require.Equal(t, http.StatusUnauthorized, d.post(`{}`, "absorb-signature", "x").status)
	d.stop()
	require.Empty(t, d.journal.stored)
}

// TestSourceInTestModeOnARealJournal: the journal keeps the verdict and queues nothing.
func TestSourceInTestModeOnARealJournal_R192(t *testing.T) {
	j := sqlite(t)
	d := open(t, func(d *door, cfg *ingress.Config, _ *http.Server) {
		cfg.Journal, d.sources.sources[0].TestMode = j, true
	})
	id, ok := d.post(string(sample(t))).json(t)["deliveryId"].(string)
	require.True(t, ok)
	kept, err := j.Delivery(t.Context(), "acme", id)
	require.NoError(t, err)
	require.Equal(t, journal.VerdictTest, kept.Verdict)
	counts, err := j.Counts(t.Context())
	require.NoError(t, err)
	for state, n := range counts {
		require.Zero(t, n, state)
	}
	d.sources.sources[0].TestMode = false
	require.Equal(t, "accepted", d.post(string(sample(t))).json(t)["verdict"], "a test is no duplicate of what comes after it")
}

func TestStoredRefusesWhatCannotBeReadAgain(t *testing.T) {
	s := source(t, "acme", "main", secret)
	_, err := ingress.Stored(s, journal.Delivery{Tenant: "beta", Source: "main"})
	require.ErrorContains(t, err, "another source")
	_, err = ingress.Stored(s, journal.Delivery{Tenant: "acme", Source: "main", Verdict: journal.VerdictRejected})
	require.ErrorContains(t, err, "not kept")
	for kept, want := range map[string]string{
		byDomain: "", path: "", path + "/redacted": "", path + "/redacted/a/b%20c": "a/b c", path + "/a": "a", "": "",
	} {
		request, err := ingress.Stored(s, journal.Delivery{Tenant: "acme", Source: "main", Path: kept})
		require.NoError(t, err)
		require.Equal(t, want, request.Path, kept)
		require.NotNil(t, request.Header)
	}
}
