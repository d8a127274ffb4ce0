package sender_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/sender"
)

func sampleBody(t *testing.T, name string) []byte {
	t.Helper()
	for _, end := range []string{".json", ".form", ".json.gz", ""} {
		if body, err := os.ReadFile(filepath.Join("testdata", name+end)); err == nil {
			return body
		}
	}
	require.Fail(t, "no sample", name)
	return nil
}

// sampleHeaders are those of a recorded delivery, but for what every HTTP client adds.
func sampleHeaders(t *testing.T, name string) http.Header {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".headers.txt"))
	require.NoError(t, err)
	header := http.Header{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			header.Add(name, value)
		}
	}
	for _, name := range []string{"Host", "Content-Length", "Accept-Encoding"} {
		header.Del(name)
	}
	return header
}

func account(secret string) sender.Account { return sender.Account{Secret: secret} }

var (
	v1Signature = regexp.MustCompile(`,"signature":"[0-9a-f]+"`)
	formSecret  = regexp.MustCompile(`&auth_secret=.*`)
	bodyToken   = regexp.MustCompile(`"token":"[^"]*"`)
)

// TestCredentials_R24_R43 applies each credential to a recorded body: the signatures of the records were computed
// elsewhere, and have to come out byte for byte, in headers and body.
func TestCredentials_R24_R43(t *testing.T) {
	for _, tt := range []struct {
		sample string
		// headers are those of another file than the body's.
		headers    string
		credential sender.Credential
		id         string
		at         time.Time
		// unsigned is the body before the credential.
		unsigned func(string) string
	}{
		{sample: "absorb/course-completed-by-learner", credential: sender.Absorb().Credential(account("s3cret-absorb"))},
		{sample: "activate/completion-apikey", credential: sender.Header{Name: "X-API-Key", Value: "s3cret-activate"}},
		{sample: "activate/completion-bearer-all-fields", credential: sender.Bearer("s3cret-activate")},
		{sample: "activate/completion-basic-failed", credential: sender.Basic("activate-svc", "s3cret-activate")},
		{sample: "adobe-learning-manager/COURSE_COMPLETED", credential: sender.Adobe().Credential(account("s3cret-adobe-learning-manager"))},
		{sample: "axis/course-completed", credential: sender.Axis().Credential(account("s3cret-axis"))},
		{sample: "axis/course-completed-hmac", credential: sender.HMAC{Header: "X-Axis-Signature", Prefix: "sha256=", Secret: "s3cret-axis"}},
		{sample: "axis/course-completed-form", credential: sender.AxisForm().Credential(account("s3cret-axis")),
			unsigned: func(body string) string { return formSecret.ReplaceAllString(body, "") }},
		{sample: "brightspace/award_issued", credential: sender.Brightspace().Credential(account("s3cret-brightspace"))},
		{sample: "brightspace/array-variant.assumed", credential: sender.Brightspace().Credential(account("s3cret-brightspace"))},
		{sample: "canonical/course-completion", credential: sender.Canonical().Credential(account("s3cret-canonical"))},
		{sample: "canonical/course-completion-absorb-header", credential: sender.HMAC{Header: "absorb-signature", Secret: "s3cret-canonical"}},
		{sample: "cornerstone/training_completed", credential: sender.Cornerstone().Credential(account("s3cret-cornerstone")),
			at: time.Date(2026, 4, 8, 14, 30, 9, 0, time.UTC)},
		{sample: "cornerstone/heartbeat", credential: sender.Cornerstone().Credential(account("s3cret-cornerstone")),
			at: time.Date(2026, 4, 8, 14, 30, 9, 0, time.UTC)},
		{sample: "cornerstone/training_batch.json.gz", headers: "cornerstone/training_batch.gz",
			credential: sender.Cornerstone().Credential(account("s3cret-cornerstone")), at: time.Date(2026, 4, 8, 14, 30, 9, 0, time.UTC)},
		{sample: "docebo/course.enrollment.completed", credential: sender.Docebo().Credential(account("s3cret-docebo"))},
		{sample: "docebo/course.enrollment.completed", headers: "docebo/course.enrollment.completed.hmac-unverified",
			credential: sender.HMAC{Header: "X-Docebo-Signature", Secret: "s3cret-docebo"}},
		{sample: "learnupon/course_completion.v1", credential: sender.LearnUponV1().Credential(account("s3cret-learnupon")),
			unsigned: func(body string) string { return v1Signature.ReplaceAllString(body, "") }},
		{sample: "learnupon/course_completion.v2", credential: sender.LearnUpon().Credential(account("s3cret-learnupon"))},
		{sample: "lessonly/lesson-completed", credential: sender.Lessonly().Credential(account("s3cret-lessonly"))},
		{sample: "moodle/course_completed", credential: sender.MoodleEvents().Credential(account("s3cret-moodle")),
			unsigned: func(body string) string { return bodyToken.ReplaceAllString(body, `"token":""`) }},
		{sample: "moodle/webhookengine.course_completed",
			credential: sender.Moodle().Credential(account("whsec_" + base64.StdEncoding.EncodeToString([]byte("s3cret-moodle")))),
			id:         "0f8b6a52-6d0e-4f0a-9a37-2f5f6f0a8d11", at: time.Unix(1775658682, 0)},
		{sample: "moodle/xapi.statements-batch", credential: sender.MoodleStatements().Credential(account("s3cret-moodle"))},
		{sample: "moodle/tool_trigger.course_completed", credential: sender.MoodleTrigger().Credential(account("s3cret-moodle"))},
		{sample: "talentlms/course_completion", credential: sender.TalentLMS().Credential(account("s3cret-talentlms"))},
	} {
		headers := tt.headers
		if headers == "" {
			headers = tt.sample
		}
		t.Run(headers, func(t *testing.T) {
			signed := string(sampleBody(t, tt.sample))
			body := signed
			if tt.unsigned != nil {
				body = tt.unsigned(signed)
				require.NotEqual(t, signed, body)
			}
			want := sampleHeaders(t, headers)
			a := &sender.Attempt{Number: 1, At: tt.at, ID: tt.id, Method: http.MethodPost,
				URL: &url.URL{Path: "/webhooks/lms/cornerstone"}, Header: http.Header{}, Body: []byte(body)}
			require.NoError(t, tt.credential.Apply(t.Context(), a))
			for name := range a.Header {
				require.Equal(t, want[name], a.Header[name], name)
			}
			for _, proof := range []string{"Authorization", "X-Api-Key", "X-Content-Sha256", "Webhook-Signature"} {
				require.Equal(t, want[proof], a.Header[proof], proof)
			}
			require.Equal(t, signed, string(a.Body))
		})
	}
}

// jwks is what an independent reader makes of a JWK set.
type jwks struct {
	Keys []struct{ Kid, N, E, Kty, Alg string }
}

// verified checks a token with the set at url and returns its claims.
func verified(t *testing.T, url string, token []byte) (claims []byte, kid string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var set jwks
	require.NoError(t, json.NewDecoder(response.Body).Decode(&set))
	require.Len(t, set.Keys, 3)
	parts := strings.Split(string(token), ".")
	require.Len(t, parts, 3)
	decode := func(text string) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		require.NoError(t, err)
		return raw
	}
	var header struct{ Typ, Alg, Kid string }
	require.NoError(t, json.Unmarshal(decode(parts[0]), &header))
	require.Equal(t, "RS256", header.Alg)
	require.Equal(t, "JWT", header.Typ)
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, key := range set.Keys {
		require.Equal(t, "RSA", key.Kty)
		if key.Kid == header.Kid {
			public := &rsa.PublicKey{N: new(big.Int).SetBytes(decode(key.N)), E: int(new(big.Int).SetBytes(decode(key.E)).Int64())}
			require.NoError(t, rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], decode(parts[2])))
			return decode(parts[1]), header.Kid
		}
	}
	require.Fail(t, "the key is not in the set")
	return nil, ""
}

// TestSignedEvents_R46 signs the recorded event: the claims are those of the recorded token, letter for letter.
func TestSignedEvents_R46(t *testing.T) {
	keys := &sender.Keys{}
	server := httptest.NewServer(keys)
	defer server.Close()
	credential := sender.Canvas().Credential(sender.Account{Keys: keys})
	apply := func() []byte {
		a := &sender.Attempt{Header: http.Header{"Content-Type": {"application/json"}}, Body: sampleBody(t, "canvas/course_completed")}
		require.NoError(t, credential.Apply(t.Context(), a))
		require.Equal(t, sampleHeaders(t, "canvas/course_completed.jwt"), a.Header)
		return a.Body
	}
	recorded := strings.Split(string(sampleBody(t, "canvas/course_completed.jwt")), ".")
	want, err := base64.RawURLEncoding.DecodeString(recorded[1])
	require.NoError(t, err)

	token := apply()
	claims, first := verified(t, server.URL, token)
	require.Equal(t, string(want), string(claims))

	require.NoError(t, keys.Rotate())
	_, still := verified(t, server.URL, token) // it is the previous key now
	require.Equal(t, first, still)
	_, second := verified(t, server.URL, apply())
	require.NotEqual(t, first, second)
	require.Equal(t, 3, keys.Asked())

	nothing := &sender.Attempt{Header: http.Header{}}
	require.NoError(t, sender.SignedBody{Keys: keys}.Apply(t.Context(), nothing))
	require.Empty(t, nothing.Body)
}

// TestTokens_R35_R36_R39 has tokens fetched as recorded, used until they run out or are refused, and both forms of the
// answer understood.
func TestTokens_R35_R36_R39(t *testing.T) {
	for _, tt := range []struct {
		name, request string
		credential    func(url string) *sender.Tokens
		answer        string
		life          time.Duration
	}{
		{"client credentials", "successfactors/token-request", func(url string) *sender.Tokens {
			return sender.ClientCredentials(url, "bridge-sf", "s3cret-successfactors")
		}, `{"access_token":"NEW","token_type":"Bearer","expires_in":600}`, 600 * time.Second},
		{"login, a text", "activate/login-request", func(url string) *sender.Tokens {
			return sender.Login(url, "activate-svc", "s3cret-activate")
		}, `{"access_token":"NEW"}`, 300 * time.Second},
		{"login, an object", "activate/login-request", func(url string) *sender.Tokens {
			return sender.Login(url, "activate-svc", "s3cret-activate")
		}, `{"access_token":{"token":"NEW","expires_in_seconds":900}}`, 900 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, status := 0, http.StatusOK
			var got *http.Request
			var body string
			endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				raw, err := io.ReadAll(r.Body)
				if err != nil {
					panic(http.ErrAbortHandler)
				}
				asked++
				got, body = r, string(raw)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, strings.Replace(tt.answer, "NEW", "token-"+string(rune('0'+asked)), 1))
			}))
			defer endpoint.Close()
			tokens := tt.credential(endpoint.URL)
			now := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
			use := func(at time.Time) string {
				a := &sender.Attempt{At: at, Header: http.Header{}}
				require.NoError(t, tokens.Apply(t.Context(), a))
				return a.Header.Get("Authorization")
			}
			require.Equal(t, "Bearer token-1", use(now))
			want := sampleHeaders(t, tt.request)
			require.Equal(t, want.Get("Content-Type"), got.Header.Get("Content-Type"))
			require.Equal(t, want.Get("Authorization"), got.Header.Get("Authorization"))
			if file, err := os.ReadFile("testdata/" + tt.request + ".form.txt"); err == nil {
				require.Equal(t, strings.TrimSpace(string(file)), body)
			} else {
				require.JSONEq(t, string(sampleBody(t, tt.request)), body)
			}
			require.Equal(t, "Bearer token-1", use(now.Add(tt.life-31*time.Second)))
			require.Equal(t, "Bearer token-2", use(now.Add(tt.life-30*time.Second)))

			status = http.StatusTooManyRequests
			err := tokens.Apply(t.Context(), &sender.Attempt{At: now.Add(time.Hour), Header: http.Header{}})
			require.ErrorContains(t, err, "answered 429")
		})
	}
}

func TestTokensThatAreNone(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"access_token":""}`, `{"access_token":{}}`, `[]`} {
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		err := sender.Login(endpoint.URL, "u", "p").Apply(t.Context(), &sender.Attempt{Header: http.Header{}})
		endpoint.Close()
		require.ErrorContains(t, err, "get a token", body)
	}
	err := sender.StandardWebhooks{Secret: "not base64!"}.Apply(context.Background(), &sender.Attempt{Header: http.Header{}})
	require.EqualError(t, err, "the secret is not base64")
}

func inflated(t *testing.T, body []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return plain
}
