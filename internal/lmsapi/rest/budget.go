package rest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// budgets keep the number of calls inside what the LMS gives: in any hour at most perHour, of each endpoint where the
// LMS counts so (R146). A tenth of it may go at once (more of a small one: a lookup is several calls), the rest is
// spread over the hour, so that a storm leaves something for what comes after it.
type budgets struct {
	perHour     int
	perEndpoint bool

	mu     sync.Mutex
	groups map[string]*group
}

type group struct {
	limiter *rate.Limiter // nil without a budget
	closed  time.Time     // until then the LMS does not want to be asked
}

func newBudgets(perHour int, perEndpoint bool) *budgets {
	return &budgets{perHour: perHour, perEndpoint: perEndpoint, groups: make(map[string]*group)}
}

// The calls of one endpoint, and of all, that a lookup makes at most. Nothing is begun where fewer are left: when many
// wait for each single call, all spend it on their first one, and none ever comes to its end.
const (
	callsOfEndpoint = 2
	callsOfAll      = 5
)

// together is the context key of calls that belong together.
type together struct{}

// Together makes the calls with the context it returns one piece of work: once the first is made, the budget's last
// calls are for the others.
func Together(ctx context.Context) context.Context {
	return context.WithValue(ctx, together{}, new(atomic.Bool))
}

// begin reports whether a call begins something, and notes that it has begun.
func begin(ctx context.Context) bool {
	begun, ok := ctx.Value(together{}).(*atomic.Bool)
	return !ok || !begun.Swap(true)
}

// take takes one call of the endpoint; where there is none left, it says how long to wait. One that begins something
// leaves enough to end it.
func (b *budgets) take(endpoint string, begins bool, now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.group(endpoint)
	if now.Before(g.closed) {
		return g.closed.Sub(now), false
	}
	if g.limiter == nil {
		return 0, true
	}
	if need := float64(min(b.whole(), g.limiter.Burst())); begins && g.limiter.TokensAt(now) < need {
		lacking := (need - g.limiter.TokensAt(now)) / float64(g.limiter.Limit())
		// Rounded up: to come back a nanosecond early would be to come back in vain.
		return time.Duration(lacking*float64(time.Second)) + time.Millisecond, false
	}
	reserved := g.limiter.ReserveN(now, 1)
	if wait = reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// whole is how many calls one limiter must have for a whole lookup.
func (b *budgets) whole() int {
	if b.perEndpoint {
		return callsOfEndpoint
	}
	return callsOfAll
}

// close leaves the endpoint alone until then, because the LMS asked for it.
func (b *budgets) close(endpoint string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g := b.group(endpoint); until.After(g.closed) {
		g.closed = until
	}
}

// group is what the endpoint counts with; the caller holds the lock.
func (b *budgets) group(endpoint string) *group {
	if !b.perEndpoint {
		endpoint = ""
	}
	g, ok := b.groups[endpoint]
	if !ok {
		g = &group{}
		if b.perHour > 0 {
			// Burst and refill together are the whole: no hour, wherever it begins, sees more.
			burst := max(b.perHour/10, min(b.perHour/2, 10), 1)
			g.limiter = rate.NewLimiter(rate.Limit(float64(max(b.perHour-burst, 1))/time.Hour.Seconds()), burst)
		}
		b.groups[endpoint] = g
	}
	return g
}
