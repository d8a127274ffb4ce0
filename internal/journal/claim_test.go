package journal_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

func claim(t testing.TB, j *journal.Journal, limit int, lease time.Duration) []training.Fingerprint {
	t.Helper()
	claimed, err := j.Claim(context.Background(), limit, lease)
	require.NoError(t, err)
	var fps []training.Fingerprint
	for _, c := range claimed {
		fps = append(fps, c.Fingerprint)
	}
	return fps
}

func TestClaimTakesOldestFirstUpToTheLimit(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		var fps []training.Fingerprint
		for n := range 6 {
			fps = append(fps, add(t, j, "acme", n, n+1)...)
			clock.Advance(time.Second)
		}

		claimed, err := j.Claim(ctx, 2, time.Minute)
		require.NoError(t, err)
		require.Len(t, claimed, 2)
		first := claimed[0]
		require.NotEmpty(t, first.DeliveryID)
		first.DeliveryID = ""
		require.Equal(t, journal.Claimed{Tenant: "acme", Source: "lms", Platform: "canonical",
			Fingerprint: fps[0], CourseLabel: "GDPR-2026", ReceivedAt: newClock().Now()}, first)
		require.Equal(t, fps[1], claimed[1].Fingerprint)
		require.Equal(t, training.StateStarting, state(t, j, "acme", fps[0]))

		require.Empty(t, claim(t, j, 2, time.Minute), "both slots are taken by STARTING")
		require.NoError(t, j.Started(ctx, "acme", fps[0]))
		require.Empty(t, claim(t, j, 2, time.Minute), "RUNNING takes a slot too")
		require.NoError(t, j.Project(ctx, "acme", fps[0], journal.Projection{State: training.StateRetrying}))
		require.Equal(t, fps[2:3], claim(t, j, 2, time.Minute), "a wait takes none")
		require.NoError(t, j.Release(ctx, "acme", fps[1]))
		require.Equal(t, fps[1:2], claim(t, j, 2, time.Minute), "released, and the oldest again")
		require.Empty(t, claim(t, j, 0, time.Minute))
		require.Equal(t, fps[3:6], claim(t, j, 100, time.Minute))
		require.Empty(t, claim(t, j, 100, time.Minute), "nothing is left")
	})
}

func TestLapsedLeaseIsClaimedAgain(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		fps := add(t, j, "acme", 0, 1)
		require.Equal(t, fps, claim(t, j, 10, time.Minute))
		clock.Advance(time.Minute - time.Microsecond)
		require.Empty(t, claim(t, j, 10, time.Minute))
		clock.Advance(time.Microsecond)
		require.Equal(t, fps, claim(t, j, 10, time.Minute))
		require.NoError(t, j.Started(context.Background(), "acme", fps[0]))
		clock.Advance(time.Hour)
		require.Empty(t, claim(t, j, 10, time.Minute), "RUNNING has no lease")
	})
}

// A starter whose clock was an hour ahead has claimed and is gone: nobody waits for that hour.
func TestLeaseThatAClockAheadHasGivenIsOver(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		fps := add(t, j, "acme", 0, 1)
		enrol(t, j, "acme", 0, 1)
		enrolled := func() int {
			claimed, err := j.ClaimEnrollments(t.Context(), 10, time.Minute)
			require.NoError(t, err)
			return len(claimed)
		}
		clock.Advance(time.Hour)
		require.Equal(t, fps, claim(t, j, 10, time.Minute))
		require.Equal(t, 1, enrolled())
		clock.Advance(-4 * time.Minute)
		require.Empty(t, claim(t, j, 10, time.Minute), "clocks differ by a little")
		require.Zero(t, enrolled())
		clock.Advance(-56 * time.Minute)
		require.Equal(t, fps, claim(t, j, 10, time.Minute))
		require.Equal(t, 1, enrolled())
		require.Empty(t, claim(t, j, 10, time.Minute), "this lease counts")
		require.Zero(t, enrolled())
	})
}

func TestClaimIsFairByTenant(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		for _, queued := range []struct {
			tenant string
			n      int
		}{{"acme", 40}, {"globex", 1}, {"initech", 3}} { // acme came first, with everything
			add(t, j, queued.tenant, 0, queued.n)
			clock.Advance(time.Second)
		}
		perTenant := func(limit int) map[string]int {
			claimed, err := j.Claim(ctx, limit, time.Minute)
			require.NoError(t, err)
			n := map[string]int{}
			for _, c := range claimed {
				n[c.Tenant]++
				require.NoError(t, j.Started(ctx, c.Tenant, c.Fingerprint))
			}
			return n
		}
		require.Equal(t, map[string]int{"acme": 1, "globex": 1}, perTenant(2))
		require.Equal(t, map[string]int{"acme": 1, "initech": 2}, perTenant(5))
		require.Equal(t, map[string]int{"acme": 2, "initech": 1}, perTenant(8), "initech has one left; the rest is acme's")
		add(t, j, "globex", 1, 10)
		require.Equal(t, map[string]int{"globex": 3}, perTenant(11), "the one with the fewest in flight catches up")
	})
}

func TestTwoStartersNeverShareACompletion(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		journals := []*journal.Journal{open(t, dsn, journal.Options{}), open(t, dsn, journal.Options{})}
		const queued, limit = 90, 12
		for _, tenant := range []string{"acme", "globex", "initech"} {
			var cs []training.Completion
			for n := range queued / 3 {
				cs = append(cs, completion(tenant, n))
			}
			_, err := journals[0].Append(ctx, delivery(tenant), cs)
			require.NoError(t, err)
		}
		var (
			group  sync.WaitGroup
			mu     sync.Mutex
			times  = map[training.Fingerprint]int{}
			flying int
			most   int
			errs   []error
		)
		for starter := range 4 {
			j := journals[starter%2]
			group.Go(func() {
				for {
					claimed, err := j.Claim(ctx, limit, time.Hour)
					mu.Lock()
					for _, c := range claimed {
						times[c.Fingerprint]++
					}
					flying += len(claimed)
					most = max(most, flying)
					done := len(times) == queued || err != nil
					errs = append(errs, err)
					mu.Unlock()
					for _, c := range claimed {
						mu.Lock()
						flying-- // before it is true in the journal, so that flying is never too high
						mu.Unlock()
						if err := j.Project(ctx, c.Tenant, c.Fingerprint, journal.Projection{State: training.StateCompleted}); err != nil {
							mu.Lock()
							errs = append(errs, err)
							mu.Unlock()
						}
					}
					if done {
						return
					}
				}
			})
		}
		group.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.Len(t, times, queued)
		for fp, n := range times {
			require.Equal(t, 1, n, fp)
		}
		require.LessOrEqual(t, most, limit)
	})
}
