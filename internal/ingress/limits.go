package ingress

import (
	"cmp"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	defaultRate, defaultBurst = 200, 2000
	// A tenant's sources together have this many times the default.
	tenantShare = 4
	// Deliveries by domain that lead to no source share one limit, which bounds what reading them
	// costs. Those that lead to one count there, so that no tenant uses up another's (law 6).
	domainRate, domainBurst = 500, 5000
	// Rejections are kept at this pace per source.
	recordRate, recordBurst = 1, 30
	// A rehearsal asks the QMS; this is per source.
	rehearsalRate, rehearsalBurst = 2, 20
	// Mounted routes (tokens, logins, pages) take this much per source, and those that name no
	// source together.
	mountedRate, mountedBurst = 20, 100
)

// limits holds token buckets per source and per tenant. Only known sources get them, so their number
// is bounded. The lock is held while a bucket is looked up, never while anything is done.
type limits struct {
	domain  *rate.Limiter
	mounted *rate.Limiter

	mu      sync.Mutex
	sources map[sourceKey]*sourceLimits
	tenants map[string]*rate.Limiter
}

type sourceKey struct{ tenant, id string }

type sourceLimits struct {
	requests   *rate.Limiter
	rejections *rate.Limiter
	rehearsals *rate.Limiter
	mounted    *rate.Limiter
	tenant     *rate.Limiter // shared with the tenant's other sources
}

func newLimits() *limits {
	return &limits{
		domain:  rate.NewLimiter(domainRate, domainBurst),
		mounted: rate.NewLimiter(mountedRate, mountedBurst),
		sources: map[sourceKey]*sourceLimits{}, tenants: map[string]*rate.Limiter{},
	}
}

// take lets one request of the source through, or says how long to wait. The source comes first: what
// it sends beyond its own limit costs the tenant's other sources nothing.
func (l *limits) take(source Source, now time.Time) *problem {
	of := l.of(source, now)
	own, wait := reserve(of.requests, now)
	if wait > 0 {
		return rateLimited(wait, "This source sends faster than its limit.")
	}
	if _, wait = reserve(of.tenant, now); wait > 0 {
		own.CancelAt(now)
		return rateLimited(wait, "All sources of this tenant together send faster than its limit.")
	}
	return nil
}

// mayPeek reports whether a delivery by domain may be read; peeked counts one that led to no source.
func (l *limits) mayPeek(now time.Time) *problem {
	if missing := 1 - l.domain.TokensAt(now); missing > 0 {
		wait := time.Duration(missing / domainRate * float64(time.Second))
		return rateLimited(wait, "This URL is sent too much that belongs to no source; a source's own URL is not affected.")
	}
	return nil
}

func (l *limits) peeked(now time.Time) { l.domain.AllowN(now, 1) }

// takeRehearsal is take for a rehearsal, on top of it.
func (l *limits) takeRehearsal(source Source, now time.Time) *problem {
	if _, wait := reserve(l.of(source, now).rehearsals, now); wait > 0 {
		return rateLimited(wait, "This source is tested faster than twice a second.")
	}
	return nil
}

// takeMounted is for mounted routes; known says whether the route names a source.
func (l *limits) takeMounted(source Source, known bool, now time.Time) *problem {
	limiter := l.mounted
	if known {
		limiter = l.of(source, now).mounted
	}
	if _, wait := reserve(limiter, now); wait > 0 {
		return rateLimited(wait, "This URL is asked faster than its limit.")
	}
	return nil
}

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
		tenant, ok := l.tenants[source.Tenant]
		if !ok {
			tenant = rate.NewLimiter(max(tenantShare*defaultRate, limit), max(tenantShare*defaultBurst, burst))
			l.tenants[source.Tenant] = tenant
		}
		found = &sourceLimits{
			requests:   rate.NewLimiter(limit, burst),
			rejections: rate.NewLimiter(recordRate, recordBurst),
			rehearsals: rate.NewLimiter(rehearsalRate, rehearsalBurst),
			mounted:    rate.NewLimiter(mountedRate, mountedBurst),
			tenant:     tenant,
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
	// A source that was given more than the tenant's share gets it; lowering takes a restart.
	if found.tenant.Limit() < limit {
		found.tenant.SetLimitAt(now, limit)
	}
	if found.tenant.Burst() < burst {
		found.tenant.SetBurstAt(now, burst)
	}
	return found
}

// reserve takes one token, or none and says how long to wait for it.
func reserve(limiter *rate.Limiter, now time.Time) (*rate.Reservation, time.Duration) {
	reservation := limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return reservation, wait
}
