package arena

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

const (
	tokenOperation = "get token"
	tokenPath      = "/auth/token"
	// longestLife bounds expires_in, so that no number overflows.
	longestLife = 365 * 24 * time.Hour
	// longestToken bounds what is sent in every Authorization header, in bytes.
	longestToken = 16 << 10
)

// serviceAccount fetches tokens by client credentials (RFC 6749 §4.4) from /auth/token (R115).
type serviceAccount struct {
	id, secret string
	scopes     []string
}

func (a serviceAccount) fetchWith(c *Client) func(context.Context) (*outbound.Token, error) {
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {a.id},
		"client_secret": {a.secret},
		"scope":         {strings.Join(a.scopes, " ")},
	}.Encode()
	return func(ctx context.Context) (*outbound.Token, error) { return c.fetchToken(ctx, form) }
}

func (c *Client) fetchToken(ctx context.Context, form string) (*outbound.Token, error) {
	call := call{
		operation: tokenOperation, key: tokenPath, method: http.MethodPost,
		template: tokenPath, path: tokenPath, requestID: uuid.NewString(),
	}
	req, err := http.NewRequestWithContext(ctx, call.method, c.root+call.path, strings.NewReader(form))
	if err != nil {
		return nil, training.Fail(training.FailureDefect, call.operation, call.key, "request cannot be built")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// Life is counted from before the question: the answer may have been long under way.
	asked := c.now()
	got, err := c.exchange(ctx, call, req)
	if err != nil {
		return nil, err
	}
	if !got.OK() {
		return nil, tokenRefused(got, call, c.now())
	}
	var body struct {
		AccessToken string  `json:"access_token"`
		TokenType   string  `json:"token_type"`
		ExpiresIn   float64 `json:"expires_in"`
		Scope       *string `json:"scope"`
	}
	if err := got.decode(&body); err != nil {
		return nil, training.Fail(training.FailureMisread, call.operation, call.key, err.Error())
	}
	if !outbound.HeaderText(body.AccessToken, longestToken) || !strings.EqualFold(body.TokenType, "Bearer") {
		return nil, training.Fail(training.FailureMisread, call.operation, call.key, "answer holds no bearer token")
	}
	// Without expires_in the life is 0: the token serves the callers who wait for it, no others.
	life := time.Duration(min(max(body.ExpiresIn, 0), longestLife.Seconds()) * float64(time.Second))
	var granted []string
	if body.Scope != nil {
		granted = strings.Fields(*body.Scope)
	}
	return outbound.NewToken(body.AccessToken, granted, asked, life), nil
}

// tokenRefused classifies an error of the token endpoint. Its errors have OAuth's shape, and a
// refusal of any kind means that the account or its settings are wrong.
func tokenRefused(got answer, call call, now time.Time) *training.Failure {
	failure := got.failure(call, now)
	var body struct {
		Error string `json:"error"`
	}
	words := []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}
	if got.decode(&body) == nil && slices.Contains(words, body.Error) {
		failure.Detail = fmt.Sprint(got.Status, " ", body.Error)
	}
	if got.Status == http.StatusBadRequest {
		failure.Class = training.FailureCredentials
	}
	return failure
}

// MissingScopes lists the wanted scopes that the token does not carry (R118); a scope the
// account does not own is dropped from the grant without an error. None missing: nil.
func (c *Client) MissingScopes(ctx context.Context) ([]string, error) {
	token, err := c.tokens.Get(ctx, nil)
	if err != nil {
		return nil, err
	}
	if token.Granted == nil {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(c.scopes), func(scope string) bool {
		return slices.Contains(token.Granted, scope)
	}), nil
}
