package signature

import (
	"errors"
	"fmt"
	"net/url"

	"countersign/internal/lms"
)

// QueryToken verifies a token in the URL's query, for senders that can set nothing but a URL. The
// weakest of all: whatever logs URLs on the way learns the token.
type QueryToken struct {
	parameter string
	secrets   credentials
}

var _ lms.Verifier = (*QueryToken)(nil)

// NewQueryToken takes the active tokens and the name of the query's parameter.
func NewQueryToken(secrets []string, parameter string) (*QueryToken, error) {
	c, err := newCredentials(secrets)
	if err != nil {
		return nil, fmt.Errorf("new query token verifier: %w", err)
	}
	if parameter == "" {
		return nil, errors.New("new query token verifier: no parameter name")
	}
	return &QueryToken{parameter: parameter, secrets: c}, nil
}

// Verify implements lms.Verifier.
func (v *QueryToken) Verify(r lms.Request) (int, error) {
	query, err := url.ParseQuery(r.Query)
	if err != nil { // its text would repeat a part of the query
		return 0, refuse("the query of the URL cannot be read")
	}
	values := query[v.parameter]
	switch {
	case len(values) == 0:
		return 0, refuse("no parameter %s in the query of the URL", v.parameter)
	case len(values) > 1:
		return 0, refuse("the query's parameter %s is there %d times", v.parameter, len(values))
	}
	secret, ok := v.secrets.match(values[0])
	if !ok {
		return 0, refuse("the query's parameter %s does not match: copy the URL again", v.parameter)
	}
	return secret, nil
}
