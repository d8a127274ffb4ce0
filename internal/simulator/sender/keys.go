package sender

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"sync"
)

// Keys are the keys with which Canvas signs for all its customers: three at any time, the previous, the current and the
// next, moved on by one a month (DOCUMENTED). They serve their public halves as a JWK set (RFC 7517).
// The zero value is ready.
type Keys struct {
	mu    sync.Mutex
	made  int
	keys  []signingKey // previous, current, next
	asked int
}

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

const current = 1

// ready makes the three keys when they are needed for the first time, because that takes a moment.
func (k *Keys) ready() error {
	for len(k.keys) < 3 {
		if err := k.add(); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keys) add() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make a signing key: %w", err)
	}
	k.made++
	k.keys = append(k.keys, signingKey{id: fmt.Sprintf("key-%d-%x", k.made, key.N.Bytes()[:4]), key: key})
	return nil
}

// Rotate moves on by one: the next key signs from now on, and the one before the current is forgotten.
func (k *Keys) Rotate() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := errors.Join(k.ready(), k.add()); err != nil {
		return err
	}
	k.keys = k.keys[1:]
	return nil
}

// Asked is how often the set was fetched.
func (k *Keys) Asked() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asked
}

// ServeHTTP answers with the set.
func (k *Keys) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	k.mu.Lock()
	err := k.ready()
	k.asked++
	set := list{}
	for _, one := range k.keys {
		set = append(set, object{
			"kty", "RSA", "e", unpadded(big.NewInt(int64(one.key.E)).Bytes()), "n", unpadded(one.key.N.Bytes()),
			"kid", one.id, "alg", "RS256", "use", "sig",
		})
	}
	k.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(encode(object{"keys", set})) // nobody to tell
}

func (k *Keys) current() (signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.ready(); err != nil {
		return signingKey{}, err
	}
	return k.keys[current], nil
}

// token is claims, a JSON object, as a compact JWS with RS256 (RFC 7515 section 7.1).
func (k *Keys) token(claims []byte) ([]byte, error) {
	by, err := k.current()
	if err != nil {
		return nil, err
	}
	header := encode(object{"typ", "JWT", "alg", "RS256", "kid", by.id})
	signed := unpadded(header) + "." + unpadded(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, by.key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, fmt.Errorf("sign a token: %w", err)
	}
	return []byte(signed + "." + unpadded(signature)), nil
}

func unpadded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// SignedBody makes the whole body a token whose claims are the event, as "Sign Payload" does (DOCUMENTED).
type SignedBody struct{ Keys *Keys }

// Apply implements Credential. A request without a body has nothing to sign. The Content-Type of a signed delivery is
// unknown, and so it has none.
func (s SignedBody) Apply(_ context.Context, a *Attempt) (err error) {
	if len(a.Body) == 0 {
		return nil
	}
	a.Body, err = s.Keys.token(a.Body)
	a.Header.Del("Content-Type")
	return err
}
