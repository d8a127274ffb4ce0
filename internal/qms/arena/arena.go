// Package arena is the adapter for the Arena QMS training contract: paths, headers and bodies
// below https://<host>/api/v1, the service account's token, and the meaning of every answer in
// the words of package training. It reports what the other side did and decides nothing:
// reading first, reading back and settling doubt live in package qms.
package arena

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/qms"
)

// The permissions a service account needs (R113).
const (
	ScopeRecordsWrite = "training.records.write"
	ScopeStatusUpdate = "training.status.update"
	ScopeUserRead     = "user.read"
)

// TokenMode says when a token is fetched; the seed asks for both ways (C1).
type TokenMode string

const (
	// TokenCached keeps a token until it comes near its expiry (R116, R117). The default.
	TokenCached TokenMode = "cached"
	// TokenPerCall fetches a token for every call, for a QMS that revokes tokens early.
	TokenPerCall TokenMode = "per_call"
)

// Config is what one tenant's Arena connection needs.
type Config struct {
	// BaseURL is the root that /api/v1 is appended to, e.g. https://arena.example.com. Plain
	// http is taken for a loopback address only, unless AllowHTTP is set (R3).
	BaseURL   string
	AllowHTTP bool

	// ClientID and ClientSecret are the dedicated service account's credentials (R112).
	ClientID     string
	ClientSecret string
	// Scopes are the permissions to ask for; nil asks for the three of R113.
	Scopes []string
	// TokenMode is TokenCached when empty.
	TokenMode TokenMode

	// HTTP is used for every call; nil makes a client with timeouts of its own, 10 s in all.
	// Redirects are never followed, whatever it says: a token goes to the configured host only.
	HTTP *http.Client
	// Spend is asked before every HTTP request, token requests among them, and may wait; nil allows all.
	// Its error is a *training.Failure, and the request is not made.
	Spend func(ctx context.Context) error
	// Now is time.Now when nil.
	Now func() time.Time
	// Log takes one line per call, without tokens and without persons; nil discards them.
	Log *slog.Logger
}

// Client is one tenant's access to Arena. It is safe for concurrent use.
type Client struct {
	root      string // BaseURL + /api/v1, without a slash at the end
	http      *http.Client
	spend     func(ctx context.Context) error
	now       func() time.Time
	log       *slog.Logger
	scopes    []string
	tokens    *outbound.Tokens
	employees employees
}

var _ qms.Client = (*Client)(nil)

// New checks the settings and makes a client. It calls nobody.
func New(cfg Config) (*Client, error) {
	root, err := apiRoot(cfg.BaseURL, cfg.AllowHTTP)
	if err != nil {
		return nil, fmt.Errorf("arena base url: %w", err)
	}
	if cfg.ClientID == "" || cfg.ClientSecret == "" {
		return nil, errors.New("arena: client id and client secret are required")
	}
	mode := cfg.TokenMode
	if mode == "" {
		mode = TokenCached
	}
	if mode != TokenCached && mode != TokenPerCall {
		return nil, fmt.Errorf("arena token mode %q: must be %q or %q", mode, TokenCached, TokenPerCall)
	}
	c := &Client{
		root:   root,
		http:   outbound.HTTP(cfg.HTTP),
		spend:  cfg.Spend,
		now:    cfg.Now,
		log:    cfg.Log,
		scopes: slices.Clone(cfg.Scopes),
	}
	if c.spend == nil {
		c.spend = func(context.Context) error { return nil }
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if len(c.scopes) == 0 {
		c.scopes = []string{ScopeRecordsWrite, ScopeStatusUpdate, ScopeUserRead}
	}
	account := serviceAccount{id: cfg.ClientID, secret: cfg.ClientSecret, scopes: c.scopes}
	c.tokens = outbound.NewTokens(outbound.TokensConfig{
		Fetch: account.fetchWith(c), Now: c.now, PerCall: mode == TokenPerCall, Operation: tokenOperation, Key: tokenPath,
	})
	return c, nil
}

func apiRoot(base string, allowHTTP bool) (string, error) {
	root, err := outbound.Root(base, allowHTTP)
	if err != nil {
		return "", err
	}
	if strings.HasSuffix(root.Path, "/api/v1") {
		return "", errors.New("must be given without /api/v1, which is appended")
	}
	root.Path += "/api/v1"
	return root.String(), nil
}
