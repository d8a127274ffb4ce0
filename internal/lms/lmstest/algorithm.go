package lmstest

import (
	"crypto"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"

	// The algorithms that are tried.
	_ "crypto/md5"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// wrongAlgorithm signs with the right secret and another algorithm, under every prefix. Only what the sender
// itself writes may pass.
func (s Spec) wrongAlgorithm(t *testing.T, v lms.Verifier) {
	body := s.document(s.Valid[0].Recorded)
	good := s.Sign(body, s.Secret).Get(s.CredentialHeader)
	_, own, _ := strings.Cut("="+good, "=") // a prefix of our own, if there is one, is a part of good
	for _, sum := range sums(body, s.Secret) {
		for _, digits := range []string{hex.EncodeToString(sum), base64.StdEncoding.EncodeToString(sum)} {
			if strings.HasSuffix(good, digits) || strings.EqualFold(own, digits) {
				continue // this one is the platform's
			}
			for _, prefix := range []string{"", "md5=", "sha1=", "sha256=", "sha512=", "v1,"} {
				r := s.without(body, s.CredentialHeader, []string{prefix + digits})
				_, err := v.Verify(r)
				require.ErrorIs(t, err, lms.ErrUnauthenticated)
			}
		}
	}
}

// sums are digests of the body that somebody could take for its signature.
func sums(body []byte, secret string) (all [][]byte) {
	for _, algorithm := range []crypto.Hash{crypto.MD5, crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		mac := hmac.New(algorithm.New, []byte(secret))
		mac.Write(body)
		all = append(all, mac.Sum(nil))
		for _, message := range []string{string(body), secret + string(body), string(body) + secret, string(body) + ":" + secret, secret} {
			plain := algorithm.New()
			plain.Write([]byte(message))
			all = append(all, plain.Sum(nil))
		}
	}
	return all
}
