package issuer

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kind is how a sender asks for its token.
type Kind string

const (
	// ClientCredentials is OAuth 2.0's grant of that name (R39).
	ClientCredentials Kind = "oauth2"
	// Login is a user name and a password (R35).
	Login Kind = "login"
)

// Account is a source whose sender fetches tokens.
type Account struct {
	Kind           Kind
	Tenant, Source string
	// Name is the client id, or the user name.
	Name string
	// Secrets are the active ones, the current one first (R208).
	Secrets []string
	// Lifetime of a token, in whole seconds.
	Lifetime time.Duration
	// AsObject has a login answered with access_token as an object, which says how long it lasts (R36).
	AsObject bool
}

// account is an Account with what is derived from it.
type account struct {
	Account

	// digests are of name and secret together, so that neither the time nor the answer says which of
	// them is wrong, or how long they are (R25).
	digests [][sha256.Size]byte
	keys    [][]byte
}

func newAccount(a Account) (*account, error) {
	switch {
	case a.Kind != ClientCredentials && a.Kind != Login:
		return nil, errors.New("new account: unknown kind")
	case a.Tenant == "" || a.Source == "" || a.Name == "":
		return nil, errors.New("new account: tenant, source and name are required")
	case len(a.Secrets) == 0 || slices.Contains(a.Secrets, ""):
		return nil, errors.New("new account: no secret, or an empty one")
	case a.Lifetime < time.Second:
		return nil, errors.New("new account: a token must live for a second at least")
	}
	made := &account{Account: a}
	for _, secret := range a.Secrets {
		// In quotes: two different accounts never give one text.
		info := fmt.Sprintf("countersign token v1 %q %q %q %q", a.Kind, a.Tenant, a.Source, a.Name)
		derived, err := hkdf.Key(sha256.New, []byte(secret), nil, info, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("new account: derive key: %w", err)
		}
		made.keys = append(made.keys, derived)
		made.digests = append(made.digests, digest(a.Name, secret))
	}
	return made, nil
}

// newNobody is compared with where there is no account.
func newNobody() (*account, error) {
	return newAccount(Account{
		Kind: Login, Tenant: "-", Source: "-", Name: "-", Secrets: []string{rand.Text()}, Lifetime: time.Second,
	})
}

// match returns which secret was given, the newest one if it is listed twice, or -1. All of them are
// compared, so that the time does not say which matched.
func (a *account) match(c credential) int {
	given := digest(c.name, c.secret)
	matched := -1
	for i := len(a.digests) - 1; i >= 0; i-- {
		if subtle.ConstantTimeCompare(given[:], a.digests[i][:]) == 1 {
			matched = i
		}
	}
	return matched
}

func digest(name, secret string) [sha256.Size]byte {
	n := sha256.Sum256([]byte(name))
	s := sha256.Sum256([]byte(secret))
	return sha256.Sum256(append(n[:], s[:]...))
}
