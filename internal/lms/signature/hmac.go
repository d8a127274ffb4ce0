// Package signature holds the verifiers that decide whether a delivery comes from its source.
// Each is built once per source from its active secrets and is safe for concurrent use.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"countersign/internal/lms"
)

// prefix may stand before the digits and names the algorithm (R31).
const prefix = "sha256="

// mostValues bounds how many signatures one request may carry: four headers, each doubled by
// some proxy.
const mostValues = 8

// HMAC verifies HMAC-SHA256 over the raw bytes of the body, sent as hexadecimal digits in either
// case (R24–R31).
type HMAC struct {
	headers []string
	secrets [][]byte
}

var _ lms.Verifier = (*HMAC)(nil)

// NewHMAC takes the active secrets, the newest first (two during a rotation, R164), and the
// headers a signature may stand in. One header pins it: the others are then not looked at. A
// short secret is accepted, because the platform chose it; an empty one would accept anybody.
func NewHMAC(secrets []string, headers ...string) (*HMAC, error) {
	switch {
	case len(secrets) == 0:
		return nil, errors.New("new hmac verifier: no secret")
	case slices.Contains(secrets, ""):
		return nil, errors.New("new hmac verifier: empty secret")
	case len(headers) == 0 || slices.Contains(headers, ""):
		return nil, errors.New("new hmac verifier: no header name")
	}
	v := &HMAC{headers: slices.Clone(headers)}
	for _, secret := range secrets {
		v.secrets = append(v.secrets, []byte(secret))
	}
	return v, nil
}

// Verify implements lms.Verifier. Where several signatures are present, in several headers or
// in one header sent twice, all must match: a request that says two things about itself is
// not authentic. It returns the oldest secret that any of them needed.
func (v *HMAC) Verify(r lms.Request) (int, error) {
	received, err := v.signatures(r)
	if err != nil {
		return 0, err
	}
	// Every secret is tried on every signature, so that the time says nothing about which
	// one matched (R25).
	matched := make([]int, len(received))
	for i := range matched {
		matched[i] = -1
	}
	for index := len(v.secrets) - 1; index >= 0; index-- {
		mac := hmac.New(sha256.New, v.secrets[index])
		mac.Write(r.Body)
		want := mac.Sum(nil)
		for i, signature := range received {
			if hmac.Equal(signature, want) {
				matched[i] = index
			}
		}
	}
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
			digits := strings.TrimPrefix(value, prefix)
			switch {
			case digits == "":
				return nil, refuse(header + " is empty")
			case strings.Contains(digits, "="):
				return nil, refuse(header + " is not hexadecimal, or names another algorithm than sha256")
			case len(digits) != hex.EncodedLen(sha256.Size):
				return nil, refuse(fmt.Sprintf("%s has %d characters, want %d hexadecimal digits",
					header, len(digits), hex.EncodedLen(sha256.Size)))
			case len(received) == mostValues:
				return nil, refuse(fmt.Sprintf("more than %d signatures", mostValues))
			}
			signature, err := hex.DecodeString(digits)
			if err != nil {
				return nil, refuse(header + " is not hexadecimal")
			}
			received = append(received, signature)
		}
	}
	if len(received) == 0 {
		return nil, refuse("no signature; send it in " + strings.Join(v.headers, " or "))
	}
	return received, nil
}

func refuse(text string) error { return fmt.Errorf("%w: %s", lms.ErrUnauthenticated, text) }
