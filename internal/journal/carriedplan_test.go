package journal

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/postgrestest"
	"countersign/internal/training"
)

// However many completions are queued for the first time: which records are carried is asked of none of them, and none
// of them pays for that with an index to stand in.
func TestCarriedLooksAtNothingThatIsQueuedForTheFirstTime(t *testing.T) {
	const queuedAtOnce = 2000
	fill := func(t *testing.T, dsn string) *Journal {
		j, err := Open(t.Context(), dsn, Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, j.Close()) })
		var cs []training.Completion
		for n := range queuedAtOnce {
			cs = append(cs, training.Completion{Tenant: "acme", Source: "lms", Learner: training.Learner{ID: fmt.Sprint(n)}})
		}
		_, err = j.Append(t.Context(), Delivery{Tenant: "acme", Source: "lms", Verdict: VerdictAccepted}, cs)
		require.NoError(t, err)
		return j
	}
	t.Run("sqlite", func(t *testing.T) {
		j := fill(t, filepath.Join(t.TempDir(), "journal.db"))
		steps := plan(t, j, selectCarried(100))
		require.Contains(t, steps, "SEARCH completions USING INDEX completions_started_of (tenant=?)")
		require.Contains(t, steps, "SEARCH completions USING COVERING INDEX completions_requeued (tenant=? AND record_id=?)")
		var stand int
		require.NoError(t, j.read.QueryRowContext(t.Context(), `SELECT count(*) FROM completions INDEXED BY completions_requeued
			WHERE state = 'QUEUED' AND record_id <> ''`).Scan(&stand))
		require.Zero(t, stand)
	})
	t.Run("postgres", func(t *testing.T) {
		j := fill(t, postgrestest.Start(t))
		_, err := j.write.ExecContext(t.Context(), "ANALYZE completions")
		require.NoError(t, err)
		var args []any
		for range 2 {
			args = append(args, "acme")
			for n := range 100 {
				args = append(args, fmt.Sprint("TR-", n))
			}
		}
		steps, err := list(t.Context(), j, j.read, scanString, `EXPLAIN `+selectCarried(100), args...)
		require.NoError(t, err)
		text := strings.Join(steps, "\n")
		require.Contains(t, text, "completions_requeued")
		require.NotContains(t, text, "completions_queued")
		require.NotContains(t, text, "Seq Scan")
		var bytes int
		require.NoError(t, j.read.QueryRowContext(t.Context(), `SELECT pg_relation_size('completions_requeued')`).Scan(&bytes))
		require.LessOrEqual(t, bytes, 8192, "the index is its first page, with nothing in it")
	})
}
