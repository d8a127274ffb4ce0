package sender_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/sender"
)

// TestSignature_R24 is a delivery with a signature computed elsewhere.
func TestSignature_R24(t *testing.T) {
	body, err := os.ReadFile("testdata/course-completion.json")
	require.NoError(t, err)
	require.Equal(t, "sha256=b23771741a3446e135579f0eeca3a2d0f4052a4a570d3cf3949ca0c7e07cba75", sender.Sign("s3cret-canonical", body))
}

// TestEnvelopeIsTheCanonicalOne_R48 reads the recorded deliveries and writes them again.
func TestEnvelopeIsTheCanonicalOne_R48(t *testing.T) {
	for _, name := range []string{"course-completion.json", "enrollment-created.json"} {
		body, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		var e sender.Envelope
		require.NoError(t, json.Unmarshal(body, &e))
		again, err := json.Marshal(e)
		require.NoError(t, err)
		require.JSONEq(t, string(body), string(again))
	}
}

// receiver answers with a script of statuses, then 200; 0 drops the connection.
type receiver struct {
	mu       sync.Mutex
	statuses []int
	bodies   []string
	signed   []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, string(body))
	r.signed = append(r.signed, request.Header.Get(sender.SignatureHeader))
	status := http.StatusOK
	if len(r.statuses) > 0 {
		status, r.statuses = r.statuses[0], r.statuses[1:]
	}
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// received is what came in so far.
func (r *receiver) received() (bodies, signed []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bodies, r.signed
}

func start(t *testing.T, statuses ...int) (*receiver, string) {
	t.Helper()
	r := &receiver{statuses: statuses}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, server.URL
}

func TestRetriesSendTheSameBytes(t *testing.T) {
	cases := []struct {
		name     string
		statuses []int
		attempts int
		status   int
		waits    []time.Duration
	}{
		{"at once", nil, 1, 200, nil},
		{"after trouble", []int{503, 0, 429}, 4, 200, []time.Duration{1, 5, 15}},
		{"in vain", []int{500, 500, 500, 500}, 4, 500, []time.Duration{1, 5, 15}},
		{"refused", []int{401}, 1, 401, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, url := start(t, c.statuses...)
			var waits []time.Duration
			s := sender.New(sender.Options{URL: url, Secret: "s", Retries: []time.Duration{1, 5, 15},
				Wait: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }})
			sent := []byte(`{"id":"1"}`)
			answer, err := s.SendBody(t.Context(), sent)
			require.NoError(t, err)
			require.Equal(t, c.status, answer.Status)
			require.Equal(t, c.attempts, answer.Attempts)
			require.Equal(t, c.waits, waits)
			bodies, signed := r.received()
			require.Len(t, bodies, c.attempts)
			for i := range bodies {
				require.Equal(t, sent, []byte(bodies[i]))
				require.Equal(t, sender.Sign("s", sent), signed[i])
			}
		})
	}
}

func TestNoAnswerIsAnError(t *testing.T) {
	_, url := start(t, 0)
	_, err := sender.New(sender.Options{URL: url}).SendBody(t.Context(), []byte("{}"))
	require.ErrorContains(t, err, "send delivery")
}

func TestStoppedWhileWaiting(t *testing.T) {
	_, url := start(t, 503)
	stopped := errors.New("stopped")
	_, err := sender.New(sender.Options{URL: url, Retries: []time.Duration{time.Minute},
		Wait: func(context.Context, time.Duration) error { return stopped }}).SendBody(t.Context(), []byte("{}"))
	require.ErrorIs(t, err, stopped)
}

func TestStream(t *testing.T) {
	r, url := start(t)
	ticks := make(chan time.Time)
	go func() {
		defer close(ticks)
		now := time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC)
		for range 300 {
			now = now.Add(200 * time.Millisecond)
			ticks <- now
		}
	}()
	kinds := map[sender.Kind]int{}
	seen := map[string]int{}
	learners := map[string]bool{}
	err := sender.New(sender.Options{URL: url, Secret: "s"}).Stream(t.Context(), sender.NewMix("acme.example.com", 7), ticks, func(d sender.Delivery) {
		require.NoError(t, d.Err)
		require.Equal(t, 200, d.Answer.Status)
		kinds[d.Kind]++
		seen[d.Envelope.ID]++
		if d.Kind == sender.KindDuplicate {
			require.Greater(t, seen[d.Envelope.ID], 1)
			return
		}
		require.Equal(t, 1, seen[d.Envelope.ID], "every new delivery has its own id")
		require.False(t, learners[d.Envelope.Payload.User.ExternalID])
		learners[d.Envelope.Payload.User.ExternalID] = true
		course := d.Envelope.Payload.Course
		require.Equal(t, d.Kind == sender.KindApproval, course.Code == "GMP-7-APPROVAL")
		require.Equal(t, d.Kind == sender.KindEnrollment, course.Result == nil)
		if course.Code == "SAFE-101-SCORED" && course.Result != nil {
			require.NotNil(t, course.Score)
		}
		if course.Result != nil && course.Score != nil {
			require.True(t, *course.Score >= 0 && *course.Score <= 100)
		}
	})
	require.NoError(t, err)
	bodies, _ := r.received()
	require.Len(t, bodies, 300)
	for _, kind := range []sender.Kind{sender.KindCompletion, sender.KindDuplicate, sender.KindApproval, sender.KindUnknown,
		sender.KindFailed, sender.KindEnrollment} {
		require.NotZero(t, kinds[kind], kind)
	}
	require.InDelta(t, 30, kinds[sender.KindDuplicate], 15)
}

func TestStreamEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := sender.New(sender.Options{}).Stream(ctx, sender.NewMix("acme.example.com", 1), make(chan time.Time), func(sender.Delivery) {})
	require.ErrorIs(t, err, context.Canceled)
}
