package signature

import (
	"errors"
	"slices"
	"strings"

	"countersign/internal/lms"
)

// all is satisfied when each of its verifiers is.
type all []lms.Verifier

// All composes verifiers: every one must pass, and the first refusal is the answer. Put the
// one first that tells a stranger least, the networks: then nobody outside them can find out
// whether a stolen credential is still good; and the one last that may have to ask a third party.
// None at all is an error: it would accept anybody (R41).
func All(verifiers ...lms.Verifier) (lms.Verifier, error) {
	switch {
	case len(verifiers) == 0:
		return nil, errors.New("all verifiers: there is none")
	case slices.Contains(verifiers, nil):
		return nil, errors.New("all verifiers: one is nil")
	case len(verifiers) == 1:
		return verifiers[0], nil
	}
	return all(slices.Clone(verifiers)), nil
}

// Verify implements lms.Verifier. It returns the oldest secret that any of them needed.
func (v all) Verify(r lms.Request) (int, error) {
	oldest := 0
	for _, verifier := range v {
		secret, err := verifier.Verify(r)
		if err != nil {
			return 0, err
		}
		oldest = max(oldest, secret)
	}
	return oldest, nil
}

// Challenge implements lms.Challenger: what each of them says, once.
func (v all) Challenge() string {
	var challenges []string
	for _, verifier := range v {
		if c, ok := verifier.(lms.Challenger); ok && c.Challenge() != "" && !slices.Contains(challenges, c.Challenge()) {
			challenges = append(challenges, c.Challenge())
		}
	}
	return strings.Join(challenges, ", ")
}
