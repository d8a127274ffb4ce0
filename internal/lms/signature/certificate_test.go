package signature_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

func certificateTime() time.Time { return time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC) }

// authority issues certificates; a nil one signs itself.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func issue(t *testing.T, by *authority, change func(c *x509.Certificate)) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "activate"},
		NotBefore: certificateTime().Add(-time.Hour), NotAfter: certificateTime().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{certificate, key}
}

func newAuthority(t *testing.T, by *authority) *authority {
	t.Helper()
	return issue(t, by, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.ExtKeyUsage = "Authority", true, nil
		c.KeyUsage = x509.KeyUsageCertSign
	})
}

func with(c *x509.Certificate) lms.Request {
	r := request()
	r.Certificate = c
	return r
}

func TestPinnedCertificate_R40_R208(t *testing.T) {
	current, previous := issue(t, nil, nil).certificate, issue(t, nil, nil).certificate
	v, err := signature.NewPinnedCertificate([][sha256.Size]byte{sha256.Sum256(current.Raw), sha256.Sum256(previous.Raw)}, certificateTime)
	require.NoError(t, err)
	for want, certificate := range []*x509.Certificate{current, previous} {
		got, err := v.Verify(with(certificate))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	expired := issue(t, nil, func(c *x509.Certificate) { c.NotAfter = certificateTime().Add(-time.Second) }).certificate
	early := issue(t, nil, func(c *x509.Certificate) { c.NotBefore = certificateTime().Add(time.Second) }).certificate
	v, err = signature.NewPinnedCertificate([][sha256.Size]byte{sha256.Sum256(expired.Raw), sha256.Sum256(early.Raw), sha256.Sum256(current.Raw)}, certificateTime)
	require.NoError(t, err)
	for want, certificate := range map[string]*x509.Certificate{
		"no client certificate": nil, "has expired": expired, "not valid yet": early, "another one": previous,
	} {
		_, err := v.Verify(with(certificate))
		require.ErrorIs(t, err, lms.ErrUnauthenticated)
		require.ErrorContains(t, err, want)
	}
}

func TestIssuedCertificate_R40(t *testing.T) {
	ours, other := newAuthority(t, nil), newAuthority(t, nil)
	between := newAuthority(t, ours)
	by := func(a *authority, change func(c *x509.Certificate)) *x509.Certificate {
		return issue(t, a, change).certificate
	}
	for name, test := range map[string]struct {
		certificate *x509.Certificate
		subject     string
		want        string // "" is accepted
	}{
		"common name":                 {by(ours, nil), "activate", ""},
		"common name in capitals":     {by(ours, nil), "Activate", "another subject"},
		"part of the name":            {by(ours, nil), "activ", "another subject"},
		"host":                        {by(ours, func(c *x509.Certificate) { c.DNSNames = []string{"x.example", "LMS.example"} }), "lms.example", ""},
		"wildcard":                    {by(ours, func(c *x509.Certificate) { c.DNSNames = []string{"*.example"} }), "lms.example", "another subject"},
		"mail address":                {by(ours, func(c *x509.Certificate) { c.EmailAddresses = []string{"svc@lms.example"} }), "svc@lms.example", ""},
		"URI":                         {by(ours, func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "spiffe", Host: "lms", Path: "/out"}} }), "spiffe://lms/out", ""},
		"IP address":                  {by(ours, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(203, 0, 113, 9)} }), "203.0.113.9", ""},
		"renewed":                     {by(ours, nil), "activate", ""},
		"another authority":           {by(other, nil), "activate", "not issued for clients"},
		"of itself":                   {by(nil, nil), "activate", "not issued for clients"},
		"an authority we do not know": {by(between, nil), "activate", "not issued for clients"},
		"for servers":                 {by(ours, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), "activate", "not issued for clients"},
		"for nothing in particular":   {by(ours, func(c *x509.Certificate) { c.ExtKeyUsage = nil }), "activate", ""},
		"expired":                     {by(ours, func(c *x509.Certificate) { c.NotAfter = certificateTime().Add(-time.Second) }), "activate", "has expired"},
		"not yet":                     {by(ours, func(c *x509.Certificate) { c.NotBefore = certificateTime().Add(time.Second) }), "activate", "not valid yet"},
		"none":                        {nil, "activate", "no client certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := signature.NewIssuedCertificate([]*x509.Certificate{ours.certificate}, test.subject, certificateTime)
			require.NoError(t, err)
			_, err = v.Verify(with(test.certificate))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, lms.ErrUnauthenticated)
			require.ErrorContains(t, err, test.want)
		})
	}
	v, err := signature.NewIssuedCertificate([]*x509.Certificate{other.certificate, between.certificate}, "activate", certificateTime)
	require.NoError(t, err)
	for _, issuer := range []*authority{other, between} { // while the authority changes there are two
		_, err = v.Verify(with(by(issuer, nil)))
		require.NoError(t, err)
	}
}

func TestCertificatesWithoutPinAreRefused_R41(t *testing.T) {
	pin := [][sha256.Size]byte{{}}
	_, err := signature.NewPinnedCertificate(nil, certificateTime)
	require.Error(t, err)
	_, err = signature.NewPinnedCertificate(pin, nil)
	require.Error(t, err)
	ca := []*x509.Certificate{newAuthority(t, nil).certificate}
	for _, bad := range []struct {
		authorities []*x509.Certificate
		subject     string
		now         func() time.Time
	}{{nil, "s", certificateTime}, {[]*x509.Certificate{nil}, "s", certificateTime}, {ca, "", certificateTime}, {ca, "s", nil}} {
		_, err = signature.NewIssuedCertificate(bad.authorities, bad.subject, bad.now)
		require.Error(t, err)
	}
}
