package doctor

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority issues certificates for tests.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{certificate, key}
}

func (a authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// issue makes a certificate of localhost that is good for the given time.
func (a authority) issue(t testing.TB, host string, good time.Duration) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(good),
	}, a.certificate, &key.PublicKey, a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secure serves TLS with a certificate and counts the requests, which there must be none of.
func secure(t testing.TB, certificate tls.Certificate) (address string, requests *int) {
	t.Helper()
	requests = new(int)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { *requests++ }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	return "https://localhost:" + port + "/secret-path?token=s3cret", requests
}

func TestCertificatesAreJudgedByTheirEnd_R205(t *testing.T) {
	issuer := newAuthority(t)
	const day = 24 * time.Hour
	for _, test := range []struct {
		name string
		host string
		good time.Duration
		want Level
		says string
	}{
		{"good", "localhost", 100 * day, OK, "good until"},
		{"soon", "localhost", 20*day + time.Hour, Warning, "in 20 days"},
		{"now", "localhost", 2*day - time.Hour, Error, "in 46 hours"},
		{"over", "localhost", -time.Hour, Error, "its certificate has expired"},
		{"other host", "qms.example", 100 * day, Error, "for another host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			address, requests := secure(t, issuer.issue(t, test.host, test.good))
			f := connection(t.Context(), Dialer{Roots: issuer.pool()}, time.Now(), "qms.connection", "the QMS", address)
			require.Equal(t, test.want, f.Level, f.Text)
			require.Contains(t, f.Text, test.says)
			require.Equal(t, test.want != OK, f.Fix != "")
			require.NotContains(t, f.Text+f.Fix, "s3cret")
			require.NotContains(t, f.Text+f.Fix, "localhost")
			require.Zero(t, *requests)
		})
	}
	t.Run("unknown authority", func(t *testing.T) {
		address, _ := secure(t, issuer.issue(t, "localhost", 100*day))
		f := connection(t.Context(), Dialer{Roots: newAuthority(t).pool()}, time.Now(), "qms.connection", "the QMS", address)
		require.Equal(t, Error, f.Level)
		require.Contains(t, f.Text, "authority that is not trusted")
	})
}

func TestConnectionsThatCannotBeMade(t *testing.T) {
	open := httptest.NewServer(http.NotFoundHandler())
	defer open.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	for address, says := range map[string]string{
		"https" + open.URL[len("http"):]:      "does not speak TLS",
		gone.URL:                              "refused",
		"https://" + silent.Addr().String():   "does not answer in time",
		"https://no-such-host.invalid/secret": "DNS",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		f := connection(ctx, Dialer{}, time.Now(), "notices.channel", "the slack channel's host", address)
		cancel()
		require.Equal(t, Error, f.Level)
		require.Contains(t, f.Text, says)
		require.NotContains(t, f.Text, "invalid", "an address may be a secret")
	}
	require.Equal(t, OK, connection(t.Context(), Dialer{}, time.Now(), "c", "it", open.URL).Level)
}

// tunnelling is a proxy that makes one way through, if asked with the password.
func tunnelling(t testing.TB, to string, answer string) *url.URL {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil || request.Method != http.MethodConnect || request.Header.Get("Proxy-Authorization") != "Basic dXNlcjpzM2NyZXQ=" {
			return
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 "+answer+"\r\n\r\n"); err != nil || answer != "200 OK" {
			return
		}
		out, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer out.Close()
		go func() { _, _ = io.Copy(out, conn); _ = out.Close() }()
		_, _ = io.Copy(conn, out)
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return &url.URL{Scheme: "http", Host: listener.Addr().String(), User: url.UserPassword("user", "s3cret")}
}

func TestConnectionsGoThroughTheProxy(t *testing.T) {
	issuer := newAuthority(t)
	address, _ := secure(t, issuer.issue(t, "localhost", 1000*time.Hour))
	target, err := url.Parse(address)
	require.NoError(t, err)
	through := func(proxy *url.URL) Finding {
		return connection(t.Context(), Dialer{Roots: issuer.pool(), Proxy: http.ProxyURL(proxy)}, time.Now(), "c", "the QMS", "https://localhost:1/")
	}
	f := through(tunnelling(t, target.Host, "200 OK"))
	require.Equal(t, OK, f.Level, f.Text)
	require.Contains(t, f.Text, "through the proxy 127.0.0.1")
	f = through(tunnelling(t, target.Host, "407 Proxy Authentication Required"))
	require.Equal(t, Error, f.Level)
	require.Contains(t, f.Text, "the proxy answered 407")
	require.NotContains(t, f.Text, "s3cret")
	f = through(&url.URL{Scheme: "socks5", Host: "127.0.0.1:1"})
	require.Contains(t, f.Text, "which the doctor does not speak")
}
