package jwks

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

const (
	// longestSet bounds what is read, in bytes; a key with its certificates has a few thousand.
	longestSet = 256 << 10
	// mostKeys bounds how many keys a token without an id is held against.
	mostKeys = 64
	// shortestRSA is the least that RFC 7518 §3.3 allows, in bits.
	shortestRSA = 2048
)

// parse reads a JWK set. Keys that cannot be used are left out, as RFC 7517 §5 wants it: unknown
// kinds, keys for encryption, secret and private ones (nobody publishes those on purpose), and RSA
// keys that are too short. The error holds nothing of the content.
func parse(content []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, errors.New("parse JWK set: it is not a JSON object with a list of keys")
	}
	if len(set.Keys) > mostKeys {
		return nil, fmt.Errorf("parse JWK set: more than %d keys", mostKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err == nil && usable(key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("parse JWK set: no public key for signatures in it")
	}
	return keys, nil
}

func usable(key jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
		return false
	}
	public, ok := key.Key.(*rsa.PublicKey)
	return !ok || public.N.BitLen() >= shortestRSA
}
