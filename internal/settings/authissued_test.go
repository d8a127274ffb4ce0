package settings_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
)

const pin = "5E:1F:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"

// certificatePEM is a certificate that signed itself.
func certificatePEM(t *testing.T, isCA bool) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: isCA, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestJWTDefaults_R46(t *testing.T) {
	s, err := load(t, qmsSecret(t, withAuth("{jwt: {jwks_url: 'http://127.0.0.1:8080/jwks?x=1', audience: us}}")))
	require.NoError(t, err)
	require.Equal(t, &settings.JWT{
		KeysURL: "http://127.0.0.1:8080/jwks?x=1", In: settings.JWTInAuthorization, Algorithms: []string{"RS256"}, Audience: "us", Tolerance: time.Minute,
	}, s.Tenants[0].Sources[0].Auth.JWT)
	require.Empty(t, s.Warnings)
}

// qmsSecret provides what every file of these tests names.
func qmsSecret(t *testing.T, file string) string {
	t.Helper()
	setSourceSecrets(t)
	return file
}

func TestIssuersForEverybodyAreWarnedOf_R164(t *testing.T) {
	const keys = "{jwks_url: 'https://issuer.example/jwks'}"
	const warning = "takes tokens that the issuer signed for any of its customers"
	for auth, warned := range map[string]bool{
		"{jwt: " + keys + "}":                                                                      true,
		"{jwt: " + keys + ", ip_allow: [203.0.113.7]}":                                             true,
		"{jwt: {jwks_url: 'https://issuer.example/jwks', issuer: i}}":                              true,
		"{jwt: {jwks_url: 'https://issuer.example/jwks', audience: a}}":                            false,
		"{jwt: {jwks_url: 'https://issuer.example/jwks', claims: {/account: ours}}}":               false,
		"{jwt: " + keys + ", token_in: {path: true, secrets: [env:URLSAFE]}}":                      false,
		"{jwt: {jwks_url: 'https://issuer.example/jwks', in: body}, bearer: {secrets: [env:NEW]}}": false,
	} {
		s, err := load(t, qmsSecret(t, withAuth(auth)))
		require.NoError(t, err, auth)
		require.Equal(t, warned, strings.Contains(strings.Join(s.Warnings, "\n"), warning), auth)
	}
}

func TestIssuedAuthPointsAtTheMistake_R41(t *testing.T) {
	setSourceSecrets(t)
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	ca, leaf := file("ca.pem", certificatePEM(t, true)), file("leaf.pem", certificatePEM(t, false))
	nothing, mixed := file("nothing.pem", "nothing"), file("mixed.pem", certificatePEM(t, true)+"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	const url = "jwks_url: 'https://issuer.example/jwks'"
	for name, test := range map[string]struct{ auth, want string }{
		"no keys":              {"{jwt: {}}", "auth.jwt: must have either jwks_url or jwks_file"},
		"two places of keys":   {"{jwt: {" + url + ", jwks_file: x}}", "auth.jwt: must have either jwks_url or jwks_file"},
		"keys in the clear":    {"{jwt: {jwks_url: 'http://issuer.example/jwks'}}", "auth.jwt.jwks_url: must begin with https://"},
		"keys of a user":       {"{jwt: {jwks_url: 'https://u:hunter2@issuer.example/jwks'}}", "auth.jwt.jwks_url: must be an address"},
		"keys of no file":      {"{jwt: {jwks_file: none.json}}", "none.json: no such file"},
		"keys of a folder":     {"{jwt: {jwks_file: " + folder + "}}", "auth.jwt.jwks_file: must be a regular file"},
		"no signature":         {"{jwt: {" + url + ", algorithms: [none]}}", `auth.jwt.algorithms[0]: unknown algorithm "none"`},
		"a shared secret":      {"{jwt: {" + url + ", algorithms: [RS256, HS256]}}", `auth.jwt.algorithms[1]: unknown algorithm "HS256"`},
		"no algorithm":         {"{jwt: {" + url + ", algorithms: []}}", "auth.jwt.algorithms: must name at least one"},
		"another place":        {"{jwt: {" + url + ", in: cookie}}", `unknown place "cookie" (known: authorization body)`},
		"a claim by name":      {"{jwt: {" + url + ", claims: {tenant: x}}}", "auth.jwt.claims.tenant: must be named by its place"},
		"a claim of nothing":   {"{jwt: {" + url + ", claims: {/tenant: }}}", "auth.jwt.claims./tenant: is required"},
		"an endless tolerance": {"{jwt: {" + url + ", tolerance: 48h}}", "auth.jwt.tolerance: must be a time span"},
		"jwt and bearer":       {"{jwt: {" + url + "}, bearer: {secrets: [env:NEW]}}", "bearer and jwt both stand in the header Authorization"},
		"two in the body":      {"{jwt: {" + url + ", in: body}, token_in: {body: t, secrets: [env:NEW]}}", "auth: jwt takes the whole body"},
		"no client id":         {"{oauth2: {secrets: [env:NEW]}}", "auth.oauth2.client_id: is required"},
		"no client secret":     {"{oauth2: {client_id: c}}", "auth.oauth2.secrets: is required"},
		"a life too short":     {"{oauth2: {client_id: c, secrets: [env:NEW], lifetime: 1s}}", "auth.oauth2.lifetime: must be a time span from 1m0s to 24h0m0s"},
		"parts of a second":    {"{oauth2: {client_id: c, secrets: [env:NEW], lifetime: 90.5s}}", "auth.oauth2.lifetime: must be in whole seconds"},
		"no user":              {"{login: {secrets: [env:NEW]}}", "auth.login.username: is required"},
		"another answer":       {"{login: {username: u, secrets: [env:NEW], answer: xml}}", `unknown answer "xml" (known: string object)`},
		"tokens of two kinds":  {"{login: {username: u, secrets: [env:NEW]}, oauth2: {client_id: c, secrets: [env:OLD]}}", "oauth2 and login both stand in"},
		"no certificate":       {"{mtls: {}}", "auth.mtls: must have either fingerprints, or ca and subject"},
		"two ways":             {"{mtls: {fingerprints: ['" + pin + "'], ca: " + ca + "}}", "auth.mtls: must have either"},
		"a subject with a pin": {"{mtls: {fingerprints: ['" + pin + "'], subject: x}}", "auth.mtls.subject: belongs to ca"},
		"no fingerprint":       {"{mtls: {fingerprints: []}}", "auth.mtls.fingerprints: must name at least one"},
		"SHA-1":                {"{mtls: {fingerprints: ['" + pin[:59] + "']}}", "auth.mtls.fingerprints[0]: must be the SHA-256 fingerprint"},
		"no subject":           {"{mtls: {ca: " + ca + "}}", "auth.mtls.subject: is required"},
		"no file":              {"{mtls: {ca: none.pem, subject: s}}", "none.pem: no such file"},
		"no PEM":               {"{mtls: {ca: " + nothing + ", subject: s}}", "auth.mtls.ca: must be PEM"},
		"no authority":         {"{mtls: {ca: " + leaf + ", subject: s}}", "auth.mtls.ca: must hold the certificates of authorities only"},
		"a key beside it":      {"{mtls: {ca: " + mixed + ", subject: s}}", "auth.mtls.ca: must hold the certificates of authorities only"},
		"LearnUpon's for all":  {"{learnupon_v1: {secrets: [env:NEW]}}", "auth.learnupon_v1: is for platform learnupon only"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, withAuth(test.auth))
			require.ErrorAs(t, err, new(settings.Mistakes))
			require.ErrorContains(t, err, "countersign.yml:6:")
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "value")
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestAuthorities_R40(t *testing.T) {
	one, two := certificatePEM(t, true), certificatePEM(t, true)
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, []byte("Our authorities\n"+one+two), 0o600))
	for place, want := range map[string]int{path: 2, strconv.Quote(one): 1} {
		s, err := load(t, qmsSecret(t, withAuth("{mtls: {ca: "+place+", subject: lms.example}}")))
		require.NoError(t, err)
		mtls := s.Tenants[0].Sources[0].Auth.MTLS
		require.Len(t, mtls.Authorities, want)
		require.Equal(t, "lms.example", mtls.Subject)
		require.Empty(t, s.Warnings)
		var out strings.Builder
		require.NoError(t, s.Describe(&out))
		require.Contains(t, out.String(), "client certificate of lms.example, issued by one of "+strconv.Itoa(want)+" authorities")
	}
}

func TestNoneIsForTestModeOnly_R41_R192(t *testing.T) {
	setSourceSecrets(t)
	source := func(rest string) string {
		return oneTenant + "    sources: [{id: lms, platform: canonical" + rest + "}]\n"
	}
	s, err := load(t, source(", mode: test, auth: none"))
	require.NoError(t, err)
	require.Equal(t, settings.ModeTest, s.Tenants[0].Sources[0].Mode)
	require.Equal(t, settings.Auth{None: true}, s.Tenants[0].Sources[0].Auth)
	require.Contains(t, s.Warnings[0], "auth: none lets anybody send")
	for rest, want := range map[string]string{
		", auth: none":                     "auth: none is for tests only and not accepted without mode: test",
		", mode: live, auth: none":         "auth: none is for tests only and not accepted without mode: test",
		", mode: test, auth: {}":           "auth: must say how deliveries prove",
		", mode: test, auth: {none: true}": "auth.none: none is for tests only",
		", mode: trial, auth: none":        `mode: unknown mode "trial" (known: live test)`,
		", mode: test":                     "auth: is required",
	} {
		_, err := load(t, source(rest))
		require.ErrorContains(t, err, want)
	}
	s, err = load(t, withAuth("{bearer: {secrets: [env:NEW]}}"))
	require.NoError(t, err)
	require.Equal(t, settings.ModeLive, s.Tenants[0].Sources[0].Mode)
}

func TestLearnUponMayHaveBothVersions_R30(t *testing.T) {
	setSourceSecrets(t)
	read := func(auth string) *settings.Settings {
		path := filepath.Join(t.TempDir(), "countersign.yml")
		content := strings.ReplaceAll(withAuth(auth), "platform: canonical", "platform: learnupon")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		s, err := settings.Load(path, settings.Known{Platforms: []string{"learnupon"}, QMS: []string{"arena"}})
		require.NoError(t, err)
		return s
	}
	s := read("{hmac_sha256: {secrets: [env:NEW]}, learnupon_v1: {secrets: [env:OLD]}, token_in: {path: true, secrets: [env:URLSAFE]}}")
	require.Empty(t, s.Warnings)
	require.Equal(t, []string{"value-of-old-secret"}, reveal(s.Tenants[0].Sources[0].Auth.LearnUponV1.Secrets))
	var out strings.Builder
	require.NoError(t, s.Describe(&out))
	require.Contains(t, out.String(), "or, without its header, MD5 of LearnUpon's version 1 in the body, secrets •••• (env:OLD)")

	s = read("{learnupon_v1: {secrets: [env:OLD]}}")
	require.Len(t, s.Warnings, 1)
	require.Contains(t, s.Warnings[0], "learnupon_v1: is MD5, which is weak")
}

func TestTenantsShareNoOtherProofEither_R163_R164(t *testing.T) {
	setSourceSecrets(t)
	ca := strconv.Quote(certificatePEM(t, true))
	two := func(mine, other string) error {
		_, err := load(t, withAuth(mine)+strings.TrimPrefix(strings.ReplaceAll(withAuth(other), "acme", "globex"), "tenants:\n"))
		return err
	}
	pinned := func(p string) string { return "{mtls: {fingerprints: ['" + p + "']}}" }
	named := func(subject string) string { return "{mtls: {ca: " + ca + ", subject: " + subject + "}}" }
	issued := func(rest string) string { return "{jwt: {jwks_url: 'https://issuer.example/jwks'" + rest + "}}" }
	for name, test := range map[string]struct{ mine, same, other string }{
		"certificate": {pinned(pin), pinned(strings.ToLower(strings.ReplaceAll(pin, ":", ""))), pinned("00" + pin[2:])},
		"subject":     {named("a"), named("a"), named("b")},
		"account":     {issued(", claims: {/account: a}"), issued(", claims: {/account: a}"), issued(", claims: {/account: b}")},
		"audience":    {issued(", audience: a"), issued(", audience: a"), issued(", audience: b")},
	} {
		require.ErrorContains(t, two(test.mine, test.same), "tenants must not share it", name)
		require.NoError(t, two(test.mine, test.other), name)
	}
	// The same issuer, told apart by a secret of each tenant.
	with := func(secret string) string {
		return strings.TrimSuffix(issued(""), "}") + ", token_in: {query: t, secrets: [env:" + secret + "]}}"
	}
	require.NoError(t, two(with("NEW"), with("OLD")))
}
