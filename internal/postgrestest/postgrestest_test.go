package postgrestest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func count(t *testing.T, dsn string) (n int) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(context.Background(), `CREATE TABLE IF NOT EXISTS rows (n integer)`)
	require.NoError(t, err)
	_, err = db.ExecContext(context.Background(), `INSERT INTO rows VALUES (1)`)
	require.NoError(t, err)
	require.NoError(t, db.QueryRowContext(context.Background(), `SELECT count(*) FROM rows`).Scan(&n))
	return n
}

func TestEveryDatabaseIsFresh(t *testing.T) {
	one, two := Start(t), Start(t)
	require.NotEqual(t, one, two)
	require.Equal(t, 1, count(t, one))
	require.Equal(t, 1, count(t, two))
	require.Equal(t, 2, count(t, one))
}

func TestServerStopsAndReturnsWithItsData(t *testing.T) {
	server := StartServer(t)
	dsn := server.Database(t)
	require.Equal(t, 1, count(t, dsn))
	require.NoError(t, server.Stop())
	require.Error(t, server.Exec("SELECT 1"))
	require.NoError(t, server.Start())
	require.Equal(t, 2, count(t, dsn))
}

func TestNothingIsLeftBehind(t *testing.T) {
	server, err := newServer()
	available(t, err)
	require.DirExists(t, server.dir)
	// Closing the lifeline is what the end of the process does, however it ends.
	require.NoError(t, server.lifeline.Close())
	require.Eventually(t, func() bool {
		_, err := os.Stat(server.dir)
		return errors.Is(err, os.ErrNotExist)
	}, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, server.supervisor.Wait())
}

// A server for a program listens on its port too, and lives in the folder it was given.
func TestAServerForAProgramListensOnItsPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port, err := netip.ParseAddrPort(listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	parent, err := os.MkdirTemp("", "pg") //nolint:usetesting // another account has to get into it, and t.TempDir lets none
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(parent)) })
	require.NoError(t, os.Chmod(parent, 0o777|os.ModeSticky), "for the account of the server")

	server, err := NewServer(Options{Dir: parent, Port: int(port.Port())})
	available(t, err)
	require.NoError(t, server.Exec("CREATE DATABASE one"))
	require.Equal(t, 1, count(t, server.DSN("one")))
	require.Equal(t, 2, count(t, fmt.Sprintf("postgres://postgres@%s/one?sslmode=disable", port)))
	require.NoError(t, server.Close())
	left, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Empty(t, left)
}

// recorder notes how a test was ended.
type recorder struct {
	testing.TB
	ended string
}

func (*recorder) Helper() {}
func (r *recorder) Skipf(text string, args ...any) {
	r.ended = "skipped: " + fmt.Sprintf(text, args...)
}
func (r *recorder) Fatalf(text string, args ...any) {
	r.ended = "failed: " + fmt.Sprintf(text, args...)
}

func TestMissingServerFailsInCIOnly(t *testing.T) {
	for _, test := range []struct {
		name, ci string
		err      error
		ended    string
	}{
		{"installed", "", nil, ""},
		{"not installed", "", ErrNotInstalled, "skipped: the PostgreSQL half of this suite is NOT run"},
		{"not installed in CI", "true", ErrNotInstalled, "failed: start PostgreSQL"},
		{"installed but broken", "", errors.New("initdb: exit status 1"), "failed: start PostgreSQL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("CI", test.ci)
			r := &recorder{TB: t}
			available(r, test.err)
			if test.ended == "" {
				require.Empty(t, r.ended)
				return
			}
			require.Contains(t, r.ended, test.ended)
		})
	}
}
