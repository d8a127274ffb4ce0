package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"countersign/internal/simulator/arena"
	"countersign/internal/simulator/sender"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// learner makes the n-th employee known to the QMS, with one open record, and returns the
// record's id.
func (s *system) learner(n int, change ...func(*arena.Record)) string {
	employee := fmt.Sprintf("HR-%d", n)
	s.qms.AddUser(arena.User{EmployeeID: employee, Email: employee + "@acme.example", FullName: "Jordan Lee", Active: true})
	record := arena.Record{EmployeeID: employee, TrainingID: program, Status: training.RecordAssigned}
	for _, c := range change {
		c(&record)
	}
	return s.qms.AddRecord(record).ID
}

// body is the n-th learner's completion, as an LMS sends it.
func body(n int) []byte {
	score, passed := 91.5, true
	return encode(n, &score, &passed)
}

// address is the n-th learner's.
func address(n int) string { return fmt.Sprintf("jordan.lee.%d@example.com", n) }

func withoutScore(n int) []byte { return encode(n, nil, nil) }

func encode(n int, score *float64, passed *bool) []byte {
	raw, err := json.Marshal(sender.Envelope{
		ID: fmt.Sprintf("wh-%d", n), Event: sender.EventCompletion, Version: "1.0",
		FiredAt: "2026-04-08T14:30:22.000Z", Timestamp: 1775658622, OriginalDomain: "acme.lms.example.com",
		Payload: sender.Payload{
			User: sender.User{ID: 10000 + n, Email: address(n), FirstName: "Jordan", LastName: "Lee", ExternalID: fmt.Sprintf("HR-%d", n)},
			Course: sender.Course{ID: 5541, Title: "Annual Compliance Training 2026", Code: "COMP-2026",
				Result: &sender.Result{CompletionDate: "2026-04-08T14:30:00Z", Score: score, Passed: passed}},
		},
	})
	if err != nil {
		panic(err) // the type is ours and always encodes
	}
	return raw
}

// receipt is the answer to a delivery.
type receipt struct {
	Status      int
	DeliveryID  string `json:"deliveryId"`
	Verdict     string `json:"verdict"`
	Completions []struct {
		Fingerprint training.Fingerprint `json:"fingerprint"`
		Status      string               `json:"status"`
	} `json:"completions"`
	Enrollments []struct {
		Enrollment training.EnrollmentKey `json:"enrollment"`
		Status     string                 `json:"status"`
	} `json:"enrollments"`
}

var lms = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// post delivers a signed body.
func (s *system) post(raw []byte) (receipt, error) {
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/webhooks/lms/acme/lms", bytes.NewReader(raw))
	if err != nil {
		return receipt{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(sender.SignatureHeader, sender.Sign(secret, raw))
	response, err := lms.Do(request)
	if err != nil {
		return receipt{}, err
	}
	defer func() { _ = response.Body.Close() }()
	answer := receipt{Status: response.StatusCode}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(text, &answer)
}

// complete delivers the n-th learner's completion and returns its fingerprint.
func (s *system) complete(n int) training.Fingerprint {
	s.t.Helper()
	answer, err := s.post(body(n))
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, answer.Status)
	require.Len(s.t, answer.Completions, 1)
	return answer.Completions[0].Fingerprint
}

// burst delivers bodies over 64 connections and returns every answer.
func (s *system) burst(bodies [][]byte) []receipt {
	s.t.Helper()
	answers, errs := make([]receipt, len(bodies)), make([]error, len(bodies))
	next := make(chan int)
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			for i := range next {
				answers[i], errs[i] = s.post(bodies[i])
			}
		})
	}
	for i := range bodies {
		next <- i
	}
	close(next)
	senders.Wait()
	for _, err := range errs {
		require.NoError(s.t, err)
	}
	return answers
}

// requireOneEffectOfEachKind counts at the other side: one transition of the record, one
// statement; and one certificate in the journal, for each of the completions.
func (s *system) requireOneEffectOfEachKind(records []string, fingerprints []training.Fingerprint) {
	s.t.Helper()
	for _, id := range records {
		record, ok := s.qms.Record(id)
		require.True(s.t, ok)
		require.Equal(s.t, training.RecordCompleted, record.Status, id)
		require.Len(s.t, s.qms.Changes(id), 1, "effective changes of %s", id)
	}
	require.Len(s.t, s.lrs.Statements(), len(fingerprints), "statements")
	j := s.journal()
	for _, f := range fingerprints {
		for _, kind := range []training.EffectKind{training.EffectRecord, training.EffectCertificate, training.EffectStatement} {
			effect, err := j.Effect(s.t.Context(), tenant, f, kind)
			require.NoError(s.t, err, kind)
			require.NotEmpty(s.t, effect.Bytes)
		}
	}
}
