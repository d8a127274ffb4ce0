package signature

import (
	"crypto/sha256"
	"crypto/subtle"
)

// credentials are secrets that a request carries itself, as opposed to one it was signed with. Only
// their digests are kept: they have one length, so that comparing them takes the same time
// whatever was sent (R25), and the time says nothing about the secret's length either.
type credentials [][sha256.Size]byte

func newCredentials(secrets []string) (credentials, error) {
	if err := checkSecrets(secrets); err != nil {
		return nil, err
	}
	c := make(credentials, len(secrets))
	for i, secret := range secrets {
		c[i] = sha256.Sum256([]byte(secret))
	}
	return c, nil
}

// match returns which secret was sent, the newest one if it is listed twice. It compares with
// every one of them, so that the time does not say which matched.
func (c credentials) match(sent string) (secret int, ok bool) {
	digest := sha256.Sum256([]byte(sent))
	secret = -1
	for i := len(c) - 1; i >= 0; i-- {
		if subtle.ConstantTimeCompare(digest[:], c[i][:]) == 1 {
			secret = i
		}
	}
	return secret, secret >= 0
}
