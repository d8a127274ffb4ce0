package issuer

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"countersign/internal/lms"
	"countersign/internal/lms/signature"
)

const (
	// issuerName is the iss of our tokens.
	issuerName = "countersign"
	// leeway is how far the clocks of two starters may differ.
	leeway = 30 * time.Second
	// longestToken is several times what we issue, in bytes.
	longestToken = 8 << 10
)

// scoped adds to the registered claims what RFC 8693 §4.2 calls scope. It is the sender's own wish
// and opens nothing.
type scoped struct {
	jwt.Claims

	Scope string `json:"scope,omitempty"`
}

// audience is the one source that a token is for.
func (a *account) audience() string { return a.Tenant + "/" + a.Source }

// mint issues a token under the key of one of the secrets.
func (a *account) mint(secret int, scope string, now time.Time) (string, error) {
	key := jose.SigningKey{Algorithm: jose.HS256, Key: a.keys[secret]}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(scoped{Scope: scope, Claims: jwt.Claims{
		Issuer: issuerName, Subject: a.Name, Audience: jwt.Audience{a.audience()}, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(a.Lifetime)),
	}}).Serialize()
	if err != nil {
		return "", fmt.Errorf("issue token: %w", err)
	}
	return token, nil
}

// Verifier verifies the tokens that were issued for one account.
type Verifier struct {
	account *account
	now     func() time.Time
}

var _ lms.Verifier = (*Verifier)(nil)

// NewVerifier takes the account that the issuer has, and the clock that a token's life is measured by.
func NewVerifier(a Account, now func() time.Time) (*Verifier, error) {
	made, err := newAccount(a)
	if err != nil {
		return nil, fmt.Errorf("new token verifier: %w", err)
	}
	if now == nil {
		return nil, errors.New("new token verifier: no clock")
	}
	return &Verifier{account: made, now: now}, nil
}

// Challenge implements lms.Challenger.
func (v *Verifier) Challenge() string { return "Bearer" }

// Verify implements lms.Verifier. It returns which secret the token was issued for.
func (v *Verifier) Verify(r lms.Request) (int, error) {
	text, err := signature.BearerToken(r)
	if err != nil {
		return 0, err
	}
	if len(text) > longestToken {
		return 0, refuse("the bearer token is longer than any that was issued here")
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil { // its text would repeat a part of the token
		return 0, refuse("the bearer token is not one that was issued here: fetch one from the token endpoint")
	}
	var claims jwt.Claims
	matched := -1
	// Every key is tried, so that the time says nothing about which one matched (R25).
	for i := len(v.account.keys) - 1; i >= 0; i-- {
		var c jwt.Claims
		if err := token.Claims(v.account.keys[i], &c); err == nil {
			matched, claims = i, c
		}
	}
	if matched < 0 {
		return 0, refuse("the bearer token is not one that was issued for this source, or its secret is no longer active: fetch a new one")
	}
	return matched, v.check(claims)
}

// check holds the claims of an authentic token against the source and the clock. A token without
// an end was not issued here.
func (v *Verifier) check(c jwt.Claims) error {
	if c.Expiry == nil {
		return refuse("the bearer token has no end")
	}
	err := c.ValidateWithLeeway(jwt.Expected{
		Issuer: issuerName, Subject: v.account.Name, AnyAudience: jwt.Audience{v.account.audience()}, Time: v.now(),
	}, leeway)
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return refuse("the bearer token has expired: fetch a new one")
	case err != nil:
		return refuse("the bearer token was issued for something else")
	}
	return nil
}

func refuse(text string) error { return fmt.Errorf("%w: %s", lms.ErrUnauthenticated, text) }
