package sender

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Tokens are bearer tokens that the LMS fetches from the receiver's own endpoint. One is used until it runs out or the
// receiver refuses it.
type Tokens struct {
	request func(context.Context) (*http.Request, error)
	client  *http.Client

	mu    sync.Mutex
	token string
	until time.Time
}

// margin is how long before its end a token is renewed.
const margin = 30 * time.Second

// ClientCredentials fetches tokens by RFC 6749 section 4.4, the client's id and secret in a Basic header.
func ClientCredentials(tokenURL, clientID, secret string) *Tokens {
	// Both parts are form-encoded first (RFC 6749 section 2.3.1).
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(clientID) + ":" + url.QueryEscape(secret)))
	return &Tokens{client: &http.Client{}, request: func(ctx context.Context) (*http.Request, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenURL, strings.NewReader("grant_type=client_credentials"))
		if err == nil {
			request.Header.Set("Content-Type", formType)
			request.Header.Set("Authorization", "Basic "+basic)
		}
		return request, err
	}}
}

// Login fetches tokens with a user name and a password as JSON (R35).
func Login(loginURL, username, password string) *Tokens {
	return &Tokens{client: &http.Client{}, request: func(ctx context.Context) (*http.Request, error) {
		body := encode(object{"username", username, "password", password})
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, loginURL, strings.NewReader(string(body)))
		if err == nil {
			request.Header.Set("Content-Type", jsonType)
		}
		return request, err
	}}
}

// Apply implements Credential.
func (t *Tokens) Apply(ctx context.Context, a *Attempt) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == "" || !a.At.Before(t.until) {
		token, life, err := t.fetch(ctx)
		if err != nil {
			return fmt.Errorf("get a token: %w", err)
		}
		t.token, t.until = token, a.At.Add(life-margin)
	}
	a.Header.Set("Authorization", "Bearer "+t.token)
	return nil
}

// forget makes the next attempt fetch a new token.
func (t *Tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = ""
}

// fetch understands both forms of access_token: a text, and an object with its lifetime (R36). One that says nothing of
// its lifetime is good for five minutes.
func (t *Tokens) fetch(ctx context.Context) (token string, life time.Duration, err error) {
	request, err := t.request(ctx)
	if err != nil {
		return "", 0, err
	}
	response, err := t.client.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return "", 0, err
	}
	if response.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("the endpoint answered %d", response.StatusCode)
	}
	var said struct {
		AccessToken json.RawMessage `json:"access_token"`
		ExpiresIn   int             `json:"expires_in"`
	}
	var inside struct {
		Token            string `json:"token"`
		ExpiresInSeconds int    `json:"expires_in_seconds"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return "", 0, errors.New("the answer is not JSON")
	}
	if json.Unmarshal(said.AccessToken, &token) != nil && json.Unmarshal(said.AccessToken, &inside) == nil {
		token, said.ExpiresIn = inside.Token, inside.ExpiresInSeconds
	}
	if token == "" {
		return "", 0, errors.New("the answer has no access_token")
	}
	if said.ExpiresIn == 0 {
		said.ExpiresIn = 300
	}
	return token, time.Duration(said.ExpiresIn) * time.Second, nil
}
