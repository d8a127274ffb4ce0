package fault

import (
	"sync"
	"time"
)

// Clock is a clock that can be set ahead or back, so that tokens expire and due dates pass
// without waiting.
type Clock struct {
	now    func() time.Time
	mu     sync.Mutex
	offset time.Duration
}

// NewClock shifts now, time.Now when nil.
func NewClock(now func() time.Time) *Clock {
	if now == nil {
		now = time.Now
	}
	return &Clock{now: now}
}

// Now is the shifted time in UTC, to the millisecond: the precision of the simulated systems.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Add(c.offset).UTC().Truncate(time.Millisecond)
}

// SetOffset shifts the clock by d against the real one, replacing the earlier shift.
func (c *Clock) SetOffset(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = d
}

// Offset is the present shift.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}
