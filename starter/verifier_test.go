package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5" // LearnUpon's choice
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"countersign/internal/issuer"
	"countersign/internal/lms"
	"countersign/internal/process"
	"countersign/internal/settings"
)

func delivered(body string) lms.Request {
	return lms.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
}

// requireVerdicts holds that the source takes what each secret sends, and what no secret does not.
func requireVerdicts(t *testing.T, auth string, prove func(secret string) lms.Request) {
	t.Helper()
	all, err := newSourcesWith(t, auth)
	require.NoError(t, err)
	source, ok := all.Source("acme", "lms")
	require.True(t, ok)
	for secret, want := range map[string]int{current: 0, previous: 1, "another": -1} {
		got, err := source.Verifier.Verify(prove(secret))
		if want < 0 {
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err = source.Verifier.Verify(delivered("{}"))
	require.ErrorIs(t, err, lms.ErrUnauthenticated)
}

func TestTokensInPathAndBodyAreWired_R42(t *testing.T) {
	requireVerdicts(t, "{token_in: {path: true, secrets: [env:CURRENT, env:PREVIOUS]}}", func(secret string) lms.Request {
		r := delivered("{}")
		r.PathToken = secret
		return r
	})
	requireVerdicts(t, "{token_in: {body: auth_secret, secrets: [env:CURRENT, env:PREVIOUS]}}", func(secret string) lms.Request {
		return delivered(`{"auth_secret":` + strconv.Quote(secret) + `}`)
	})
}

// Tokens that our own endpoints issue are good at the source they were issued for.
func TestIssuedTokensAreWired_R35_R39(t *testing.T) {
	for _, test := range []struct{ auth, path, contentType, body string }{
		{
			"{oauth2: {client_id: svc, secrets: [env:CURRENT, env:PREVIOUS]}}", "/oauth/acme/lms/token", "application/x-www-form-urlencoded",
			"grant_type=client_credentials&client_id=svc&client_secret=%s",
		},
		{
			"{login: {username: svc, secrets: [env:CURRENT, env:PREVIOUS]}}", "/login/acme/lms", "application/json",
			`{"username":"svc","password":"%s"}`,
		},
	} {
		all, err := newSourcesWith(t, test.auth)
		require.NoError(t, err)
		tenant, _ := all.settings.Tenant("acme")
		source, _ := tenant.Source("lms")
		i, err := issuer.New(issuer.Config{Accounts: accounts("acme", source)})
		require.NoError(t, err)
		requireVerdicts(t, test.auth, func(secret string) lms.Request {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, test.path, strings.NewReader(fmt.Sprintf(test.body, url.QueryEscape(secret))))
			r.Header.Set("Content-Type", test.contentType)
			w := httptest.NewRecorder()
			i.Handler().ServeHTTP(w, r)
			var answer struct {
				Token string `json:"access_token"`
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			delivery := delivered("{}")
			delivery.Header.Set("Authorization", "Bearer "+answer.Token)
			return delivery
		})
	}
}

// selfSigned is a certificate of this name that is its own authority.
func selfSigned(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return certificate
}

func TestClientCertificatesAreWired_R40(t *testing.T) {
	certificates := map[string]*x509.Certificate{current: selfSigned(t, "lms"), previous: selfSigned(t, "lms"), "another": selfSigned(t, "lms")}
	pin := func(secret string) string {
		digest := sha256.Sum256(certificates[secret].Raw)
		return hex.EncodeToString(digest[:])
	}
	prove := func(secret string) lms.Request {
		r := delivered("{}")
		r.Certificate = certificates[secret]
		return r
	}
	requireVerdicts(t, "{mtls: {fingerprints: ["+strconv.Quote(pin(current))+", "+strconv.Quote(pin(previous))+"]}}", prove)

	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificates[current].Raw}))
	for subject, accepted := range map[string]bool{"lms": true, "other": false} {
		all, err := newSourcesWith(t, "{mtls: {ca: "+strconv.Quote(ca)+", subject: "+subject+"}}")
		require.NoError(t, err)
		source, _ := all.Source("acme", "lms")
		_, err = source.Verifier.Verify(prove(current))
		require.Equal(t, accepted, err == nil)
		_, err = source.Verifier.Verify(prove("another"))
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
	}
}

func TestSignedTokensAreWired_R46(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k"}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "jwks.json")
	require.NoError(t, os.WriteFile(path, set, 0o600))
	published := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	defer published.Close()
	options := (&jose.SignerOptions{}).WithHeader("kid", "k")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	require.NoError(t, err)
	signed, err := signer.Sign([]byte(`{"aud":"us","account":"ours"}`))
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)

	inHeader := delivered("{}")
	inHeader.Header.Set("Authorization", "Bearer "+token)
	for keys, request := range map[string]lms.Request{
		"jwks_file: " + path + ", audience: us":                               inHeader,
		"jwks_url: " + published.URL + ", in: body, claims: {/account: ours}": delivered(token),
	} {
		all, err := newSourcesWith(t, "{jwt: {"+keys+", algorithms: [ES256]}}")
		require.NoError(t, err)
		source, _ := all.Source("acme", "lms")
		_, err = source.Verifier.Verify(request)
		require.NoError(t, err)
		_, err = source.Verifier.Verify(delivered("{}"))
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
		for _, other := range []string{", audience: them", ", issuer: them"} {
			all, err := newSourcesWith(t, "{jwt: {"+strings.TrimSuffix(keys, ", audience: us")+", algorithms: [ES256]"+other+"}}")
			require.NoError(t, err)
			source, _ := all.Source("acme", "lms")
			_, err = source.Verifier.Verify(request)
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
		}
	}
}

// md5Signed is a delivery of LearnUpon's version 1.
func md5Signed(secret string) lms.Request {
	const body = `{"header":{"webHookType":"course_completion","signature":"%s"},"enrollmentId":1}`
	sum := md5.Sum([]byte(strings.Replace(body, `,"signature":"%s"`, "", 1) + ":" + secret))
	return delivered(fmt.Sprintf(body, hex.EncodeToString(sum[:])))
}

func TestBothVersionsOfLearnUponAreWired_R30(t *testing.T) {
	secrets := func(values ...string) (all []settings.Secret) {
		for _, value := range values {
			all = append(all, settings.NewSecret(value))
		}
		return all
	}
	v, err := verifiers{}.of("acme", settings.Source{Platform: "learnupon", Auth: settings.Auth{
		HMACSHA256:  &settings.HMACSHA256{Secrets: secrets("second"), Prefix: "sha256=", Encoding: settings.EncodingHex},
		LearnUponV1: &settings.LearnUponV1{Secrets: secrets("first", "old first")},
	}})
	require.NoError(t, err)
	second := func(secret string, r lms.Request) lms.Request {
		r.Header.Set("X-Webhook-Signature", hex.EncodeToString(mac(secret, string(r.Body))))
		return r
	}
	for name, test := range map[string]struct {
		r    lms.Request
		want int
	}{
		"version 2":                       {second("second", delivered("{}")), 0},
		"version 1":                       {md5Signed("first"), 0},
		"version 1, old":                  {md5Signed("old first"), 1},
		"secret of 1 in 2":                {second("first", delivered("{}")), -1},
		"secret of 2 in 1":                {md5Signed("second"), -1},
		"version 1 behind a wrong header": {second("other", md5Signed("first")), -1},
		"neither":                         {delivered("{}"), -1},
	} {
		secret, err := v.Verify(test.r)
		if test.want < 0 {
			require.ErrorIs(t, err, lms.ErrUnauthenticated, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, test.want, secret, name)
	}
	alone, err := verifiers{}.of("acme", settings.Source{Platform: "learnupon", Auth: settings.Auth{LearnUponV1: &settings.LearnUponV1{Secrets: secrets("first")}}})
	require.NoError(t, err)
	_, err = alone.Verify(md5Signed("first"))
	require.NoError(t, err)
}

func TestNoneIsWiredInTestModeOnly_R41(t *testing.T) {
	source := settings.Source{Platform: "canonical", Mode: settings.ModeTest, Auth: settings.Auth{None: true}}
	v, err := verifiers{}.of("acme", source)
	require.NoError(t, err)
	_, err = v.Verify(lms.Request{})
	require.NoError(t, err)
	for _, mode := range []settings.Mode{settings.ModeLive, ""} {
		source.Mode = mode
		_, err = verifiers{}.of("acme", source)
		require.ErrorContains(t, err, "mode: test only")
	}
}

func TestHalfConfiguredKindsAreNotWired_R41(t *testing.T) {
	for name, auth := range map[string]settings.Auth{
		"path":         {TokenIn: &settings.TokenIn{Path: true}},
		"body":         {TokenIn: &settings.TokenIn{Body: "t"}},
		"oauth2":       {OAuth2: &settings.OAuth2{ClientID: "c", Lifetime: time.Minute}},
		"login":        {Login: &settings.Login{Username: "u", Lifetime: time.Minute}},
		"mtls":         {MTLS: &settings.MTLS{}},
		"jwt":          {JWT: &settings.JWT{Algorithms: []string{"RS256"}}},
		"jwt, none":    {JWT: &settings.JWT{KeysURL: "https://issuer.example/jwks", Algorithms: []string{"none"}}},
		"learnupon_v1": {LearnUponV1: &settings.LearnUponV1{}},
	} {
		_, err := verifiers{}.of("acme", settings.Source{ID: "lms", Platform: "learnupon", Auth: auth})
		require.Error(t, err, name)
	}
}

// A good signature of a vendor that signs for everybody does not say whose delivery it is.
func TestCanvasSourceHasToNameItsCustomer_R46_R164(t *testing.T) {
	t.Setenv("CURRENT", current)
	t.Setenv("PREVIOUS", previous)
	load := func(auth string) error {
		yaml := strings.Replace(tenantsFile, "platform: canonical", "platform: canvas", 1)
		configured(t, strings.Replace(yaml, "{hmac_sha256: {secrets: [env:CHECK_LMS_SECRET, env:CHECK_OLD_SECRET]}}", auth, 1))
		_, loaded, err := process.Load()
		require.NoError(t, err)
		_, err = newSources(loaded, verifiers{})
		return err
	}
	const keys = "jwks_url: 'https://lms.example.com/jwks', in: body"
	for _, auth := range []string{
		"{jwt: {" + keys + "}}",
		"{jwt: {" + keys + ", audience: countersign}}",
		"{jwt: {" + keys + "}, ip_allow: [203.0.113.7]}",
		"{jwt: {" + keys + ", claims: {/metadata/producer: canvas}}}", // true of every customer
	} {
		require.ErrorContains(t, load(auth), "/metadata/root_account_uuid is required", auth)
	}
	require.NoError(t, load("{jwt: {"+keys+", claims: {/metadata/root_account_uuid: abc}}}"))
	require.NoError(t, load("{jwt: {"+keys+"}, token_in: {path: true, secrets: [env:CURRENT]}}"))
}

func TestTwoTenantsDoNotNameTheSameAccount_R164(t *testing.T) {
	second := strings.NewReplacer("id: acme\n", "id: globex\n", "tenants:\n", "", "CHECK_QMS_SECRET", "CURRENT", "domains: [acme.lms.example.com]\n", "domains: [globex.lms.example.com]\n")
	const auth = "{hmac_sha256: {secrets: [env:CHECK_LMS_SECRET, env:CHECK_OLD_SECRET]}}"
	const jwt = "{jwt: {jwks_url: 'https://lms.example.com/jwks', in: body, audience: %s, claims: {/metadata/root_account_uuid: %s}}}"
	load := func(of string) error {
		yaml := strings.Replace(tenantsFile, "platform: canonical", "platform: canvas", 1)
		configured(t, strings.Replace(yaml, auth, fmt.Sprintf(jwt, "one", "abc"), 1)+
			strings.Replace(second.Replace(yaml), auth, fmt.Sprintf(jwt, "two", of), 1))
		t.Setenv("CURRENT", current)
		_, loaded, err := process.Load()
		require.NoError(t, err)
		_, err = newSources(loaded, verifiers{})
		return err
	}
	require.ErrorContains(t, load("abc"), "name the same account")
	require.NoError(t, load("def"))
}
