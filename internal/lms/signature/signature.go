// Package signature holds the verifiers that decide whether a delivery comes from its source
// (R23): signatures over the body (HMAC, Standard), tokens that an issuer signed (JWT), credentials
// sent along (Header, Bearer, Basic, QueryToken, PathToken, BodyToken), client certificates
// (PinnedCertificate, IssuedCertificate), networks (IPAllow), and nothing at all for tests (None).
// All composes them, Choice takes one of two. Each is built once per source from its active
// secrets and is safe for concurrent use.
//
// Every constructor takes the active secrets, the current one first: during a rotation there are
// several, and Verify says which one matched (R208). A short secret is accepted, because the
// platform chose it; an empty one would accept anybody.
package signature

import (
	"errors"
	"fmt"
	"slices"

	"countersign/internal/lms"
)

// refuse makes the error of a Verifier. The text is for the LMS administrator and never repeats
// what the request said: that may be a credential with a typing error in it.
func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", lms.ErrUnauthenticated, fmt.Sprintf(format, args...))
}

// checkSecrets holds what would accept anybody.
func checkSecrets(secrets []string) error {
	switch {
	case len(secrets) == 0:
		return errors.New("no secret")
	case slices.Contains(secrets, ""):
		return errors.New("empty secret")
	}
	return nil
}

// sole is the value of a header that a request has exactly once: one that says two things about
// itself is not authentic, and which of them counts is not ours to guess.
func sole(r lms.Request, header string) (string, error) {
	values := r.Header.Values(header)
	switch {
	case len(values) == 0:
		return "", refuse("no header %s", header)
	case len(values) > 1:
		return "", refuse("%s is there %d times", header, len(values))
	case values[0] == "":
		return "", refuse("%s is empty", header)
	}
	return values[0], nil
}
