package settings

import (
	"crypto/sha256"
	"crypto/x509"
	"time"
)

// JWT is a token signed by an issuer whose public keys we look up (R46).
type JWT struct {
	// KeysURL or KeysFile is where the JWK set is; one of them is "".
	KeysURL, KeysFile string
	In                JWTIn
	// Algorithms are those of RFC 7518 §3.1 that are taken.
	Algorithms []string
	// Issuer and Audience are what iss and aud must say; "" asks for nothing.
	Issuer, Audience string
	// Claims are further claims, by their JSON pointer: which customer of the issuer it is.
	Claims map[string]string
	// Tolerance is how far exp, nbf and iat may lie from our clock.
	Tolerance time.Duration
}

// JWTIn is where the token stands.
type JWTIn string

// The places of a token.
const (
	JWTInAuthorization JWTIn = "authorization"
	JWTInBody          JWTIn = "body"
)

// OAuth2 has us issue tokens to a client at our token endpoint (R39).
type OAuth2 struct {
	ClientID string
	Secrets  []Secret
	// Lifetime of a token, in whole seconds.
	Lifetime time.Duration
}

// Login has us issue tokens for a user name and password at our login endpoint (R35).
type Login struct {
	Username string
	Secrets  []Secret
	Answer   Answer
	// Lifetime of a token, in whole seconds.
	Lifetime time.Duration
}

// Answer is how access_token stands in the answer to a login (R36).
type Answer string

// The forms of an answer.
const (
	AnswerString Answer = "string"
	AnswerObject Answer = "object"
)

// MTLS is a client certificate: either one of some, or one of a name from an authority (R40).
type MTLS struct {
	// Fingerprints are SHA-256 over the DER of the active certificates, the current one first.
	Fingerprints [][sha256.Size]byte
	// Authorities issued the certificate, and Subject is its common name or an alternative name.
	Authorities []*x509.Certificate
	Subject     string
}
