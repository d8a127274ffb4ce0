package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"countersign/internal/settings"
)

// door checks the way in: our own addresses, and the one that LMSs are given (R204, R205).
type door struct {
	own    settings.Process
	dialer Dialer
	now    func() time.Time
}

func (d door) run(ctx context.Context) []Finding {
	found := []Finding{d.listens(ctx)}
	if d.own.TLSListen != "" {
		found = append(found, d.certificate(), d.serves(ctx))
	}
	return append(found, d.public(ctx))
}

// listens asks the starter on this machine whether it lives; it need not run here.
func (d door) listens(ctx context.Context) Finding {
	const check = "listen.http"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+local(d.own.Listen)+"/healthz", nil)
	if err != nil {
		return unfit(Error, check, "COUNTERSIGN_LISTEN is no address", "correct it")
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return unfit(Warning, check, "no starter answers on "+d.own.Listen+" of this machine: "+trouble(err), "start it; if it runs elsewhere, run the doctor there")
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return unfit(Error, check, "something else than the starter answers on "+d.own.Listen+": "+response.Status, "see what uses this port, and give COUNTERSIGN_LISTEN another one")
	}
	return fine(check, "the starter answers on %s", d.own.Listen)
}

// certificate checks the file that the starter serves TLS with.
func (d door) certificate() Finding {
	const check = "listen.certificate"
	pair, err := tls.LoadX509KeyPair(d.own.TLSCert, d.own.TLSKey)
	if err != nil {
		return unfit(Error, check, "certificate and key cannot be used: "+err.Error(), "correct COUNTERSIGN_TLS_CERT and COUNTERSIGN_TLS_KEY")
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return unfit(Error, check, "the certificate cannot be read", "correct COUNTERSIGN_TLS_CERT")
	}
	return expiry(check, "COUNTERSIGN_TLS_CERT and its key fit together", leaf.NotAfter, d.now())
}

// serves checks that TLS is spoken there. Whether others trust the certificate is for listen.public.
func (d door) serves(ctx context.Context) Finding {
	const check = "listen.tls"
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}} //nolint:gosec // nothing is sent, and the name asked for is that of this machine
	conn, err := dialer.DialContext(ctx, "tcp", local(d.own.TLSListen))
	if err != nil {
		return unfit(Warning, check, "no starter speaks TLS on "+d.own.TLSListen+" of this machine: "+trouble(err), "start it; if it runs elsewhere, run the doctor there")
	}
	if err := conn.Close(); err != nil {
		return unfit(Note, check, "the connection on "+d.own.TLSListen+" broke off", "run the doctor again")
	}
	return fine(check, "the starter speaks TLS on %s", d.own.TLSListen)
}

// public checks the address that LMSs are given, as far as it can be reached from here.
func (d door) public(ctx context.Context) Finding {
	const check = "listen.public"
	u, err := url.Parse(d.own.PublicURL)
	switch {
	case d.own.PublicURL == "" || err != nil:
		return unfit(Note, check, "COUNTERSIGN_PUBLIC_URL is not set: nobody checks the certificate that LMSs see", "set it to the address that LMSs are given")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return unfit(Warning, check, "LMSs are given an address in the clear; deliveries are personal data", "serve it over https")
	}
	f, err := connect(ctx, d.dialer, d.now(), check, "the address that LMSs are given", d.own.PublicURL)
	var refused *tls.CertificateVerificationError
	if err != nil && !errors.As(err, &refused) {
		f.Level = Warning // many a network does not let its own machines in by the front door
		f.Fix = "try it from outside, where the LMSs are, e.g. with curl -v"
	}
	return f
}

// local is where a listening address is reached from this machine.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
