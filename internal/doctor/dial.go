package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// Dialer connects as the product's clients do, and sends nothing behind the handshake.
type Dialer struct {
	// Proxy chooses a proxy, as http.Transport's does; nil for none.
	Proxy func(*http.Request) (*url.URL, error)
	// Roots are the authorities that are trusted; nil for the system's.
	Roots *x509.CertPool
}

// line is what a connection was found to be.
type line struct {
	// plain is true for http: nothing was negotiated.
	plain   bool
	version uint16
	// expires is when the chain of certificates ends to be good.
	expires time.Time
	// via is the proxy's host, "" without one.
	via string
}

// reach connects to the host of a URL, and over https makes the handshake.
func (d Dialer) reach(ctx context.Context, u *url.URL) (line, error) {
	conn, via, err := d.connect(ctx, u)
	if err != nil {
		return line{}, err
	}
	defer conn.Close()
	if u.Scheme != "https" {
		return line{plain: true, via: via}, nil
	}
	secured := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), RootCAs: d.Roots, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		return line{via: via}, err
	}
	state := secured.ConnectionState()
	return line{version: state.Version, expires: chainEnd(state), via: via}, nil
}

func (d Dialer) connect(ctx context.Context, u *url.URL) (conn net.Conn, via string, err error) {
	target := hostPort(u)
	dialer := net.Dialer{Timeout: 5 * time.Second}
	var proxy *url.URL
	if d.Proxy != nil {
		if proxy, err = d.Proxy(&http.Request{URL: u, Header: http.Header{}}); err != nil {
			return nil, "", errors.New("the proxy in the environment is not a URL") // it may hold a password
		}
	}
	if proxy == nil {
		conn, err = dialer.DialContext(ctx, "tcp", target)
		return conn, "", err
	}
	if proxy.Scheme != "http" {
		return nil, proxy.Hostname(), errUnknownProxy
	}
	if conn, err = dialer.DialContext(ctx, "tcp", hostPort(proxy)); err != nil {
		return nil, proxy.Hostname(), err
	}
	if err := tunnel(ctx, conn, target, proxy.User); err != nil {
		return nil, proxy.Hostname(), errors.Join(err, conn.Close())
	}
	return conn, proxy.Hostname(), nil
}

var errUnknownProxy = errors.New("it is reached through a proxy of another kind than http://, which the doctor does not speak")

// proxyRefused is the status by which a proxy made no way.
type proxyRefused int

func (p proxyRefused) Error() string { return fmt.Sprintf("the proxy answered %d", int(p)) }

// tunnel asks a proxy for a way to target (RFC 9110, 9.3.6).
func tunnel(ctx context.Context, conn net.Conn, target string, user *url.Userinfo) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: http.Header{}}
	if password, ok := user.Password(); ok {
		request.SetBasicAuth(user.Username(), password)
		request.Header.Set("Proxy-Authorization", request.Header.Get("Authorization"))
		request.Header.Del("Authorization")
	}
	if err := request.Write(conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return proxyRefused(response.StatusCode)
	}
	return nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// chainEnd is when the longest-lived of the verified chains ends: the client takes whichever is good.
func chainEnd(state tls.ConnectionState) time.Time {
	var latest time.Time
	for _, chain := range state.VerifiedChains {
		end := chain[0].NotAfter
		for _, certificate := range chain {
			if certificate.NotAfter.Before(end) {
				end = certificate.NotAfter
			}
		}
		if end.After(latest) {
			latest = end
		}
	}
	if latest.IsZero() && len(state.PeerCertificates) > 0 {
		latest = state.PeerCertificates[0].NotAfter
	}
	return latest
}

// trouble says in our own words why there was no connection: the texts of errors repeat addresses, and some
// addresses are secrets.
func trouble(err error) string {
	if text := network(err); text != "" {
		return text
	}
	return "the connection could not be made"
}

// network is trouble, "" where the error is of another kind.
func network(err error) string {
	var (
		dns       *net.DNSError
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
		authority x509.UnknownAuthorityError
		wrong     *tls.CertificateVerificationError
		header    tls.RecordHeaderError
		timeout   net.Error
		broken    *net.OpError
		refused   proxyRefused
	)
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.Is(err, errUnknownProxy):
		return errUnknownProxy.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		return "its name is not in DNS"
	case errors.As(err, &dns):
		return "its name could not be looked up in DNS"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet"
	case errors.As(err, &hostname):
		return "its certificate is for another host"
	case errors.As(err, &authority):
		return "its certificate is of an authority that is not trusted here"
	case errors.As(err, &wrong), errors.As(err, &invalid):
		return "its certificate is not accepted"
	case errors.As(err, &header):
		return "it does not speak TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "it does not answer in time"
	case errors.As(err, &broken) && broken.Op == "remote error":
		return "it refuses the TLS handshake"
	default:
		return ""
	}
}
