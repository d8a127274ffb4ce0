package ingress_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/lms"
)

func mounting(t *testing.T, routes ...ingress.Route) *door {
	t.Helper()
	return open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.Routes = routes })
}

func TestMountedRoutes_R35_R39_R165(t *testing.T) {
	issue := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var large *http.MaxBytesError
		if _, err := io.ReadAll(r.Body); errors.As(err, &large) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s", r.PathValue("tenant"), r.PathValue("source"))
	})
	setup := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("platform")) })
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("canary") })
	d := mounting(t,
		ingress.Route{Method: http.MethodPost, Pattern: "/oauth/:tenant/:source/token", Handler: issue},
		ingress.Route{Method: http.MethodGet, Pattern: "/setup/:platform", Handler: setup},
		ingress.Route{Method: http.MethodGet, Pattern: "/panics", Handler: panics},
	)
	token := func(tenant, source, body string) answer {
		return d.send(http.MethodPost, "/oauth/"+tenant+"/"+source+"/token", strings.NewReader(body), "X-Request-Id", "r-1")
	}
	good := token("acme", "main", "grant_type=client_credentials")
	require.Equal(t, http.StatusOK, good.status)
	require.Equal(t, "acme main", string(good.body))
	require.Equal(t, []string{"r-1", "no-store"}, []string{good.header.Get("X-Request-Id"), good.header.Get("Cache-Control")})
	require.Equal(t, http.StatusRequestEntityTooLarge, token("acme", "main", strings.Repeat("x", 1<<20+1)).status)
	require.Equal(t, "docebo", string(d.send(http.MethodGet, "/setup/docebo", nil).body))
	require.Equal(t, http.StatusMethodNotAllowed, d.send(http.MethodPost, "/setup/docebo", nil).status)
	require.Equal(t, http.StatusInternalServerError, d.send(http.MethodGet, "/panics", nil).status)

	unknown := token("acme", "other", "")
	require.Equal(t, http.StatusNotFound, unknown.status)
	require.Equal(t, string(d.send(http.MethodPost, "/webhooks/lms/acme/other", nil, "X-Request-Id", "r-1").body), string(unknown.body))
	require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status)
	metrics := string(d.send(http.MethodGet, "/metrics", nil).body)
	require.Contains(t, metrics, "countersign_ack_seconds_count 1", "a page is no acknowledgement")
	d.stop()
	require.Contains(t, d.logs.String(), `"tenant":"acme","source":"main"`)
	require.Contains(t, d.logs.String(), `"route":"/oauth/:tenant/:source/token"`)
	require.NotContains(t, d.logs.String(), "canary")
	require.Len(t, d.journal.kept(), 1, "only deliveries are kept")
}

func TestMountedRoutesAreLimitedPerSource(t *testing.T) {
	d := mounting(t,
		ingress.Route{Method: http.MethodPost, Pattern: "/login/:tenant/:source", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
		ingress.Route{Method: http.MethodGet, Pattern: "/setup", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	for range 100 {
		require.Equal(t, http.StatusOK, d.send(http.MethodPost, "/login/acme/main", nil).status)
	}
	limited := d.send(http.MethodPost, "/login/acme/main", nil)
	require.Equal(t, http.StatusTooManyRequests, limited.status)
	require.Equal(t, "1", limited.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, d.send(http.MethodPost, "/login/beta/main", nil).status)
	require.Equal(t, http.StatusOK, d.send(http.MethodGet, "/setup", nil).status)
	require.Equal(t, http.StatusOK, d.post(`{"event":"ping"}`).status, "logins use up nothing of the deliveries")
}

func TestRoutesThatCannotBeMounted(t *testing.T) {
	page := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, route := range map[string]ingress.Route{
		"no method":  {Pattern: "/a", Handler: page},
		"no slash":   {Method: http.MethodGet, Pattern: "a", Handler: page},
		"no handler": {Method: http.MethodGet, Pattern: "/a"},
		"taken":      {Method: http.MethodGet, Pattern: "/healthz", Handler: page},
		"a webhook":  {Method: http.MethodPost, Pattern: "/webhooks/lms/:x/:y", Handler: page},
	} {
		_, err := ingress.New(ingress.Config{Journal: &memory{}, Sources: &directory{}, Routes: []ingress.Route{route}})
		require.ErrorContains(t, err, "mount", name)
	}
}

// identity makes a self-signed certificate.
func identity(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// holder verifies that the sender has shown the certificate of that name.
type holder string

func (v holder) Verify(r lms.Request) (int, error) {
	if r.Certificate == nil || r.Certificate.Subject.CommonName != string(v) {
		return 0, fmt.Errorf("%w: no such certificate", lms.ErrUnauthenticated)
	}
	return 0, nil
}

func TestClientCertificate_R40(t *testing.T) {
	fromProxy, err := x509.ParseCertificate(identity(t, "lms").Certificate[0])
	require.NoError(t, err)
	for name, test := range map[string]struct {
		shown  string
		find   func(*http.Request) *x509.Certificate
		status int
	}{
		"the right one":     {"lms", nil, 200},
		"another":           {"other", nil, 401},
		"none":              {"", nil, 401},
		"one from a proxy":  {"", func(*http.Request) *x509.Certificate { return fromProxy }, 200},
		"none from a proxy": {"lms", func(*http.Request) *x509.Certificate { return nil }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			s := source(t, "acme", "main", secret)
			s.Verifier = holder("lms")
			in, err := ingress.New(ingress.Config{
				Journal: forgetful{}, Sources: &directory{sources: []ingress.Source{s}}, ClientCertificate: test.find,
			})
			require.NoError(t, err)
			server := httptest.NewUnstartedServer(in.Handler())
			server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			if test.shown != "" {
				transport, ok := client.Transport.(*http.Transport)
				require.True(t, ok)
				transport.TLSClientConfig.Certificates = []tls.Certificate{identity(t, test.shown)}
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(`{"event":"ping"}`))
			require.NoError(t, err)
			request.Header.Set("Content-Type", "application/json")
			response, err := client.Do(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, test.status, response.StatusCode)
		})
	}
}
