// Package stub holds what acknowledgements are compared with: the least that anybody could put in
// the place of the ingress. Bare verifies a delivery's HMAC and forgets it; Committing stores
// its body besides, many in one flush, and nothing else: no decoding, no key, no receipt, no log.
package stub

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// Path is where both take deliveries.
const Path = "/webhook"

// Bare answers 200 to a delivery that is signed with secret, which header holds as "sha256=" and
// hexadecimal digits, 401 to any other, and 503 to one that cannot be read.
func Bare(header, secret string) http.Handler {
	return handler(header, secret, func(context.Context, []byte) error { return nil })
}

// Committing is Bare, and answers after the store has committed the body; 503 if it cannot.
func Committing(header, secret string, store *Store) http.Handler {
	return handler(header, secret, store.Append)
}

func handler(header, secret string, keep func(context.Context, []byte) error) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST(Path, func(c *gin.Context) {
		body, err := io.ReadAll(c.Request.Body)
		if err != nil {
			c.Status(http.StatusServiceUnavailable)
			return
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		got, err := hex.DecodeString(strings.TrimPrefix(c.GetHeader(header), "sha256="))
		if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
			c.Status(http.StatusUnauthorized)
			return
		}
		if err := keep(c.Request.Context(), body); err != nil {
			c.Status(http.StatusServiceUnavailable)
			return
		}
		c.Status(http.StatusOK)
	})
	return engine
}
