// Package lmstest is the suite that every platform's adapter and verifier passes. A platform's
// own test says what its deliveries look like; the suite says what must hold whatever they look like.
package lmstest

import (
	"bufio"
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/training"
)

// Spec describes one platform to the suite. Bodies are JSON with an object in it.
type Spec struct {
	Adapter lms.Adapter
	// Verifier builds a verifier with the given active secrets, the newest first.
	Verifier func(secrets ...string) (lms.Verifier, error)
	// Sign returns the headers with which a sender that holds secret sends body.
	Sign func(body []byte, secret string) http.Header
	// Secret is the one the recorded vectors were signed with.
	Secret string
	// CredentialHeader is the header that carries what Sign computed.
	CredentialHeader string
	// SignsBody says that the credential covers the body, so that a changed one is refused.
	SignsBody bool

	// Valid are deliveries of completions, Ignored of other events, Problems of completions
	// that cannot be processed, Unreadable of nothing this platform sends.
	Valid      []Valid
	Ignored    []Ignored
	Problems   []Problem
	Unreadable []Unreadable
}

// Recorded is a delivery as it came. Header may be nil where only the body is of interest; one
// with headers must pass the Verifier.
type Recorded struct {
	Name   string
	Header http.Header
	Body   []byte
}

// Request is the delivery as the ingress hands it on.
func (r Recorded) Request() lms.Request { return post(r.Header, r.Body) }

// Valid is a delivery and every field of the completions in it. Platform is filled in.
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
	require.NotEmpty(t, s.Valid, "a platform without a valid delivery proves nothing")
	require.NotEmpty(t, s.Adapter.Platform())
	t.Run("decode", s.decode)
	t.Run("extra members are ignored", s.extraMembers)
	t.Run("replay gives equal fingerprints R197", s.replay)
	t.Run("poison", s.poison)
	t.Run("wrong types everywhere", s.wrongTypes)
	t.Run("no value in any error", s.noValues)
	t.Run("verify R23", s.verify)
}

// Sample reads dir/name.json and dir/name.headers.txt: a body exactly as sent, and its headers,
// one per line.
func Sample(t *testing.T, dir, name string) Recorded {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, name+".json"))
	require.NoError(t, err)
	lines, err := os.ReadFile(filepath.Join(dir, name+".headers.txt"))
	require.NoError(t, err)
	header := http.Header{}
	for scanner := bufio.NewScanner(bytes.NewReader(lines)); scanner.Scan(); {
		if key, value, ok := strings.Cut(scanner.Text(), ":"); ok {
			header.Add(key, strings.TrimSpace(value))
		}
	}
	return Recorded{Name: name, Header: header, Body: body}
}

// JSON is a delivery written in a test.
func JSON(name, body string) Recorded { return Recorded{Name: name, Body: []byte(body)} }
