package breaker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"countersign/internal/breaker"
	"countersign/internal/qms"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// client answers reads and writes with what a test says.
type client struct {
	qms.Client
	read, write, create, employee error
}

func (c *client) Employee(context.Context, string) error { return c.employee }
func (c *client) Record(context.Context, string) (training.Record, error) {
	return training.Record{}, c.read
}
func (c *client) Create(context.Context, training.NewRecord, string) (string, error) {
	return "TR-1", c.create
}
func (c *client) Complete(context.Context, training.Write, string) error { return c.write }

var start = time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)

// watcher is a breaker that trips at three, on a clock.
type watcher struct {
	t       *testing.T
	breaker *breaker.Breaker
	now     time.Time
	client  client
}

func newWatcher(t *testing.T) *watcher {
	w := &watcher{t: t, now: start}
	w.breaker = breaker.New(breaker.Config{Failures: 3, Patience: 15 * time.Minute, Now: func() time.Time { return w.now }})
	return w
}

func (w *watcher) step(completion int, ask func(context.Context, *breaker.Watch)) (breaker.Trip, bool) {
	w.t.Helper()
	watch := w.breaker.Watch(&w.client, training.Fingerprint(fmt.Sprint(completion)))
	ask(w.t.Context(), watch)
	return watch.Tripped()
}

func reads(ctx context.Context, c *breaker.Watch)  { _, _ = c.Record(ctx, "TR-1") }
func writes(ctx context.Context, c *breaker.Watch) { _ = c.Complete(ctx, training.Write{}, "") }

func failure(class training.FailureClass) *training.Failure {
	return training.Fail(class, "test", "TR-1", "503")
}

func TestDistinctCompletionsInARowTrip(t *testing.T) {
	w := newWatcher(t)
	w.client.read = failure(training.FailureUnreachable)
	for range 10 { // one completion's own retries are one
		_, tripped := w.step(1, reads)
		require.False(t, tripped)
	}
	w.now = start.Add(time.Minute)
	_, tripped := w.step(2, reads)
	require.False(t, tripped)
	trip, tripped := w.step(3, reads)
	require.True(t, tripped)
	require.Equal(t, breaker.Trip{Since: start, Failure: *failure(training.FailureUnreachable), Completion: "3"}, trip)
	_, tripped = w.step(4, reads)
	require.True(t, tripped, "half open: the next failure says the same")
}

// An answer of whatever kind begins the count anew; what says nothing about the target does not.
func TestWhatAnAnswerSays(t *testing.T) {
	short, long := failure(training.FailureRateLimited), failure(training.FailureRateLimited)
	short.RetryAfter, long.RetryAfter = time.Minute, 2*time.Hour
	ours := failure(training.FailureUnreachable)
	ours.Detail = breaker.JournalDetail
	for name, test := range map[string]struct {
		err     error
		tripped bool // by the fourth of four, the second of which is this
	}{
		"success":                 {nil, false},
		"not found":               {failure(training.FailureRecordMissing), false},
		"refused":                 {failure(training.FailureRefused), false},
		"unreadable":              {failure(training.FailureMisread), true},
		"a moment's rate limit":   {short, true},
		"our own journal is away": {ours, true},
		"the worker stops":        {fmt.Errorf("read: %w", context.Canceled), true},
		"no service account":      {failure(training.FailureCredentials), true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatcher(t)
			var tripped bool
			for n, err := range []error{failure(training.FailureUnreachable), test.err, failure(training.FailureUnreachable), failure(training.FailureUnreachable)} {
				w.client.read = err
				_, tripped = w.step(n, reads)
			}
			require.Equal(t, test.tripped, tripped)
		})
	}
	t.Run("a long Retry-After is an outage by itself", func(t *testing.T) {
		w := newWatcher(t)
		w.client.read = long
		trip, tripped := w.step(1, reads)
		require.True(t, tripped)
		require.Equal(t, start.Add(2*time.Hour), trip.Until)
	})
}

// A QMS that can be read and not written is held all the same, and a known employee is no answer.
func TestReadsDoNotHideThatWritesFail(t *testing.T) {
	w := newWatcher(t)
	w.client.write = failure(training.FailureUnreachable)
	var tripped bool
	for n := range 3 {
		_, tripped = w.step(n, func(ctx context.Context, c *breaker.Watch) {
			reads(ctx, c)
			require.False(t, c.Silent())
			writes(ctx, c)
			reads(ctx, c)
			require.True(t, c.Silent(), "that the record could be read does not say that it was written")
		})
	}
	require.True(t, tripped)

	w = newWatcher(t)
	w.client.read = failure(training.FailureUnreachable)
	for n := range 3 {
		_, tripped = w.step(n, func(ctx context.Context, c *breaker.Watch) {
			require.NoError(t, c.Employee(ctx, "HR-1"))
			require.False(t, c.Asked())
			reads(ctx, c)
			require.True(t, c.Silent())
		})
	}
	require.True(t, tripped)
	w.client.write = nil
	w.step(9, writes)
	_, tripped = w.step(10, reads)
	require.False(t, tripped, "a write that was answered is an answer")
}

// An outage that only enrollments see is seen; but what they alone need, to create records, holds no completion, and
// that it works does not hide that records cannot be completed.
func TestEnrollmentsCount_R98(t *testing.T) {
	creates := func(ctx context.Context, c *breaker.Watch) { _, _ = c.Create(ctx, training.NewRecord{}, "") }
	enrollment := func(w *watcher, n int, ask func(context.Context, *breaker.Watch)) bool {
		watch := w.breaker.WatchEnrollment(&w.client, training.EnrollmentKey(fmt.Sprint("e", n)))
		ask(t.Context(), watch)
		trip, tripped := watch.Tripped()
		if tripped {
			require.Equal(t, training.Fingerprint(fmt.Sprint("e", n)), trip.Completion)
		}
		return tripped
	}
	w := newWatcher(t)
	w.client.read = failure(training.FailureUnreachable)
	require.False(t, enrollment(w, 1, reads))
	require.False(t, enrollment(w, 1, reads), "the same one again")
	require.False(t, enrollment(w, 2, reads))
	require.True(t, enrollment(w, 3, reads))

	for _, class := range []training.FailureClass{training.FailureCredentials, training.FailureUnreachable} {
		w = newWatcher(t)
		w.client.create = failure(class)
		for n := range 9 {
			require.False(t, enrollment(w, n, creates), class)
		}
	}
	spent := failure(training.FailureRateLimited)
	spent.RetryAfter = 2 * time.Hour
	w.client.create = spent
	require.True(t, enrollment(w, 9, creates), "a budget is that of all calls")

	w = newWatcher(t)
	w.client.write = failure(training.FailureUnreachable)
	var tripped bool
	for n := range 3 {
		enrollment(w, n, creates)
		_, tripped = w.step(n, writes)
	}
	require.True(t, tripped)
}

// What failed days ago does not count.
func TestOldFailuresAreForgotten(t *testing.T) {
	w := newWatcher(t)
	w.client.read = failure(training.FailureUnreachable)
	for n := range 6 {
		_, tripped := w.step(n, reads)
		require.False(t, tripped, n)
		w.now = w.now.Add(25 * time.Hour)
	}
}
