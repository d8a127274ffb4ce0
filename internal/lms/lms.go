// Package lms is the inbound world: what every LMS platform's adapter promises, and the types
// between it and the ingress. One package per platform lives below it, signatures in
// lms/signature, strict JSON in lms/strictjson; lmstest is the suite every adapter passes.
package lms

import (
	"crypto/x509"
	"errors"
	"net/http"

	"countersign/internal/training"
)

// Request is an inbound request as received: the exact bytes, before anything was parsed (R196).
type Request struct {
	Method string
	Header http.Header
	Body   []byte
	// Received is the body as it came where Body, for Decode, may have been decompressed since; the same
	// bytes as Body where it was not. nil says that whoever made the request does not know.
	Received []byte
	// Query is the URL's query, still encoded, without "?". Like Header it may hold a token, so both
	// go to a Verifier and an Adapter and nowhere else.
	Query string
	// RemoteAddr is the IP address of the sender without a port, seen through trusted proxies and
	// no others; "" when it is not known.
	RemoteAddr string
	// Path is what the URL has behind the source, without slashes at its ends: "" mostly, and
	// "statements" or an event's name where Transport.Paths lets it be more.
	Path string
	// PathToken is the credential that stands in the URL right behind the source, "" where the source
	// has none there.
	PathToken string
	// Certificate is the client's, from TLS or from a trusted proxy's header; nil without one.
	// Nobody has verified it but for the possession of its key: a Verifier pins it (R40).
	Certificate *x509.Certificate
}

// Transport says in what a platform's deliveries differ from one JSON body, as application/json in UTF-8 and
// not compressed, at the source's own URL, from a sender that comes again after a 429 or a 503. The ingress refuses
// what a platform does not send (R4); the zero Transport differs in nothing.
type Transport struct {
	// Form takes application/x-www-form-urlencoded beside JSON.
	Form bool
	// AnyType takes the body whatever Content-Type says, also none, several, or another charset: nobody knows what
	// the platform writes there, or its administrator chooses it. The body is read as this platform
	// writes it: as JSON, and where Form is set as a form if it looks like one. What is neither is
	// unreadable, so stored and put up for review, and not refused with 415.
	AnyType bool
	// JWT takes application/jwt beside JSON: a body that is a signed token.
	JWT bool
	// Gzip takes Content-Encoding: gzip. What is verified are the bytes as they came.
	Gzip bool
	// No429 says that the sender does not send again after a 429, but does after a 503: too many at once
	// is answered 503 with Retry-After then, or the delivery would be lost (law 4).
	No429 bool
	// Paths may stand behind the source in the URL; "*" stands for any one segment.
	Paths []string
}

// ErrUnauthenticated is wrapped by every error of a Verifier. The text says what is wrong with
// the request (header missing, not hexadecimal, no match) for the LMS administrator; it never
// shows the expected value.
var ErrUnauthenticated = errors.New("not authenticated")

// Verifier decides whether a request comes from the source it claims (R23). It sees the raw
// bytes, compares in constant time (R25), and is safe for concurrent use.
type Verifier interface {
	// Verify returns which of the source's active secrets matched, counted from 0 (a use of
	// an old one during a rotation is made visible), or an error wrapping ErrUnauthenticated or,
	// where it needs a third party's keys, ErrUnverifiable.
	// For a connection test (GET, OPTIONS) the body is empty and is verified as such.
	Verify(r Request) (secret int, err error)
}

// ErrUnverifiable is wrapped by the error of a Verifier that could not find out: whoever has the
// keys cannot be reached. It says nothing about the request, so the answer is 503 and the sender
// comes again (law 4). It never stands beside ErrUnauthenticated.
var ErrUnverifiable = errors.New("cannot be verified now")

// Challenger is a Verifier that knows what WWW-Authenticate should say when it refuses (RFC 9110
// §11.6.1). The others have no scheme of HTTP's own.
type Challenger interface {
	// Challenge is the header's value, e.g. "Bearer" or `Basic realm="countersign"`; "" for none.
	Challenge() string
}

// Adapter understands the deliveries of one platform.
//
// A tenant's completionWhen replaces the platform's own rule about which events are completions, except that it makes
// none of an event which the vendor documents to be something else, or which says of itself that nothing
// is finished. So it only narrows where the vendor names the event of a completion (adobe, canvas, docebo, learnupon,
// lessonly, successfactors; the starts and added users of axis). It decides alone where the rule is a guess of ours or
// the events are the tenant's own (absorb, activate, brightspace, canonical, cornerstone, generic, moodle, talentlms, and
// the rest of axis). What it calls a completion still needs a learner, a course and a date, or goes up for review.
type Adapter interface {
	// Platform is the name used in settings, API and docs, e.g. "canonical".
	Platform() string

	// Decode reads an authenticated request: its body, and where the platform says outside the
	// body what the body is, that header or parameter too. Most signatures do not cover those, so
	// they may narrow what the body says and never outweigh it.
	//
	// It never panics, never guesses and leaves the request as it came. It returns an error
	// wrapping ErrUnreadable only when the body as a whole cannot be read; problems of one event
	// among several are Problems, and the others are still returned. It fills everything but
	// Tenant and Source. Concurrent calls are safe.
	Decode(r Request) (Decoded, error)
}

// ErrUnreadable is wrapped by the error of Decode: the body is not what this platform sends. The text
// names positions and fields, never values: it is shown and logged.
var ErrUnreadable = errors.New("unreadable body")

// Decoded is what a delivery held.
type Decoded struct {
	// Completions are the valid ones: training.Completion.Validate passes.
	Completions []training.Completion
	// Enrollments are the valid ones: training.Enrollment.Validate passes. What a tenant wants of them is
	// not the adapter's business (R98).
	Enrollments []training.Enrollment
	// Ignored are events that are neither, with the reason (R79).
	Ignored []Ignored
	// Problems are events that report a completion or an enrollment which cannot be processed.
	Problems []Problem
	// OriginalDomain routes deliveries to /webhooks/lms (R162); "" where a platform has none.
	OriginalDomain string
}

// Ignored is an event of which nothing follows.
type Ignored struct {
	Event  string `json:"event"`
	Reason string `json:"reason"`
}

// Problem is an event that reports a completion, or an enrollment, which cannot be processed as it stands. It
// is stored and put up for review; the sender is answered 200 (law 4).
type Problem struct {
	Event   string `json:"event"`
	EventID string `json:"eventId,omitempty"`
	// Reason names fields, never values.
	Reason string `json:"reason"`
	// Enrollment says that the event reports an enrollment, which not every tenant wants to hear of.
	Enrollment bool `json:"enrollment,omitempty"`
}
