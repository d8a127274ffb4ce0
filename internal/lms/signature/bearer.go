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

// Verify implements lms.Verifier.
func (v *Bearer) Verify(r lms.Request) (int, error) {
	token, err := underScheme(r, "Bearer")
	if err != nil {
		return 0, err
	}
	secret, ok := v.secrets.match(token)
	if !ok {
		return 0, refuse("the bearer token does not match: compare it with the source's")
	}
	return secret, nil
}

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
