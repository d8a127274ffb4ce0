// Package lmstest is the suite that every platform's adapter and verifier passes. A platform's
// own test says what its deliveries look like; the suite says what must hold whatever they look like.
package lmstest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/training"
)

// Spec describes one platform, or one credential of it, to the suite.
type Spec struct {
	// New builds the adapter with a mapping; see With. Run wants it.
	New func(*mapping.Mapping) lms.Adapter
	// Mapping is the one the vectors are read with: the platform's default, or a tenant's. Run wants it.
	Mapping *mapping.Mapping

	// Verifier builds a verifier with the given active secrets, the newest first.
	Verifier func(secrets ...string) (lms.Verifier, error)
	// Sign returns the headers with which a sender that holds secret sends body.
	Sign func(body []byte, secret string) http.Header
	// Send stands in for Sign where the credential is no header: in the body, the path or the query.
	// It returns the whole request with which a sender that holds secret sends document.
	Send func(document []byte, secret string) lms.Request
	// Secret is the one the recorded vectors were signed with.
	Secret string
	// CredentialHeader is the header that carries what Sign computed; "" where Send is set.
	CredentialHeader string
	// SignsBody says that the credential covers the body, so that a changed one is refused.
	SignsBody bool
	// KeysAreTheIssuers says that the verifier does not know its keys by their order, as with a JWK
	// set: every key that is good is number 0, and a set without keys is the issuer's matter.
	KeysAreTheIssuers bool
	// Refused are further deliveries that the verifier with Secret refuses: with a stale timestamp where
	// one is signed, with another algorithm, with a token of somebody else.
	Refused []Recorded

	// AnyType says that the platform's Transport does: the Content-Type decides nothing.
	AnyType bool

	// Open takes the document out of a body that wraps it, a signed token, and Seal wraps it again. The
	// signature that Seal makes need not be good, because Decode verifies nothing. Both are nil where
	// the body is the document.
	Open func(body []byte) []byte
	Seal func(document []byte) []byte

	// Valid are deliveries of completions, Ignored of other events, Problems of completions
	// that cannot be processed, Unreadable of nothing this platform sends. Bodies are JSON with an
	// object in it, or a form where the Content-Type says so.
	Valid      []Valid
	Ignored    []Ignored
	Problems   []Problem
	Unreadable []Unreadable
	// Enrolled are deliveries of enrollments, Unenrolled of enrollments that cannot be processed; none
	// where the platform reports none.
	Enrolled   []Enrolled
	Unenrolled []Unenrolled

	// adapter is New(Mapping).
	adapter lms.Adapter
}

// With makes a Spec's New of a platform's own.
func With[A lms.Adapter](build func(*mapping.Mapping) A) func(*mapping.Mapping) lms.Adapter {
	return func(m *mapping.Mapping) lms.Adapter { return build(m) }
}

// Valid is a delivery and every field of the completions in it. Platform is filled in, and so is
// MappingVersion where it is "".
type Valid struct {
	Recorded
	Want []training.Completion
}

// Ignored is a delivery and the events in it that are no completions.
type Ignored struct {
	Recorded
	Want []lms.Ignored
}

// Problem is a delivery whose one completion cannot be processed, and a part of the reason.
type Problem struct {
	Recorded
	Reason string
}

// Unreadable is a body that is not what this platform sends, and a part of the reason.
type Unreadable struct {
	Recorded
	Reason string
}

// Run runs the whole suite.
func Run(t *testing.T, s Spec) {
	t.Helper()
	require.NotNil(t, s.New, "the suite overrides every target: Spec.New builds the adapter with a mapping")
	require.NotNil(t, s.Mapping, "Spec.Mapping is what the vectors are read with")
	s.prepare(t)
	t.Run("decode", s.decode)
	t.Run("extra members are ignored", s.extraMembers)
	t.Run("replay gives equal fingerprints R197", s.replay)
	t.Run("concurrent calls", s.concurrent)
	t.Run("poison", s.poison)
	t.Run("a body costs its length", s.cost)
	if s.AnyType {
		t.Run("whatever Content-Type says", s.anyType)
	}
	t.Run("wrong types everywhere", s.wrongTypes)
	t.Run("no value in any error", s.noValues)
	t.Run("every target can be overridden", s.overrides)
	t.Run("a condition narrows", s.narrowed)
	t.Run("a trace changes nothing", s.trace)
	if len(s.Enrolled) > 0 {
		t.Run("enrollments R98", s.enrollments)
	}
	t.Run("verify R23", s.verify)
}

// RunVerify runs the part about the credential alone: for the second credential of a platform whose
// deliveries have gone through Run.
func RunVerify(t *testing.T, s Spec) {
	t.Helper()
	s.prepare(t)
	t.Run("verify R23", s.verify)
}

// prepare fills in what follows from the rest.
func (s *Spec) prepare(tb testing.TB) {
	tb.Helper()
	require.NotEmpty(tb, s.Valid, "a platform without a valid delivery proves nothing")
	if s.New != nil && s.Mapping != nil {
		s.adapter = s.New(s.Mapping)
		require.Equal(tb, s.Mapping.Platform(), s.adapter.Platform())
	}
	require.Equal(tb, s.Open == nil, s.Seal == nil, "Open and Seal go together")
	require.Equal(tb, s.Send == nil, s.CredentialHeader != "", "the credential is in one header, or Send says where it is")
}

// isVersion holds the form of training.Completion.MappingVersion.
func isVersion(text, platform string) bool {
	version, found := strings.CutPrefix(text, platform+"/")
	return found && version != ""
}
