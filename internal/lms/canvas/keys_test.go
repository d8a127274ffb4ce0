package canvas_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/jwks"
	"countersign/internal/lms/signature"
)

// keys are RSA keys made for this run, one for each name; a name is what a secret is elsewhere.
type keys struct {
	t    testing.TB
	mu   sync.Mutex
	made map[string]*rsa.PrivateKey
}

func newKeys(t testing.TB) *keys { return &keys{t: t, made: map[string]*rsa.PrivateKey{}} }

func (k *keys) private(name string) *rsa.PrivateKey {
	k.t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.made[name] == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(k.t, err)
		k.made[name] = key
	}
	return k.made[name]
}

// kid is the id under which a name's key is published: an id that all share, so that the key itself has to match.
const kid = "live-event-1"

// seal signs claims with the key of a name as Canvas does. Header and claims are multiples of three bytes long, so that
// no character of theirs has bits that say nothing.
func (k *keys) seal(claims []byte, name string) []byte {
	k.t.Helper()
	claims = append(claims[:len(claims):len(claims)], "  "[:(3-len(claims)%3)%3]...)
	return k.sign(`{"typ":"JWT","alg":"RS256","kid":"`+kid+`"}`, claims, name)
}

// sign signs with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 7518 §3.3), whatever the header says.
func (k *keys) sign(header string, claims []byte, name string) []byte {
	k.t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(input))
	signed, err := rsa.SignPKCS1v15(nil, k.private(name), crypto.SHA256, sum[:])
	require.NoError(k.t, err)
	return []byte(input + "." + base64.RawURLEncoding.EncodeToString(signed))
}

// unverified is a token as Decode sees it, to which the signature says nothing.
func unverified(claims []byte) []byte {
	return []byte("eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString(claims) + ".c2lnbmF0dXJl")
}

// mac signs with HS256 and the public key in place of a secret.
func (k *keys) mac(claims []byte, name string) []byte {
	k.t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"`+kid+`"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, k.set(name))
	mac.Write([]byte(input))
	return []byte(input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
}

// jwk is a public key in a JWK set (RFC 7517 §4, RFC 7518 §6.3).
type jwk struct {
	Kty string `json:"kty"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	Use string `json:"use"`
	N   string `json:"n"`
	E   string `json:"e"`
}

// set is the JWK set of the names' keys.
func (k *keys) set(names ...string) []byte {
	k.t.Helper()
	all := []jwk{}
	for _, name := range names {
		public := k.private(name).PublicKey
		all = append(all, jwk{
			Kty: "RSA", Kid: kid, Alg: "RS256", Use: "sig",
			N: base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			E: base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		})
	}
	text, err := json.Marshal(map[string]any{"keys": all})
	require.NoError(k.t, err)
	return text
}

// recordedSet adds to a set the keys of the recorded deliveries.
func recordedSet(t testing.TB, set []byte) []byte {
	t.Helper()
	recorded, err := os.ReadFile(filepath.Join("testdata", "jwks.json"))
	require.NoError(t, err)
	var own, theirs struct {
		Keys []json.RawMessage `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(set, &own))
	require.NoError(t, json.Unmarshal(recorded, &theirs))
	own.Keys = append(own.Keys, theirs.Keys...)
	text, err := json.Marshal(own)
	require.NoError(t, err)
	return text
}

// verifier is how a source is set up: our root account, and the keys in a file.
func verifier(t testing.TB, set []byte) (lms.Verifier, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jwks.json")
	require.NoError(t, os.WriteFile(path, set, 0o600))
	found, err := jwks.New(jwks.Config{File: path})
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return verifierOf(found)
}

func verifierOf(set signature.Keys) (lms.Verifier, error) {
	return signature.NewJWT(signature.JWTConfig{
		Keys: set, Algorithms: []string{"RS256"}, Issuer: "https://live-events.canvas.instructure.com", InBody: true,
		Claims:    map[string]string{"/metadata/root_account_uuid": "VicTestRootAccountUuid00000000000000plantA"},
		Tolerance: time.Minute, Now: time.Now,
	})
}

// claims is an event with the issuer's name in it.
func claims(event []byte) []byte {
	if bytes.HasPrefix(event, []byte("{")) && !bytes.Contains(event, []byte(`"iss"`)) {
		return append([]byte(`{"iss":"https://live-events.canvas.instructure.com",`), event[1:]...)
	}
	return event
}

// TestRotation_R164: Canvas changes its keys monthly, and its set is asked for again when a token names an unknown one.
func TestRotation_R164(t *testing.T) {
	made := newKeys(t)
	published := make(chan []byte, 2)
	published <- made.set("previous", "current")
	published <- made.set("current", "next")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(<-published)
	}))
	defer server.Close()
	now := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	set, err := jwks.New(jwks.Config{URL: server.URL, Now: func() time.Time { return now }})
	require.NoError(t, err)
	v, err := verifierOf(set)
	require.NoError(t, err)
	event := claims([]byte(course("")))
	for _, name := range []string{"previous", "current"} {
		_, err = v.Verify(lms.Request{Body: made.seal(event, name)})
		require.NoError(t, err, name)
	}
	now = now.Add(25 * time.Hour)
	for _, name := range []string{"next", "current"} {
		_, err = v.Verify(lms.Request{Body: made.seal(event, name)})
		require.NoError(t, err, name)
	}
	_, err = v.Verify(lms.Request{Body: made.seal(event, "previous")})
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
}
