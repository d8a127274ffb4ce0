package arena_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms/arena"
	"countersign/internal/training"
)

func TestEveryReasonHasItsClass(t *testing.T) {
	for _, tc := range []struct {
		status int
		reason string
		want   training.FailureClass
	}{
		{400, "MALFORMED_BODY", training.FailureRefused},
		{400, "BAD_DATE", training.FailureRefused},
		{400, "BAD_STATUS", training.FailureRefused},
		{401, "UNAUTHENTICATED", training.FailureCredentials},
		{401, "TOKEN_EXPIRED", training.FailureCredentials},
		{401, "SCOPE_MISSING", training.FailureCredentials},
		{403, "SCOPE_MISSING", training.FailureCredentials},
		{403, "", training.FailureCredentials},
		{403, "EXTERNAL_UPDATES_OFF", training.FailureUpdatesOff},
		{404, "UNKNOWN_ENDPOINT", training.FailureRefused},
		{404, "", training.FailureRefused},
		{404, "RECORD_NOT_FOUND", training.FailureRecordMissing},
		{404, "EMPLOYEE_NOT_FOUND", training.FailureEmployeeUnknown},
		{404, "TRAINING_NOT_FOUND", training.FailureCourseUnmapped},
		{406, "NOT_ACCEPTABLE", training.FailureRefused},
		{408, "", training.FailureUnreachable},
		{409, "ALREADY_COMPLETED", training.FailureCompletedElse},
		{409, "RECORD_EXPIRED", training.FailureRecordExpired},
		{409, "RECORD_CANCELLED", training.FailureRecordCancelled},
		{409, "ALREADY_PENDING", training.FailureApprovalNeeded},
		{409, "INVALID_TRANSITION", training.FailureRefused},
		{409, "", training.FailureRefused},
		{415, "UNSUPPORTED_MEDIA_TYPE", training.FailureRefused},
		{422, "EMPLOYEE_MISMATCH", training.FailureEmployeeMismatch},
		{429, "RATE_LIMITED", training.FailureRateLimited},
		{429, "", training.FailureRateLimited},
		{500, "INTERNAL", training.FailureUnreachable},
		{502, "", training.FailureUnreachable},
		{503, "ALREADY_COMPLETED", training.FailureUnreachable}, // a broken server's words prove nothing
		{302, "", training.FailureMisread},
	} {
		t.Run(fmt.Sprint(tc.status, tc.reason), func(t *testing.T) {
			s := newStub(t, reply(tc.status, refusal(tc.status, tc.reason)))
			f := requireFailure(t, s.client(t, nil).Complete(t.Context(), completion(), "r"), tc.want)
			require.Equal(t, "complete record", f.Operation)
			require.Equal(t, "TR-000123", f.Key)
			require.Equal(t, strings.TrimSpace(fmt.Sprint(tc.status, " ", tc.reason)), f.Detail)
		})
	}
}

// A word that is not of the contract could be a name.
func TestUnknownWordsAreNotRepeated(t *testing.T) {
	s := newStub(t, reply(409, refusal(409, "JANE_DOE_LEFT")))
	f := requireFailure(t, s.client(t, nil).Complete(t.Context(), completion(), "r"), training.FailureRefused)
	require.Equal(t, "409", f.Detail)
}

func TestApprovalForbidden(t *testing.T) {
	d := training.Decision{Action: training.ActionApprove, By: "m.keller", Reason: "seen"}
	for status, reason := range map[int]string{403: "", 401: "SCOPE_MISSING"} {
		s := newStub(t, reply(status, refusal(status, reason)))
		requireFailure(t, s.client(t, nil).Decide(t.Context(), "TR-1", d, "r"), training.FailureApprovalForbidden)
	}
}

func TestRetryAfterIsRead(t *testing.T) {
	now := newClock()
	for value, want := range map[string]time.Duration{
		"":                              0,
		"120":                           2 * time.Minute,
		"0":                             0,
		"-5":                            0,
		"soon":                          0,
		"99999999":                      24 * time.Hour,
		"99999999999999999999":          0,
		"Wed, 08 Apr 2026 14:31:30 GMT": 90 * time.Second,
		"Wed, 08 Apr 2026 14:00:00 GMT": 0,
	} {
		for _, status := range []int{429, 503} {
			s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", value)
				answer(w, status, "{}")
			})
			c := s.client(t, func(cfg *arena.Config) { cfg.Now = now.Now })
			_, err := c.Record(t.Context(), "TR-1")
			var f *training.Failure
			require.ErrorAs(t, err, &f)
			require.Equal(t, want, f.RetryAfter, value)
		}
	}
}

func TestUnreadableAnswersAreMisread(t *testing.T) {
	raw := func(media, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			fmt.Fprint(w, body)
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"login page":        raw("text/html", "<html>"),
		"JSON by accident":  raw("text/plain", janesRecord),
		"no content type":   raw("", janesRecord),
		"other charset":     raw("application/json; charset=latin1", janesRecord),
		"invalid UTF-8":     raw("application/json", strings.Replace(janesRecord, "EMP", "\xff", 1)),
		"cut off":           raw("application/json", janesRecord[:80]),
		"two values":        raw("application/json", janesRecord+"{}"),
		"a list":            raw("application/json", "["+janesRecord+"]"),
		"null":              raw("application/json", "null"),
		"empty object":      raw("application/json", "{}"),
		"too large":         raw("application/json", janesRecord+strings.Repeat(" ", 1<<20)),
		"unknown status":    raw("application/json", strings.Replace(janesRecord, `"COMPLETED"`, `"DONE"`, 1)),
		"unreadable date":   raw("application/json", strings.Replace(janesRecord, "2026-04-08T16", "8 April 16", 1)),
		"somebody's record": raw("application/json", strings.Replace(janesRecord, "TR-000123", "TR-000124", 1)),
		"no employee":       raw("application/json", strings.Replace(janesRecord, "EMP12345", "", 1)),
		"redirect":          func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"body breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "5000")
			fmt.Fprint(w, janesRecord)
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			s := newStub(t, func(w http.ResponseWriter, r *http.Request) { calls++; handler(w, r) })
			_, err := s.client(t, nil).Record(t.Context(), "TR-000123")
			requireFailure(t, err, training.FailureMisread)
			require.Equal(t, 1, calls, "no redirect is followed and nothing is repeated")
		})
	}
}

// A 2xx to a write proves nothing whatever its body, so its body is not looked at.
func TestWriteIsAnsweredByItsStatus(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"html":       func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"no content": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			fmt.Fprint(w, "{")
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, newStub(t, handler).client(t, nil).Complete(t.Context(), completion(), "r"))
		})
	}
}

func TestSilenceIsUnreachable(t *testing.T) {
	t.Run("timeout", func(t *testing.T) {
		c := newStub(t, hang).client(t, func(cfg *arena.Config) { cfg.HTTP = &http.Client{Timeout: 50 * time.Millisecond} })
		f := requireFailure(t, c.Employee(t.Context(), "EMP12345"), training.FailureUnreachable)
		require.Equal(t, "timeout", f.Detail)
		require.Equal(t, "/users/…", f.Key)
		require.NotContains(t, f.Err.Error(), "EMP12345")
	})
	t.Run("the caller's deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := newStub(t, hang).client(t, nil).Complete(ctx, completion(), "r")
		requireFailure(t, err, training.FailureUnreachable)
	})
	t.Run("slow body", func(t *testing.T) {
		s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
			answer(w, http.StatusOK, `{"id":`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		c := s.client(t, func(cfg *arena.Config) { cfg.HTTP = &http.Client{Timeout: 50 * time.Millisecond} })
		_, err := c.Record(t.Context(), "TR-1")
		requireFailure(t, err, training.FailureUnreachable)
	})
	t.Run("dropped", func(t *testing.T) {
		s := newStub(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		f := requireFailure(t, s.client(t, nil).Complete(t.Context(), completion(), "r"), training.FailureUnreachable)
		require.Equal(t, "connection closed", f.Detail)
	})
	t.Run("nobody listens", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		c, err := arena.New(arena.Config{BaseURL: "http://" + listener.Addr().String(), ClientID: "a", ClientSecret: "b"})
		require.NoError(t, err)
		f := requireFailure(t, c.Complete(t.Context(), completion(), "r"), training.FailureUnreachable)
		require.Equal(t, "unreachable: get token /auth/token: connection refused", f.Error())
	})
}

// Shutting down is no fault of the QMS, and must not be counted as one.
func TestCancellationIsTheCallers(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		hang(w, r)
	})
	err := s.client(t, nil).Complete(ctx, completion(), "r")
	require.ErrorIs(t, err, context.Canceled)
	var f *training.Failure
	require.NotErrorAs(t, err, &f)
	require.Equal(t, "complete record TR-000123: context canceled", err.Error())
}

func TestCallsAreLoggedWithoutPersonsAndSecrets_R130(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := newStub(t, reply(404, refusal(404, "EMPLOYEE_NOT_FOUND")))
	c := s.client(t, func(cfg *arena.Config) { cfg.Log = log })
	requireFailure(t, c.Employee(t.Context(), "EMP12345"), training.FailureEmployeeUnknown)
	requireFailure(t, c.Complete(t.Context(), completion(), "req-7"), training.FailureEmployeeUnknown)
	text := out.String()
	require.Contains(t, text, `"level":"DEBUG","msg":"qms call","method":"POST","path":"/api/v1/auth/token"`)
	require.Contains(t, text, `"level":"INFO","msg":"qms call","method":"GET","path":"/api/v1/users/{employeeId}"`)
	require.Contains(t, text, `"path":"/api/v1/training/records/{id}/complete","key":"TR-000123","request_id":"req-7"`)
	require.Contains(t, text, `"status":404,"reason":"EMPLOYEE_NOT_FOUND"`)
	for _, secret := range []string{"EMP12345", "t0p-secret", "token-1", "about "} {
		require.NotContains(t, text, secret)
	}
}
