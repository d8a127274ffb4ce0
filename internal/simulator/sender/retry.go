package sender

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Retry is what a platform does about a delivery that was not taken.
type Retry struct {
	// Waits are before each repetition; none means that a delivery is tried once.
	Waits []time.Duration
	// Taken reports whether a status is a success; nil stands for any 2xx.
	Taken func(status int) bool
	// Again reports whether a status is worth a repetition, 0 being no answer; nil stands for any that is no
	// success.
	Again func(status int) bool
	// AfterMin and AfterMax bound what it makes of Retry-After; both 0 where it does not read it.
	AfterMin, AfterMax time.Duration
}

// Disable is when a platform switches an integration off, so that it sends nothing until a person switches it
// on again. 0 stands for never.
type Disable struct {
	// Attempts is how many in a row have failed.
	Attempts int
	// GivenUp is how many deliveries in a row were given up.
	GivenUp int
}

func (r Retry) taken(status int) bool {
	if r.Taken != nil {
		return r.Taken(status)
	}
	return status >= 200 && status < 300
}

func (r Retry) again(status int) bool { return r.Again == nil || r.Again(status) }

// wait is how long to wait after the n-th attempt, counted from 1. ok is false when that was the last.
func (r Retry) wait(n int, answer http.Header) (d time.Duration, ok bool) {
	if n > len(r.Waits) {
		return 0, false
	}
	d = r.Waits[n-1]
	if r.AfterMax > 0 {
		if seconds, err := strconv.Atoi(answer.Get("Retry-After")); err == nil && seconds >= 0 {
			d = min(max(time.Duration(seconds)*time.Second, r.AfterMin), r.AfterMax)
		}
	}
	return d, true
}

// doubling are waits that double from first up to most, and end before they make up more than total.
func doubling(first, most, total time.Duration) []time.Duration {
	var waits []time.Duration
	var sum time.Duration
	for d := first; sum+d <= total; d = min(2*d, most) {
		waits, sum = append(waits, d), sum+d
	}
	return waits
}

// growing are n waits, each one step longer than the one before.
func growing(step time.Duration, n int) []time.Duration {
	waits := make([]time.Duration, n)
	for i := range waits {
		waits[i] = time.Duration(i+1) * step
	}
	return waits
}

// onTrouble are no answer, 429 and 5xx: a sender that is sensible, and that nobody describes.
func onTrouble(status int) bool {
	return status == 0 || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// only are statuses, and no answer.
func only(statuses ...int) func(int) bool {
	return func(status int) bool { return status == 0 || slices.Contains(statuses, status) }
}
