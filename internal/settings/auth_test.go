package settings_test

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
)

const oneTenant = `tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms: {url: 'https://arena.acme.example', client_id: c, client_secret: env:QMS_SECRET}
`

// withAuth is a file whose only source has this auth, in line 6 from column 42 on.
func withAuth(auth string) string {
	return oneTenant + "    sources: [{id: lms, platform: canonical, auth: " + auth + "}]\n"
}

func setSourceSecrets(t *testing.T) {
	t.Helper()
	for _, name := range []string{"QMS_SECRET", "NEW", "OLD", "THIRD"} {
		t.Setenv(name, "value-of-"+strings.ToLower(name)+"-secret")
	}
	t.Setenv("WHSEC", "whsec_"+base64.StdEncoding.EncodeToString([]byte("a key of 32 bytes, more or less.")))
	t.Setenv("TYPED", "Bearer value-of-new-secret")
	t.Setenv("LINES", "value of two\nlines, indeed")
	t.Setenv("SPACED", "value-of-spaced-secret ")
	t.Setenv("URLSAFE", "value-of.urlsafe_secret~")
}

// requireProof holds that a loaded source can never take deliveries from anybody (R41).
func requireProof(t *testing.T, auth settings.Auth) {
	t.Helper()
	var lists [][]settings.Secret
	if auth.HMACSHA256 != nil {
		lists = append(lists, auth.HMACSHA256.Secrets)
	}
	if auth.APIKey != nil {
		lists = append(lists, auth.APIKey.Secrets)
	}
	if auth.Bearer != nil {
		lists = append(lists, auth.Bearer.Secrets)
	}
	if auth.Authorization != nil {
		lists = append(lists, auth.Authorization.Secrets)
	}
	if auth.Basic != nil {
		lists = append(lists, auth.Basic.Secrets)
	}
	if auth.TokenIn != nil {
		lists = append(lists, auth.TokenIn.Secrets)
	}
	if auth.OAuth2 != nil {
		lists = append(lists, auth.OAuth2.Secrets)
	}
	if auth.Login != nil {
		lists = append(lists, auth.Login.Secrets)
	}
	certified := auth.MTLS != nil && len(auth.MTLS.Fingerprints)+len(auth.MTLS.Authorities) > 0
	issued := auth.JWT != nil && auth.JWT.KeysURL+auth.JWT.KeysFile != ""
	require.True(t, len(lists) > 0 || len(auth.IPAllow) > 0 || certified || issued)
	for _, secrets := range lists {
		require.NotEmpty(t, secrets)
		for _, secret := range secrets {
			require.NotEmpty(t, secret.Reveal())
		}
	}
}

// The second example of docs/configuration.md has every key of every kind, and says what the defaults are.
func TestDocumentedAuthIsAccepted_R24_R33_R34_R38_R43_R45_R47(t *testing.T) {
	setSourceSecrets(t)
	indented := strings.ReplaceAll(strings.TrimSuffix(documented(t)[1], "\n"), "\n", "\n    ")
	s, err := load(t, oneTenant+"    "+indented+"\n")
	require.NoError(t, err)
	auth := func(id string) settings.Auth {
		source, ok := s.Tenants[0].Source(id)
		require.True(t, ok, id)
		requireProof(t, source.Auth)
		return source.Auth
	}
	require.Equal(t, []string{"value-of-new-secret", "value-of-old-secret"}, reveal(auth("signed").HMACSHA256.Secrets))
	require.Equal(t, settings.SignedBody, auth("signed").HMACSHA256.Signed)
	require.Equal(t, []string{"X-Signature"}, auth("signed").HMACSHA256.Headers)
	require.Equal(t, "sha256=", auth("signed").HMACSHA256.Prefix)
	require.Equal(t, settings.EncodingHex, auth("signed").HMACSHA256.Encoding)
	require.Equal(t, settings.SignedStandard, auth("standard-webhooks").HMACSHA256.Signed)
	require.Equal(t, 5*time.Minute, auth("standard-webhooks").HMACSHA256.Tolerance)
	require.Equal(t, "X-Api-Key", auth("key").APIKey.Header)
	require.Equal(t, []string{"value-of-new-secret"}, reveal(auth("key").APIKey.Secrets))
	require.Equal(t, []string{"value-of-new-secret"}, reveal(auth("token").Bearer.Secrets))
	require.Equal(t, []string{"Bearer value-of-new-secret"}, reveal(auth("typed").Authorization.Secrets))
	require.Equal(t, "countersign", auth("password").Basic.Username)
	require.Equal(t, []string{"value-of-new-secret"}, reveal(auth("password").Basic.Secrets))
	require.Equal(t, "auth_secret", auth("url").TokenIn.Query)
	require.Equal(t, []string{"value-of-new-secret"}, reveal(auth("url").TokenIn.Secrets))
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8:1::/48")}, auth("network").IPAllow)
	require.NotNil(t, auth("both").APIKey)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")}, auth("both").IPAllow)

	require.True(t, auth("path").TokenIn.Path)
	require.Equal(t, []string{"value-of.urlsafe_secret~"}, reveal(auth("path").TokenIn.Secrets))
	require.Equal(t, "auth_secret", auth("member").TokenIn.Body)
	require.Equal(t, &settings.JWT{
		KeysURL: "https://lms.example.com/jwks", In: settings.JWTInBody, Algorithms: []string{"RS256"},
		Issuer: "https://live-events.canvas.instructure.com", Audience: "countersign",
		Claims: map[string]string{"/metadata/root_account_uuid": "our-account"}, Tolerance: time.Minute,
	}, auth("signed-token").JWT)
	require.Equal(t, "bridge", auth("client").OAuth2.ClientID)
	require.Equal(t, 10*time.Minute, auth("client").OAuth2.Lifetime)
	require.Equal(t, "activate-svc", auth("user").Login.Username)
	require.Equal(t, settings.AnswerObject, auth("user").Login.Answer)
	require.Equal(t, 10*time.Minute, auth("user").Login.Lifetime)
	require.Equal(t, byte(0x5e), auth("certificate").MTLS.Fingerprints[0][0])
	trial, ok := s.Tenants[0].Source("trial")
	require.True(t, ok)
	require.True(t, trial.Auth.None)
	require.Equal(t, settings.ModeTest, trial.Mode)

	require.Len(t, s.Warnings, 3)
	require.Contains(t, s.Warnings[0], "token_in.body: has the secret kept in the journal")
	require.Contains(t, s.Warnings[1], "ip_allow: is the only check")
	require.Contains(t, s.Warnings[2], "auth: none lets anybody send")

	var out bytes.Buffer
	require.NoError(t, s.Describe(&out))
	for _, want := range []string{
		"HMAC-SHA256 over the body in X-Signature, hex, prefix sha256=, secrets •••• (env:NEW), •••• (env:OLD)",
		"HMAC-SHA256 over id.timestamp.body (Standard Webhooks), timestamps within 5m0s, secrets •••• (env:WHSEC)",
		"API key in X-Api-Key, secrets •••• (env:NEW)",
		"bearer token, secrets •••• (env:NEW)",
		"Authorization exactly as typed, secrets •••• (env:TYPED)",
		"basic as countersign, secrets •••• (env:NEW)",
		"token in the query's parameter auth_secret, secrets •••• (env:NEW)",
		"only from 203.0.113.0/24 2001:db8:1::/48",
		"token in the URL's path, behind the source, secrets •••• (env:URLSAFE)",
		"token in the body's auth_secret, secrets •••• (env:NEW)",
		"signed token as the body, RS256, keys from https://lms.example.com/jwks, issuer https://live-events.canvas.instructure.com, " +
			"audience countersign, /metadata/root_account_uuid = our-account",
		"OAuth 2.0 token from /oauth/acme/client/token as bridge, for 10m0s, secrets •••• (env:NEW)",
		"token from /login/acme/user as activate-svc, for 10m0s, answered as object, secrets •••• (env:NEW)",
		"client certificate with SHA-256 5e1f00112233445566778899aabbccddeeff00112233445566778899aabbccdd",
		"TEST MODE: deliveries are read and shown, and not processed",
		"NOTHING: anybody can send; for tests only",
	} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), "value-of")
	require.NotContains(t, out.String(), "whsec_")
}

func reveal(secrets []settings.Secret) (values []string) {
	for _, secret := range secrets {
		values = append(values, secret.Reveal())
	}
	return values
}

func TestAuthDefaults(t *testing.T) {
	setSourceSecrets(t)
	s, err := load(t, withAuth("{hmac_sha256: {secrets: [env:NEW]}, api_key: {secrets: [env:OLD]}}"))
	require.NoError(t, err)
	auth := s.Tenants[0].Sources[0].Auth
	require.Equal(t, settings.SignedBody, auth.HMACSHA256.Signed)
	require.Equal(t, settings.EncodingHex, auth.HMACSHA256.Encoding)
	require.Equal(t, "sha256=", auth.HMACSHA256.Prefix)
	require.Empty(t, auth.HMACSHA256.Headers)
	require.Zero(t, auth.HMACSHA256.Tolerance)
	require.Equal(t, "X-Api-Key", auth.APIKey.Header)
	require.Nil(t, auth.Bearer)
	require.Empty(t, s.Warnings)

	var out bytes.Buffer
	require.NoError(t, s.Describe(&out))
	require.Contains(t, out.String(), "over the body in the platform's header")
}

func TestAuthPointsAtTheMistake_R41(t *testing.T) {
	setSourceSecrets(t)
	const at = "countersign.yml:6:"
	for name, test := range map[string]struct{ auth, want string }{
		"none":                     {"none", at + "52: tenants[0].sources[0].auth: none is for tests only"},
		"none as a kind":           {"{none: true}", at + "59: tenants[0].sources[0].auth.none: none is for tests only"},
		"none beside another":      {"{none: , bearer: {secrets: [env:NEW]}}", "auth.none: none is for tests only"},
		"no kind":                  {"{}", "auth: must say how deliveries prove where they come from: hmac_sha256, api_key, bearer,"},
		"a word":                   {"basic", "auth: must be a mapping, not a text"},
		"unknown kind":             {"{saml: {}}", "auth.saml: unknown key (known: hmac_sha256 api_key bearer authorization basic token_in jwt oauth2 login mtls learnupon_v1 ip_allow)"},
		"an empty kind":            {"{ip_allow: [203.0.113.7], api_key: }", "auth.api_key: is empty; say what it checks"},
		"no secrets":               {"{bearer: {}}", "auth.bearer.secrets: is required"},
		"an empty list":            {"{bearer: {secrets: []}}", "auth.bearer.secrets: must name at least one secret"},
		"not a list":               {"{bearer: {secrets: env:NEW}}", "auth.bearer.secrets: must be a list, not a text"},
		"a null secret":            {"{bearer: {secrets: [~]}}", "auth.bearer.secrets[0]: is required"},
		"a secret in the clear":    {"{api_key: {secrets: [value-of-new-secret]}}", "auth.api_key.secrets[0]: must name where the secret is kept"},
		"an unset secret":          {"{token_in: {query: t, secrets: [env:UNSET_SECRET]}}", "environment variable UNSET_SECRET is not set"},
		"a misspelled key":         {"{bearer: {secret: [env:NEW]}}", "auth.bearer.secret: unknown key (known: secrets)"},
		"a secret of two lines":    {"{bearer: {secrets: [env:LINES]}}", "auth.bearer.secrets[0]: holds a line end"},
		"a secret with a space":    {"{authorization: {secrets: [env:SPACED]}}", "auth.authorization.secrets[0]: begins or ends with white space"},
		"no header name":           {"{api_key: {header: 'X API', secrets: [env:NEW]}}", "auth.api_key.header: must be the name of an HTTP header"},
		"a header kept in clear":   {"{api_key: {header: x-request-id, secrets: [env:NEW]}}", "auth.api_key.header: X-Request-Id is a header of HTTP's own"},
		"no user name":             {"{basic: {secrets: [env:NEW]}}", "auth.basic.username: is required"},
		"a colon in it":            {"{basic: {username: 'a:b', secrets: [env:NEW]}}", "auth.basic.username: must have no colon"},
		"no parameter":             {"{token_in: {secrets: [env:NEW]}}", "auth.token_in: must have exactly one of query: NAME, path: true and body: NAME"},
		"a token in two places":    {"{token_in: {path: true, query: t, secrets: [env:URLSAFE]}}", "auth.token_in: must have exactly one of"},
		"path: false":              {"{token_in: {path: false, secrets: [env:URLSAFE]}}", "auth.token_in: must have exactly one of"},
		"no path segment":          {"{token_in: {path: true, secrets: [env:TYPED]}}", "auth.token_in.secrets[0]: must be of letters, digits"},
		"what is signed":           {"{hmac_sha256: {signed: path, secrets: [env:NEW]}}", `unknown choice "path" (known: body id.timestamp.body)`},
		"an encoding":              {"{hmac_sha256: {encoding: base32, secrets: [env:NEW]}}", `unknown encoding "base32" (known: hex base64)`},
		"a tolerance for a body":   {"{hmac_sha256: {tolerance: 5m, secrets: [env:NEW]}}", "tolerance: belongs to signed: id.timestamp.body"},
		"too tolerant":             {"{hmac_sha256: {signed: id.timestamp.body, tolerance: 48h, secrets: [env:WHSEC]}}", "tolerance: must be a time span from 1s to 1h0m0s"},
		"a header of our own":      {"{hmac_sha256: {signed: id.timestamp.body, headers: [X-S], secrets: [env:WHSEC]}}", "headers: belongs to signed: body"},
		"a prefix of our own":      {"{hmac_sha256: {signed: id.timestamp.body, prefix: v1, secrets: [env:WHSEC]}}", "prefix: belongs to signed: body"},
		"no key in base64":         {"{hmac_sha256: {signed: id.timestamp.body, secrets: [env:NEW]}}", "secrets[0]: must be base64, with or without whsec_"},
		"no address":               {"{ip_allow: [lms.example.com]}", "auth.ip_allow[0]: must be an address such as 203.0.113.7 or a network"},
		"no addresses":             {"{ip_allow: []}", "auth.ip_allow: must name at least one address"},
		"not a list of addresses":  {"{ip_allow: 203.0.113.7}", "auth.ip_allow: must be a list, not a text"},
		"everybody":                {"{ip_allow: [0.0.0.0/0], bearer: {secrets: [env:NEW]}}", "auth.ip_allow[0]: is too wide"},
		"half of everybody":        {"{ip_allow: [0.0.0.0/1, 128.0.0.0/1]}", "auth.ip_allow[1]: is too wide"},
		"everybody in IPv6":        {"{ip_allow: ['::/0']}", "auth.ip_allow[0]: is too wide"},
		"the middle of a network":  {"{ip_allow: [203.0.113.7/24]}", "auth.ip_allow[0]: must begin its network: 203.0.113.0/24"},
		"IPv4 in IPv6":             {"{ip_allow: ['::ffff:203.0.113.0/120']}", "auth.ip_allow[0]: must be written as IPv4"},
		"a zone":                   {"{ip_allow: ['fe80::1%eth0']}", "auth.ip_allow[0]: must be an address"},
		"Authorization twice":      {"{bearer: {secrets: [env:NEW]}, basic: {username: u, secrets: [env:OLD]}}", "bearer and basic both stand in the header Authorization"},
		"Authorization as API key": {"{api_key: {header: authorization, secrets: [env:NEW]}, authorization: {secrets: [env:OLD]}}", "api_key and authorization both stand"},
		"one header for two":       {"{hmac_sha256: {headers: [X-Api-Key], secrets: [env:NEW]}, api_key: {secrets: [env:OLD]}}", "hmac_sha256 and api_key both stand in the header X-Api-Key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, withAuth(test.auth))
			require.ErrorAs(t, err, new(settings.Mistakes))
			require.ErrorContains(t, err, at)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "value")
		})
	}
}

// TestTenantsShareNoSecretOfAnyKind_R164 gives two tenants the same secret, in every pairing of kinds.
func TestTenantsShareNoSecretOfAnyKind_R164(t *testing.T) {
	setSourceSecrets(t)
	key := base64.StdEncoding.EncodeToString([]byte("a key of 32 bytes, more or less."))
	kinds := map[string]func(reference string) string{
		"hmac_sha256":   func(r string) string { return "{hmac_sha256: {secrets: [" + r + "]}}" },
		"standard":      func(r string) string { return "{hmac_sha256: {signed: id.timestamp.body, secrets: [" + r + "]}}" },
		"api_key":       func(r string) string { return "{api_key: {secrets: [" + r + "]}}" },
		"bearer":        func(r string) string { return "{bearer: {secrets: [" + r + "]}}" },
		"authorization": func(r string) string { return "{authorization: {secrets: [" + r + "]}}" },
		"basic":         func(r string) string { return "{basic: {username: u, secrets: [" + r + "]}}" },
		"token_in":      func(r string) string { return "{token_in: {query: t, secrets: [" + r + "]}}" },
		"token_in body": func(r string) string { return "{token_in: {body: t, secrets: [" + r + "]}}" },
		"oauth2":        func(r string) string { return "{oauth2: {client_id: c, secrets: [" + r + "]}}" },
		"login":         func(r string) string { return "{login: {username: u, secrets: [" + r + "]}}" },
	}
	two := func(mine, other string) error {
		second := strings.TrimPrefix(strings.ReplaceAll(withAuth(other), "acme", "globex"), "tenants:\n")
		_, err := load(t, withAuth(mine)+second)
		return err
	}
	const shared = "tenants must not share secrets"
	t.Setenv("FIRST_COPY", key)
	t.Setenv("SECOND_COPY", key)
	t.Setenv("OTHER", base64.StdEncoding.EncodeToString([]byte("another key of 32 bytes or more.")))
	for mine, first := range kinds {
		for other, second := range kinds {
			require.ErrorContains(t, two(first("env:FIRST_COPY"), second("env:SECOND_COPY")), shared, "%s and %s", mine, other)
			require.NoError(t, two(first("env:FIRST_COPY"), second("env:OTHER")), "%s and %s", mine, other)
		}
	}
	for dress, typed := range map[string]string{
		"whsec_": "whsec_" + key, "Bearer": "bearer " + key,
		"Basic": "Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+key)),
	} {
		t.Setenv("DRESSED", typed)
		require.ErrorContains(t, two(kinds["basic"]("env:FIRST_COPY"), kinds["authorization"]("env:DRESSED")), shared, dress)
	}
}
