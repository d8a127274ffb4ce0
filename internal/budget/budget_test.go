package budget_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"countersign/internal/budget"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// shared is a journal that counts, as all processes see it.
type shared struct {
	used map[time.Time]int
	asks int
	err  error
}

func (s *shared) Spend(_ context.Context, _, _ string, period time.Time, limit, n int) (int, error) {
	s.asks++
	if s.err != nil {
		return 0, s.err
	}
	if s.used == nil {
		s.used = map[time.Time]int{}
	}
	granted := max(0, min(n, limit-s.used[period.UTC()]))
	s.used[period.UTC()] += granted
	return granted, nil
}

func day(t *testing.T, s *shared, perDay int, now *time.Time) *budget.Budget {
	t.Helper()
	b, err := budget.New(budget.Config{
		Tenant: "acme", Target: training.TargetQMS, PerDay: perDay, ResetAt: "06:00", Zone: "Europe/Berlin",
		Journal: s, Now: func() time.Time { return *now },
	})
	require.NoError(t, err)
	return b
}

func failed(t *testing.T, err error) *training.Failure {
	t.Helper()
	var f *training.Failure
	require.ErrorAs(t, err, &f)
	return f
}

// Two processes together never make more calls than the day allows, and know when they may again.
func TestDayIsSharedAndSaysWhenItBeginsAnew(t *testing.T) {
	now := time.Date(2026, 4, 8, 14, 0, 0, 0, time.UTC)
	journal := &shared{}
	processes := []*budget.Budget{day(t, journal, 1000, &now), day(t, journal, 1000, &now)}
	made := 0
	var last error
	for n := range 1200 {
		if last = processes[n%2].Spend(t.Context()); last == nil {
			made++
		}
	}
	require.Equal(t, 1000, made)
	require.Less(t, journal.asks, 210, "in blocks, and not at all once it is spent")
	f := failed(t, last)
	require.Equal(t, training.FailureRateLimited, f.Class)
	require.Equal(t, 14*time.Hour, f.RetryAfter, "6 o'clock in Berlin is 4 o'clock UTC")

	now = now.Add(14*time.Hour - time.Second)
	require.Error(t, processes[0].Spend(t.Context()))
	now = now.Add(time.Second)
	require.NoError(t, processes[0].Spend(t.Context()))
	require.Contains(t, journal.used, time.Date(2026, 4, 9, 4, 0, 0, 0, time.UTC))
}

// On the night in which the clocks are put forward a day has 23 hours.
func TestDayFollowsTheWallClock(t *testing.T) {
	now := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	b := day(t, &shared{used: map[time.Time]int{time.Date(2026, 3, 28, 5, 0, 0, 0, time.UTC): 10}}, 10, &now)
	require.Equal(t, 16*time.Hour, failed(t, b.Spend(t.Context())).RetryAfter)
}

// A journal that is away is no outage of the target, and lets nothing through uncounted.
func TestJournalThatDoesNotCount(t *testing.T) {
	now := time.Date(2026, 4, 8, 14, 0, 0, 0, time.UTC)
	journal := &shared{err: errors.New("away")}
	b := day(t, journal, 100, &now)
	f := failed(t, b.Spend(t.Context()))
	require.Equal(t, training.FailureUnreachable, f.Class)
	require.Equal(t, "journal", f.Detail)
	journal.err = nil
	require.NoError(t, b.Spend(t.Context()))
}

func TestSecondIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := budget.New(budget.Config{PerSecond: 2, Burst: 4})
		require.NoError(t, err)
		start := time.Now()
		for range 14 {
			require.NoError(t, b.Spend(t.Context()))
		}
		require.Equal(t, 5*time.Second, time.Since(start), "four at once, ten more at two a second")
	})
}

// A call that would wait longer than a step may take is refused, and asks to be made later.
func TestCallDoesNotWaitForEver(t *testing.T) {
	b, err := budget.New(budget.Config{PerSecond: 0.01, Burst: 1})
	require.NoError(t, err)
	require.NoError(t, b.Spend(t.Context()))
	require.Equal(t, training.FailureRateLimited, failed(t, b.Spend(t.Context())).Class)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Spend(ctx), context.Canceled)
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []budget.Config{
		{PerSecond: -1}, {PerDay: -1}, {PerSecond: 1}, {PerDay: 1, ResetAt: "6 o'clock", Zone: "UTC"}, {PerDay: 1, ResetAt: "06:00", Zone: "Nowhere"},
	} {
		_, err := budget.New(cfg)
		require.Error(t, err)
	}
	b, err := budget.New(budget.Config{})
	require.NoError(t, err)
	require.NoError(t, b.Spend(t.Context()))
}
