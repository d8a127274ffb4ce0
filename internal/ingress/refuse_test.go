package ingress_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
)

func TestRefusals_R4_R26(t *testing.T) {
	body := string(sample(t))
	good := sign(secret, []byte(body))
	large := strings.Repeat(" ", 1<<20+1)
	for name, test := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		word               string
		kept               bool // as rejected
	}{
		"unknown tenant":       {"POST", "/webhooks/lms/nobody/main", body, nil, 404, "not-found", false},
		"unknown source":       {"POST", "/webhooks/lms/acme/other", body, nil, 404, "not-found", false},
		"another's source":     {"POST", "/webhooks/lms/main/acme", body, nil, 404, "not-found", false},
		"unknown path":         {"POST", "/webhooks", body, nil, 404, "not-found", false},
		"more than the source": {"POST", path + "/more", body, nil, 404, "not-found", false},
		"GET of a wrong path":  {"GET", path + "/more", "", nil, 404, "not-found", false},
		"PUT of a wrong path":  {"PUT", path + "/more", "", nil, 405, "method-not-allowed", false},
		"slash at the end":     {"POST", path + "/", body, nil, 404, "not-found", false},
		"tenant alone":         {"POST", "/webhooks/lms/acme", body, nil, 404, "not-found", false},
		"escaped slash":        {"POST", "/webhooks/lms/acme%2Fmain/main", body, nil, 404, "not-found", false},
		"PUT":                  {"PUT", path, body, nil, 405, "method-not-allowed", false},
		"DELETE":               {"DELETE", path, "", nil, 405, "method-not-allowed", false},
		"PATCH":                {"PATCH", path, body, nil, 405, "method-not-allowed", false},
		"an invented method":   {"BREW", path, body, nil, 405, "method-not-allowed", false},
		"GET without a source": {"GET", "/webhooks/lms", "", nil, 405, "method-not-allowed", false},
		"no content type":      {"POST", path, body, []string{"Content-Type", ""}, 415, "unsupported-media-type", true},
		"a form":               {"POST", path, body, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported-media-type", true},
		"text":                 {"POST", path, body, []string{"Content-Type", "text/json"}, 415, "unsupported-media-type", true},
		"a broken type":        {"POST", path, body, []string{"Content-Type", "application/json; charset"}, 415, "unsupported-media-type", true},
		"Latin-1":              {"POST", path, body, []string{"Content-Type", "application/json; charset=iso-8859-1"}, 415, "unsupported-media-type", true},
		"two types": {"POST", path, body, []string{"Content-Type", "application/json", "Content-Type", "text/plain"}, 415,
			"unsupported-media-type", true},
		"compressed": {"POST", path, body, []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415,
			"unsupported-media-type", true},
		"too large":        {"POST", path, large, []string{"Content-Type", "application/json"}, 413, "too-large", true},
		"no signature":     {"POST", path, body, []string{"Content-Type", "application/json"}, 401, "not-authenticated", true},
		"wrong secret":     {"POST", path, body, signed(sign("x", []byte(body))), 401, "not-authenticated", true},
		"another's secret": {"POST", path, body, signed(sign("s3cret-beta", []byte(body))), 401, "not-authenticated", true},
		"not hexadecimal":  {"POST", path, body, signed("sha256=zzz"), 401, "not-authenticated", true},
		"changed body":     {"POST", path, body + " ", signed(good), 401, "not-authenticated", true},
		"cut body":         {"POST", path, body[:len(body)-1], signed(good), 401, "not-authenticated", true},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			answer := d.send(test.method, test.path, strings.NewReader(test.body), test.headers...)
			require.Equal(t, test.status, answer.status)
			require.Equal(t, "application/problem+json", answer.header.Get("Content-Type"))
			problem := answer.json(t)
			require.Equal(t, "urn:countersign:problem:"+test.word, problem["type"])
			require.EqualValues(t, test.status, problem["status"])
			require.NotEmpty(t, problem["title"])
			require.NotEmpty(t, problem["detail"])
			require.Equal(t, answer.header.Get("X-Request-Id"), problem["requestId"])
			require.Equal(t, test.status == 401, answer.header.Get("WWW-Authenticate") != "")
			require.Equal(t, test.status == 405, answer.header.Get("Allow") != "")
			require.NotContains(t, string(answer.body), "s3cret")
			d.stop()
			if !test.kept {
				require.Empty(t, d.journal.entries)
				return
			}
			require.Len(t, d.journal.entries, 1, "every refusal of a known source leaves a trace (R212)")
			kept := d.journal.entries[0]
			require.Equal(t, journal.VerdictRejected, kept.Verdict)
			require.Empty(t, kept.Body, "what a stranger sent is not kept")
			require.Empty(t, d.journal.stored)
		})
	}
}

func signed(signature string) []string {
	return []string{"Content-Type", "application/json", "X-Hub-Signature-256", signature}
}

func TestUnknownTenantAndUnknownSourceAreAlike(t *testing.T) {
	d := open(t)
	var bodies []string
	for _, path := range []string{"/webhooks/lms/nobody/main", "/webhooks/lms/acme/other", "/nowhere"} {
		answer := d.send(http.MethodPost, path, strings.NewReader("{}"), "X-Request-Id", "same")
		bodies = append(bodies, string(answer.body))
	}
	require.Equal(t, bodies[0], bodies[1])
	require.Equal(t, bodies[0], bodies[2])
}

func TestAllowListsTheMethods(t *testing.T) {
	d := open(t)
	require.ElementsMatch(t, []string{"GET", "POST", "OPTIONS"},
		strings.Split(d.send(http.MethodPut, path, nil).header.Get("Allow"), ", "))
	require.Equal(t, http.StatusMethodNotAllowed, d.send(http.MethodHead, path, nil).status)
	require.Equal(t, "POST", d.send(http.MethodGet, "/webhooks/lms", nil).header.Get("Allow"))
}

func TestAcceptedContentTypes_R4(t *testing.T) {
	d := open(t)
	for _, contentType := range []string{
		"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8", `application/json; charset="utf-8"`,
	} {
		body := `{"event":"ping"}`
		answer := d.send(http.MethodPost, path, strings.NewReader(body), "Content-Type", contentType,
			"Content-Encoding", "identity", "absorb-signature", sign(secret, []byte(body)))
		require.Equal(t, http.StatusOK, answer.status, contentType)
	}
}

func TestRejectionIsRecordedWithSizeAndHashOnly_R212(t *testing.T) {
	d := open(t)
	d.send(http.MethodPost, path, strings.NewReader("abc"), "Content-Type", "application/json")
	kept := d.journal.next(t)
	require.Equal(t, "not authenticated: no signature; send it in X-Hub-Signature-256 or absorb-signature or X-Absorb-Signature or "+
		"X-LearnUpon-Webhook-Signature (body: 3 bytes, sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad)", kept.Reason)
}

func TestWhatIsKeptOfTheHeadersIsBounded(t *testing.T) {
	d := open(t)
	headers := []string{"User-Agent", strings.Repeat("é", 500), "X-" + strings.Repeat("n", 80), "x"}
	for n := range 200 {
		headers = append(headers, fmt.Sprintf("X-%d", n), "x", "Accept", "*/*")
	}
	require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`, headers...).status)
	size := 0
	for name, values := range d.journal.next(t).Header {
		size += len(name)
		for _, value := range values {
			require.True(t, utf8.ValidString(value))
			size += len(value)
		}
	}
	require.Less(t, size, 5000)
}

// TestManyHeadersPushOutNoneThatAReplayNeeds: a thousand headers, and the one that says how to read the body.
func TestManyHeadersPushOutNoneThatAReplayNeeds(t *testing.T) {
	d := compressed(t)
	body := zip(t, `{"event":"ping"}`)
	headers := zipped(body)
	for n := range 1000 {
		headers = append(headers, fmt.Sprintf("A-%d", n), "x")
	}
	require.Equal(t, http.StatusOK, d.send(http.MethodPost, path, bytes.NewReader(body), headers...).status)
	kept := d.journal.next(t)
	require.Len(t, kept.Header, 64)
	request, err := ingress.Stored(d.sources.sources[0], kept)
	require.NoError(t, err)
	require.Equal(t, journal.VerdictIgnored, ingress.Read(d.sources.sources[0], request, 0).Verdict)
}

func TestRejectionsCannotFillTheDisk(t *testing.T) {
	d := open(t)
	for range 50 {
		require.Equal(t, http.StatusUnauthorized, d.send(http.MethodPost, path, strings.NewReader("x"), "Content-Type", "application/json").status)
	}
	require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status, "the limit is not on the honest")
	d.clock.move(2 * time.Second)
	for range 5 {
		d.send(http.MethodPost, path, strings.NewReader("x"), "Content-Type", "application/json")
	}
	text := string(d.send(http.MethodGet, "/metrics", nil).body)
	d.stop()
	rejected := 0
	for _, entry := range d.journal.entries {
		if entry.Verdict == journal.VerdictRejected {
			rejected++
		}
	}
	require.Equal(t, 30+2, rejected)
	require.Contains(t, text, `countersign_deliveries_total{source="main",status="401",tenant="acme",verdict="rejected"} 55`)
}

func TestRejectionIsAnsweredThoughItCannotBeRecorded(t *testing.T) {
	d := open(t)
	d.journal.held = make(chan struct{}) // the answer does not wait for the journal
	require.Equal(t, http.StatusUnauthorized, d.send(http.MethodPost, path, strings.NewReader("x"), "Content-Type", "application/json").status)
	<-d.journal.entered
	close(d.journal.held)
	require.Equal(t, journal.VerdictRejected, d.journal.next(t).Verdict)
}

func TestRateLimitPerSource_R18(t *testing.T) {
	d := open(t, func(d *door, _ *ingress.Config, _ *http.Server) {
		d.sources.sources[0].RateLimit, d.sources.sources[0].Burst = 0.1, 3
	})
	for range 3 {
		require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status)
	}
	limited := d.post(`{"event":"ping"}`)
	require.Equal(t, http.StatusTooManyRequests, limited.status)
	require.Equal(t, "10", limited.header.Get("Retry-After"))
	require.Equal(t, http.StatusTooManyRequests, d.send(http.MethodGet, path, nil).status)

	beta := "/webhooks/lms/beta/main"
	require.Equal(t, http.StatusUnauthorized, d.send(http.MethodPost, beta, strings.NewReader("{}"), "Content-Type", "application/json").status,
		"one tenant's flood is not another's (law 6)")

	d.clock.move(9 * time.Second)
	require.Equal(t, "1", d.post(`{"event":"ping"}`).header.Get("Retry-After"))
	d.clock.move(time.Second)
	require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status)

	d.sources.sources[0].RateLimit, d.sources.sources[0].Burst = 1000, 100
	d.post(`{"event":"ping"}`)
	d.clock.move(time.Second)
	for range 100 {
		require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status, "new settings count from the next request on")
	}
}

func TestConnectionTestWritesNothing_R19_R189(t *testing.T) {
	d := open(t)
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		good := d.send(method, path, nil, "absorb-signature", sign(secret, nil))
		require.Equal(t, http.StatusOK, good.status, method)
		require.JSONEq(t, `{"verdict":"test","platform":"canonical"}`, string(good.body))
		for _, bad := range []string{"", "x", sign("x", nil), sign(secret, []byte("{}"))} {
			refused := d.send(method, path, nil, "absorb-signature", bad)
			require.Equal(t, http.StatusUnauthorized, refused.status, fmt.Sprint(method, bad))
			require.NotEmpty(t, refused.json(t)["detail"])
		}
		require.Equal(t, http.StatusNotFound, d.send(method, "/webhooks/lms/acme/other", nil).status)
	}
	d.stop()
	require.Empty(t, d.journal.entries)
}

func TestNewRefusesHalfAConfiguration(t *testing.T) {
	_, err := ingress.New(ingress.Config{Sources: &directory{}})
	require.Error(t, err)
	_, err = ingress.New(ingress.Config{Journal: &memory{}})
	require.Error(t, err)
	_, err = ingress.New(ingress.Config{Journal: &memory{}, Sources: &directory{}, TrustedProxies: []string{"not an address"}})
	require.ErrorContains(t, err, "trusted proxies")
}

func TestForwardedForIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	for trusted, want := range map[string]string{"": "127.0.0.1", "127.0.0.0/8": "203.0.113.9"} {
		d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) {
			if trusted != "" {
				cfg.TrustedProxies = []string{trusted}
			}
		})
		d.post(`{"event":"ping"}`, "X-Forwarded-For", "203.0.113.9")
		require.Equal(t, want, d.journal.next(t).RemoteAddr)
	}
}

func TestHealth(t *testing.T) {
	var extra error
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) {
		cfg.Ready = func(context.Context) error { return extra }
	})
	get := func(path string) int { return d.send(http.MethodGet, path, nil).status }
	require.Equal(t, 200, get("/healthz"))
	require.Equal(t, 200, get("/readyz"))
	require.Equal(t, 200, get("/readyz"))
	require.Equal(t, 1, d.journal.pings, "asking costs a write, so the answer is kept for a second")

	d.journal.pingErr = context.DeadlineExceeded
	require.Equal(t, 200, get("/readyz"))
	d.clock.move(time.Second)
	require.Equal(t, 503, get("/readyz"))
	require.Equal(t, 200, get("/healthz"), "a dead database is no reason to restart")

	d.journal.pingErr, extra = nil, fmt.Errorf("no disk space")
	d.clock.move(time.Second)
	require.Equal(t, 503, get("/readyz"))

	extra = nil
	d.clock.move(time.Second)
	require.Equal(t, 200, get("/readyz"))
	d.ingress.Drain()
	require.Equal(t, 503, get("/readyz"))
	require.Equal(t, 200, d.post(`{"event":"ping"}`).status, "what still comes is still taken")
}
