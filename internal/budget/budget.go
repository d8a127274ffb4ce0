// Package budget keeps the calls to a target within what its owner allows: a rate for each process, and a
// number a day that all processes share through the journal.
package budget

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"countersign/internal/training"

	"golang.org/x/time/rate"
)

// Journal shares a day's budget between processes.
type Journal interface {
	// Spend takes up to n of limit calls in the period that began at period, and returns how many it got.
	Spend(ctx context.Context, tenant, target string, period time.Time, limit, n int) (granted int, err error)
}

// Config is what New needs.
type Config struct {
	Tenant, Target string
	// PerSecond is this process's rate, 0 for any; Burst is how many calls it may make at once.
	PerSecond float64
	Burst     int
	// PerDay is the number of calls of all processes from one reset to the next, 0 for any.
	PerDay int
	// ResetAt is the time of day ("15:04") at which the day begins by the wall clock of Zone.
	ResetAt, Zone string
	Journal       Journal
	// Now is time.Now when nil.
	Now func() time.Time
}

// Budget is one target's. It is safe for concurrent use.
type Budget struct {
	cfg     Config
	resetAt time.Time // hour and minute only
	zone    *time.Location
	second  *rate.Limiter

	mu     sync.Mutex
	period time.Time
	// left is what this process has taken of the day's and not used yet.
	left int
	// spentUntil is when there is something to take again.
	spentUntil time.Time
}

const (
	// longestWait is how long a call waits for its turn, well within the time of a step.
	longestWait = 20 * time.Second
	// largestBlock is how many calls a process takes from the day's at once, so that it asks the journal
	// rarely. What it has not used when it ends is lost for the day.
	largestBlock = 50
	// blocks is how many there are in a small budget.
	blocks = 200
)

// New checks the settings.
func New(cfg Config) (*Budget, error) {
	b := &Budget{cfg: cfg}
	if b.cfg.Now == nil {
		b.cfg.Now = time.Now
	}
	if cfg.PerSecond < 0 || cfg.PerDay < 0 || cfg.PerSecond > 0 && cfg.Burst < 1 {
		return nil, errors.New("budget: per_second and per_day must not be below 0, burst not below 1")
	}
	if cfg.PerSecond > 0 {
		b.second = rate.NewLimiter(rate.Limit(cfg.PerSecond), cfg.Burst)
	}
	if cfg.PerDay == 0 {
		return b, nil
	}
	var err error
	if b.zone, err = time.LoadLocation(cfg.Zone); err != nil {
		return nil, fmt.Errorf("budget: zone: %w", err)
	}
	if b.resetAt, err = time.Parse("15:04", cfg.ResetAt); err != nil {
		return nil, fmt.Errorf("budget: reset_at: %w", err)
	}
	return b, nil
}

// Spend is called before each call, and waits for its turn. Its error is a *training.Failure: rate_limited
// with the time until the reset when the day's budget is spent, unreachable when the journal that counts does
// not answer. Then the call must not be made.
func (b *Budget) Spend(ctx context.Context) error {
	if err := b.spendDay(ctx); err != nil {
		return err
	}
	if b.second == nil {
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	if err := b.second.Wait(waiting); err != nil {
		if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
			return fmt.Errorf("spend budget: %w", cause)
		}
		return b.refused(fmt.Sprintf("budget of %v calls a second", b.cfg.PerSecond), 0)
	}
	return nil
}

func (b *Budget) spendDay(ctx context.Context) error {
	if b.cfg.PerDay == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock() // also while the journal is asked: the others wait for the same block
	now := b.cfg.Now()
	if now.Before(b.spentUntil) {
		return b.spent(now)
	}
	begin, end := b.day(now)
	if !begin.Equal(b.period) {
		b.period, b.left = begin, 0
	}
	if b.left == 0 {
		block := min(max(b.cfg.PerDay/blocks, 1), largestBlock)
		granted, err := b.cfg.Journal.Spend(ctx, b.cfg.Tenant, b.cfg.Target, begin, b.cfg.PerDay, block)
		if err != nil {
			failure := training.FailWith(training.FailureUnreachable, "spend budget", b.cfg.Target, err)
			failure.Detail = "journal"
			return failure
		}
		if granted == 0 {
			b.spentUntil = end
			return b.spent(now)
		}
		b.left = granted
	}
	b.left--
	return nil
}

func (b *Budget) spent(now time.Time) error {
	return b.refused(fmt.Sprintf("budget of %d calls a day is spent", b.cfg.PerDay), b.spentUntil.Sub(now))
}

func (b *Budget) refused(detail string, retryAfter time.Duration) error {
	failure := training.Fail(training.FailureRateLimited, "spend budget", b.cfg.Target, detail)
	failure.RetryAfter = retryAfter
	return failure
}

// day is the period that now lies in. Where the clocks are put forward or back it is an hour shorter or longer.
func (b *Budget) day(now time.Time) (begin, end time.Time) {
	local := now.In(b.zone)
	at := func(days int) time.Time {
		return time.Date(local.Year(), local.Month(), local.Day()+days, b.resetAt.Hour(), b.resetAt.Minute(), 0, 0, b.zone)
	}
	if begin = at(0); begin.After(now) {
		return at(-1), begin
	}
	return begin, at(1)
}
