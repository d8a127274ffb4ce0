package ingress_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/lmstest"
	"countersign/internal/training"
)

func TestAcceptedDeliveryIsJournaledBeforeItIsAnswered_R8_R9(t *testing.T) {
	d := open(t)
	body := string(sample(t))
	answer := d.post(body, "X-Request-Id", "lms-42", "Authorization", "Bearer x", "User-Agent", "LMS/1.0")
	require.Equal(t, http.StatusOK, answer.status)
	require.Equal(t, "lms-42", answer.header.Get("X-Request-Id"))

	kept := d.journal.next(t)
	require.Equal(t, journal.VerdictAccepted, kept.Verdict)
	require.Equal(t, body, string(kept.Body), "the bytes as they came (R9)")
	require.Equal(t, []string{"acme", "main", "canonical", "POST", path, "127.0.0.1"},
		[]string{kept.Tenant, kept.Source, kept.Platform, kept.Method, kept.Path, kept.RemoteAddr})
	require.Equal(t, d.clock.Now(), kept.ReceivedAt)
	require.Equal(t, "LMS/1.0", kept.Header.Get("User-Agent"))
	require.Equal(t, "redacted", kept.Header.Get("Authorization"))
	require.Equal(t, "redacted", kept.Header.Get("X-Hub-Signature-256"))

	require.Len(t, d.journal.stored, 1)
	completion := d.journal.stored[0]
	require.Equal(t, []string{"acme", "main"}, []string{completion.Tenant, completion.Source})
	require.JSONEq(t, `{"deliveryId":"`+kept.ID+`","verdict":"accepted","ignored":[],"problems":[],
		"completions":[{"fingerprint":"`+string(completion.Fingerprint())+`","status":"accepted"}]}`, string(answer.body))

	again := d.post(body).json(t)
	require.Equal(t, "duplicate", again["verdict"])
	require.Equal(t, "duplicate", again["completions"].([]any)[0].(map[string]any)["status"])
}

func TestRecordedSamples_R27_R29_R79(t *testing.T) {
	d := open(t)
	for _, sample := range []struct{ name, verdict string }{
		{"course-completion", "accepted"}, {"course-completion-absorb-header", "duplicate"}, {"enrollment-created", "ignored"},
	} {
		recorded := lmstest.Sample(t, "testdata", sample.name)
		var headers []string
		for key, values := range recorded.Header {
			if key != "Host" && key != "Content-Length" { // the client sets them
				headers = append(headers, key, values[0])
			}
		}
		answer := d.send(http.MethodPost, path, bytes.NewReader(recorded.Body), headers...)
		require.Equal(t, http.StatusOK, answer.status, sample.name)
		require.Equal(t, sample.verdict, answer.json(t)["verdict"], sample.name)
	}
}

// TestContentOfAnAuthenticSenderIsNeverRefused holds law 4: stored, answered 200, put up for review.
func TestContentOfAnAuthenticSenderIsNeverRefused(t *testing.T) {
	d := open(t)
	for name, test := range map[string]struct {
		body    string
		verdict journal.Verdict
		reason  string
	}{
		"empty":           {"", journal.VerdictUnmapped, "incomplete JSON"},
		"not JSON":        {"<html>", journal.VerdictUnmapped, "not JSON"},
		"a member twice":  {`{"event":"a","event":"b"}`, journal.VerdictUnmapped, "key given twice"},
		"incomplete":      {`{"event":"course.completion"}`, journal.VerdictUnmapped, "no learner id"},
		"unknown version": {`{"event":"course.completion","version":"9"}`, journal.VerdictUnmapped, "unknown major version"},
		"another event":   {`{"event":"user.created"}`, journal.VerdictIgnored, "not a completion event"},
		"not even text":   {"\xff\xfe\x00", journal.VerdictUnmapped, "invalid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := d.post(test.body)
			require.Equal(t, http.StatusOK, answer.status)
			kept := d.journal.next(t)
			require.Equal(t, test.verdict, kept.Verdict)
			require.Contains(t, kept.Reason, test.reason)
			require.Equal(t, test.body, string(kept.Body))
			require.Equal(t, string(test.verdict), answer.json(t)["verdict"])
			require.Contains(t, answer.json(t)["reason"], test.reason)
		})
	}
}

// TestNoFalseAcknowledgement holds law 1: whatever the journal's trouble, the sender is told to come back.
func TestNoFalseAcknowledgement(t *testing.T) {
	for _, trouble := range []error{journal.ErrBusy, journal.ErrClosed, context.DeadlineExceeded, errors.New("disk is full")} {
		d := open(t)
		d.journal.fail = func(journal.Delivery, []training.Completion) error { return trouble }
		answer := d.post(string(sample(t)))
		require.Equal(t, http.StatusServiceUnavailable, answer.status)
		require.Equal(t, "5", answer.header.Get("Retry-After"))
		require.Equal(t, "application/problem+json", answer.header.Get("Content-Type"))
		require.Equal(t, "urn:countersign:problem:unavailable", answer.json(t)["type"])
	}
}

func TestAppendSurvivesTheClientHangingUp(t *testing.T) {
	d := open(t)
	d.journal.held = make(chan struct{})
	ctx, hangUp := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.addr+path, strings.NewReader(string(sample(t))))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hub-Signature-256", sign(secret, sample(t)))
	answered := make(chan error, 1)
	go func() {
		response, err := d.client.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		answered <- err
	}()
	<-d.journal.entered
	hangUp()
	require.ErrorIs(t, <-answered, context.Canceled)
	<-d.latest.Load().Context().Done() // now the server knows
	close(d.journal.held)
	require.Equal(t, journal.VerdictAccepted, d.journal.next(t).Verdict)
}

func TestUnstorableTextIsKeptForReview(t *testing.T) {
	d := open(t)
	d.journal.fail = func(_ journal.Delivery, completions []training.Completion) error {
		if len(completions) > 0 {
			return journal.ErrUnstorable
		}
		return nil
	}
	answer := d.post(string(sample(t)))
	require.Equal(t, http.StatusOK, answer.status)
	require.Equal(t, "unmapped", answer.json(t)["verdict"])
	require.Equal(t, journal.VerdictUnmapped, d.journal.next(t).Verdict)
}

func TestAdapterThatPanicsLosesNothing(t *testing.T) {
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		d.sources.sources[0].Adapter = adapter{decode: func([]byte) (lms.Decoded, error) { panic("canary.7f3a") }}
	})
	answer := d.post(`{"x":1}`)
	require.Equal(t, http.StatusInternalServerError, answer.status)
	require.Equal(t, "urn:countersign:problem:defect", answer.json(t)["type"])
	kept := d.journal.next(t)
	require.Equal(t, journal.VerdictUnmapped, kept.Verdict)
	require.Equal(t, `{"x":1}`, string(kept.Body))
	d.stop()
	require.Contains(t, d.logs.String(), `"msg":"panic"`)
	require.NotContains(t, d.logs.String(), "canary.7f3a")
	require.NotContains(t, string(answer.body), "canary.7f3a")
}

func TestPanicOutsideTheAdapterIsAnswered500(t *testing.T) {
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) { d.sources.sources[0].Verifier = nil })
	require.Equal(t, http.StatusInternalServerError, d.post(`{"canary":1}`).status)
	kept := d.journal.next(t)
	require.Equal(t, journal.VerdictRejected, kept.Verdict)
	require.Contains(t, kept.Reason, "a defect of ours before it was verified (body: 12 bytes, sha256 ")
	require.Empty(t, kept.Body, "what was not verified is not kept, only that it came (R212)")

	require.Equal(t, http.StatusInternalServerError, d.send(http.MethodGet, path, nil).status)
	require.Equal(t, http.StatusInternalServerError, d.send(http.MethodPost, rehearsal, strings.NewReader("{}"), signed("x")...).status)
	d.stop()
	require.Len(t, d.journal.entries, 1, "connection tests and rehearsals write nothing (R190)")
	require.NotContains(t, d.logs.String(), "canary")
}

// TestPanicWhileAnAuthenticDeliveryIsKept: its body is kept all the same, once, if the journal can.
func TestPanicWhileAnAuthenticDeliveryIsKept_R212(t *testing.T) {
	for name, test := range map[string]struct {
		testMode bool
		panics   int
		verdict  journal.Verdict
	}{
		"a delivery":             {false, 1, journal.VerdictUnmapped},
		"one in test mode":       {true, 1, journal.VerdictTest},
		"the journal never will": {false, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) { d.sources.sources[0].TestMode = test.testMode })
			left := test.panics
			d.journal.fail = func(journal.Delivery, []training.Completion) error {
				if left--; left >= 0 {
					panic("canary.7f3a")
				}
				return nil
			}
			body := string(sample(t))
			answer := d.post(body)
			require.Equal(t, http.StatusInternalServerError, answer.status)
			require.NotContains(t, string(answer.body), "canary")
			d.stop()
			require.NotContains(t, d.logs.String(), "canary")
			if test.verdict == "" {
				require.Empty(t, d.journal.entries)
				require.Equal(t, 2, strings.Count(d.logs.String(), `"msg":"panic"`))
				return
			}
			require.Len(t, d.journal.entries, 1)
			kept := d.journal.entries[0]
			require.Equal(t, test.verdict, kept.Verdict)
			require.Equal(t, body, string(kept.Body))
			require.Equal(t, ingress.ErrDefect.Error(), kept.Reason)
			require.Contains(t, d.logs.String(), `"verdict":"`+string(test.verdict)+`","status":500`)
			require.Empty(t, d.journal.stored)
		})
	}
}

// TestServersOwnMessagesAreLoggedWithoutWhatTheyQuote: net/http quotes addresses, headers and panics.
func TestServersOwnMessagesAreLoggedWithoutWhatTheyQuote_R165(t *testing.T) {
	d := open(t)
	d.server.ErrorLog.Printf("http: panic serving 203.0.113.9:5: canary\nof two lines\ngoroutine 7 [running]:\nmain.f()")
	d.server.ErrorLog.Printf("http: TLS handshake error from 203.0.113.9:5: canary")
	d.server.ErrorLog.Printf("http: Accept error: canary; retrying in 5ms")
	d.server.ErrorLog.Printf("http: superfluous response.WriteHeader call from canary")
	require.NotContains(t, d.logs.String(), "canary")
	require.NotContains(t, d.logs.String(), "203.0.113.9")
	require.Contains(t, d.logs.String(), "main.f()")
	require.Contains(t, d.logs.String(), "enough file descriptors")
	require.Equal(t, 4, strings.Count(d.logs.String(), "\n"))
}

func TestBatch(t *testing.T) {
	good := training.Completion{
		Platform: "odd", Learner: training.Learner{ID: "7"}, Course: training.Course{ID: "1"},
		Precision: training.PrecisionDay, CompletedAtSource: "day",
	}
	decoded := lms.Decoded{}
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		d.sources.sources[0].Adapter = adapter{decode: func([]byte) (lms.Decoded, error) { return decoded, nil }}
	})
	good.CompletedAt = d.clock.Now()

	decoded = lms.Decoded{Completions: []training.Completion{good, {}}, Ignored: []lms.Ignored{{Event: "a", Reason: "b"}}}
	answer := d.post(`[]`).json(t)
	require.Equal(t, "unmapped", answer["verdict"], "an invalid completion of a careless adapter is a problem")
	require.Len(t, answer["completions"], 1)
	require.Len(t, answer["problems"], 1)
	require.Len(t, answer["ignored"], 1)

	decoded = lms.Decoded{}
	require.Equal(t, "unmapped", d.post(`[]`).json(t)["verdict"], "nothing at all is not nothing to tell")

	decoded = lms.Decoded{Problems: make([]lms.Problem, 1000)}
	for i := range decoded.Problems {
		decoded.Problems[i].Reason = "field is missing"
	}
	require.Contains(t, d.post(`[]`).json(t)["reason"], "; 995 more")
}

func TestOldSecretIsAcceptedAndSeen_R164(t *testing.T) {
	d := open(t)
	body := string(sample(t))
	answer := d.send(http.MethodPost, path, strings.NewReader(body), "Content-Type", "application/json",
		"absorb-signature", sign("old-secret", []byte(body)))
	require.Equal(t, http.StatusOK, answer.status)
	d.stop()
	require.Contains(t, d.logs.String(), `"level":"WARN"`)
	require.Contains(t, d.logs.String(), `"old_secret":1`)
}
