package xapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
	"countersign/internal/xapi"
)

const id = "0d6b0fca-3c0a-5a6e-9f3a-0d6f1e5b7a10"

func classOf(t testing.TB, err error) training.FailureClass {
	t.Helper()
	var f *training.Failure
	require.ErrorAs(t, err, &f)
	return f.Class
}

func newClient(t *testing.T, handler http.Handler) *xapi.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := xapi.NewClient(xapi.ClientConfig{
		Endpoint: server.URL + "/xapi/", Username: "key", Password: "s3cret", HTTP: server.Client(),
	})
	require.NoError(t, err)
	return client
}

// store is an LRS that keeps statements. after, when set, answers a PUT in its place once the
// statement is stored.
type store struct {
	mu         sync.Mutex
	statements map[string][]byte
	puts       int
	after      func(w http.ResponseWriter, put int) bool
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if user, password, _ := r.BasicAuth(); user != "key" || password != "s3cret" ||
		r.URL.Path != "/xapi/statements" || r.Header.Get("X-Experience-API-Version") != "1.0.3" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	key := r.URL.Query().Get("statementId")
	held, ok := s.statements[key]
	if r.Method == http.MethodGet {
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(held)
		return
	}
	if r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.puts++
	if !ok {
		s.statements[key] = body
	}
	switch {
	case s.after != nil && s.after(w, s.puts):
	case ok && !bytes.Equal(held, body):
		w.WriteHeader(http.StatusConflict)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func statementBody(t *testing.T) (string, []byte) {
	t.Helper()
	id, body, err := xapi.New(completion().Fingerprint(), completion(), options())
	require.NoError(t, err)
	return id, body
}

func TestPutStoresOnceHoweverOften_R148(t *testing.T) {
	lrs := &store{statements: map[string][]byte{}}
	client := newClient(t, lrs)
	id, body := statementBody(t)
	for range 3 {
		require.NoError(t, client.Put(t.Context(), id, body))
	}
	require.Equal(t, map[string][]byte{id: body}, lrs.statements)
}

func TestAnswerLostAfterTheLRSStoredIsMendedByTheSameBytes(t *testing.T) {
	lrs := &store{statements: map[string][]byte{}, after: func(_ http.ResponseWriter, put int) bool {
		if put == 1 {
			panic(http.ErrAbortHandler) // the connection drops
		}
		return false
	}}
	server := httptest.NewServer(lrs)
	t.Cleanup(server.Close)
	client, err := xapi.NewClient(xapi.ClientConfig{Endpoint: server.URL + "/xapi", Username: "key", Password: "s3cret"})
	require.NoError(t, err)
	id, body := statementBody(t)
	require.Equal(t, training.FailureUnreachable, classOf(t, client.Put(t.Context(), id, body)))
	require.NoError(t, client.Put(t.Context(), id, body))
	require.Len(t, lrs.statements, 1)
}

// HiBob answers 409 to every repeat, Learning Locker to another spelling of the instant.
func TestConflictIsSettledByReading(t *testing.T) {
	id, body := statementBody(t)
	always409 := func(w http.ResponseWriter, _ int) bool { w.WriteHeader(http.StatusConflict); return true }
	change := func(pairs ...string) []byte {
		changed := strings.NewReplacer(pairs...).Replace(string(body))
		require.NotEqual(t, string(body), changed)
		return []byte(changed)
	}
	for _, tt := range []struct {
		name  string
		holds []byte
		want  string // "" for delivered
	}{
		{"the same bytes", body, ""},
		{"other spelling of the instant", change("14:30:00.123Z", "16:30:00.123+02:00"), ""},
		{"other spelling of a number", change("0.915", "0.9150", `"max":100`, `"max":1e2`), ""},
		{"course renamed", change("GDPR <2026>", "GDPR"), ""},
		{"properties the LRS sets", change(`{"id"`, `{"stored":"2026-03-14T14:31:00Z","version":"1.0.0","authority":{"mbox":"mailto:x@y.example"},"id"`), ""},
		{"implied object types left out", change(`"objectType":"Agent",`, "", `"objectType":"Activity",`, ""), ""},
		{"another actor", change("0042", "42"), "actor"},
		{"another kind of actor", change(`"account":{"homePage":"https://acme.docebosaas.example","name":"0042"}`, `"mbox":"mailto:a@b.example"`), "actor"},
		{"another verb", change("verbs/completed", "verbs/passed"), "verb"},
		{"another object", change("/course/C%20", "/course/D%20"), "object"},
		{"another score", change(`"raw":91.5`, `"raw":91.6`), "result"},
		{"no success", change(`"success":true,`, ""), "result"},
		{"another instant", change("14:30:00.123Z", "14:30:00.124Z"), "timestamp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, &store{statements: map[string][]byte{id: tt.holds}, after: always409})
			err := client.Put(t.Context(), id, body)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, training.FailureStatementConflict, classOf(t, err))
			require.ErrorContains(t, err, "other "+tt.want)
			require.NotContains(t, err.Error(), "0042")
		})
	}
}

func TestConflictThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		name           string
		get, getVoided int
		body           string
		want           training.FailureClass
	}{
		{"voided by somebody", 404, 200, `{}`, training.FailureStatementConflict},
		{"not readable yet", 404, 404, ``, training.FailureUnreachable},
		{"reading forbidden", 403, 0, ``, training.FailureCredentials},
		{"LRS falls over", 503, 0, ``, training.FailureUnreachable},
		{"login page", 200, 0, `<html>`, training.FailureMisread},
		{"something else", 200, 0, `{"ok":true}`, training.FailureMisread},
		{"voided unreadable", 404, 500, ``, training.FailureUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPut:
					w.WriteHeader(http.StatusConflict)
				case r.URL.Query().Has("voidedStatementId"):
					w.WriteHeader(tt.getVoided)
				default:
					w.WriteHeader(tt.get)
					_, _ = io.WriteString(w, tt.body)
				}
			}))
			id, body := statementBody(t)
			require.Equal(t, tt.want, classOf(t, client.Put(t.Context(), id, body)))
		})
	}
}

func TestEveryAnswerHasItsClass_R155(t *testing.T) {
	for _, tt := range []struct {
		status int
		header map[string]string
		body   string
		want   training.FailureClass
		after  time.Duration
		detail string
	}{
		{status: 400, body: `{"message":"actor.mbox of Jane Doe is bad"}`, want: training.FailureStatementRefused, detail: "400 Bad Request, mentions actor, mbox"},
		{status: 400, body: strings.Repeat("x", 3<<20), want: training.FailureStatementRefused, detail: "400 Bad Request"},
		{status: 404, want: training.FailureStatementRefused, detail: "404 Not Found"},
		{status: 413, want: training.FailureStatementRefused, detail: "413 Request Entity Too Large"},
		{status: 422, want: training.FailureStatementRefused, detail: "422 Unprocessable Entity"},
		{status: 401, body: "scaled", want: training.FailureCredentials, detail: "401 Unauthorized"},
		{status: 403, want: training.FailureCredentials, detail: "403 Forbidden"},
		{status: 429, header: map[string]string{"Retry-After": "90"}, want: training.FailureRateLimited, after: 90 * time.Second, detail: "429 Too Many Requests"},
		{status: 429, header: map[string]string{"Date": "Sat, 14 Mar 2026 14:30:00 GMT", "Retry-After": "Sat, 14 Mar 2026 14:32:00 GMT"}, want: training.FailureRateLimited, after: 2 * time.Minute, detail: "429 Too Many Requests"},
		{status: 429, header: map[string]string{"Retry-After": "4000000000"}, want: training.FailureRateLimited, after: 24 * time.Hour, detail: "429 Too Many Requests"},
		{status: 429, header: map[string]string{"Retry-After": "soon"}, want: training.FailureRateLimited, detail: "429 Too Many Requests"},
		{status: 500, want: training.FailureUnreachable, detail: "500 Internal Server Error"},
		{status: 503, header: map[string]string{"Retry-After": "5"}, want: training.FailureUnreachable, after: 5 * time.Second, detail: "503 Service Unavailable"},
		{status: 408, want: training.FailureUnreachable, detail: "408 Request Timeout"},
		{status: 302, header: map[string]string{"Location": "/login"}, want: training.FailureMisread, detail: "302 Found"},
		{status: 202, want: training.FailureMisread, detail: "202 Accepted"},
	} {
		t.Run(tt.detail, func(t *testing.T) {
			requests := 0
			client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests++
				for key, value := range tt.header {
					w.Header().Set(key, value)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			err := client.Put(t.Context(), id, []byte(`{}`))
			var f *training.Failure
			require.ErrorAs(t, err, &f)
			require.Equal(t, tt.want, f.Class)
			require.Equal(t, tt.after, f.RetryAfter)
			require.Equal(t, tt.detail, f.Detail)
			require.Equal(t, id, f.Key)
			require.NotContains(t, err.Error(), "Jane")
			require.Equal(t, 1, requests, "waiting belongs to the workflow, and no redirect is followed")
		})
	}
}

func TestOnlyCancellationPassesThrough(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := newClient(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	err := client.Put(ctx, id, []byte(`{}`))
	require.ErrorIs(t, err, context.Canceled)
	var f *training.Failure
	require.NotErrorAs(t, err, &f)

	slow, release := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer release()
	require.Equal(t, training.FailureUnreachable, classOf(t, client.Put(slow, id, []byte(`{}`))))
}

func TestAboutListsVersions(t *testing.T) {
	answer := `{"version":["1.0.3","2.0.0"],"extensions":{}}`
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/xapi/about" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, answer)
	}))
	versions, err := client.About(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"1.0.3", "2.0.0"}, versions)

	answer = `<html>login</html>`
	_, err = client.About(t.Context())
	require.Equal(t, training.FailureMisread, classOf(t, err))
}

func TestEndpointIsChecked(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                             "want http(s)",
		"lrs.example/xapi":             "want http(s)",
		"ftp://lrs.example":            "want http(s)",
		"https://u:p@lrs.example/xapi": "user name",
		"https://lrs.example/?a=b":     "query",
		"https://lrs.example/\x7f":     "not a URL",
	} {
		_, err := xapi.NewClient(xapi.ClientConfig{Endpoint: endpoint})
		require.ErrorContains(t, err, want, endpoint)
		require.NotContains(t, err.Error(), "u:p")
	}
}

func TestBaseAddressMayNameTheStatements(t *testing.T) {
	lrs := &store{statements: map[string][]byte{}}
	server := httptest.NewServer(lrs)
	t.Cleanup(server.Close)
	var log bytes.Buffer
	for _, path := range []string{"/xapi", "/xapi/", "/xapi/statements", "/xapi/statements/"} {
		client, err := xapi.NewClient(xapi.ClientConfig{
			Endpoint: server.URL + path, Username: "key", Password: "s3cret", Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		require.NoError(t, err)
		require.NoError(t, client.Put(t.Context(), id, []byte(`{}`)), path)
	}
	require.NotContains(t, log.String(), "s3cret")
}
