package doctor

import (
	"net/http"
	"sync"
	"time"
)

// Witness looks on while a client of the product talks to its other side: it keeps what the answers say about
// the clock and the budget, and changes nothing. It is safe for concurrent use.
type Witness struct {
	next http.RoundTripper
	now  func() time.Time

	mu sync.Mutex
	// skew is how far the other side's clock is ahead of ours; known once an answer had a Date.
	skew   time.Duration
	dated  bool
	header http.Header // of the last answer
	calls  int
}

// NewWitness looks on at the calls through next; now nil is time.Now.
func NewWitness(next http.RoundTripper, now func() time.Time) *Witness {
	if now == nil {
		now = time.Now
	}
	return &Witness{next: next, now: now}
}

// RoundTrip implements http.RoundTripper.
func (w *Witness) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := w.now()
	response, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.see(response.Header, asked, w.now())
	return response, nil
}

func (w *Witness) see(header http.Header, asked, answered time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	w.header = header
	// An answer out of a cache has an Age, and the date of long ago.
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil || header.Get("Age") != "" {
		return
	}
	w.dated, w.skew = true, skewOf(date, asked, answered)
}

// skewOf is how far the date of an answer lies outside of the span in which it was written: 0 where both
// clocks can be right. The date is cut to whole seconds (RFC 9110, 5.6.7).
func skewOf(date, asked, answered time.Time) time.Duration {
	switch {
	case date.After(answered):
		return date.Sub(answered)
	case date.Add(time.Second).Before(asked):
		return date.Add(time.Second).Sub(asked)
	default:
		return 0
	}
}

// clock returns the skew; ok is false where no answer told the time.
func (w *Witness) clock() (skew time.Duration, ok bool) {
	if w == nil {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.skew, w.dated
}

// last is the header of the last answer, nil before the first.
func (w *Witness) last() http.Header {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.header
}
