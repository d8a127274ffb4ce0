// Package arenav1 is the adapter for PTC Arena's documented REST API (v1): training plans, rosters,
// records, files and users, below a regional address such as https://api.arenasolutions.com/v1. It signs
// in, counts the workspace's day budget, and gives every answer its meaning in the words of package training.
//
// Nothing in that API completes a training record: the trainee does, by signing in Arena. So the adapter
// has qms.Signing, and its Complete and Decide refuse without sending anything. What the vendor's help
// leaves open is a setting, and docs/qms/arena-v1.md says so.
package arenav1

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

// EmployeeKey says what an employee id is.
type EmployeeKey string

const (
	// ByEmail: the user's e-mail address, compared without case. The default.
	ByEmail EmployeeKey = "email"
	// ByGUID: the user's GUID in this workspace.
	ByGUID EmployeeKey = "guid"
)

// Config is what one tenant's connection needs. Either Email and Password are set, for a session, or
// ClientID and the four fields that belong to it, for OAuth 2.0.
type Config struct {
	// BaseURL is the regional address with its version, e.g. https://api.arenasolutions.com/v1. Plain
	// http is taken for a loopback address only (R3).
	BaseURL string

	// Email and Password are those of a user of this integration alone: a second login of the same user
	// cancels the first session. WorkspaceID may be "" where the user has one workspace and never another.
	Email, Password string
	// ClientID and ClientSecret are an OAuth application's, which is bound to a machine user.
	ClientID, ClientSecret string
	// TokenURL is where Arena's administrator page says that tokens come from.
	TokenURL    string
	WorkspaceID string

	// EmployeeKey is ByEmail when empty.
	EmployeeKey EmployeeKey
	// Reserve is how many requests of the day's budget are left to others.
	Reserve int
	// UsageReason is sent as Arena-Usage-Reason, so that the workspace's administrator knows who asks.
	UsageReason string
	// CacheFor is how long a plan's roster and records are taken as read; 0 reads them every time. What
	// the bridge itself writes ends it at once, and a proof is never made of it.
	CacheFor time.Duration
	// AnyRevision lets the signature of any revision of an item count, also where the plan says which
	// one it trains on.
	AnyRevision bool
	// DueDays is how many days from now an enrollment is due; 0 sends no due date.
	DueDays int
	// FileCategory is the GUID of the category of what is uploaded, "" for none.
	FileCategory string

	// Trainings are the ids of the trainings that Completed lists, as TrainingID makes them: Arena has no list
	// over all plans, and each costs requests.
	Trainings []string

	// Spend is asked before every HTTP request, those that sign in among them, and may wait; nil allows all.
	// It keeps what the tenant allows us, beside what the workspace has left.
	Spend func(ctx context.Context) error
	// HTTP is used for every call; nil makes a client with timeouts of its own, 10 s in all. Redirects
	// are never followed, whatever it says: a session goes to the configured host only.
	HTTP *http.Client
	// Now is time.Now when nil.
	Now func() time.Time
	// Log takes one line per call, without credentials and without persons; nil discards them.
	Log *slog.Logger
}

// Client is one tenant's access to its workspace. It is safe for concurrent use. There must be one in a
// process, and with a session one in the world.
type Client struct {
	cfg    Config
	root   string
	http   *http.Client
	now    func() time.Time
	log    *slog.Logger
	door   *door
	budget budget
	users  users
	plans  plans
	// workspace is the one that the settings name, or else the first session's; the door keeps it.
	workspace workspaceID
}

var (
	_ qms.Signing = (*Client)(nil)
	_ qms.Lister  = (*Client)(nil)
)

// New checks the settings and makes a client. It calls nobody.
func New(cfg Config) (*Client, error) {
	root, err := outbound.Root(cfg.BaseURL, false)
	if err == nil && !strings.HasSuffix(root.Path, "/v1") {
		err = errors.New("must end in /v1, the version of the API")
	}
	if err != nil {
		return nil, fmt.Errorf("arena-v1 base url: %w", err)
	}
	if cfg.EmployeeKey == "" {
		cfg.EmployeeKey = ByEmail
	}
	if cfg.EmployeeKey != ByEmail && cfg.EmployeeKey != ByGUID {
		return nil, fmt.Errorf("arena-v1 employee key %q: must be %q or %q", cfg.EmployeeKey, ByEmail, ByGUID)
	}
	c := &Client{cfg: cfg, root: root.String(), http: outbound.HTTP(cfg.HTTP), now: cfg.Now, log: cfg.Log, workspace: workspaceID(cfg.WorkspaceID)}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	signIn, err := c.credentials()
	if err != nil {
		return nil, fmt.Errorf("arena-v1: %w", err)
	}
	c.door = newDoor(signIn, c.now)
	c.cfg.Trainings = slices.Compact(slices.Sorted(slices.Values(cfg.Trainings)))
	return c, nil
}

// credentials chooses the way of signing in.
func (c *Client) credentials() (signIn, error) {
	cfg := c.cfg
	switch {
	case cfg.Email != "" && cfg.Password != "" && cfg.ClientID == "" && cfg.ClientSecret == "":
		return c.login, nil
	case cfg.ClientID != "" && cfg.ClientSecret != "" && cfg.Email == "" && cfg.Password == "":
		if cfg.WorkspaceID == "" {
			return nil, errors.New("a workspace id is required with a client id")
		}
		if _, err := outbound.Root(cfg.TokenURL, false); err != nil {
			return nil, fmt.Errorf("token url: %w", err)
		}
		return c.token, nil
	}
	return nil, errors.New("either e-mail and password, or client id and client secret are required")
}
