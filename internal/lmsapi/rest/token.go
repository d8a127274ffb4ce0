package rest

import (
	"context"
	"errors"
	"net/url"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

const (
	tokenOperation = "get token"
	// longestToken bounds what is sent in a header of every call, in bytes.
	longestToken = 16 << 10
)

// fetch gets a token as the platform does. Its life is counted from before the question: the answer may have been
// long under way.
func (c *Client) fetch(ctx context.Context) (*outbound.Token, error) {
	asked := c.cfg.Now()
	value, life, err := c.manner.Fetch(ctx, c)
	if err != nil {
		return nil, refusedToken(err)
	}
	if !outbound.HeaderText(value, longestToken) {
		return nil, training.Fail(training.FailureMisread, tokenOperation, c.manner.Platform, "answer holds no token")
	}
	return outbound.NewToken(value, nil, asked, life), nil
}

// refusedToken says what a 400 means at a token endpoint: credentials or their settings are wrong (RFC 6749 §5.2).
func refusedToken(err error) error {
	failure, ok := errors.AsType[*training.Failure](err)
	if ok && failure.Class == training.FailureRefused && errors.Is(failure, errBadRequest) {
		failure.Class = training.FailureCredentials
	}
	return err
}

// OAuth asks an OAuth 2.0 token endpoint below the URL (RFC 6749 §4, §6) with the given form, for a Manner's Fetch.
func (c *Client) OAuth(ctx context.Context, path string, form url.Values) (token string, life time.Duration, err error) {
	var answer struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if _, err := c.Do(ctx, Call{Operation: tokenOperation, Path: path, Form: form, Open: true}, &answer); err != nil {
		return "", 0, err
	}
	const year = 365 * 24 * 3600
	return answer.AccessToken, time.Duration(min(max(answer.ExpiresIn, 0), year)) * time.Second, nil
}
