package arenav1

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"countersign/internal/training"
)

// unknownReset is how long a spent budget is left alone where the answer does not say until when.
const unknownReset = time.Hour

// longestWait bounds a wait that the other side asks for: the budget is a day's.
const longestWait = 24 * time.Hour

// budget is the workspace's requests of the day, as the last answer had it. It is shared with everybody
// who uses the workspace's API.
type budget struct {
	mu    sync.Mutex
	known bool
	left  int
	reset time.Time
}

// note reads the headers of an answer. A 429 says that nothing is left for as long as it asks for, whatever
// its headers count: everybody else of this process would get the same.
func (b *budget) note(got answer, now time.Time) {
	left, err := strconv.Atoi(got.Header.Get("X-Arena-Requests-Remaining"))
	reset := resetAt(got.Header, now)
	if got.Status == http.StatusTooManyRequests {
		wait := got.limitedFor(now)
		if wait == 0 {
			return // it does not say how long: the tenant's schedule does
		}
		left, err, reset = 0, nil, now.Add(wait)
	}
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known, b.left, b.reset = true, left, reset
}

// spent is the failure of a budget that is spent up to what is left to others, nil while there is more.
func (b *budget) spent(reserve int, call call, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.known || b.left > reserve || !now.Before(b.reset) {
		return nil
	}
	failure := training.Fail(training.FailureRateLimited, call.operation, call.key, "no request is left but for the reserve")
	failure.RetryAfter = b.reset.Sub(now)
	return failure
}

// resetAt is when the budget is a new one, a day from now at the latest. The help says that the header is a
// date and not in which form.
func resetAt(header http.Header, now time.Time) time.Time {
	text := header.Get("X-Arena-Next-Request-Limit-Reset")
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = http.ParseTime(text)
	}
	switch latest := now.Add(longestWait); {
	case err != nil:
		return now.Add(unknownReset)
	case at.After(latest):
		return latest // a date that is misread must not stop everything for ever
	}
	return at
}
