package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"countersign/internal/lms"
)

// mostValues bounds how many signatures one request may carry: four headers, each doubled by
// some proxy.
const mostValues = 8

// HMAC verifies HMAC-SHA256 over the raw bytes of the body (R24–R31).
type HMAC struct {
	format  Format
	headers []string
	secrets [][]byte
}

var _ lms.Verifier = (*HMAC)(nil)

// NewHMAC takes the active secrets and the headers a signature may stand in, in the usual format:
// hexadecimal digits, with or without sha256= before them. One header pins it: the others are
// then not looked at.
func NewHMAC(secrets []string, headers ...string) (*HMAC, error) {
	return NewHMACIn(Format{}, secrets, headers...)
}

// NewHMACIn is NewHMAC for a platform that writes its signatures in another format.
func NewHMACIn(format Format, secrets []string, headers ...string) (*HMAC, error) {
	if err := checkSecrets(secrets); err != nil {
		return nil, fmt.Errorf("new hmac verifier: %w", err)
	}
	if len(headers) == 0 || slices.Contains(headers, "") {
		return nil, errors.New("new hmac verifier: no header name")
	}
	v := &HMAC{format: format.orDefault(), headers: slices.Clone(headers)}
	for _, secret := range secrets {
		v.secrets = append(v.secrets, []byte(secret))
	}
	return v, nil
}

// signatureChallenge is what a source that signs its bodies is told. No registered scheme fits.
const signatureChallenge = "Signature"

// Challenge implements lms.Challenger.
func (v *HMAC) Challenge() string { return signatureChallenge }

// Verify implements lms.Verifier. Where several signatures are present, in several headers or
// in one header sent twice, all must match: a request that says two things about itself is
// not authentic. It returns the oldest secret that any of them needed.
func (v *HMAC) Verify(r lms.Request) (int, error) {
	received, err := v.signatures(r)
	if err != nil {
		return 0, err
	}
	matched := matches(v.secrets, received, r.Body)
	if slices.Contains(matched, -1) {
		return 0, refuse("the signature does not match: the secret differs from the sender's, or the body was changed on the way")
	}
	return slices.Max(matched), nil
}

// signatures decodes every signature of the request; each is 32 bytes.
func (v *HMAC) signatures(r lms.Request) ([][]byte, error) {
	var received [][]byte
	for _, header := range v.headers {
		for _, value := range r.Header.Values(header) {
			if len(received) == mostValues {
				return nil, refuse("more than %d signatures", mostValues)
			}
			signature, err := v.format.decode(value)
			if err != nil {
				return nil, refuse("%s %s", header, err)
			}
			received = append(received, signature)
		}
	}
	if len(received) == 0 {
		return nil, refuse("no signature; send it in %s", strings.Join(v.headers, " or "))
	}
	return received, nil
}

// matches says of each signature which secret it was made with, the newest if it is listed twice,
// or -1. The message is given in parts. Every secret is tried on every signature, so that the
// time says nothing about which one matched (R25).
func matches(secrets, signatures [][]byte, message ...[]byte) []int {
	matched := make([]int, len(signatures))
	for i := range matched {
		matched[i] = -1
	}
	for secret := len(secrets) - 1; secret >= 0; secret-- {
		mac := hmac.New(sha256.New, secrets[secret])
		for _, part := range message {
			mac.Write(part)
		}
		want := mac.Sum(nil)
		for i, signature := range signatures {
			if hmac.Equal(signature, want) {
				matched[i] = secret
			}
		}
	}
	return matched
}
