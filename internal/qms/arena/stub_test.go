package arena_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms/arena"
	"countersign/internal/training"
)

// stub is an Arena of a few lines, for what the simulator is too correct to do.
type stub struct {
	*httptest.Server
	tokenCalls atomic.Int32
	// token answers the n-th token request; nil issues token-n for an hour.
	token http.HandlerFunc
	// api answers everything else.
	api http.HandlerFunc
}

func newStub(t testing.TB, api http.HandlerFunc) *stub {
	t.Helper()
	s := &stub{api: api}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/api/v1/auth/token":
			s.api(w, r)
		case s.token != nil:
			s.tokenCalls.Add(1)
			s.token(w, r)
		default:
			writeToken(w, fmt.Sprint("token-", s.tokenCalls.Add(1)), 3600)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stub) client(t testing.TB, change func(*arena.Config)) *arena.Client {
	t.Helper()
	cfg := arena.Config{BaseURL: s.URL, ClientID: "svc-bridge", ClientSecret: "t0p-secret"}
	if change != nil {
		change(&cfg)
	}
	c, err := arena.New(cfg)
	require.NoError(t, err)
	return c
}

// hang answers never. The body is read first, because only then a server notices that the
// caller has gone.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func writeToken(w http.ResponseWriter, value string, seconds int) {
	answer(w, http.StatusOK, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, value, seconds))
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, status, body) }
}

func refusal(status int, reason string) string {
	return fmt.Sprintf(`{"status":%d,"errors":[{"code":1,"reason":%q,"message":"about EMP12345"}],"requestId":"r"}`, status, reason)
}

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const janesRecord = `{"id":"TR-000123","employeeId":"EMP12345","trainingId":"TP-0042","status":"COMPLETED",
	"completionDate":"2026-04-08T16:30:00.250+02:00","score":91.50,"tracksScore":true,"approvalRequired":true,
	"locked":true,"externalRef":"lms:acme:enrolment:88121","version":3}`

func completion() training.Write {
	return training.Write{
		RecordID: "TR-000123", EmployeeID: "EMP12345", Status: training.RecordCompleted,
		CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Score: "95",
	}
}

func requireFailure(t *testing.T, err error, class training.FailureClass) *training.Failure {
	t.Helper()
	var f *training.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, class, f.Class, err)
	require.NotContains(t, err.Error(), "EMP12345")
	require.NotContains(t, err.Error(), "secret")
	return f
}
