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

// note reads the headers of an answer.
func (b *budget) note(header http.Header, now time.Time) {
	left, err := strconv.Atoi(header.Get("X-Arena-Requests-Remaining"))
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known, b.left, b.reset = true, left, resetAt(header, now)
}

// spent is the failure of a budget that is spent up to what is left to others, nil while there is more.
func (b *budget) spent(reserve int, call call, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.known || b.left > reserve || !now.Before(b.reset) {
		return nil
	}
	failure := training.Fail(training.FailureRateLimited, call.operation, call.key, "day budget spent but for the reserve")
	failure.RetryAfter = min(b.reset.Sub(now), longestWait)
	return failure
}

// resetAt is when the budget is a new one. The help says that the header is a date and not in which form.
func resetAt(header http.Header, now time.Time) time.Time {
	text := header.Get("X-Arena-Next-Request-Limit-Reset")
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	if at, err := http.ParseTime(text); err == nil {
		return at
	}
	return now.Add(unknownReset)
}
