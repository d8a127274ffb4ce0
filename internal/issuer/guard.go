package issuer

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// wrongPerMinute is how many wrong secrets one address may send a source in a minute. It is per address, or
	// any stranger could keep a customer's LMS from its tokens by guessing beside it.
	wrongPerMinute = 5
	// wrongInAll bounds guessing from many addresses at one source, in a minute.
	wrongInAll = 100
	// issuedPerMinute bounds tokens of one source: a sender keeps its token until it expires (R37), and
	// one that does not would cost a signature and an answer per delivery.
	issuedPerMinute = 120
	// mostWatched bounds the memory that strangers can fill. Whoever pushes an old entry out this way
	// has sent as many requests for it.
	mostWatched = 1 << 16
)

// guard counts the requests of a source for tokens. Unknown sources are counted like known ones, so
// that the counting does not tell them apart.
type guard struct {
	mu      sync.Mutex
	entries map[watched]*list.Element
	recent  *list.List // of *entry, the latest first
}

// watched is what is counted: wrong secrets by address, wrong secrets of all (the zero address),
// tokens issued, and the addresses that were right lately.
type watched struct {
	key     key
	address netip.Prefix
	issued  bool
	right   bool
}

type entry struct {
	watched watched
	limiter *rate.Limiter
}

func newGuard() *guard { return &guard{entries: map[watched]*list.Element{}, recent: list.New()} }

// attempt lets a secret be compared, unless too many were wrong before or too many tokens were issued:
// then it returns how long to wait. The comparison happens under the lock, since of many at once all
// would be let through otherwise; it takes microseconds.
func (g *guard) attempt(k key, address string, now time.Time, right func() bool) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	mine := g.of(watched{key: k, address: network(address)}, wrongPerMinute)
	all := g.of(watched{key: k}, wrongInAll)
	wait = missing(mine, now)
	// Guessing from many addresses does not lock out the one that the customer's LMS sends from.
	known := watched{key: k, address: network(address), right: true}
	if _, lately := g.entries[known]; !lately {
		wait = max(wait, missing(all, now))
	}
	if wait > 0 {
		return wait
	}
	if !right() {
		mine.AllowN(now, 1)
		all.AllowN(now, 1)
		return 0
	}
	g.of(known, 1)
	issued := g.of(watched{key: k, issued: true}, issuedPerMinute)
	if wait := missing(issued, now); wait > 0 {
		return wait
	}
	issued.AllowN(now, 1)
	return 0
}

// of finds or makes the limiter that lets n through at once, and n a minute.
func (g *guard) of(w watched, n int) *rate.Limiter {
	if found, ok := g.entries[w]; ok {
		g.recent.MoveToFront(found)
		return limiterOf(found)
	}
	limiter := rate.NewLimiter(rate.Limit(n)/60, n)
	g.entries[w] = g.recent.PushFront(&entry{w, limiter})
	for len(g.entries) > mostWatched {
		oldest := g.recent.Back()
		if e, ok := g.recent.Remove(oldest).(*entry); ok {
			delete(g.entries, e.watched)
		}
	}
	return limiter
}

func limiterOf(element *list.Element) *rate.Limiter {
	e, ok := element.Value.(*entry)
	if !ok {
		return rate.NewLimiter(0, 0) // cannot be: the list holds nothing else
	}
	return e.limiter
}

// missing is how long it takes until one more is let through.
func missing(l *rate.Limiter, now time.Time) time.Duration {
	tokens := l.TokensAt(now)
	if tokens >= 1 {
		return 0
	}
	return time.Duration((1 - tokens) / float64(l.Limit()) * float64(time.Second))
}

// network is an IPv4 address or the /64 that one IPv6 customer has; the zero /0 of what is no address.
func network(address string) netip.Prefix {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		prefix, err := ip.Prefix(64)
		if err == nil {
			return prefix
		}
	}
	return netip.PrefixFrom(ip, ip.BitLen())
}
