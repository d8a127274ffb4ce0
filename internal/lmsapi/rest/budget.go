package rest

import (
	"sync"
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

// take takes one call of the endpoint; where there is none left, it says how long to wait for one.
func (b *budgets) take(endpoint string, now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.group(endpoint)
	if now.Before(g.closed) {
		return g.closed.Sub(now), false
	}
	if g.limiter == nil {
		return 0, true
	}
	reserved := g.limiter.ReserveN(now, 1)
	if wait = reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
		return wait, false
	}
	return 0, true
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
