package clientcert_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/clientcert"
)

// identity is a certificate that signed itself, and its key.
type identity struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newIdentity(t testing.TB, name string) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return identity{certificate, key}
}

func (i identity) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw}))
}

func (i identity) keyPEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// percent escapes as nginx does: everything that is not unreserved.
func percent(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func TestFromHeader_R40(t *testing.T) {
	client, other := newIdentity(t, `activate, "EU"; Cert=x`), newIdentity(t, "authority")
	der := base64.StdEncoding.EncodeToString(client.certificate.Raw)
	escaped := percent(client.pem())
	for name, value := range map[string]string{
		"nginx":                   escaped,
		"AWS, + and / and = kept": strings.NewReplacer("%2B", "+", "%2F", "/", "%3D", "=").Replace(escaped),
		"with its chain":          percent(client.pem() + other.pem()),
		"Envoy":                   `By=spiffe://a/b;Hash=0123;Cert="` + escaped + `";Subject="CN=\"a;b,c\";Cert=x";URI=;DNS=lms.example`,
		"Envoy, Cert alone":       `Cert="` + escaped + `"`,
		"RFC 9440":                ":" + der + ":",
		"bare base64":             der,
		"white space around":      " :" + der + ": ",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := clientcert.FromHeader(value)
			require.NoError(t, err)
			require.True(t, client.certificate.Equal(got))
		})
	}
	for name, value := range map[string]string{
		"empty": "", "blank": " ", "a word": "NONE", "nginx without a certificate": "(null)", "colons": "::", "one colon": ":",
		"a key":                   percent(client.keyPEM(t)),
		"certificate, then a key": percent(client.pem() + client.keyPEM(t)),
		"a key first":             percent(client.keyPEM(t) + client.pem()),
		"text behind":             percent(client.pem() + "x"),
		"broken escapes":          "-----BEGIN%2",
		"cut off":                 escaped[:len(escaped)/2],
		"not closed":              ":" + der,
		"base64url":               ":" + base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb, 0xff}, 30)) + ":",
		"base64 of a word":        ":" + base64.StdEncoding.EncodeToString([]byte("certificate")) + ":",
		"DER and more":            ":" + base64.StdEncoding.EncodeToString(append(bytes.Clone(client.certificate.Raw), 0)) + ":",
		"RFC 9440, two":           ":" + der + ":, :" + der + ":",
		"Envoy, two hops":         `Cert="` + escaped + `",Cert="` + escaped + `"`,
		"Envoy, forged hop":       `Hash=0123,By=x;Cert="` + escaped + `"`,
		"Envoy, two Cert":         `Cert="` + escaped + `";Cert="` + escaped + `"`,
		"Envoy, Cert in quotes":   `By=x;Subject=";Cert=` + escaped + `;"`,
		"Envoy, open quote":       `By=x;Cert="` + escaped,
		"Envoy, no Cert":          "By=spiffe://a/b;Hash=0123",
		"Envoy, chain only":       `By=x;Chain="` + escaped + `"`,
		"too long":                strings.Repeat("A", 70000),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := clientcert.FromHeader(value)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "MII")
		})
	}
}

func FuzzFromHeader(f *testing.F) {
	client := newIdentity(f, "activate")
	for _, seed := range []string{
		percent(client.pem()), `By=x;Cert="` + percent(client.pem()) + `"`, ":" + base64.StdEncoding.EncodeToString(client.certificate.Raw) + ":", `Cert="`, `a="\`, "-----BEGIN", ":::",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := clientcert.FromHeader(value)
		require.Equal(t, err == nil, got != nil)
	})
}

func TestHeaderIsBelievedFromProxiesOnly_R40(t *testing.T) {
	own, forwarded := newIdentity(t, "own"), newIdentity(t, "forwarded")
	header := ":" + base64.StdEncoding.EncodeToString(forwarded.certificate.Raw) + ":"
	find := clientcert.FromRequest("Client-Cert", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	for name, test := range map[string]struct {
		peer   string
		values []string
		own    bool
		want   *x509.Certificate
	}{
		"proxy":                   {"10.1.2.3:4711", []string{header}, false, forwarded.certificate},
		"proxy, IPv4 in IPv6":     {"[::ffff:10.1.2.3]:4711", []string{header}, false, forwarded.certificate},
		"proxy with its own":      {"10.1.2.3:4711", []string{header}, true, forwarded.certificate},
		"proxy's own is not ours": {"10.1.2.3:4711", nil, true, nil},
		"proxy, nonsense":         {"10.1.2.3:4711", []string{"x"}, true, nil},
		"proxy, two headers":      {"10.1.2.3:4711", []string{header, header}, false, nil},
		"stranger":                {"192.0.2.1:4711", []string{header}, false, nil},
		"stranger with his own":   {"192.0.2.1:4711", []string{header}, true, own.certificate},
		"no address":              {"@", []string{header}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
			r.RemoteAddr, r.Header["Client-Cert"] = test.peer, test.values
			if test.own {
				r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{own.certificate}}
			}
			require.Equal(t, test.want, find(r))
		})
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.RemoteAddr, r.Header["Client-Cert"] = "10.1.2.3:4711", []string{header}
	require.Nil(t, clientcert.FromRequest("", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})(r), "no header is named")
	require.Nil(t, clientcert.FromRequest("Client-Cert", nil)(r), "no proxy is trusted")
}

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

// listener is a server of ours with TLS, whose certificate can be exchanged.
type listener struct {
	certFile, keyFile string
	logs              bytes.Buffer
	clock             clock
	address           string
}

func (l *listener) install(t *testing.T, certificate, key identity) {
	t.Helper()
	require.NoError(t, os.WriteFile(l.certFile, []byte(certificate.pem()), 0o600))
	require.NoError(t, os.WriteFile(l.keyFile, []byte(key.keyPEM(t)), 0o600))
	for _, file := range []string{l.certFile, l.keyFile} { // file systems count time in steps
		require.NoError(t, os.Chtimes(file, time.Time{}, l.clock.Now()))
	}
}

func listen(t *testing.T, first identity) *listener {
	t.Helper()
	folder := t.TempDir()
	l := &listener{certFile: filepath.Join(folder, "tls.crt"), keyFile: filepath.Join(folder, "tls.key")}
	l.clock.now = time.Now()
	l.install(t, first, first)
	config, err := clientcert.TLSConfig(l.certFile, l.keyFile, slog.New(slog.NewTextHandler(&l.logs, nil)), l.clock.Now)
	require.NoError(t, err)
	find := clientcert.FromRequest("", nil)
	server := &http.Server{
		TLSConfig: config, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if certificate := find(r); certificate != nil {
				_, _ = io.WriteString(w, certificate.Subject.CommonName)
			}
		}),
	}
	socket, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(socket, "", "") }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	l.address = "https://" + socket.Addr().String()
	return l
}

// get returns the answer and the name of the server's certificate.
func (l *listener) get(t *testing.T, certificates ...tls.Certificate) (answer, server string, err error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true,
		Certificates:       certificates,
	}}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.address, nil)
	require.NoError(t, err)
	response, err := client.Do(request)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return string(content), response.TLS.PeerCertificates[0].Subject.CommonName, err
}

func TestListenerAsksForACertificateAndNeedsNone_R40(t *testing.T) {
	l, client, other := listen(t, newIdentity(t, "first")), newIdentity(t, "activate"), newIdentity(t, "thief")
	answer, server, err := l.get(t)
	require.NoError(t, err)
	require.Empty(t, answer)
	require.Equal(t, "first", server)

	answer, _, err = l.get(t, tls.Certificate{Certificate: [][]byte{client.certificate.Raw}, PrivateKey: client.key})
	require.NoError(t, err)
	require.Equal(t, "activate", answer)

	_, _, err = l.get(t, tls.Certificate{Certificate: [][]byte{client.certificate.Raw}, PrivateKey: other.key})
	require.Error(t, err, "a certificate is public; the key is what counts")
}

func TestListenerReadsItsCertificateAgain(t *testing.T) {
	first, second := newIdentity(t, "first"), newIdentity(t, "second")
	l := listen(t, first)
	name := func() string {
		_, server, err := l.get(t)
		require.NoError(t, err)
		return server
	}
	l.clock.forward(time.Second)
	l.install(t, second, first) // half of the change: they do not fit
	require.Equal(t, "first", name())
	l.clock.forward(10 * time.Second)
	require.Equal(t, "first", name())
	require.Contains(t, l.logs.String(), "the old one stays")
	l.install(t, second, second)
	require.Equal(t, "first", name(), "the files are not looked at for every connection")
	l.clock.forward(10 * time.Second)
	require.Equal(t, "second", name())
	require.NoError(t, os.Remove(l.keyFile))
	l.clock.forward(10 * time.Second)
	require.Equal(t, "second", name())
	require.NotContains(t, l.logs.String(), "PRIVATE")
}

func TestListenerNeedsAPair(t *testing.T) {
	_, err := clientcert.TLSConfig("none.crt", "none.key", nil, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
