package journal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/postgrestest"
	"countersign/internal/training"
)

func examined(t testing.TB, dsn string) *journal.Examiner {
	t.Helper()
	e, err := journal.Examine(context.Background(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func TestExamineFindsAJournalAsItIs_R220(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		add(t, j, "acme", 0, 3)
		e := examined(t, dsn) // beside the open journal

		facts, err := e.Facts(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, facts.Version)
		require.Empty(t, facts.Pending)
		require.Empty(t, facts.Unknown)
		if facts.Postgres == nil {
			require.True(t, facts.WAL)
			require.True(t, filepath.IsAbs(facts.Path))
		} else {
			require.Equal(t, journal.PostgresFacts{Fsync: facts.Postgres.Fsync, FullPageWrites: "on", SynchronousCommit: "on"}, *facts.Postgres)
		}

		waiting, err := e.Backlog(t.Context())
		require.NoError(t, err)
		require.Equal(t, journal.Backlog{Queued: 3, Oldest: clock.Now()}, waiting)
	})
}

func TestExamineSaysWhichMigrationsAreToBeMade(t *testing.T) {
	dsn := postgrestest.Start(t)
	facts, err := examined(t, dsn).Facts(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), facts.Pending[0])

	empty := filepath.Join(t.TempDir(), "journal.db")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	facts, err = examined(t, "sqlite:"+empty).Facts(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), facts.Pending[0])
}

func TestExamineTakesAPostgresThatOpenRefuses(t *testing.T) {
	server := postgrestest.StartServer(t)
	dsn := server.Database(t)
	name := dsn[strings.LastIndex(dsn, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	require.NoError(t, server.Exec("ALTER DATABASE "+name+" SET synchronous_commit = off"))
	_, err := journal.Open(t.Context(), dsn, journal.Options{})
	require.ErrorIs(t, err, journal.ErrNotDurable)
	facts, err := examined(t, dsn).Facts(t.Context())
	require.NoError(t, err)
	require.Equal(t, "off", facts.Postgres.SynchronousCommit)
}

func TestExamineMakesAndChangesNoFile(t *testing.T) {
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "journal #1?100%.db")
	_, err := journal.Examine(t.Context(), dsn)
	require.ErrorIs(t, err, journal.ErrNoFile)
	require.Empty(t, files(t, dir), "what is not there is not made")

	j, err := journal.Open(t.Context(), dsn, journal.Options{})
	require.NoError(t, err)
	add(t, j, "acme", 0, 3)
	require.NoError(t, j.Close())
	before := files(t, dir)
	e, err := journal.Examine(t.Context(), dsn)
	require.NoError(t, err)
	_, err = e.Facts(t.Context())
	require.NoError(t, err)
	found, err := e.Sample(t.Context(), "acme", "8", 10)
	require.NoError(t, err)
	require.Len(t, found, 3)
	require.NoError(t, e.Close())
	require.Equal(t, before, files(t, dir))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "text.db"), []byte(strings.Repeat("no database ", 20)), 0o600))
	_, err = journal.Examine(t.Context(), filepath.Join(dir, "text.db"))
	require.ErrorContains(t, err, "is no SQLite database")

	_, err = journal.Examine(t.Context(), "postgres://nobody:s3cret@/none?host=/no/such/folder")
	require.Error(t, err)
	require.NotErrorIs(t, err, journal.ErrNoFile, "a socket that is not there is something else")
	require.NotContains(t, err.Error(), "s3cret")
}

// files are the names and contents of a folder.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		all[entry.Name()] = string(content)
	}
	return all
}

func TestSampleIsOfTheTenantNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		add(t, j, "globex", 0, 2)
		for n := range 5 {
			clock.Advance(time.Hour)
			add(t, j, "acme", n, n+1)
		}
		e := examined(t, dsn)
		for _, from := range []training.Fingerprint{"", "0", "8", "ffff"} {
			found, err := e.Sample(t.Context(), "acme", from, 3)
			require.NoError(t, err)
			var learners []string
			for _, c := range found {
				require.Equal(t, "acme", c.Tenant)
				learners = append(learners, c.Learner.ID)
			}
			require.Equal(t, []string{"u4", "u3", "u2"}, learners, "from %q on and around", from)
		}
		found, err := e.Sample(t.Context(), "umbrella", "8", 3)
		require.NoError(t, err)
		require.Empty(t, found)
	})
}

func TestTrafficCountsTheStreakOfFailures_R136(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		send := func(source string, verdicts ...journal.Verdict) {
			for _, verdict := range verdicts {
				clock.Advance(time.Minute)
				d := delivery("acme")
				d.Source, d.Verdict, d.Reason = source, verdict, fmt.Sprint("reason ", clock.Now().Minute())
				_, err := j.Append(t.Context(), d, nil)
				require.NoError(t, err)
			}
		}
		const rejected, ignored, unmapped, test = journal.VerdictRejected, journal.VerdictIgnored, journal.VerdictUnmapped, journal.VerdictTest
		send("old", ignored)
		send("lms", rejected, ignored, rejected, test, rejected) // a test says nothing of the integration
		send("mended", rejected, rejected, ignored)
		send("strange", rejected, unmapped, unmapped, rejected)
		latest := clock.Now()
		e := examined(t, dsn)

		found, partial, err := e.Traffic(t.Context(), 100)
		require.NoError(t, err)
		require.False(t, partial)
		bySource := map[string]journal.Traffic{}
		for _, traffic := range found {
			bySource[traffic.Source] = traffic
		}
		require.Len(t, bySource, 4)
		require.Equal(t, 2, bySource["lms"].Streak)
		require.Equal(t, 0, bySource["mended"].Streak)
		require.Equal(t, journal.Traffic{Tenant: "acme", Source: "strange", LastAt: latest, Streak: 1, Unmapped: 2,
			Reason: fmt.Sprint("reason ", latest.Minute())}, bySource["strange"])

		found, partial, err = e.Traffic(t.Context(), 12)
		require.NoError(t, err)
		require.True(t, partial, "the oldest lies outside of the window")
		require.Len(t, found, 3)
	})
}
