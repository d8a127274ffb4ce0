package signature

import (
	"errors"
	"fmt"

	"countersign/internal/lms"
)

// Header verifies a header whose whole value is the credential: an API key under any name (R33,
// R46), or the value of Authorization exactly as an administrator typed it, with or without a
// scheme (R43).
type Header struct {
	name    string
	secrets credentials
}

var _ lms.Verifier = (*Header)(nil)

// NewAPIKey takes the active keys and the header they come in, e.g. X-API-Key.
func NewAPIKey(secrets []string, header string) (*Header, error) {
	c, err := newCredentials(secrets)
	if err != nil {
		return nil, fmt.Errorf("new api key verifier: %w", err)
	}
	if header == "" {
		return nil, errors.New("new api key verifier: no header name")
	}
	return &Header{name: header, secrets: c}, nil
}

// NewAuthorization takes the active values of the Authorization header.
func NewAuthorization(secrets []string) (*Header, error) {
	c, err := newCredentials(secrets)
	if err != nil {
		return nil, fmt.Errorf("new authorization verifier: %w", err)
	}
	return &Header{name: "Authorization", secrets: c}, nil
}

// Verify implements lms.Verifier.
func (v *Header) Verify(r lms.Request) (int, error) {
	value, err := sole(r, v.name)
	if err != nil {
		return 0, err
	}
	secret, ok := v.secrets.match(value)
	if !ok {
		return 0, refuse("%s does not match: compare its whole value with the source's, letter for letter", v.name)
	}
	return secret, nil
}
