package journal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// A record is carried into from the moment it is known until the completion has ended, also while that is queued again;
// what other tenants carry counts for nobody else.
func TestCarriedIsWhatHasNotEnded_R143(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		project := func(tenant string, fp training.Fingerprint, state training.State, record string) {
			require.NoError(t, j.Project(ctx, tenant, fp, journal.Projection{State: state, RecordID: record}))
		}
		fps := add(t, j, "acme", 0, 7) // the last one stays as it came
		project("acme", fps[0], training.StateRunning, "TR-running")
		project("acme", fps[1], training.StateInReview, "TR-review")
		project("acme", fps[2], training.StateWaitingSignature, "TR-unsigned")
		project("acme", fps[3], training.StateRunning, "TR-ended")
		project("acme", fps[3], training.StateCompleted, "")
		project("acme", fps[4], training.StateRunning, "TR-again")
		again, err := j.Completion(ctx, "acme", fps[4])
		require.NoError(t, err)
		require.NoError(t, j.Requeue(ctx, "acme", fps[4], again.UpdatedAt))
		again, err = j.Completion(ctx, "acme", fps[4])
		require.NoError(t, err)
		require.Equal(t, training.StateQueued, again.State)
		project("acme", fps[5], training.StateRunning, "")
		project("globex", add(t, j, "globex", 0, 1)[0], training.StateRunning, "TR-elsewhere")

		var asked []string // more than one statement takes
		for n := range 850 {
			asked = append(asked, fmt.Sprint("TR-foreign-", n))
		}
		asked = append(asked, "TR-running", "TR-review", "TR-unsigned", "TR-ended", "TR-again", "TR-elsewhere", "")
		carried, err := j.Carried(ctx, "acme", asked)
		require.NoError(t, err)
		delete(carried, "") // one that has no record yet is started: no training record has this id
		require.Equal(t, map[string]bool{"TR-running": true, "TR-review": true, "TR-unsigned": true, "TR-again": true}, carried)
		carried, err = j.Carried(ctx, "globex", asked)
		require.NoError(t, err)
		require.Equal(t, map[string]bool{"TR-elsewhere": true}, carried)
		carried, err = j.Carried(ctx, "acme", nil)
		require.NoError(t, err)
		require.Empty(t, carried)
	})
}

// BenchmarkCarried asks for a page of records, none of which is ours, while 100,000 completions are queued and 1,000
// wait for a signature.
func BenchmarkCarried(b *testing.B) {
	eachBenchmark(b, func(b *testing.B, dsn string) {
		ctx := context.Background()
		j := open(b, dsn, journal.Options{})
		queue := func(from, to int) {
			for start := from; start < to; start += 1000 {
				var cs []training.Completion
				for n := range 1000 {
					cs = append(cs, completion("acme", start+n))
				}
				_, err := j.Append(ctx, delivery("acme"), cs)
				require.NoError(b, err)
			}
		}
		queue(0, 1000)
		claimed, err := j.Claim(ctx, 1000, time.Hour)
		require.NoError(b, err)
		for n, c := range claimed {
			p := journal.Projection{State: training.StateWaitingSignature, RecordID: fmt.Sprint("TR-", n)}
			require.NoError(b, j.Project(ctx, c.Tenant, c.Fingerprint, p))
		}
		queue(1000, 101_000)
		var page []string
		for n := range 400 {
			page = append(page, fmt.Sprint("TR-foreign-", n))
		}
		for b.Loop() {
			carried, err := j.Carried(ctx, "acme", page)
			require.NoError(b, err)
			require.Empty(b, carried)
		}
	})
}
