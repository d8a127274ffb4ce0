package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // LearnUpon's choice for its version 1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countersign/internal/settings"
	"countersign/internal/setup"

	"github.com/google/uuid"
)

// outgoing is a delivery before its credential is in it.
type outgoing struct {
	url    *url.URL
	header http.Header
	body   []byte
}

// signer puts a source's own credential into a delivery, as the platform would: the newest secret of
// every kind that the source asks for.
type signer struct {
	base           string // where Countersign is reached
	tenant         string
	source         settings.Source
	client         *http.Client
	now            func() time.Time
	signatureNames []string // headers of the platform's own signature
}

// sign changes out. What a third party would have to sign or show cannot be done here and is an error
// that says so.
func (s signer) sign(ctx context.Context, out *outgoing) error {
	auth := s.source.Auth
	switch {
	case auth.JWT != nil:
		return errors.New("sign: the source wants a JWT that its issuer signs; only the issuer has that key")
	case auth.MTLS != nil:
		return errors.New("sign: the source wants a client certificate; send the sample with curl --cert and --key")
	}
	s.secretsInBody(out)
	if t := auth.TokenIn; t != nil {
		if err := inURL(*t, out); err != nil {
			return err
		}
	}
	if k := auth.APIKey; k != nil {
		out.header.Set(k.Header, k.Secrets[0].Reveal())
	}
	if b := auth.Bearer; b != nil {
		out.header.Set("Authorization", "Bearer "+b.Secrets[0].Reveal())
	}
	if a := auth.Authorization; a != nil {
		out.header.Set("Authorization", a.Secrets[0].Reveal())
	}
	if b := auth.Basic; b != nil {
		pair := b.Username + ":" + b.Secrets[0].Reveal()
		out.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	if auth.OAuth2 != nil || auth.Login != nil {
		token, err := s.token(ctx)
		if err != nil {
			return err
		}
		out.header.Set("Authorization", "Bearer "+token)
	}
	if h := auth.HMACSHA256; h != nil {
		return s.hmac(*h, out)
	}
	return nil
}

// secretsInBody fills in what stands inside the body (LearnUpon's version 1, a secret among Axis's fields).
func (s signer) secretsInBody(out *outgoing) {
	if t := s.source.Auth.TokenIn; t != nil && t.Body != "" {
		secret := t.Secrets[0].Reveal()
		if strings.HasPrefix(out.header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			secret = url.QueryEscape(secret)
		}
		out.body = bytes.ReplaceAll(out.body, []byte(setup.SecretPlaceholder), []byte(secret))
	}
	if v := s.source.Auth.LearnUponV1; v != nil {
		// The signature covers the body without its member.
		member := []byte(`"signature":"` + setup.SignaturePlaceholder + `"`)
		covered := bytes.Replace(out.body, append([]byte(","), member...), nil, 1)
		if len(covered) == len(out.body) {
			covered = bytes.Replace(out.body, append(append([]byte{}, member...), ','), nil, 1)
		}
		sum := md5.Sum(append(append(covered, ':'), v.Secrets[0].Reveal()...)) //nolint:gosec // as above
		out.body = bytes.ReplaceAll(out.body, []byte(setup.SignaturePlaceholder), []byte(hex.EncodeToString(sum[:])))
	}
}

// inURL puts a token into the path or the query.
func inURL(t settings.TokenIn, out *outgoing) error {
	secret := t.Secrets[0].Reveal()
	switch {
	case t.Path:
		out.url = out.url.JoinPath(url.PathEscape(secret))
	case t.Query != "":
		query := out.url.Query()
		query.Set(t.Query, secret)
		out.url.RawQuery = query.Encode()
	case t.Body != "" && !bytes.Contains(out.body, []byte(secret)):
		return fmt.Errorf("sign: the sample has no place for the token in its body; add the member %s to a body of your own", t.Body)
	}
	return nil
}

// hmac signs the body.
func (s signer) hmac(h settings.HMACSHA256, out *outgoing) error {
	if h.Signed == settings.SignedStandard {
		return s.standard(h.Secrets[0].Reveal(), out)
	}
	headers := append(append([]string{}, h.Headers...), s.signatureNames...)
	if len(headers) == 0 {
		return errors.New("sign: the source names no signature header")
	}
	sum := sumOf([]byte(h.Secrets[0].Reveal()), out.body)
	value := hex.EncodeToString(sum)
	if h.Encoding == settings.EncodingBase64 {
		value = base64.StdEncoding.EncodeToString(sum)
	}
	out.header.Set(headers[0], h.Prefix+value)
	return nil
}

// standard signs as Standard Webhooks has it.
func (s signer) standard(secret string, out *outgoing) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return errors.New("sign: the secret is not base64")
	}
	id, at := "msg_"+uuid.NewString(), strconv.FormatInt(s.now().Unix(), 10)
	sum := sumOf(key, []byte(id+"."+at+"."), out.body)
	out.header.Set("webhook-id", id)
	out.header.Set("webhook-timestamp", at)
	out.header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(sum))
	return nil
}

func sumOf(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, part := range parts {
		m.Write(part)
	}
	return m.Sum(nil)
}

// token fetches a token from the running instance, as the platform does.
func (s signer) token(ctx context.Context) (string, error) {
	address, form := s.base+"/oauth/"+s.tenant+"/"+s.source.ID+"/token", url.Values{}
	if o := s.source.Auth.OAuth2; o != nil {
		form.Set("grant_type", "client_credentials")
		form.Set("client_id", o.ClientID)
		form.Set("client_secret", o.Secrets[0].Reveal())
	} else {
		address = s.base + "/login/" + s.tenant + "/" + s.source.ID
		form.Set("username", s.source.Auth.Login.Username)
		form.Set("password", s.source.Auth.Login.Secrets[0].Reveal())
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("fetch token: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("fetch token: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return "", fmt.Errorf("fetch token: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("fetch token: %s: %s", response.Status, answer)
	}
	var granted struct {
		AccessToken json.RawMessage `json:"access_token"`
	}
	var token string
	var object struct {
		Token string `json:"token"` // R36
	}
	if err := json.Unmarshal(answer, &granted); err != nil {
		return "", errors.New("fetch token: the answer is no JSON")
	}
	if json.Unmarshal(granted.AccessToken, &token) != nil {
		if err := json.Unmarshal(granted.AccessToken, &object); err != nil {
			return "", errors.New("fetch token: the answer has no access_token")
		}
		token = object.Token
	}
	return token, nil
}
