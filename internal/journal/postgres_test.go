package journal_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/postgrestest"
	"countersign/internal/training"
)

func TestRefusesPostgresThatForgets(t *testing.T) {
	server := postgrestest.StartServer(t)
	for _, test := range []struct{ name, spoil, mend string }{
		{"fsync", "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET fsync = on"},
		{"full_page_writes", "ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM SET full_page_writes = on"},
		{"synchronous_commit", "ALTER SYSTEM SET synchronous_commit = off", "ALTER SYSTEM SET synchronous_commit = on"},
		{"synchronous_commit", "ALTER ROLE postgres SET synchronous_commit = off", "ALTER ROLE postgres RESET synchronous_commit"},
	} {
		t.Run(test.spoil, func(t *testing.T) {
			dsn := server.Database(t)
			require.NoError(t, server.Exec(test.spoil, "SELECT pg_reload_conf()"))
			// A reload reaches the server's processes one by one, a new connection included.
			var err error
			require.Eventually(t, func() bool {
				var j *journal.Journal
				if j, err = journal.Open(context.Background(), dsn, journal.Options{}); err == nil {
					err = j.Close()
					return false
				}
				return true
			}, 10*time.Second, 20*time.Millisecond)
			require.ErrorIs(t, err, journal.ErrNotDurable)
			require.ErrorContains(t, err, test.name+"=off")
			require.ErrorContains(t, err, "SET "+test.name+" = on")
			require.NotContains(t, err.Error(), "%!", "format")

			require.NoError(t, server.Exec(test.mend, "SELECT pg_reload_conf()"))
			require.Eventually(t, func() bool {
				j, err := journal.Open(context.Background(), dsn, journal.Options{})
				return err == nil && j.Close() == nil
			}, 10*time.Second, 20*time.Millisecond)
		})
	}
}

func TestRefusesConnectionSettingThatForgets(t *testing.T) {
	dsn := postgrestest.Start(t)
	_, err := journal.Open(context.Background(), dsn+"&synchronous_commit=off", journal.Options{})
	require.ErrorIs(t, err, journal.ErrNotDurable)
}

func TestRecoversWhenPostgresReturns(t *testing.T) {
	ctx := context.Background()
	server := postgrestest.StartServer(t)
	j := open(t, server.Database(t), journal.Options{})
	before := add(t, j, "acme", 0, 10)

	require.NoError(t, server.Stop())
	require.Error(t, j.Ping(ctx))
	lost := completion("acme", 10)
	_, err := j.Append(ctx, delivery("acme"), []training.Completion{lost})
	require.Error(t, err, "never a false acknowledgement")
	_, err = j.Claim(ctx, 1, time.Minute)
	require.Error(t, err)

	require.NoError(t, server.Start())
	// The pool still holds connections of the old server; at most one call meets each.
	require.Eventually(t, func() bool { return j.Ping(ctx) == nil }, 10*time.Second, 10*time.Millisecond)
	for _, fp := range before {
		require.Equal(t, training.StateQueued, state(t, j, "acme", fp))
	}
	_, err = j.Completion(ctx, "acme", lost.Fingerprint())
	require.ErrorIs(t, err, journal.ErrNotFound)
	add(t, j, "acme", 10, 20)
}

func TestConnectionErrorShowsNoPassword(t *testing.T) {
	socket := url.QueryEscape(t.TempDir()) // nobody listens there
	_, err := journal.Open(context.Background(), "postgres://u:s3cret@/db?host="+socket, journal.Options{})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cret")
}
