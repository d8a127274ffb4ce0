package settings

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
)

// Auth is how deliveries of a source prove where they come from (R23 to R47). A kind that is nil is not
// asked for; a delivery must satisfy all the others, and there is at least one.
//
// Secrets of every kind are the active ones, the current one first; more than one during a
// rotation (R208).
type Auth struct {
	HMACSHA256    *HMACSHA256
	APIKey        *APIKey
	Bearer        *Bearer
	Authorization *Authorization
	Basic         *Basic
	TokenIn       *TokenIn
	// IPAllow are the networks deliveries may come from (R47).
	IPAllow []netip.Prefix
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

// TokenIn is a token outside of the headers.
type TokenIn struct {
	// Query is the parameter of the URL's query that holds it.
	Query   string
	Secrets []Secret
}

func (a Auth) describe(w io.Writer) {
	if len(a.IPAllow) > 0 {
		line(w, "", "only from %s", strings.Trim(fmt.Sprint(a.IPAllow), "[]"))
	}
	if h := a.HMACSHA256; h != nil {
		line(w, "", "HMAC-SHA256 %s, secrets %s", h.describe(), masked(h.Secrets))
	}
	if k := a.APIKey; k != nil {
		line(w, "", "API key in %s, secrets %s", k.Header, masked(k.Secrets))
	}
	if b := a.Bearer; b != nil {
		line(w, "", "bearer token, secrets %s", masked(b.Secrets))
	}
	if v := a.Authorization; v != nil {
		line(w, "", "Authorization exactly as typed, secrets %s", masked(v.Secrets))
	}
	if b := a.Basic; b != nil {
		line(w, "", "basic as %s, secrets %s", b.Username, masked(b.Secrets))
	}
	if t := a.TokenIn; t != nil {
		line(w, "", "token in the query's parameter %s, secrets %s", t.Query, masked(t.Secrets))
	}
}

func (h HMACSHA256) describe() string {
	if h.Signed == SignedStandard {
		return fmt.Sprintf("over %s (Standard Webhooks), timestamps within %s", h.Signed, h.Tolerance)
	}
	headers := "the platform's header"
	if len(h.Headers) > 0 {
		headers = strings.Join(h.Headers, " or ")
	}
	return fmt.Sprintf("over the body in %s, %s, prefix %s", headers, h.Encoding, h.Prefix)
}

func masked(secrets []Secret) string {
	all := make([]string, len(secrets))
	for i, secret := range secrets {
		all[i] = shown(secret)
	}
	return strings.Join(all, ", ")
}
