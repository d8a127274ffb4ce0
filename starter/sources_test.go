package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/process"
	"countersign/internal/settings"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

const (
	current  = "the-current-secret-of-the-lms"
	previous = "the-secret-of-the-lms-before-it"
)

// newSourcesWith loads a file with one source, acme/lms, that has this auth.
func newSourcesWith(t *testing.T, auth string) (*sources, error) {
	t.Helper()
	t.Setenv("CURRENT", current)
	t.Setenv("PREVIOUS", previous)
	t.Setenv("STANDARD", "whsec_"+base64.StdEncoding.EncodeToString([]byte(current)))
	configured(t, strings.Replace(tenantsFile, "{hmac_sha256: {secrets: [env:CHECK_LMS_SECRET, env:CHECK_OLD_SECRET]}}", auth, 1))
	_, loaded, err := process.Load()
	require.NoError(t, err)
	return newSources(loaded, verifiers{})
}

func mac(secret string, parts ...string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(strings.Join(parts, "")))
	return m.Sum(nil)
}

// Each row is a kind of auth and how a sender that holds a secret proves itself with it.
func TestEveryKindOfAuthIsWired_R33_R34_R38_R43_R47(t *testing.T) {
	header := func(name string, value func(secret string) string) func(r *lms.Request, secret string) {
		return func(r *lms.Request, secret string) { r.Header.Set(name, value(secret)) }
	}
	digits := func(secret string) string { return hex.EncodeToString(mac(secret, "{}")) }
	plain := func(secret string) string { return secret }
	for name, test := range map[string]struct {
		auth  string
		prove func(r *lms.Request, secret string)
	}{
		"header of the platform": {"{hmac_sha256: {secrets: [env:CURRENT, env:PREVIOUS]}}", header("X-Hub-Signature-256", digits)},
		"header of the source": {
			"{hmac_sha256: {headers: [X-Acme], prefix: 'v0=', secrets: [env:CURRENT, env:PREVIOUS]}}",
			header("X-Acme", func(secret string) string { return "v0=" + digits(secret) }),
		},
		"base64": {
			"{hmac_sha256: {headers: [X-Acme], encoding: base64, secrets: [env:CURRENT, env:PREVIOUS]}}",
			header("X-Acme", func(secret string) string { return base64.StdEncoding.EncodeToString(mac(secret, "{}")) }),
		},
		"api key":       {"{api_key: {header: apikey, secrets: [env:CURRENT, env:PREVIOUS]}}", header("Apikey", plain)},
		"bearer":        {"{bearer: {secrets: [env:CURRENT, env:PREVIOUS]}}", header("Authorization", func(s string) string { return "Bearer " + s })},
		"authorization": {"{authorization: {secrets: [env:CURRENT, env:PREVIOUS]}}", header("Authorization", plain)},
		"basic": {"{basic: {username: svc, secrets: [env:CURRENT, env:PREVIOUS]}}", header("Authorization", func(s string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte("svc:"+s))
		})},
		"query": {"{token_in: {query: token, secrets: [env:CURRENT, env:PREVIOUS]}}", func(r *lms.Request, secret string) { r.Query = "token=" + secret }},
		"key and network": {"{ip_allow: [203.0.113.0/24], api_key: {secrets: [env:CURRENT, env:PREVIOUS]}}", func(r *lms.Request, secret string) {
			r.RemoteAddr = "203.0.113.9"
			r.Header.Set("X-API-Key", secret)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := newSourcesWith(t, test.auth)
			require.NoError(t, err)
			source, ok := all.Source("acme", "lms")
			require.True(t, ok)
			for secret, want := range map[string]int{current: 0, previous: 1, "another": -1, "": -1} {
				r := lms.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte("{}")}
				if secret != "" {
					test.prove(&r, secret)
				}
				got, err := source.Verifier.Verify(r)
				if want < 0 {
					require.ErrorIs(t, err, lms.ErrUnauthenticated)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
}

func TestStandardWebhooksAreHeldAgainstTheClock(t *testing.T) {
	all, err := newSourcesWith(t, "{hmac_sha256: {signed: id.timestamp.body, tolerance: 1m, secrets: [env:STANDARD]}}")
	require.NoError(t, err)
	source, _ := all.Source("acme", "lms")
	for age, accepted := range map[time.Duration]bool{0: true, 2 * time.Minute: false, -2 * time.Minute: false} {
		sent := strconv.FormatInt(time.Now().Add(-age).Unix(), 10)
		r := lms.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte("{}")}
		r.Header.Set("Webhook-Id", "msg_1")
		r.Header.Set("Webhook-Timestamp", sent)
		r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac(current, "msg_1.", sent, ".{}")))
		_, err := source.Verifier.Verify(r)
		if accepted {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
		}
	}
}

func TestKeyFromElsewhereIsRefused_R47(t *testing.T) {
	all, err := newSourcesWith(t, "{ip_allow: [203.0.113.0/24], api_key: {secrets: [env:CURRENT]}}")
	require.NoError(t, err)
	source, _ := all.Source("acme", "lms")
	for _, address := range []string{"192.0.2.1", ""} {
		_, err = source.Verifier.Verify(lms.Request{Header: http.Header{"X-Api-Key": {current}}, RemoteAddr: address})
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
	}
	_, err = source.Verifier.Verify(lms.Request{Header: http.Header{}, RemoteAddr: "203.0.113.9"})
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
}

func TestSourceWithoutProofIsNotWired_R41(t *testing.T) {
	_, err := verifiers{}.of("acme", settings.Source{Platform: "canonical"})
	require.Error(t, err)
	_, err = verifiers{}.of("acme", settings.Source{Platform: "canonical", Auth: settings.Auth{Bearer: &settings.Bearer{}}})
	require.Error(t, err)
	_, err = verifiers{}.of("acme", settings.Source{Platform: "of nobody", Auth: settings.Auth{
		HMACSHA256: &settings.HMACSHA256{Secrets: []settings.Secret{settings.NewSecret(current)}},
	}})
	require.ErrorContains(t, err, "headers is required")
}

// kept is a journal that only keeps.
type kept struct {
	mu         sync.Mutex
	deliveries []journal.Delivery
}

func (k *kept) Append(_ context.Context, d journal.Delivery, _ []training.Completion, _ ...training.Enrollment) (journal.Receipt, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.deliveries = append(k.deliveries, d)
	return journal.Receipt{DeliveryID: d.ID, Verdict: d.Verdict}, nil
}

func (k *kept) Ping(context.Context) error { return nil }

// TestQueryTokenLeavesNoTrace walks a token in the URL through the real door: it must not be logged, kept or sent
// back (law 7). It also shows that the address is the connection's and not a header's.
func TestQueryTokenLeavesNoTrace_R47_R207(t *testing.T) {
	all, err := newSourcesWith(t, "{ip_allow: [127.0.0.1, '::1'], token_in: {query: token, secrets: [env:CURRENT, env:PREVIOUS]}}")
	require.NoError(t, err)
	var logs bytes.Buffer
	var entries kept
	in, err := ingress.New(ingress.Config{Journal: &entries, Sources: all, Log: slog.New(slog.NewJSONHandler(&logs, nil))})
	require.NoError(t, err)
	server := httptest.NewServer(in.Handler())
	defer server.Close()
	for token, want := range map[string]int{current: 200, previous: 200, "wrong" + current: 401} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/webhooks/lms/acme/lms?token="+token, strings.NewReader("{}"))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		response, err := server.Client().Do(r)
		require.NoError(t, err)
		var answer bytes.Buffer
		_, err = answer.ReadFrom(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.StatusCode, answer.String())
		require.NotContains(t, answer.String(), token)
	}
	server.Close() // waits for what is written after the answer
	require.Len(t, entries.deliveries, 3)
	for _, d := range entries.deliveries {
		require.Equal(t, "/webhooks/lms/acme/lms", d.Path)
		require.NotContains(t, d.Reason, current)
	}
	require.Contains(t, logs.String(), `"old_secret":1`)
	require.NotContains(t, logs.String(), current)
	require.NotContains(t, logs.String(), previous)
}
