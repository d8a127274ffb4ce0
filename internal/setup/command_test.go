package setup

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

const issued = "issued-for-ten-minutes"

// receiver is the other end of the commands: it verifies as a source with the credential would.
type receiver struct {
	credential Credential
	secret     string
	verifier   lms.Verifier

	// deliveries are what arrived at the source's URL.
	deliveries chan lms.Request
}

func newReceiver(t *testing.T, c Credential, secret string) *receiver {
	t.Helper()
	var verifiers []lms.Verifier
	use := func(v lms.Verifier, err error) {
		require.NoError(t, err)
		verifiers = append(verifiers, v)
	}
	secrets := []string{secret}
	a := c.auth
	if h := a.HMAC; h != nil && h.standard() {
		use(signature.NewStandard(secrets, 5*time.Minute, time.Now))
	} else if h != nil {
		use(signature.NewHMACIn(signature.Format{Base64: h.Encoding == "base64"}, secrets, h.Headers...))
	}
	if a.APIKey != nil {
		use(signature.NewAPIKey(secrets, a.APIKey.Header))
	}
	if a.Bearer != nil {
		use(signature.NewBearer(secrets))
	}
	if a.OAuth2 != nil || a.Login != nil {
		use(signature.NewBearer([]string{issued}))
	}
	if a.Authorization != nil {
		use(signature.NewAuthorization(secrets))
	}
	if a.Basic != nil {
		use(signature.NewBasic(a.Basic.Username, secrets))
	}
	if len(a.IPAllow) > 0 {
		use(signature.NewIPAllow([]netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}))
	}
	if a.TokenIn != nil && a.TokenIn.Query != "" {
		use(signature.NewQueryToken(secrets, a.TokenIn.Query))
	}
	if a.TokenIn != nil && (a.TokenIn.Path || a.TokenIn.Body != "") {
		use(tokenVerifier{in: *a.TokenIn, secret: secret}, nil)
	}
	if a.none {
		use(tokenVerifier{}, nil)
	}
	verifier, err := signature.All(verifiers...)
	require.NoError(t, err)
	return &receiver{credential: c, secret: secret, verifier: verifier, deliveries: make(chan lms.Request, 8)}
}

// tokenVerifier looks for a token in path or body; a zero one takes everything.
type tokenVerifier struct {
	in     tokenAuth
	secret string
}

func (v tokenVerifier) Verify(r lms.Request) (int, error) {
	token := r.PathToken
	if member := v.in.Body; member != "" {
		var object map[string]any
		if err := json.Unmarshal(r.Body, &object); err == nil {
			token, _ = object[member].(string)
		} else if form, err := url.ParseQuery(string(r.Body)); err == nil {
			token = form.Get(member)
		}
	}
	if token != v.secret {
		return 0, lms.ErrUnauthenticated
	}
	return 0, nil
}

func (rec *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch r.URL.Path {
	case "/oauth/acme/lms/token":
		user, password, _ := r.BasicAuth()
		ok := user == rec.credential.auth.OAuth2.ClientID && password == rec.secret && string(body) == "grant_type=client_credentials"
		rec.issue(w, ok, `{"access_token":"`+issued+`","token_type":"Bearer","expires_in":600}`)
		return
	case "/login/acme/lms":
		form, _ := url.ParseQuery(string(body))
		ok := form.Get("username") == rec.credential.auth.Login.Username && form.Get("password") == rec.secret
		rec.issue(w, ok, `{"access_token": {"token": "`+issued+`", "expires_in_seconds": 600}}`)
		return
	}
	rest, found := strings.CutPrefix(r.URL.Path, "/webhooks/lms/acme/lms")
	if !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	got := lms.Request{
		Method: r.Method, Header: r.Header, Body: body, Query: r.URL.RawQuery, RemoteAddr: "203.0.113.7",
		Path: strings.Trim(rest, "/"),
	}
	if rec.credential.inPath() {
		got.PathToken, got.Path, _ = strings.Cut(got.Path, "/")
	}
	rec.deliveries <- got
	if _, err := rec.verifier.Verify(got); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, `{"verdict":"test"}`)
}

func (rec *receiver) issue(w http.ResponseWriter, ok bool, answer string) {
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		answer = `{"error":"invalid_client"}`
	}
	_, _ = io.WriteString(w, answer)
}

// run gives a script to bash and returns what it says on both outputs.
func run(t *testing.T, script, secret string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Env = append(os.Environ(), "LMS_SECRET="+secret)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}

// secretFor is one that a shell would trip over, where the credential allows it.
func secretFor(c Credential) string {
	switch {
	case c.auth.HMAC != nil && c.auth.HMAC.standard():
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key of thirty-two bytes, binary"))
	case c.auth.TokenIn != nil:
		return "0123456789abcdefABCDEF-_"
	default:
		return `s3cret & "quoted" $HOME 'x' \n %s`
	}
}

// Every command of every page works as it is printed: the sender is taken for authentic, and
// the body arrives byte for byte. With another secret, or a changed body, it is refused.
func TestCommandsWork_R189_R192_R195(t *testing.T) {
	t.Parallel()
	for _, p := range book(t).All() {
		for _, c := range p.Credentials {
			if !c.curlable() || c.auth.MTLS != nil || c.auth.LearnUponV1 != nil {
				continue
			}
			t.Run(p.Platform+"/"+c.ID, func(t *testing.T) {
				t.Parallel()
				tryCommands(t, p, c)
			})
		}
	}
}

// samplesFor are the samples that are sent with a credential; where there is none, the page's first.
func samplesFor(p Page, c Credential) []Sample {
	var made []Sample
	for _, s := range p.Samples {
		if of, _ := p.credential(s.Credential); of.ID == c.ID {
			made = append(made, s)
		}
	}
	if len(made) == 0 {
		return p.Samples[:1]
	}
	return made
}

func tryCommands(t *testing.T, p Page, c Credential) {
	secret := secretFor(c)
	rec := newReceiver(t, c, secret)
	server := httptest.NewServer(rec)
	defer server.Close()
	at := newAddress(server.URL, "acme", "lms")
	samples := samplesFor(p, c)
	for _, s := range samples {
		output := run(t, command(delivery, c, s, at), secret)
		require.Contains(t, output, "HTTP 200", "%s: %s", s.Name, output)
		got := <-rec.deliveries
		require.Equal(t, http.MethodPost, got.Method)
		require.Equal(t, strings.ReplaceAll(string(s.Body()), SecretPlaceholder, secret), string(got.Body))
		require.Equal(t, s.Path, got.Path)
		for name, values := range s.Header() {
			require.Equal(t, values, got.Header.Values(name), name)
		}
		if c.auth.HMAC != nil {
			tampered := got
			tampered.Body = bytes.Replace(got.Body, []byte("1"), []byte("2"), 1)
			require.NotEqual(t, got.Body, tampered.Body)
			_, err := rec.verifier.Verify(tampered)
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
		}
	}
	s := samples[0]
	output := run(t, command(rehearsal, c, s, at), secret)
	require.Contains(t, output, "HTTP 200")
	require.Equal(t, strings.Trim("test/"+s.Path, "/"), (<-rec.deliveries).Path)

	connect := run(t, command(connection, c, s, at), secret)
	got := <-rec.deliveries
	require.Equal(t, http.MethodGet, got.Method)
	require.Empty(t, got.Path)
	if c.auth.TokenIn != nil && c.auth.TokenIn.Body != "" { // without a body there is no token
		require.Contains(t, connect, "HTTP 401")
	} else {
		require.Contains(t, connect, "HTTP 200")
	}
	if !c.auth.none {
		wrong := strings.ToUpper(secret[:len(secret)-1]) + "Q"
		require.Contains(t, run(t, command(delivery, c, s, at), wrong), "HTTP 401")
	}
}

// No command has a secret in it, and a page says so where its first choice cannot be tried.
func TestCommandsReadTheSecretFromTheEnvironment(t *testing.T) {
	for _, p := range book(t).All() {
		v := book(t).newView(p, Options{}, "", "")
		require.NotEmpty(t, v.Commands.Connection, p.Platform)
		for _, script := range []string{v.Commands.Connection, v.Commands.Rehearsal, v.Commands.Delivery} {
			require.Contains(t, script, "LMS_SECRET", p.Platform)
			require.NotContains(t, script, "env:", p.Platform)
		}
		first := p.Credentials[0]
		require.Equal(t, first.curlable(), v.Commands.Why == "", p.Platform)
	}
}

func TestMutualTLSCommandNamesTheCertificate_R40(t *testing.T) {
	p, _ := book(t).Find("activate")
	c, ok := p.credential("mtls")
	require.True(t, ok)
	script := command(delivery, c, p.Samples[0], newAddress("", "acme", "lms"))
	require.Contains(t, script, "--cert client.pem --key client-key.pem")
}
