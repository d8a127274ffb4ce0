package sender

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
)

// Credential proves where a request comes from. It is applied to every attempt anew, and is safe for concurrent use. A
// token in the URL is none: whoever pastes the URL pastes the token.
type Credential interface {
	Apply(ctx context.Context, a *Attempt) error
}

// Unsigned proves nothing.
type Unsigned struct{}

// Apply implements Credential.
func (Unsigned) Apply(context.Context, *Attempt) error { return nil }

// Header is a header with a fixed value: an API key, a static bearer token, or an Authorization as typed.
type Header struct{ Name, Value string }

// Apply implements Credential. The name goes out as it is written.
func (h Header) Apply(_ context.Context, a *Attempt) error {
	a.Header[textproto.CanonicalMIMEHeaderKey(h.Name)] = []string{h.Value}
	return nil
}

// Bearer is a static token under the scheme Bearer.
func Bearer(token string) Header { return Header{"Authorization", "Bearer " + token} }

// Basic is a user name and a password (RFC 7617).
func Basic(user, password string) Header {
	return Header{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// HMAC is HMAC-SHA256 of the body in a header.
type HMAC struct {
	Header string
	// Prefix stands before the signature, e.g. "sha256=".
	Prefix string
	Secret string
	// Base64 writes it so, else it is in hexadecimal.
	Base64 bool
}

// Apply implements Credential.
func (h HMAC) Apply(_ context.Context, a *Attempt) error {
	sum := sign([]byte(h.Secret), string(a.Body))
	text := hex.EncodeToString(sum)
	if h.Base64 {
		text = base64.StdEncoding.EncodeToString(sum)
	}
	a.Header.Set(h.Header, h.Prefix+text)
	return nil
}

// StandardWebhooks signs id.timestamp.body, with a time of its own at every attempt (standardwebhooks.com).
type StandardWebhooks struct {
	// Secret is the key in base64, with or without whsec_ before it.
	Secret string
}

// Apply implements Credential.
func (s StandardWebhooks) Apply(_ context.Context, a *Attempt) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Secret, "whsec_"))
	if err != nil {
		return errors.New("the secret is not base64")
	}
	if a.ID == "" { // a test of the connection
		a.ID = guid("no delivery", a.At)
	}
	timestamp := fmt.Sprint(a.At.Unix())
	signature := base64.StdEncoding.EncodeToString(sign(key, a.ID+"."+timestamp+"."+string(a.Body)))
	a.Header.Set("webhook-id", a.ID)
	a.Header.Set("webhook-timestamp", timestamp)
	a.Header.Set("webhook-signature", "v1,"+signature)
	return nil
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
