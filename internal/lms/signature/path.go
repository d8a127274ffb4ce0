package signature

import (
	"fmt"

	"countersign/internal/lms"
)

// PathToken verifies a token in the URL's path, right behind the source: for senders that can set
// nothing but a URL and cut its query off. Like QueryToken it is known to whatever logs URLs on
// the way.
type PathToken struct {
	secrets credentials
}

var _ lms.Verifier = (*PathToken)(nil)

// NewPathToken takes the active tokens.
func NewPathToken(secrets []string) (*PathToken, error) {
	c, err := newCredentials(secrets)
	if err != nil {
		return nil, fmt.Errorf("new path token verifier: %w", err)
	}
	return &PathToken{secrets: c}, nil
}

// Verify implements lms.Verifier. The ingress took the token out of the path (lms.Request.PathToken).
func (v *PathToken) Verify(r lms.Request) (int, error) {
	if r.PathToken == "" {
		return 0, refuse("no token in the URL's path, behind the source: copy the URL again")
	}
	secret, ok := v.secrets.match(r.PathToken)
	if !ok {
		return 0, refuse("the token in the URL's path does not match: copy the URL again")
	}
	return secret, nil
}
