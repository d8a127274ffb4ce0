// Package rest is JSON over HTTP as the clients of all LMSs speak it: calls with a budget, tokens that are kept, and
// answers that are bounded and classified as *training.Failure. What a platform's paths, fields and credentials are
// is the platform's own to say, in a Manner and in its Calls.
package rest

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

// Key names a credential, as settings do.
type Key string

// The credentials that platforms ask for.
const (
	KeyToken        Key = "token"
	KeyAPIKey       Key = "api_key"
	KeyClientID     Key = "client_id"
	KeyClientSecret Key = "client_secret"
	KeyUsername     Key = "username"
	KeyPassword     Key = "password"
	KeyRefreshToken Key = "refresh_token"
	KeyAccount      Key = "account"
)

// Secret reports whether the credential is one that nobody may see, and not a name.
func (k Key) Secret() bool {
	switch k {
	case KeyClientID, KeyUsername, KeyAccount:
		return false
	default:
		return true
	}
}

// Config is one source's access to its LMS.
type Config struct {
	// URL is the root that the platform's paths are appended to. Plain http is taken for a loopback
	// address only, unless AllowHTTP is set (R3).
	URL       string
	AllowHTTP bool

	// Credentials are what the platform's Needs name; what it does not need is not looked at.
	Credentials map[Key]string

	// ExternalIDField names the LMS's own field that holds a learner's employee number, where the LMS keeps it in
	// a field that each customer makes (the platform's Manner says so); "" leaves the external id unknown.
	ExternalIDField string

	// PerHour bounds the calls in any hour, of one endpoint where the platform counts so; 0 takes the
	// platform's own number. Each process has this budget for itself.
	PerHour int

	// HTTP is used for every call; nil makes a client with timeouts of its own, 10 s in all.
	// Redirects are never followed, whatever it says.
	HTTP *http.Client
	// Now is time.Now when nil.
	Now func() time.Time
	// Log takes one line per call, without credentials and without persons; nil discards them.
	Log *slog.Logger
}

// String keeps credentials out of whatever prints a Config.
func (c Config) String() string {
	return "rest.Config(" + fmt.Sprint(len(c.Credentials)) + " credentials)"
}

// GoString is String.
func (c Config) GoString() string { return c.String() }

// Manner is how one platform's API behaves.
type Manner struct {
	// Platform is its name in settings, for errors and the log.
	Platform string
	// Needs are the credentials without which nothing works.
	Needs []Key
	// May are credentials that it takes besides.
	May []Key
	// ExternalIDField says that the platform reads Config.ExternalIDField.
	ExternalIDField bool
	// PerHour is the budget that the platform documents or that is kind to it, in calls per hour; PerEndpoint says
	// that each endpoint (Call.Path) has one of its own. 0 is no budget.
	PerHour     int
	PerEndpoint bool
	// Fetch gets a token by calls with Call.Open, nil where the credential itself goes with every call. It returns the
	// token and its life; with a life of 0 it is good for one use.
	Fetch func(ctx context.Context, c *Client) (token string, life time.Duration, err error)
	// Sign puts the credential into a request; token is "" without Fetch. nil sends the token as a bearer token
	// (RFC 6750): the fetched one, or the credential KeyToken.
	Sign func(r *http.Request, token string)
	// Judge classifies an answer by what only this platform says, such as an error in a 200; the class is "" for no
	// opinion. detail is in words of our own or in stable words of the platform, and never names a person. nil has none.
	Judge func(status int, body []byte) (class training.FailureClass, detail string)
}

// Client is one source's access to its LMS. It is safe for concurrent use.
type Client struct {
	root    string // without a slash at its end
	cfg     Config
	manner  Manner
	http    *http.Client
	tokens  *outbound.Tokens // nil without Fetch
	budgets *budgets
}

// New checks the settings and makes a client. It calls nobody.
func New(cfg Config, manner Manner) (*Client, error) {
	root, err := outbound.Root(cfg.URL, cfg.AllowHTTP)
	if err != nil {
		return nil, fmt.Errorf("%s api: url: %w", manner.Platform, err)
	}
	for _, key := range manner.Needs {
		if cfg.Credentials[key] == "" {
			return nil, fmt.Errorf("%s api: %s is required", manner.Platform, key)
		}
		if strings.ContainsAny(cfg.Credentials[key], "\r\n\x00") {
			return nil, fmt.Errorf("%s api: %s holds a line break", manner.Platform, key)
		}
	}
	if cfg.ExternalIDField != "" && !manner.ExternalIDField {
		return nil, fmt.Errorf("%s api: external_id_field: the platform has no such fields", manner.Platform)
	}
	if cfg.PerHour < 0 {
		return nil, fmt.Errorf("%s api: per_hour must not be negative", manner.Platform)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.PerHour > 0 {
		manner.PerHour = cfg.PerHour
	}
	if manner.Sign == nil {
		fixed := cfg.Credentials[KeyToken]
		manner.Sign = func(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+cmp.Or(token, fixed)) }
	}
	c := &Client{
		root: root.String(), cfg: cfg, manner: manner, http: outbound.HTTP(cfg.HTTP),
		budgets: newBudgets(manner.PerHour, manner.PerEndpoint),
	}
	if manner.Fetch != nil {
		c.tokens = outbound.NewTokens(outbound.TokensConfig{
			Fetch: c.fetch, Now: cfg.Now, Operation: tokenOperation, Key: manner.Platform,
		})
	}
	return c, nil
}

// Credential is the credential of that name, "" where there is none.
func (c *Client) Credential(key Key) string { return c.cfg.Credentials[key] }

// ExternalIDField is the setting of that name.
func (c *Client) ExternalIDField() string { return c.cfg.ExternalIDField }

// Now is the client's clock.
func (c *Client) Now() time.Time { return c.cfg.Now() }
