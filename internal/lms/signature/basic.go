package signature

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"countersign/internal/lms"
)

// Basic verifies user name and password in "Authorization: Basic base64(USER:PASSWORD)" (R38; RFC
// 7617 §2). What is not ASCII is expected in UTF-8.
type Basic struct {
	pairs credentials
}

var _ lms.Verifier = (*Basic)(nil)

// NewBasic takes the user name and its active passwords.
func NewBasic(username string, passwords []string) (*Basic, error) {
	if err := checkSecrets(passwords); err != nil {
		return nil, fmt.Errorf("new basic verifier: %w", err)
	}
	// The first colon is where the password begins, so the user name has none.
	if username == "" || strings.Contains(username, ":") {
		return nil, errors.New("new basic verifier: the user name is empty or has a colon in it")
	}
	pairs := make([]string, len(passwords))
	for i, password := range passwords {
		pairs[i] = username + ":" + password
	}
	c, err := newCredentials(pairs)
	if err != nil {
		return nil, fmt.Errorf("new basic verifier: %w", err)
	}
	return &Basic{pairs: c}, nil
}

// Challenge implements lms.Challenger.
func (v *Basic) Challenge() string { return `Basic realm="countersign"` }

// Verify implements lms.Verifier. User name and password are compared as one, so that neither the
// time nor the answer says that one of them is right.
func (v *Basic) Verify(r lms.Request) (int, error) {
	encoded, err := underScheme(r, "Basic")
	if err != nil {
		return 0, err
	}
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return 0, refuse("Authorization: what stands behind Basic is not base64")
	}
	secret, ok := v.pairs.match(string(pair))
	if !ok {
		return 0, refuse("user name or password does not match: compare both with the source's")
	}
	return secret, nil
}
