package signature

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"countersign/internal/lms"
)

// longestKeyID bounds what is looked up, in bytes.
const longestKeyID = 256

// Keys are the public keys of an issuer. They are safe for concurrent use.
type Keys interface {
	// Keys returns the keys with this id (kid), for "" all of them, and none when the issuer has no
	// such key. An error means that the issuer could not be asked, and holds no secret.
	Keys(id string) ([]jose.JSONWebKey, error)
}

// JWTConfig says which tokens are good. Keys, Algorithms and Now are required.
type JWTConfig struct {
	Keys Keys
	// Algorithms are the signatures that are taken (RFC 7518 §3.1), e.g. RS256. What the token says
	// of itself is held against them; those that a public key could be misused for as a secret
	// (HS256) are refused by NewJWT, and so is none.
	Algorithms []string
	// Issuer and Audience are what iss must be and aud must hold; "" asks for nothing.
	Issuer, Audience string
	// Claims are further claims, each a text, by their place as a JSON pointer (RFC 6901):
	// /metadata/root_account_uuid. Where an issuer signs for many customers they say for which one.
	Claims map[string]string
	// InBody says that the token is the whole body, as Canvas has it; else it is the bearer token.
	InBody bool
	// Tolerance is how far exp, nbf and iat may lie from our clock.
	Tolerance time.Duration
	// Now is the clock.
	Now func() time.Time
}

// JWT verifies a token that an issuer signed (RFC 7519, RFC 7515): R46. exp, nbf and iat are held
// against the clock where they are present; Canvas signs events, which have none of them, so that a
// recorded one stays good, and is recognised by its fingerprint.
type JWT struct {
	JWTConfig

	algorithms []jose.SignatureAlgorithm
}

var _ lms.Verifier = (*JWT)(nil)

// Algorithms lists what JWTConfig.Algorithms may hold, the usual one first.
func Algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// NewJWT checks the configuration.
func NewJWT(c JWTConfig) (*JWT, error) {
	if c.Keys == nil || c.Now == nil || len(c.Algorithms) == 0 || c.Tolerance < 0 {
		return nil, errors.New("new jwt verifier: no keys, no clock, no algorithm, or a tolerance below zero")
	}
	v := &JWT{JWTConfig: c}
	for _, algorithm := range c.Algorithms {
		if !slices.Contains(Algorithms(), algorithm) {
			return nil, fmt.Errorf("new jwt verifier: algorithm %.10q is not one of %s", algorithm, strings.Join(Algorithms(), ", "))
		}
		v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(algorithm))
	}
	for pointer := range c.Claims {
		if !strings.HasPrefix(pointer, "/") {
			return nil, errors.New("new jwt verifier: the place of a claim is no JSON pointer")
		}
	}
	return v, nil
}

// Challenge implements lms.Challenger.
func (v *JWT) Challenge() string {
	if v.InBody {
		return signatureChallenge
	}
	return bearerChallenge
}

// Verify implements lms.Verifier. The keys are the issuer's, so it returns 0.
func (v *JWT) Verify(r lms.Request) (int, error) {
	token, err := v.token(r)
	if err != nil {
		return 0, err
	}
	payload, err := v.payload(token)
	if err != nil {
		return 0, err
	}
	return 0, v.check(payload)
}

func (v *JWT) token(r lms.Request) (string, error) {
	if !v.InBody {
		return BearerToken(r)
	}
	if len(r.Body) == 0 {
		return "", refuse("the body is empty and should be a signed token")
	}
	return string(bytes.TrimSpace(r.Body)), nil
}

// payload is what the token says, once its signature is found good.
func (v *JWT) payload(token string) ([]byte, error) {
	// The library takes spare bits at the end of a part for nothing; then one token would have
	// several spellings, some of which no adapter can read.
	for part := range strings.SplitSeq(token, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return nil, refuse("what was sent is not a signed token (JWS in its compact form)")
		}
	}
	signed, err := jose.ParseSignedCompact(token, v.algorithms)
	if wrong := new(jose.ErrUnexpectedSignatureAlgorithm); errors.As(err, &wrong) {
		return nil, refuse("the token is not signed with %s", strings.Join(v.Algorithms, " or "))
	}
	if err != nil || len(signed.Signatures) != 1 { // its text would repeat a part of the token
		return nil, refuse("what was sent is not a signed token (JWS in its compact form)")
	}
	header := signed.Signatures[0].Protected
	if _, ok := header.ExtraHeaders["b64"]; ok || len(header.KeyID) > longestKeyID {
		return nil, refuse("the token's header is not one that an issuer writes")
	}
	keys, err := v.Keys.Keys(header.KeyID)
	if err != nil {
		return nil, fmt.Errorf("%w: the issuer's keys cannot be read", lms.ErrUnverifiable)
	}
	for _, key := range keys {
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue // the issuer uses this key for something else
		}
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	if len(keys) == 0 {
		return nil, refuse("the issuer has no key of the id (kid) that the token names: compare the address of its keys")
	}
	return nil, refuse("the token's signature does not match its issuer's key, or the token was changed on the way")
}

// Payload is what a body of JWT deliveries says: the middle part of the token. It is for adapters, to
// which the ingress gives bodies that were verified; it verifies nothing itself. The error holds
// nothing of the body.
func Payload(body []byte) ([]byte, error) {
	parts := strings.Split(string(bytes.TrimSpace(body)), ".")
	if len(parts) != 3 {
		return nil, errors.New("the body is not a signed token of three parts")
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	if err != nil || len(payload) == 0 {
		return nil, errors.New("the token's second part is not base64url")
	}
	return payload, nil
}
