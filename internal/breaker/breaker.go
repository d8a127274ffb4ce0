// Package breaker notices that a QMS does not answer, from what the calls of completions and enrollments come to. It
// counts and holds nothing: who uses it writes what it says to the journal, where all workers find it.
package breaker

import (
	"context"
	"errors"
	"sync"
	"time"

	"countersign/internal/qms"
	"countersign/internal/training"
)

// Config is what New needs.
type Config struct {
	// Failures is how many distinct completions or enrollments in a row have to come to nothing.
	Failures int
	// Patience is the longest Retry-After that the tenant's own retries wait for. A longer one is an
	// outage by itself: the retries would be used up before it ends.
	Patience time.Duration
	// Now is time.Now when nil.
	Now func() time.Time
}

// Breaker watches one tenant's QMS. It is safe for concurrent use, and knows its own process only: with
// many workers an outage is seen when one of them has seen enough of it.
type Breaker struct {
	cfg Config

	mu            sync.Mutex
	reads, writes streak
}

// streak is what failed since the last success.
type streak struct {
	since, last time.Time
	completions map[training.Fingerprint]bool
}

// streakLife is how long a failure counts: the next one may be as late as a small tenant's next completion.
const streakLife = 24 * time.Hour

// Trip says that the target is to be held.
type Trip struct {
	// Since is the first failure of those that led here.
	Since time.Time
	// Until is when the other side wants to be asked again, zero if it does not say.
	Until time.Time
	// Failure is the last of them, Completion the one that met it.
	Failure    training.Failure
	Completion training.Fingerprint
}

// New builds a Breaker that has seen nothing.
func New(cfg Config) *Breaker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Breaker{cfg: cfg}
}

// Watch is c for the time of one completion's step.
func (b *Breaker) Watch(c qms.Client, completion training.Fingerprint) *Watch {
	return &Watch{client: c, breaker: b, completion: completion}
}

// WatchEnrollment is c for the time of one enrollment's step. Its only write creates a record, which needs a
// permission and an endpoint of its own: that it comes to nothing must not hold the completions, which
// need neither, and that it is answered does not say that records can be completed. So it counts as a read, and
// not at all where it comes to nothing; only a rate limit is that of all calls.
func (b *Breaker) WatchEnrollment(c qms.Client, key training.EnrollmentKey) *Watch {
	return &Watch{client: c, breaker: b, completion: training.Fingerprint(key), enrollment: true}
}

// meaning is what the outcome of a call says about the target.
type meaning int

const (
	says    meaning = iota // it answers: success, or a failure of the record's own
	nothing                // it says nothing: 429 for a moment, something unreadable, our own journal or end
	silence                // it does not answer, or not to us
)

func meaningOf(err error, patience time.Duration) (meaning, training.Failure) {
	if err == nil {
		return says, training.Failure{}
	}
	failure, ok := errors.AsType[*training.Failure](err)
	switch {
	case !ok || errors.Is(err, context.Canceled):
		return nothing, training.Failure{}
	case failure.Class == training.FailureUnreachable && failure.Detail == JournalDetail:
		return nothing, *failure
	case failure.Class == training.FailureRateLimited && failure.RetryAfter <= patience, failure.Class == training.FailureMisread:
		return nothing, *failure
	case failure.Class.Outage():
		return silence, *failure
	}
	return says, *failure
}

// JournalDetail marks a failure of our own journal on the way to a target.
const JournalDetail = "journal"

// observe counts one call. What writes say counts for reads as well, but a QMS that can be read may be
// closed for writing.
func (b *Breaker) observe(write bool, completion training.Fingerprint, m meaning, failure training.Failure) (trip Trip, tripped bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	counted := &b.reads
	if write {
		counted = &b.writes
	}
	now := b.cfg.Now()
	switch m {
	case says:
		b.reads = streak{}
		if write {
			b.writes = streak{}
		}
		return Trip{}, false
	case nothing:
		return Trip{}, false
	}
	if counted.completions == nil || now.Sub(counted.last) > streakLife {
		*counted = streak{since: now, completions: map[training.Fingerprint]bool{}}
	}
	counted.last = now
	if len(counted.completions) < b.cfg.Failures {
		counted.completions[completion] = true
	}
	trip = Trip{Since: counted.since, Failure: failure, Completion: completion}
	if failure.RetryAfter > b.cfg.Patience {
		trip.Until = now.Add(failure.RetryAfter)
		return trip, true
	}
	return trip, len(counted.completions) >= b.cfg.Failures
}
