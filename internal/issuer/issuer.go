// Package issuer gives the senders of deliveries short-lived tokens: OAuth 2.0 client credentials
// (RFC 6749 §4.4; R39, R46) and the bearer login of Activate (R35, R36). It has our two endpoints
// (New) and the verifier of what they issued (NewVerifier).
//
// A token is a JWT under HS256. Its key is derived from the secret that it was issued for (HKDF-SHA256,
// RFC 5869), separately for each kind, tenant, source and name: every starter derives the same one,
// nothing more has to be kept, no token opens another source, and taking a secret out of the settings
// ends its tokens. The other side of this: whoever sees a token can try passwords against it as fast
// as he can compute, so the secret is to be a random one, not a word. Settings warn of short ones.
//
// A tenant or source that does not exist, and one of another kind, answer as a wrong secret does.
//
// What Activate calls the members of its login request is not documented; username, userName and email
// are taken. How long it keeps a token whose answer does not say so is not known either.
package issuer

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// longestRequest bounds a request's body, in bytes.
const longestRequest = 8 << 10

// The endpoints, as net/http's patterns write them. {tenant} and {source} are their ids.
const (
	TokenPattern = "POST /oauth/{tenant}/{source}/token"
	LoginPattern = "POST /login/{tenant}/{source}"
)

// Config is what an issuer needs.
type Config struct {
	// Accounts are the sources that have tokens issued; none is fine.
	Accounts []Account
	// RemoteAddr is the address of a request's sender, seen through trusted proxies. nil takes the
	// connection's.
	RemoteAddr func(*http.Request) string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Issuer issues tokens. It is safe for concurrent use.
type Issuer struct {
	accounts   map[key]*account
	nobody     *account
	guard      *guard
	remoteAddr func(*http.Request) string
	now        func() time.Time
}

// key finds an account by what the URL says.
type key struct {
	kind           Kind
	tenant, source string
}

// New checks the accounts and derives their keys.
func New(c Config) (*Issuer, error) {
	i := &Issuer{accounts: map[key]*account{}, guard: newGuard(), remoteAddr: c.RemoteAddr, now: c.Now}
	if i.now == nil {
		i.now = time.Now
	}
	if i.remoteAddr == nil {
		i.remoteAddr = peer
	}
	for _, a := range c.Accounts {
		k := key{a.Kind, a.Tenant, a.Source}
		if i.accounts[k] != nil {
			return nil, fmt.Errorf("new issuer: tenant %s, source %s: %s twice", a.Tenant, a.Source, a.Kind)
		}
		made, err := newAccount(a)
		if err != nil {
			return nil, fmt.Errorf("new issuer: tenant %s, source %s: %w", a.Tenant, a.Source, err)
		}
		i.accounts[k] = made
	}
	var err error
	i.nobody, err = newNobody()
	return i, err
}

// Handler serves both endpoints. It reads the path of the request itself, so it may be mounted behind any
// router that leaves that as it came.
func (i *Issuer) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(TokenPattern, i.token)
	mux.HandleFunc(LoginPattern, i.login)
	return mux
}

// credential is a name and a secret as a request gives them.
type credential struct{ name, secret string }

// issue answers a request for a token that gave a credential, in each spelling it may be meant in. The
// error says that it is wrong, or is an errTooOften.
func (i *Issuer) issue(r *http.Request, kind Kind, scope string, spellings ...credential) (token string, a *account, err error) {
	k := key{kind, short(r.PathValue("tenant")), short(r.PathValue("source"))}
	a, known := i.accounts[k]
	if !known {
		a = i.nobody // so that the time does not say that there is none
	}
	now := i.now()
	matched := -1
	wait := i.guard.attempt(k, i.remoteAddr(r), now, func() bool {
		for _, spelling := range spellings {
			if index := a.match(spelling); index >= 0 && known {
				matched = index
			}
		}
		return matched >= 0
	})
	if wait > 0 {
		return "", nil, errTooOften{wait}
	}
	if matched < 0 {
		return "", nil, errWrong
	}
	token, err = a.mint(matched, scope, now)
	return token, a, err
}

// short cuts what is longer than an id can be: it is remembered for a while, and strangers write it.
func short(id string) string { return id[:min(len(id), 64)] }

// errWrong does not say whether the name or the secret is wrong, or the tenant or the source.
var errWrong = errors.New("name or secret does not match: compare both with the source's, and the URL")

// errTooOften says how long to wait.
type errTooOften struct{ wait time.Duration }

func (e errTooOften) Error() string {
	return "too many requests for tokens; a token may be used until it expires"
}

// peer is the address of the connection, without its port.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
