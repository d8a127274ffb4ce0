package signature

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"countersign/internal/lms"
)

// PinnedCertificate verifies that the sender has the private key of one certificate (R40), whoever
// issued that: its digest is the pin.
type PinnedCertificate struct {
	pins [][sha256.Size]byte
	now  func() time.Time
}

var _ lms.Verifier = (*PinnedCertificate)(nil)

// NewPinnedCertificate takes the SHA-256 digests of the active certificates in DER, and the clock
// that their dates are held against.
func NewPinnedCertificate(pins [][sha256.Size]byte, now func() time.Time) (*PinnedCertificate, error) {
	if len(pins) == 0 || now == nil {
		return nil, errors.New("new pinned certificate verifier: no fingerprint or no clock")
	}
	return &PinnedCertificate{pins: slices.Clone(pins), now: now}, nil
}

// Verify implements lms.Verifier. The secret that it counts is the certificate.
func (v *PinnedCertificate) Verify(r lms.Request) (int, error) {
	if err := checkDates(r.Certificate, v.now()); err != nil {
		return 0, err
	}
	digest := sha256.Sum256(r.Certificate.Raw)
	for i, pin := range v.pins {
		if subtle.ConstantTimeCompare(digest[:], pin[:]) == 1 {
			return i, nil
		}
	}
	return 0, refuse("the client certificate is another one: compare its SHA-256 fingerprint with the source's")
}

// IssuedCertificate verifies that the sender has a certificate of one name that an authority
// issued for clients (R40): it may be renewed without a change here.
type IssuedCertificate struct {
	authorities *x509.CertPool
	subject     string
	now         func() time.Time
}

var _ lms.Verifier = (*IssuedCertificate)(nil)

// NewIssuedCertificate takes the authorities, intermediate ones too since a sender's chain is not
// looked at, the one subject that is let in, and a clock. Without a subject every customer of a
// public authority would be let in, so it is required.
func NewIssuedCertificate(authorities []*x509.Certificate, subject string, now func() time.Time) (*IssuedCertificate, error) {
	if len(authorities) == 0 || slices.Contains(authorities, nil) {
		return nil, errors.New("new issued certificate verifier: no authority")
	}
	if subject == "" || now == nil {
		return nil, errors.New("new issued certificate verifier: no subject or no clock")
	}
	pool := x509.NewCertPool()
	for _, authority := range authorities {
		pool.AddCert(authority)
	}
	return &IssuedCertificate{authorities: pool, subject: subject, now: now}, nil
}

// Verify implements lms.Verifier. There is one authority and one subject, so it returns 0.
func (v *IssuedCertificate) Verify(r lms.Request) (int, error) {
	now := v.now()
	if err := checkDates(r.Certificate, now); err != nil {
		return 0, err
	}
	_, err := r.Certificate.Verify(x509.VerifyOptions{
		Roots: v.authorities, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil { // its text would repeat the certificate's names
		return 0, refuse("the client certificate was not issued for clients by the source's authority")
	}
	if !names(r.Certificate, v.subject) {
		return 0, refuse("the client certificate has another subject: compare its common name and alternative names with the source's")
	}
	return 0, nil
}

// checkDates refuses a request without a certificate, or with one out of its time.
func checkDates(c *x509.Certificate, now time.Time) error {
	switch {
	case c == nil:
		return refuse("no client certificate; send one, and have the proxies in front pass it on")
	case now.Before(c.NotBefore):
		return refuse("the client certificate is not valid yet: compare the clocks")
	case now.After(c.NotAfter):
		return refuse("the client certificate has expired")
	}
	return nil
}

// names reports whether the common name or an alternative name (RFC 5280 §4.2.1.6) is exactly the
// subject; a host's name in any case, and no wildcard matches anything.
func names(c *x509.Certificate, subject string) bool {
	if c.Subject.CommonName == subject || slices.Contains(c.EmailAddresses, subject) {
		return true
	}
	for _, host := range c.DNSNames {
		if strings.EqualFold(host, subject) {
			return true
		}
	}
	for _, uri := range c.URIs {
		if uri.String() == subject {
			return true
		}
	}
	for _, ip := range c.IPAddresses {
		if fmt.Sprint(ip) == subject {
			return true
		}
	}
	return false
}
