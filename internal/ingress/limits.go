package ingress

import (
	"cmp"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	defaultRate, defaultBurst = 200, 2000
	// Deliveries by domain have no source before they were read, so they share one limit that
	// bounds what reading costs.
	domainRate, domainBurst = 500, 5000
	// Rejections are kept at this pace per source.
	recordRate, recordBurst = 1, 30
)

// limits holds a token bucket per source. Only known sources get one, so their number is bounded.
type limits struct {
	domain *rate.Limiter

	mu      sync.Mutex
	sources map[sourceKey]*sourceLimits
}

type sourceKey struct{ tenant, id string }

type sourceLimits struct {
	requests   *rate.Limiter
	rejections *rate.Limiter
}

func newLimits() *limits {
	return &limits{domain: rate.NewLimiter(domainRate, domainBurst), sources: map[sourceKey]*sourceLimits{}}
}

// take lets one request of the source through, or says how long to wait.
func (l *limits) take(source Source, now time.Time) *problem {
	return take(l.of(source, now).requests, now)
}

// takeDomain is take for deliveries by domain.
func (l *limits) takeDomain(now time.Time) *problem { return take(l.domain, now) }

// mayRecord reports whether one more rejection of the source is written down.
func (l *limits) mayRecord(source Source, now time.Time) bool {
	return l.of(source, now).rejections.AllowN(now, 1)
}

func (l *limits) of(source Source, now time.Time) *sourceLimits {
	limit := rate.Limit(cmp.Or(max(source.RateLimit, 0), defaultRate))
	burst := cmp.Or(max(source.Burst, 0), defaultBurst)
	key := sourceKey{source.Tenant, source.ID}
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.sources[key]
	if !ok {
		found = &sourceLimits{
			requests:   rate.NewLimiter(limit, burst),
			rejections: rate.NewLimiter(recordRate, recordBurst),
		}
		l.sources[key] = found
	}
	// Settings may have changed since.
	if found.requests.Limit() != limit {
		found.requests.SetLimitAt(now, limit)
	}
	if found.requests.Burst() != burst {
		found.requests.SetBurstAt(now, burst)
	}
	return found
}

func take(limiter *rate.Limiter, now time.Time) *problem {
	reservation := limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	reservation.CancelAt(now)
	return rateLimited(wait)
}
