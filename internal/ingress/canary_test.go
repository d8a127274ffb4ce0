package ingress_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/issuer"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/lms/activate"
	"countersign/internal/lms/signature"
	"countersign/internal/setup"
	"countersign/internal/training"
)

// mark stands in every marked value; the rest of one says where it was put.
const mark = "KANARIE7f3a"

// secrets must not come back from anywhere; each opens one source.
func secrets() []string {
	return []string{secret, "old-secret", "s3cret-in-path", "s3cret-for-tokens", "s3cret-of-login", "s3cret-in-query"}
}

// everyRoute opens a door with a source of each kind and everything that the starter mounts.
func everyRoute(t *testing.T) *door {
	t.Helper()
	tokens, err := issuer.New(issuer.Config{Accounts: []issuer.Account{
		{Kind: issuer.ClientCredentials, Tenant: "acme", Source: "main", Name: "client", Secrets: []string{"s3cret-for-tokens"}, Lifetime: time.Hour},
		{Kind: issuer.Login, Tenant: "acme", Source: "main", Name: "user", Secrets: []string{"s3cret-of-login"}, Lifetime: time.Hour},
	}})
	require.NoError(t, err)
	book, err := setup.New()
	require.NoError(t, err)
	pages, err := book.Handler(setup.Options{})
	require.NoError(t, err)
	inQuery, err := signature.NewQueryToken([]string{"s3cret-in-query"}, "token")
	require.NoError(t, err)
	return open(t, func(d *door, cfg *ingress.Config, _ *http.Server) {
		// The ones that follow differ from the first in one thing each.
		variant := func(id string, change func(s *ingress.Source)) {
			s := d.sources.sources[0]
			s.ID = id
			change(&s)
			d.sources.sources = append(d.sources.sources, s)
		}
		variant("tested", func(s *ingress.Source) { s.TestMode = true })
		variant("token", func(s *ingress.Source) { s.PathToken, s.Verifier = true, inPath("s3cret-in-path") })
		variant("query", func(s *ingress.Source) { s.Verifier = inQuery })
		variant("gzip", func(s *ingress.Source) { s.Transport.Gzip = true })
		variant("form", func(s *ingress.Source) {
			s.Transport, s.Adapter = lms.Transport{Form: true, Paths: []string{"*"}}, activate.New(nil)
		})
		variant("open", func(s *ingress.Source) { s.Verifier = anybody{} })
		variant("panics", func(s *ingress.Source) {
			s.Adapter = reader(func(r lms.Request) (lms.Decoded, error) { panic(string(r.Body)) })
		})
		variant("unreadable", func(s *ingress.Source) {
			s.Verifier, s.Adapter = anybody{}, reader(func(r lms.Request) (lms.Decoded, error) { panic(fmt.Errorf("%s", r.Body)) })
		})
		cfg.Rehearse = func(_ context.Context, c training.Completion) ingress.Lookup {
			if strings.Contains(c.Course.Title, mark) {
				panic(c.Learner.Email)
			}
			return ingress.Lookup{Problems: []*training.Failure{training.Fail(training.FailureTenantUnknown, "find "+mark, mark, mark)}}
		}
		cfg.Routes = []ingress.Route{
			{Method: http.MethodGet, Pattern: "/setup/", Handler: pages},
			{Method: http.MethodGet, Pattern: "/setup/:platform", Handler: pages},
			{Method: http.MethodPost, Pattern: "/oauth/:tenant/:source/token", Handler: tokens.Handler()},
			{Method: http.MethodPost, Pattern: "/login/:tenant/:source", Handler: tokens.Handler()},
			{Method: http.MethodPost, Pattern: "/defect", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { panic(r.Header) })},
		}
	})
}

// routes are all URLs, with marks where a stranger can put one.
func routes() []string {
	const at = "/webhooks/lms"
	return []string{
		at, at + "/acme/main", at + "/acme/main/test", at + "/acme/tested", at + "/acme/tested/test",
		at + "/acme/token/s3cret-in-path", at + "/acme/token/s3cret-in-path/test", at + "/acme/token/" + mark + "-token",
		at + "/acme/token/" + mark + "-token/test", at + "/acme/query?token=s3cret-in-query", at + "/acme/query/test?token=" + mark + "-query",
		at + "/acme/gzip", at + "/acme/gzip/test", at + "/acme/form", at + "/acme/form/" + mark + "-event", at + "/acme/form/test/" + mark + "-event",
		at + "/acme/open", at + "/acme/open/test", at + "/acme/panics", at + "/acme/panics/test", at + "/acme/unreadable", at + "/acme/unreadable/test",
		at + "/" + mark + "-tenant/main", at + "/acme/" + mark + "-source", at + "/acme/main/" + mark + "-tail", at + "/acme/main/%4b" + mark,
		"/oauth/acme/main/token", "/oauth/" + mark + "-tenant/main/token", "/oauth/acme/main/" + mark,
		"/login/acme/main", "/login/acme/" + mark + "-source", "/setup/", "/setup/canonical?tenant=" + mark + "&source=" + mark, "/setup/" + mark + "-platform",
		"/defect", "/healthz?" + mark, "/readyz?" + mark, "/" + mark + "-nowhere",
	}
}

// bodies are deliveries with a mark in every text, in each text alone, in a key, and in what is no delivery.
func bodies(t *testing.T) []string {
	t.Helper()
	var tree any
	require.NoError(t, json.Unmarshal(sample(t), &tree))
	all := []string{
		"", mark, `"` + mark + `"`, `{"` + mark + `":1,"` + mark + `":2}`, `{"event":"` + mark + `"}`, "{\"event\":\"" + mark + "\xff\"}",
		url.Values{"grant_type": {mark}, "client_id": {mark + "-client"}, "client_secret": {mark + "-secret"}, "scope": {mark}}.Encode(),
		"grant_type=client_credentials&client_id=client&client_secret=s3cret-for-tokens&scope=" + mark,
		`{"username":"` + mark + `-user","password":"` + mark + `-password"}`, `{"username":"user","password":"s3cret-of-login"}`,
		string(zip(t, `{"event":"`+mark+`"}`)),
	}
	texts := 0
	for only := -1; only < max(texts, 1); only++ {
		texts = 0
		marked, err := json.Marshal(marking(tree, only, &texts))
		require.NoError(t, err)
		all = append(all, string(marked))
	}
	require.Greater(t, texts, 10, "the sample has so many fields")
	return all
}

// marking puts a mark into the text or number with that index, into all texts for -1. The event stays, so that the
// delivery still is one.
func marking(value any, only int, seen *int) any {
	switch value := value.(type) {
	case map[string]any:
		marked := map[string]any{}
		for _, key := range []string{"id", "event", "version", "fired_at", "timestamp", "original_domain", "payload", "user", "course", "certificate",
			"email", "first_name", "last_name", "external_id", "title", "code", "completion_date", "score", "passed", "issued", "expiry_date"} {
			if member, ok := value[key]; ok {
				marked[key] = marking(member, only, seen)
			}
		}
		return marked
	case string, float64:
		*seen++
		if _, number := value.(float64); only == *seen-1 || only == -1 && !number && value != "course.completion" && value != "1.0" &&
			!strings.HasSuffix(value.(string), "Z") && value != "acme.lms.example.com" {
			return fmt.Sprintf("%s-%d@example.com", mark, *seen)
		}
	}
	return value
}

// headerSets sign the body, or do not, and carry a mark everywhere else.
func headerSets(body string) [][]string {
	everywhere := []string{
		"X-Request-Id", mark, "User-Agent", mark, "Cookie", "session=" + mark, "Referer", "https://example.com/" + mark, "Origin", mark,
		"X-Forwarded-For", mark, "X-Forwarded-Host", mark, "Forwarded", "for=" + mark, "Accept", mark, "If-None-Match", mark, "Range", mark,
		"X-Webhook-Id", mark, "X-Webhook-Event", mark, "X-Webhook-Type", mark, "Webhook-Id", mark, "Webhook-Timestamp", mark, "X-" + mark, mark,
		"X-Client-Cert", mark, "Traceparent", mark, "Trailer", "X-Other",
	}
	good := sign(secret, []byte(body))
	return [][]string{
		append(signed(good), everywhere...),
		append(signed(mark), append(everywhere, "Authorization", "Bearer "+mark)...),
		append([]string{"Content-Type", "application/x-www-form-urlencoded", "absorb-signature", good, "Authorization", "Basic " + mark}, everywhere...),
		append([]string{"Content-Type", "application/json", "Content-Encoding", "gzip", "absorb-signature", good}, everywhere...),
		append([]string{"Content-Type", mark + "/" + mark + "; charset=" + mark, "Content-Encoding", mark}, everywhere...),
	}
}

// TestCanariesStayIn_R165_R207_R209 sends marked values by every route, in every header, query, path, token and field
// that a sender fills, and looks for them in the log, the metrics, every refusal, and the answers that
// somebody else gets (law 7). The log is plain slog here: nothing depends on what telemetry would withhold.
func TestCanariesStayIn_R165_R207_R209(t *testing.T) {
	d := everyRoute(t)
	answered := map[int]int{}
	for _, body := range bodies(t) {
		for _, headers := range headerSets(body) {
			for _, route := range routes() {
				for _, method := range []string{http.MethodPost, http.MethodGet, mark} {
					if method != http.MethodPost && body != "" {
						continue
					}
					got := d.send(method, route, strings.NewReader(body), headers...)
					answered[got.status]++
					text := strings.ReplaceAll(string(got.body), `"requestId":"`+mark+`"`, "") // the sender's own, repeated
					for _, withheld := range secrets() {
						require.NotContains(t, text, withheld, "%s %s", method, route)
					}
					// A rehearsal's answers, good or bad, are for the authentic person who asks.
					if got.status != http.StatusOK && !strings.Contains(text, `"verdict":"test"`) {
						require.NotContains(t, text, mark, "%s %s: %d", method, route, got.status)
					}
				}
			}
			d.clock.move(time.Minute) // for the rate limits
		}
	}
	for _, status := range []int{200, 400, 401, 404, 405, 415, 422, 500} {
		require.NotZero(t, answered[status], "the test must have seen %d: %v", status, answered)
	}
	d.garbage(t)

	for _, other := range []string{"/healthz", "/readyz", "/metrics", "/setup/canonical", "/setup/", "/webhooks/lms/beta/main", "/nowhere"} {
		require.NotContains(t, string(d.send(http.MethodGet, other, nil).body), mark, other)
	}
	d.stop()
	said := d.logs.String()
	for _, verdict := range []string{"accepted", "rejected", "unmapped", "ignored", "test"} {
		require.Contains(t, said, `"verdict":"`+verdict+`"`, "the test must have seen what it looks at")
	}
	require.Contains(t, said, `"msg":"panic"`)
	families, err := d.registry.Gather()
	require.NoError(t, err)
	for _, withheld := range append(secrets(), mark, strings.ToLower(mark), url.QueryEscape(mark+"@")) {
		require.NotContains(t, said, withheld)
		require.NotContains(t, fmt.Sprint(families), withheld)
	}
	for _, entry := range d.journal.kept() {
		require.NotContains(t, entry.Reason, mark)
		require.NotContains(t, strings.TrimSuffix(entry.Path, "/"+mark+"-event"), mark, "a platform's own path is kept, no token and no query")
		for _, withheld := range secrets() {
			require.NotContains(t, fmt.Sprint(entry.Header, entry.Path, entry.Reason), withheld)
		}
		if entry.Verdict == journal.VerdictRejected {
			require.Empty(t, entry.Body)
		}
	}
}

// garbage sends marks in what net/http answers by itself.
func (d *door) garbage(t *testing.T) {
	t.Helper()
	for _, text := range []string{
		"GET /" + mark + "\r\n\r\n", mark + "\r\n\r\n", "GET / HTTP/1.1\r\nHost: " + mark + " x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n" + mark + "\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n" + mark + " : x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + mark + "\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nExpect: " + mark + "\r\n\r\n",
		"GET /" + strings.Repeat(mark, 5000) + " HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://" + mark + ":x/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/" + mark + "\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: " + mark + "\r\n\r\n", "CONNECT " + mark + ":443 HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		conn, reader := d.raw()
		_, err := conn.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		var all bytes.Buffer
		_, _ = all.ReadFrom(reader)
		require.NotEmpty(t, all.String())
		require.NotContains(t, all.String(), mark)
	}
}
