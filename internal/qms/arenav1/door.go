package arenav1

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"countersign/internal/outbound"
	"countersign/internal/training"
)

const (
	// sessionIdle is how long a session is used after its last action. Arena ends it after 90 minutes.
	sessionIdle = 85 * time.Minute
	// renewEarly is how much life a token must have left to be used.
	renewEarly = 5 * time.Minute
	// holdOff is how long nobody signs in again once it is plain that it will not help: an account that
	// is tried in vain again and again is locked. It is shorter than the first gap of every retry schedule.
	holdOff = 10 * time.Second
)

// pass is a session or a token: a header and its value.
type pass struct {
	header, value string
	// expires is the end of a token; zero for a session, which lives on with every use.
	expires time.Time
	used    atomic.Int64 // Unix nanoseconds
}

func (p *pass) good(now time.Time) bool {
	if !p.expires.IsZero() {
		return now.Before(p.expires.Add(-renewEarly))
	}
	return now.Sub(time.Unix(0, p.used.Load())) < sessionIdle
}

// show puts the pass on a request.
func (p *pass) show(r *http.Request, now time.Time) {
	p.used.Store(now.UnixNano())
	r.Header.Set(p.header, p.value)
}

// signIn gets a new pass.
type signIn func(ctx context.Context) (*pass, error)

// door keeps the one pass of this process. One at a time signs in, and everybody who waits gets the same
// pass: a second session would cancel the first.
type door struct {
	signIn signIn
	now    func() time.Time
	// lock is a mutex that a caller can stop waiting for.
	lock    chan struct{}
	current *pass
	// Until quietUntil nobody signs in, and who has no pass gets quiet.
	quietUntil time.Time
	quiet      *training.Failure
	// Until refusalsUntil a 401 is believed without another pass.
	refusalsUntil time.Time
}

func newDoor(signIn signIn, now func() time.Time) *door {
	return &door{signIn: signIn, now: now, lock: make(chan struct{}, 1)}
}

// get returns the pass to use. refused is the one that has just got a 401, or nil: it is returned again
// only where another one is known to be no better.
func (d *door) get(ctx context.Context, refused *pass) (*pass, error) {
	select {
	case d.lock <- struct{}{}:
		defer func() { <-d.lock }()
	case <-ctx.Done():
		return nil, outbound.Unanswered(ctx, "sign in", "", ctx.Err())
	}
	now := d.now()
	switch {
	case d.current != nil && d.current != refused && d.current.good(now):
		return d.current, nil
	case refused != nil && now.Before(d.refusalsUntil):
		return refused, nil
	case now.Before(d.quietUntil):
		failure := *d.quiet
		if failure.RetryAfter > 0 {
			failure.RetryAfter = d.quietUntil.Sub(now)
		}
		return nil, &failure
	}
	fresh, err := d.signIn(ctx)
	if err == nil {
		fresh.used.Store(now.UnixNano())
		d.current = fresh
		return fresh, nil
	}
	if failure, ok := errors.AsType[*training.Failure](err); ok {
		switch failure.Class {
		case training.FailureCredentials, training.FailureRateLimited:
			d.quiet, d.quietUntil = failure, now.Add(max(holdOff, failure.RetryAfter))
		}
	}
	return nil, err
}

// refusedFresh notes that a fresh pass was answered with 401 as well: the account is at fault, or another
// process keeps signing in as the same user.
func (d *door) refusedFresh(ctx context.Context) {
	select {
	case d.lock <- struct{}{}:
		d.refusalsUntil = d.now().Add(holdOff)
		<-d.lock
	case <-ctx.Done():
	}
}
