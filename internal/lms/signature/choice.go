package signature

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"countersign/internal/lms"
)

// Choice judges a request that has one of the headers by one verifier and any other request by
// another one: for a sender that signs its newer deliveries in a header and its older ones elsewhere,
// to one URL. It is no stronger than the weaker of the two, since a sender chooses.
type Choice struct {
	headers       []string
	with, without lms.Verifier
}

var _ lms.Verifier = (*Choice)(nil)

// NewChoice takes the headers, and the verifiers of a request with and without one of them.
func NewChoice(headers []string, with, without lms.Verifier) (*Choice, error) {
	if len(headers) == 0 || slices.Contains(headers, "") {
		return nil, errors.New("new choice verifier: no header name")
	}
	if with == nil || without == nil {
		return nil, errors.New("new choice verifier: a verifier is nil")
	}
	return &Choice{headers: slices.Clone(headers), with: with, without: without}, nil
}

// Challenge implements lms.Challenger.
func (v *Choice) Challenge() string { return all{v.with, v.without}.Challenge() }

// Verify implements lms.Verifier. A header that is there but empty counts: its verifier says so.
func (v *Choice) Verify(r lms.Request) (int, error) {
	for _, header := range v.headers {
		if len(r.Header.Values(header)) > 0 {
			return v.with.Verify(r)
		}
	}
	secret, err := v.without.Verify(r)
	if err != nil {
		return 0, fmt.Errorf("%w (no header %s, so the other signature counts)", err, strings.Join(v.headers, " or "))
	}
	return secret, nil
}
