package journal

import (
	"context"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"countersign/internal/training"
)

// These tests reach into the journal, because what they need is a property of its one writing
// connection.

// nth is the n-th completion.
func nth(n int) training.Completion {
	return training.Completion{
		Tenant: "acme", Source: "lms", Learner: training.Learner{ID: "u"}, Course: training.Course{ID: "c"},
		CompletedAt: time.Unix(int64(n), 0), Precision: training.PrecisionMillisecond,
	}
}

func appended(j *Journal, n int, body []byte) (training.Fingerprint, error) {
	d := Delivery{Tenant: "acme", Source: "lms", Body: body, Verdict: VerdictAccepted}
	_, err := j.Append(context.Background(), d, []training.Completion{nth(n)})
	return nth(n).Fingerprint(), err
}

func TestFullDiskIsAnErrorAndRecovers(t *testing.T) {
	ctx := context.Background()
	j, err := Open(ctx, filepath.Join(t.TempDir(), "journal.db"), Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()

	var pages int
	require.NoError(t, j.write.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages))
	limit := func(pages int) {
		var now int
		require.NoError(t, j.write.QueryRowContext(ctx, `PRAGMA max_page_count = `+strconv.Itoa(pages)).Scan(&now))
		require.Equal(t, pages, now)
	}
	limit(pages + 60)

	const appends = 64
	fps, errs := make([]training.Fingerprint, appends), make([]error, appends)
	var group sync.WaitGroup
	for n := range appends {
		group.Go(func() { fps[n], errs[n] = appended(j, n, make([]byte, 16<<10)) })
	}
	group.Wait()
	refused := 0
	for n, fp := range fps {
		_, found := j.Completion(ctx, "acme", fp)
		if errs[n] == nil {
			require.NoError(t, found, "acknowledged means stored")
			continue
		}
		refused++
		require.ErrorIs(t, found, ErrNotFound)
		var full *sqlite.Error
		require.ErrorAs(t, errs[n], &full)
		require.Equal(t, sqlite3.SQLITE_FULL, full.Code())
	}
	require.Positive(t, refused, "the disk was full")

	limit(pages + 10_000) // there is space again, and nobody restarted anything
	fp, err := appended(j, appends, make([]byte, 16<<10))
	require.NoError(t, err)
	_, err = j.Completion(ctx, "acme", fp)
	require.NoError(t, err)
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "journal.db")
	db, err := openSQLite(ctx, path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.close()) }()
	_, err = db.write.ExecContext(ctx, `CREATE TABLE effects (in_the_way INTEGER)`)
	require.NoError(t, err)

	_, err = Open(ctx, path, Options{})
	require.ErrorContains(t, err, "migrate")
	var tables int
	require.NoError(t, db.read.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table'`).Scan(&tables))
	require.Equal(t, 1, tables, "only what was in the way")

	_, err = db.write.ExecContext(ctx, `DROP TABLE effects`)
	require.NoError(t, err)
	j, err := Open(ctx, path, Options{})
	require.NoError(t, err)
	require.NoError(t, j.Close())
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	ctx := context.Background()
	j, err := Open(ctx, filepath.Join(t.TempDir(), "journal.db"), Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	fp, err := appended(j, 1, nil)
	require.NoError(t, err)

	tx, err := j.write.BeginTx(ctx, nil) // the only writer, in the middle of its work
	require.NoError(t, err)
	_, err = j.Completion(ctx, "acme", fp)
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
}

func TestBusyWhenTooManyWait(t *testing.T) {
	ctx := context.Background()
	j, err := Open(ctx, filepath.Join(t.TempDir(), "journal.db"), Options{MaxQueued: 2, MaxBatch: 1})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()

	tx, err := j.write.BeginTx(ctx, nil) // holds the writer, so that the committer waits
	require.NoError(t, err)
	const appends = 10 // one in the committer's hands, two queued: at least seven are refused
	errs := make(chan error, appends)
	for n := range appends {
		go func() {
			_, err := appended(j, n, nil)
			errs <- err
		}()
	}
	for range appends - 3 {
		require.ErrorIs(t, <-errs, ErrBusy)
	}
	require.NoError(t, tx.Rollback())
	for range 3 {
		if err := <-errs; err != nil {
			require.ErrorIs(t, err, ErrBusy)
		}
	}
	_, err = appended(j, appends, make([]byte, maxQueuedBytes+1))
	require.ErrorIs(t, err, ErrBusy, "more than memory is meant to hold")
	_, err = appended(j, appends, nil)
	require.NoError(t, err)
}
