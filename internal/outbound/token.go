package outbound

import (
	"context"
	"errors"
	"sync"
	"time"

	"countersign/internal/training"
)

const (
	// renewEarly is how much life a token must have left to be used (R117).
	renewEarly = 5 * time.Minute
	// holdOff is how long the token endpoint is left alone once it is plain that asking again
	// will not help. It is shorter than the first gap of every retry schedule.
	holdOff = 10 * time.Second
	// longestLife bounds what a token endpoint says of a token's life.
	longestLife = 365 * 24 * time.Hour
)

// Token is an access token together with its life (R116).
type Token struct {
	Value   string
	Granted []string // nil when the answer named none: then all that was asked for (RFC 6749 §5.1)
	renewAt time.Time
	expires time.Time
}

// NewToken sets the life of a token: it is renewed at five minutes left. A token that lives
// hardly longer than that would be renewed on nearly every call, so at most its half is taken. A life of 0
// serves the callers who wait for it, no others.
func NewToken(value string, granted []string, from time.Time, life time.Duration) *Token {
	life = min(max(life, 0), longestLife) // so that no number overflows
	early := min(renewEarly, life/2)
	expires := from.Add(life)
	return &Token{Value: value, Granted: granted, renewAt: expires.Add(-early), expires: expires}
}

// TokensConfig is what a client tells the keeper of its tokens.
type TokensConfig struct {
	// Fetch gets a new token. It is not ended by the end of a caller's context, but by its own timeout.
	Fetch func(context.Context) (*Token, error)
	Now   func() time.Time
	// PerCall fetches a token for every call.
	PerCall bool
	// Operation and Key name the fetch in errors.
	Operation, Key string
}

// Tokens keeps the current token and fetches the next one: a single fetch at a time, shared by
// everybody who needs one.
type Tokens struct {
	cfg TokensConfig

	mu      sync.Mutex
	current *Token
	flight  *flight
	// Until quietUntil nothing is fetched, and who cannot do without gets quiet.
	quietUntil time.Time
	quiet      *training.Failure
	// Until refusalsUntil a 401 is believed without trying a fresh token.
	refusalsUntil time.Time
}

// NewTokens makes a keeper that has no token yet.
func NewTokens(cfg TokensConfig) *Tokens { return &Tokens{cfg: cfg} }

// flight is a fetch under way.
type flight struct {
	done  chan struct{}
	token *Token
	err   error
}

// Get returns a token to use. refused is the one that just got a 401, or nil; it is never
// returned again, except when fetching another is known to be useless (see RefusedFresh). If
// somebody else has replaced it already, nothing is fetched: a storm of 401s costs one fetch.
func (t *Tokens) Get(ctx context.Context, refused *Token) (*Token, error) {
	t.mu.Lock()
	now := t.cfg.Now()
	kept := t.current
	if kept == refused {
		kept = nil
	}
	switch {
	case kept != nil && !t.cfg.PerCall && now.Before(kept.renewAt):
		t.mu.Unlock()
		return kept, nil
	case refused != nil && now.Before(t.refusalsUntil):
		t.mu.Unlock()
		return refused, nil
	case now.Before(t.quietUntil):
		failure := *t.quiet
		if failure.RetryAfter > 0 { // only what the other side asked for: it overrides the tenant's schedule
			failure.RetryAfter = t.quietUntil.Sub(now)
		}
		t.mu.Unlock()
		if kept != nil && now.Before(kept.expires) {
			return kept, nil
		}
		return nil, &failure
	}
	if t.flight == nil {
		t.flight = &flight{done: make(chan struct{})}
		// The first caller may give up while others wait for the same token, so the fetch
		// does not end with the caller; the HTTP client's timeout ends it.
		go t.run(context.WithoutCancel(ctx), t.flight)
	}
	shared := t.flight
	t.mu.Unlock()

	select {
	case <-shared.done:
	case <-ctx.Done():
		return nil, Unanswered(ctx, t.cfg.Operation, t.cfg.Key, ctx.Err())
	}
	if shared.err != nil && kept != nil && t.cfg.Now().Before(kept.expires) {
		return kept, nil // that is what renewing early is for
	}
	return shared.token, shared.err
}

func (t *Tokens) run(ctx context.Context, f *flight) {
	f.token, f.err = t.cfg.Fetch(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(f.done)
	t.flight = nil
	if f.err == nil {
		t.current = f.token
		t.quietUntil = time.Time{}
		return
	}
	failure, ok := errors.AsType[*training.Failure](f.err)
	if !ok {
		return
	}
	now := t.cfg.Now()
	refused := failure.Class == training.FailureCredentials || failure.Class == training.FailureRateLimited
	if refused || (t.current != nil && now.Before(t.current.expires)) {
		t.quiet = failure
		t.quietUntil = now.Add(max(holdOff, failure.RetryAfter))
	}
}

// RefusedFresh notes that a fresh token was answered with 401 as well. Then the account is at
// fault and not the token, and for a while nobody fetches another because of a 401 (R118).
func (t *Tokens) RefusedFresh() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refusalsUntil = t.cfg.Now().Add(holdOff)
}
