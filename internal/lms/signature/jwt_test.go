package signature_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

// keySet is a fixed set of keys.
type keySet []jose.JSONWebKey

func (k keySet) Keys(id string) (found []jose.JSONWebKey, _ error) {
	for _, key := range k {
		if id == "" || key.KeyID == id {
			found = append(found, key)
		}
	}
	return found, nil
}

// absent is an issuer that cannot be asked.
type absent struct{}

func (absent) Keys(string) ([]jose.JSONWebKey, error) { return nil, errors.New("no route to host") }

func tokenTime() time.Time { return time.Unix(1_775_658_600, 0) }

func config(keys signature.Keys) signature.JWTConfig {
	return signature.JWTConfig{Keys: keys, Algorithms: []string{"RS256"}, Tolerance: time.Minute, Now: tokenTime}
}

var rsaKeys = sync.OnceValue(func() [2]*rsa.PrivateKey { // making them takes long
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

func publicKey(id string, key any) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key, KeyID: id, Use: "sig"}
}

// jws signs a payload as an issuer does.
func jws(t testing.TB, algorithm jose.SignatureAlgorithm, key any, header map[string]any, payload string) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	require.NoError(t, err)
	signed, err := signer.Sign([]byte(payload))
	require.NoError(t, err)
	text, err := signed.CompactSerialize()
	require.NoError(t, err)
	return text
}

func kid(id string) map[string]any { return map[string]any{"kid": id} }

func bearing(token string) lms.Request { return request("Authorization", "Bearer "+token) }

// The deliveries and the key set of Canvas's shape.
func TestCanvasSamples_R46(t *testing.T) {
	content, err := os.ReadFile("testdata/canvas/jwks.json")
	require.NoError(t, err)
	var set jose.JSONWebKeySet
	require.NoError(t, json.Unmarshal(content, &set))
	c := config(keySet(set.Keys))
	c.InBody, c.Issuer = true, "https://live-events.canvas.instructure.com"
	c.Claims = map[string]string{"/metadata/root_account_uuid": "VicTestRootAccountUuid00000000000000plantA"}
	v, err := signature.NewJWT(c)
	require.NoError(t, err)
	for _, name := range []string{"course_completed", "enrollment_created"} {
		r := request()
		r.Body, err = os.ReadFile("testdata/canvas/" + name + ".jwt")
		require.NoError(t, err)
		_, err = v.Verify(r)
		require.NoError(t, err, "an event has no exp, and the root account is the source's")

		payload, err := signature.Payload(r.Body)
		require.NoError(t, err)
		require.Contains(t, string(payload), `"event_name":"`+name+`"`)

		parts := strings.Split(string(r.Body), ".")
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), "1042", "1043", 1)))
		r.Body = []byte(strings.Join(parts, "."))
		_, err = v.Verify(r)
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
		require.ErrorContains(t, err, "the token's signature does not match")
	}
}

// Whoever is a customer of the same issuer has tokens with good signatures too.
func TestOtherCustomersOfTheIssuerAreRefused_R164(t *testing.T) {
	key := rsaKeys()[0]
	c := config(keySet{publicKey("k", key.Public())})
	c.Claims = map[string]string{"/metadata/root~1account": "ours"}
	v, err := signature.NewJWT(c)
	require.NoError(t, err)
	for payload, want := range map[string]string{
		`{"metadata":{"root/account":"ours"}}`:                         "",
		`{"metadata":{"root/account":"theirs"}}`:                       "/metadata/root~1account is not the source's",
		`{"metadata":{"root/account":["ours"]}}`:                       "is not the source's",
		`{"metadata":["ours"]}`:                                        "is not the source's",
		`{"metadata":{}}`:                                              "is not the source's",
		`{"root/account":"ours"}`:                                      "is not the source's",
		`{"metadata":{"root/account":"theirs","root/account":"ours"}}`: "not a JSON object of claims",
	} {
		_, err := v.Verify(bearing(jws(t, jose.RS256, key, kid("k"), payload)))
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, lms.ErrUnauthenticated, payload)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "theirs")
	}
}

func TestClaimsAreHeldAgainstTheSourceAndTheClock_R197(t *testing.T) {
	key := rsaKeys()[0]
	c := config(keySet{publicKey("k", key.Public())})
	c.Issuer, c.Audience = "https://issuer.example", "countersign"
	v, err := signature.NewJWT(c)
	require.NoError(t, err)
	const whose = `"iss":"https://issuer.example","aud":"countersign"`
	for payload, want := range map[string]string{
		`{` + whose + `}`: "",
		`{"iss":"https://issuer.example","aud":["x","countersign"]}`:           "",
		`{` + whose + `,"exp":1775658601,"nbf":1775658600,"iat":1775658600}`:   "",
		`{` + whose + `,"exp":1775658540.5,"nbf":1775658660,"iat":1775658660}`: "",
		`{` + whose + `,"exp":1775658539}`:                                     "has expired",
		`{` + whose + `,"exp":0}`:                                              "has expired",
		`{` + whose + `,"nbf":1775658661}`:                                     "not valid yet",
		`{` + whose + `,"iat":1775658661}`:                                     "ahead of our clock",
		`{` + whose + `,"exp":"1775659000"}`:                                   "not a JSON object of claims",
		`{` + whose + `,"exp":9e99}`:                                           "not a JSON object of claims",
		`{` + whose + `,"exp":1775650000,"exp":1775659000}`:                    "not a JSON object of claims",
		`{"iss":"https://other.example","aud":"countersign"}`:                  "another issuer",
		`{"aud":"countersign"}`:                                                "another issuer",
		`{"iss":"https://issuer.example"}`:                                     "does not name",
		`{"iss":"https://issuer.example","aud":"Countersign"}`:                 "does not name",
		`{"iss":"https://issuer.example","aud":7}`:                             "not a JSON object of claims",
		`{"iss":["https://issuer.example"],"aud":"countersign"}`:               "not a JSON object of claims",
		`[]`: "not a JSON object of claims", `null`: "not a JSON object of claims", `x`: "not a JSON object of claims", ``: "not a JSON object",
	} {
		_, err := v.Verify(bearing(jws(t, jose.RS256, key, kid("k"), payload)))
		if want == "" {
			require.NoError(t, err, payload)
			continue
		}
		require.ErrorIs(t, err, lms.ErrUnauthenticated, payload)
		require.ErrorContains(t, err, want, payload)
	}
}

// respelt is another spelling of the same token: the last character of an RSA signature of 256 bytes
// has four bits that stand for nothing.
func respelt(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last|1])
}

func TestTokensThatNobodyVouchesFor_R25(t *testing.T) {
	key, other := rsaKeys()[0], rsaKeys()[1]
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	encrypting := publicKey("enc", other.Public())
	encrypting.Algorithm = "RS512"
	v, err := signature.NewJWT(config(keySet{
		publicKey("k", key.Public()), publicKey("ec", elliptical.Public()), encrypting, {Key: der, KeyID: "secret"},
	}))
	require.NoError(t, err)
	good := jws(t, jose.RS256, key, kid("k"), `{"a":1}`)
	parts := strings.Split(good, ".")
	raw := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	embedded := &jose.SignerOptions{EmbedJWK: true}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: other, KeyID: "k"}}, embedded)
	require.NoError(t, err)
	own, err := signer.Sign([]byte(`{"a":1}`))
	require.NoError(t, err)
	withOwnKey, err := own.CompactSerialize()
	require.NoError(t, err)
	whole, err := jose.ParseSignedCompact(good, []jose.SignatureAlgorithm{jose.RS256})
	require.NoError(t, err)

	for name, test := range map[string]struct{ token, want string }{
		"good":                     {good, ""},
		"spare bits set":           {respelt(good), "not a signed token"},
		"without kid":              {jws(t, jose.RS256, key, nil, `{"a":1}`), ""},
		"none":                     {raw(`{"alg":"none","kid":"k"}`) + "." + parts[1] + ".", "is not signed with RS256"},
		"None":                     {raw(`{"alg":"None","kid":"k"}`) + "." + parts[1] + ".", "is not signed with RS256"},
		"no algorithm":             {raw(`{"kid":"k"}`) + "." + parts[1] + "." + parts[2], "is not signed with RS256"},
		"public key as a secret":   {jws(t, jose.HS256, der, kid("k"), `{"a":1}`), "is not signed with RS256"},
		"a secret in the set":      {jws(t, jose.HS256, der, kid("secret"), `{"a":1}`), "is not signed with RS256"},
		"RS256, but a secret":      {raw(`{"alg":"RS256","kid":"secret"}`) + "." + parts[1] + "." + parts[2], "does not match"},
		"an algorithm not allowed": {jws(t, jose.RS512, key, kid("k"), `{"a":1}`), "is not signed with RS256"},
		"elliptic, not allowed":    {jws(t, jose.ES256, elliptical, kid("ec"), `{"a":1}`), "is not signed with RS256"},
		"a key for another use":    {jws(t, jose.RS256, other, kid("enc"), `{"a":1}`), "does not match"},
		"another key":              {jws(t, jose.RS256, other, kid("k"), `{"a":1}`), "does not match"},
		"its own key embedded":     {withOwnKey, "does not match"},
		"unknown kid":              {jws(t, jose.RS256, key, kid("x"), `{"a":1}`), "has no key of the id"},
		"endless kid":              {jws(t, jose.RS256, key, kid(strings.Repeat("k", 300)), `{"a":1}`), "not one that an issuer writes"},
		"a path for kid":           {jws(t, jose.RS256, key, kid("../../etc/passwd"), `{"a":1}`), "has no key of the id"},
		"critical extension":       {jws(t, jose.RS256, key, map[string]any{"kid": "k", "crit": []string{"x"}, "x": 1}, `{"a":1}`), "does not match"},
		"unencoded payload":        {jws(t, jose.RS256, key, map[string]any{"kid": "k", "b64": false}, `{"a":1}`), "not one that an issuer writes"},
		"signature cut off":        {parts[0] + "." + parts[1] + ".", "does not match"},
		"no payload":               {parts[0] + ".." + parts[2], "does not match"},
		"two parts":                {parts[0] + "." + parts[1], "not a signed token"},
		"four parts":               {good + ".x", "not a signed token"},
		"JSON serialisation":       {whole.FullSerialize(), "not a signed token"},
		"not base64":               {"a b." + parts[1] + "." + parts[2], "not a signed token"},
		"a word":                   {"s3cret", "not a signed token"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(bearing(test.token))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), parts[1])
		})
	}
	for name, r := range map[string]lms.Request{
		"no header": request(), "two headers": request("Authorization", "Bearer "+good, "Authorization", "Bearer "+good),
		"basic": request("Authorization", "Basic "+good), "in the body": {Body: []byte(good)},
	} {
		_, err := v.Verify(r)
		require.ErrorIs(t, err, lms.ErrUnauthenticated, name)
	}
}

func TestOtherAlgorithmsWhereTheyAreAllowed(t *testing.T) {
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	key := rsaKeys()[0]
	c := config(keySet{publicKey("r", key.Public()), publicKey("e", elliptical.Public())})
	c.Algorithms = []string{"ES256", "PS256"}
	v, err := signature.NewJWT(c)
	require.NoError(t, err)
	_, err = v.Verify(bearing(jws(t, jose.ES256, elliptical, nil, `{}`)))
	require.NoError(t, err)
	_, err = v.Verify(bearing(jws(t, jose.PS256, key, kid("r"), `{}`)))
	require.NoError(t, err)
	_, err = v.Verify(bearing(jws(t, jose.RS256, key, kid("r"), `{}`)))
	require.ErrorContains(t, err, "is not signed with ES256 or PS256")
}

// Trouble on our side is not the sender's fault: it is to come again (law 4).
func TestIssuerThatCannotBeAsked(t *testing.T) {
	v, err := signature.NewJWT(config(absent{}))
	require.NoError(t, err)
	_, err = v.Verify(bearing(jws(t, jose.RS256, rsaKeys()[0], kid("k"), `{}`)))
	require.ErrorIs(t, err, lms.ErrUnverifiable)
	require.NotErrorIs(t, err, lms.ErrUnauthenticated)
	_, err = v.Verify(bearing("x"))
	require.ErrorIs(t, err, lms.ErrUnauthenticated, "what is no token needs no key")
}

func TestNewJWTRefusesWhatWouldAcceptAnybody(t *testing.T) {
	for name, change := range map[string]func(c *signature.JWTConfig){
		"no keys":          func(c *signature.JWTConfig) { c.Keys = nil },
		"no clock":         func(c *signature.JWTConfig) { c.Now = nil },
		"no algorithm":     func(c *signature.JWTConfig) { c.Algorithms = nil },
		"none":             func(c *signature.JWTConfig) { c.Algorithms = []string{"none"} },
		"a shared secret":  func(c *signature.JWTConfig) { c.Algorithms = []string{"RS256", "HS256"} },
		"below zero":       func(c *signature.JWTConfig) { c.Tolerance = -1 },
		"no pointer":       func(c *signature.JWTConfig) { c.Claims = map[string]string{"tenant": "x"} },
		"the empty claims": func(c *signature.JWTConfig) { c.Claims = map[string]string{"": "x"} },
	} {
		c := config(keySet{})
		change(&c)
		_, err := signature.NewJWT(c)
		require.Error(t, err, name)
	}
}

func TestPayloadOfWhatIsNoToken(t *testing.T) {
	for _, body := range []string{"", "{}", "a.b", "a.b.c.d", "a..c", "a.b=.c", "a.b b.c", "a.YR.c"} {
		_, err := signature.Payload([]byte(body))
		require.Error(t, err, body)
	}
}
