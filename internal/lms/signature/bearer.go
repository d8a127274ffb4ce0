package signature

import (
	"fmt"
	"strings"

	"countersign/internal/lms"
)

// Bearer verifies a static token in "Authorization: Bearer TOKEN" (R34; RFC 6750 §2.1).
type Bearer struct {
	secrets credentials
}

var _ lms.Verifier = (*Bearer)(nil)

// NewBearer takes the active tokens.
func NewBearer(secrets []string) (*Bearer, error) {
	c, err := newCredentials(secrets)
	if err != nil {
		return nil, fmt.Errorf("new bearer verifier: %w", err)
	}
	return &Bearer{secrets: c}, nil
}

// Challenge implements lms.Challenger.
func (v *Bearer) Challenge() string { return bearerChallenge }

// Verify implements lms.Verifier.
func (v *Bearer) Verify(r lms.Request) (int, error) {
	token, err := BearerToken(r)
	if err != nil {
		return 0, err
	}
	secret, ok := v.secrets.match(token)
	if !ok {
		return 0, refuse("the bearer token does not match: compare it with the source's")
	}
	return secret, nil
}

// bearerChallenge says no more than the scheme: RFC 6750 §3.1 wants nothing else where the sender
// may not have known that a token is needed.
const bearerChallenge = "Bearer"

// BearerToken is the token of "Authorization: Bearer TOKEN". The error wraps lms.ErrUnauthenticated.
func BearerToken(r lms.Request) (string, error) { return underScheme(r, "Bearer") }

// underScheme is what stands behind the scheme in Authorization. The scheme may be in any case (RFC 9110
// §11.1). One space follows it: the grammar allows more, no sender uses them, and without them the
// credential is exactly the rest.
func underScheme(r lms.Request, scheme string) (string, error) {
	value, err := sole(r, "Authorization")
	if err != nil {
		return "", err
	}
	sent, rest, found := strings.Cut(value, " ")
	switch {
	case !strings.EqualFold(sent, scheme):
		return "", refuse("Authorization does not begin with %s", scheme)
	case !found || rest == "":
		return "", refuse("Authorization holds nothing behind %s", scheme)
	}
	return rest, nil
}
