package settings

import (
	"net/netip"
	"time"
)

// Auth is how deliveries of a source prove where they come from (R23 to R47). A kind that is nil is not
// asked for; a delivery must satisfy all the others, and there is at least one.
//
// Secrets of every kind are the active ones, the current one first; more than one during a
// rotation (R208). Kinds in which a third party vouches for the sender are in authissued.go.
type Auth struct {
	HMACSHA256    *HMACSHA256
	APIKey        *APIKey
	Bearer        *Bearer
	Authorization *Authorization
	Basic         *Basic
	TokenIn       *TokenIn
	JWT           *JWT
	OAuth2        *OAuth2
	Login         *Login
	MTLS          *MTLS
	// LearnUponV1 stands beside HMACSHA256 as the other one of two: a delivery carries either (R30).
	LearnUponV1 *LearnUponV1
	// IPAllow are the networks deliveries may come from (R47).
	IPAllow []netip.Prefix
	// None takes deliveries from anybody. Only a source in test mode has it (R41).
	None bool
}

// HMACSHA256 is a signature over the raw body.
type HMACSHA256 struct {
	Secrets []Secret
	Signed  Signed
	// Headers may carry the signature; empty means those of the platform. They, Prefix and Encoding
	// are for SignedBody: Standard Webhooks leaves no choice.
	Headers []string
	// Prefix may stand before the signature, "sha256=" unless the file says otherwise (R31).
	Prefix   string
	Encoding Encoding
	// Tolerance is how far a signed timestamp may lie from our clock; 0 for SignedBody.
	Tolerance time.Duration
}

// Signed is what a signature covers.
type Signed string

const (
	// SignedBody is the body alone (R24).
	SignedBody Signed = "body"
	// SignedStandard is what Standard Webhooks signs.
	SignedStandard Signed = "id.timestamp.body"
)

// Encoding is how the bytes of a signature are written.
type Encoding string

// The encodings of a signature.
const (
	EncodingHex    Encoding = "hex"
	EncodingBase64 Encoding = "base64"
)

// APIKey is a header whose whole value is the key (R33).
type APIKey struct {
	Header  string
	Secrets []Secret
}

// Bearer is a static token under the scheme Bearer (R34).
type Bearer struct {
	Secrets []Secret
}

// Authorization is the value of that header exactly as typed (R43).
type Authorization struct {
	Secrets []Secret
}

// Basic is a user name and its passwords (R38).
type Basic struct {
	Username string
	Secrets  []Secret
}

// TokenIn is a token outside of the headers, in exactly one of three places.
type TokenIn struct {
	// Query is the parameter of the URL's query that holds it.
	Query string
	// Path says that it stands in the URL's path, right behind the source.
	Path bool
	// Body is the member of the JSON object, or the field of the form, that holds it.
	Body    string
	Secrets []Secret
}

// LearnUponV1 is the MD5 that version 1 of LearnUpon's webhooks has inside the body.
type LearnUponV1 struct {
	Secrets []Secret
}
