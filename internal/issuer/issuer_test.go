package issuer_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/issuer"
	"countersign/internal/lms"
)

const (
	formType   = "application/x-www-form-urlencoded"
	objectType = "application/json"
)

// clock is put forward by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func client(secrets ...string) issuer.Account {
	return issuer.Account{
		Kind: issuer.ClientCredentials, Tenant: "acme", Source: "sap", Name: "activate-client", Secrets: secrets, Lifetime: 10 * time.Minute,
	}
}

func user(secrets ...string) issuer.Account {
	return issuer.Account{
		Kind: issuer.Login, Tenant: "acme", Source: "activate", Name: "activate-svc", Secrets: secrets, Lifetime: 10 * time.Minute, AsObject: true,
	}
}

// endpoints are an issuer behind HTTP. Requests come from the address in X-Test-Address.
type endpoints struct {
	*httptest.Server

	clock *clock
}

func serve(t testing.TB, accounts ...issuer.Account) *endpoints {
	t.Helper()
	c := &clock{now: time.Unix(1_775_658_600, 0)}
	i, err := issuer.New(issuer.Config{
		Accounts: accounts, Now: c.Now, RemoteAddr: func(r *http.Request) string { return r.Header.Get("X-Test-Address") },
	})
	require.NoError(t, err)
	e := &endpoints{httptest.NewServer(i.Handler()), c}
	t.Cleanup(e.Close)
	return e
}

// answer is what an endpoint said.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) field(t *testing.T, name string) any {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &members), a.body)
	return members[name]
}

func (e *endpoints) post(t *testing.T, path, contentType, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := e.Client().Do(r)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return answer{response.StatusCode, response.Header, string(content)}
}

// log in as the account's sender does, and return the token.
func (e *endpoints) fetch(t *testing.T, a issuer.Account, secret string) string {
	t.Helper()
	if a.Kind == issuer.Login {
		body, err := json.Marshal(map[string]string{"username": a.Name, "password": secret})
		require.NoError(t, err)
		got := e.post(t, "/login/"+a.Tenant+"/"+a.Source, objectType, string(body))
		require.Equal(t, http.StatusOK, got.status, got.body)
		if object, ok := got.field(t, "access_token").(map[string]any); ok {
			return fmt.Sprint(object["token"])
		}
		return fmt.Sprint(got.field(t, "access_token"))
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.Name}, "client_secret": {secret}}
	got := e.post(t, "/oauth/"+a.Tenant+"/"+a.Source+"/token", formType, form.Encode())
	require.Equal(t, http.StatusOK, got.status, got.body)
	return fmt.Sprint(got.field(t, "access_token"))
}

func bearing(tokens ...string) lms.Request {
	r := lms.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte("{}")}
	for _, token := range tokens {
		r.Header.Add("Authorization", "Bearer "+token)
	}
	return r
}

func verifier(t testing.TB, a issuer.Account, c *clock) *issuer.Verifier {
	t.Helper()
	v, err := issuer.NewVerifier(a, c.Now)
	require.NoError(t, err)
	return v
}

func basicHeader(name, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
}

func TestAccountsThatWouldAcceptAnybody_R41(t *testing.T) {
	for name, change := range map[string]func(a *issuer.Account){
		"no secret": func(a *issuer.Account) { a.Secrets = nil }, "an empty secret": func(a *issuer.Account) { a.Secrets = []string{"x", ""} },
		"no name": func(a *issuer.Account) { a.Name = "" }, "no tenant": func(a *issuer.Account) { a.Tenant = "" },
		"no source": func(a *issuer.Account) { a.Source = "" }, "no kind": func(a *issuer.Account) { a.Kind = "" },
		"no life": func(a *issuer.Account) { a.Lifetime = 0 },
	} {
		a := client("s3cret")
		change(&a)
		_, err := issuer.New(issuer.Config{Accounts: []issuer.Account{a}})
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "s3cret")
		_, err = issuer.NewVerifier(a, time.Now)
		require.Error(t, err, name)
	}
	_, err := issuer.New(issuer.Config{Accounts: []issuer.Account{client("a"), client("b")}})
	require.ErrorContains(t, err, "twice")
	_, err = issuer.NewVerifier(client("a"), nil)
	require.Error(t, err)
}

func FuzzEndpoints(f *testing.F) {
	for _, seed := range []string{"username=activate-svc&password=s3cret", `{"username":"activate-svc","password":"s3cret"}`, `{"username":{}}`, "grant_type=client_credentials&client_id=activate-client&client_secret=s3cret", "%zz", "["} {
		f.Add(seed, "Basic "+base64.StdEncoding.EncodeToString([]byte("activate-client:s3cret")))
		f.Add(seed, "")
	}
	i, err := issuer.New(issuer.Config{Accounts: []issuer.Account{client("s3cret"), user("s3cret")}})
	require.NoError(f, err)
	handler := i.Handler()
	f.Fuzz(func(t *testing.T, body, authorization string) {
		for path, types := range map[string][]string{"/login/acme/activate": {objectType, formType}, "/oauth/acme/sap/token": {formType}} {
			for _, contentType := range types {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
				r.Header.Set("Content-Type", contentType)
				if authorization != "" {
					r.Header["Authorization"] = []string{authorization}
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				require.True(t, json.Valid(w.Body.Bytes()))
				if w.Code == http.StatusOK {
					require.Contains(t, body+authorization, "activate")
				}
			}
		}
	})
}
