// Package postgrestest gives tests a real PostgreSQL: it starts one server per test binary from
// the binaries installed on the machine and a fresh database per test. Nothing is
// downloaded, no port is opened (Unix socket only), and nothing is left behind.
package postgrestest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// ErrNotInstalled means that no PostgreSQL server is installed on this machine.
var ErrNotInstalled = errors.New("postgresql is not installed (looked for initdb and pg_ctl in PATH and /usr/lib/postgresql/*/bin)")

// shared is the server of this test binary, started by the first test that asks for it. It lives
// as long as the process (see supervisor).
var shared = sync.OnceValues(newServer)

var databases atomic.Int64

// Start returns the DSN of a fresh database that only this test uses and that is dropped at its
// end. Without an installed PostgreSQL the test is skipped with that reason, so that
// `go test ./...` passes on a machine that has only Go; where CI is set it fails instead.
func Start(t testing.TB) string {
	t.Helper()
	server, err := shared()
	available(t, err)
	return server.Database(t)
}

// StartServer starts a server of the test's own, for tests that stop it or change its
// configuration. It is stopped at the end of the test; a missing PostgreSQL is treated as in Start.
func StartServer(t testing.TB) *Server {
	t.Helper()
	server, err := newServer()
	available(t, err)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return server
}

func available(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrNotInstalled) && os.Getenv("CI") == "":
		t.Skipf("the PostgreSQL half of this suite is NOT run: %v", err)
	default:
		t.Fatalf("start PostgreSQL: %v", err)
	}
}

// Database creates a fresh database on s and returns its DSN; it is dropped at the end of the test.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := s.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// FORCE, because a test that simulates a crash leaves its connections open.
		if err := s.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.dsn(name)
}

// Exec runs statements as superuser in the maintenance database, each outside a transaction.
func (s *Server) Exec(statements ...string) (err error) {
	db, err := sql.Open("pgx", s.dsn("postgres"))
	if err != nil {
		return fmt.Errorf("open maintenance database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range statements {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
