package ingress

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// healthz says that the process lives; restarting it mends nothing else.
func (i *Ingress) healthz(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) }

// readyz says whether a delivery sent now would be taken.
func (i *Ingress) readyz(c *gin.Context) {
	if i.draining.Load() {
		c.JSON(http.StatusServiceUnavailable, gin.H{"status": "draining"})
		return
	}
	if err := i.ready.check(c.Request.Context()); err != nil {
		i.log.WarnContext(c.Request.Context(), "not ready", "error", err)
		c.JSON(http.StatusServiceUnavailable, gin.H{"status": "not ready"})
		return
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}

const (
	readyTimeout = 2 * time.Second
	// readyFor is how long an answer is kept: asking writes to the journal, and anybody may ask.
	readyFor = time.Second
)

// readiness asks the journal and whatever else was given, at most once per readyFor.
type readiness struct {
	journal Journal
	extra   func(ctx context.Context) error
	now     func() time.Time

	mu    sync.Mutex
	asked time.Time
	err   error
}

func (r *readiness) check(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked.IsZero() && r.now().Sub(r.asked) < readyFor {
		return r.err
	}
	// The answer is for others too, so the asker's hanging up must not spoil it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	r.err = r.journal.Ping(ctx)
	if r.err == nil && r.extra != nil {
		r.err = r.extra(ctx)
	}
	if errors.Is(r.err, context.DeadlineExceeded) {
		r.err = errors.New("no answer in time")
	}
	r.asked = r.now()
	return r.err
}
