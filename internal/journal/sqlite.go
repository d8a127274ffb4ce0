package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteReaders is how many reads run beside the writer; WAL lets them neither wait nor block.
const sqliteReaders = 4

type sqliteDialect struct{}

// openSQLite opens path twice: one connection that writes and a pool that cannot.
func openSQLite(ctx context.Context, path string) (_ database, err error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return database{}, errors.New("SQLite needs the path of a file: what is in memory is not durable")
	}
	if path, err = filepath.Abs(path); err != nil {
		return database{}, fmt.Errorf("SQLite path: %w", err)
	}
	// SQLite would make the file readable for everybody; it holds personal data. The -wal and
	// -shm files beside it get the mode of this one.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return database{}, fmt.Errorf("SQLite file: %w", err)
	}
	if err := file.Close(); err != nil {
		return database{}, fmt.Errorf("SQLite file: %w", err)
	}

	write, err := openKeeping(sqliteURI(path, "_txlock", "immediate", "_foreign_keys", "on",
		// WAL flushes at every commit only with FULL; with NORMAL a power cut loses the last ones.
		"_journal_mode", "WAL", "_synchronous", "FULL",
		// Without it, INSERT OR REPLACE would delete rows behind the triggers' back.
		"_pragma", "recursive_triggers(on)",
		// A statement of many rows keeps what it changes until it is through; in a file by default.
		"_pragma", "temp_store(memory)", "_pragma", "wal_autocheckpoint(4000)", "_pragma", "cache_size(-16384)"))
	if err != nil {
		return database{}, fmt.Errorf("SQLite file: %w", err)
	}
	write.SetMaxOpenConns(1)
	read, err := openKeeping(sqliteURI(path, "_query_only", "on"))
	if err != nil {
		return database{}, errors.Join(fmt.Errorf("SQLite file: %w", err), write.Close())
	}
	read.SetMaxOpenConns(sqliteReaders)
	read.SetMaxIdleConns(sqliteReaders)

	db := database{dialect: sqliteDialect{}, write: write, read: read}
	if db.turns, err = openTurns(path); err != nil {
		return database{}, errors.Join(err, db.close())
	}
	if err := checkSQLite(ctx, write); err != nil {
		return database{}, errors.Join(err, db.close())
	}
	return db, nil
}

// sqliteURI is path as an SQLite URI, in which a ? or % in the path means itself. Every
// connection waits up to 10 seconds for another process's transaction.
func sqliteURI(path string, settings ...string) string {
	values := url.Values{"_busy_timeout": {"10000"}}
	for i := 0; i < len(settings); i += 2 {
		values.Add(settings[i], settings[i+1])
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // Windows: file:///C:/...
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: values.Encode()}).String()
}

// checkSQLite reads back what was asked for, because SQLite keeps silent when it cannot do it, e.g.
// WAL on a network file system.
func checkSQLite(ctx context.Context, db *sql.DB) error {
	var mode string
	var synchronous int
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return fmt.Errorf("open SQLite file: %w", err)
	}
	if err := db.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&synchronous); err != nil {
		return fmt.Errorf("open SQLite file: %w", err)
	}
	const full = 2
	if mode != "wal" || synchronous != full {
		return fmt.Errorf("%w: SQLite runs with journal_mode=%s synchronous=%d, needed are wal and %d; put the file on a local disk",
			ErrNotDurable, mode, synchronous, full)
	}
	return nil
}

func (sqliteDialect) rebind(query string) string { return query }

func (sqliteDialect) committers() int { return 1 }

func (sqliteDialect) refusesContent(err error) bool {
	var refused *sqlite.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code() & 0xff { // the primary code, without SQLite's extension
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		return true
	default:
		return false
	}
}

func (sqliteDialect) missesReference(err error) bool {
	var refused *sqlite.Error
	return errors.As(err, &refused) && refused.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// lockClaims has nothing to do: a write transaction is the only one from its begin (_txlock).
func (sqliteDialect) lockClaims(context.Context, *sql.Tx) error { return nil }

// migrate makes all pending migrations one transaction, begun before goose looks at what is pending:
// a second process waits for it and then finds nothing to do. goose has no lock for SQLite; but
// the pool has only one connection, so goose finds itself within the transaction.
func (sqliteDialect) migrate(ctx context.Context, db *sql.DB) error {
	return inOneTransaction(ctx, db, func() error {
		// Isolated DDL is goose's word for no transactions of its own: they do not nest.
		return applyMigrations(ctx, db, goose.DialectSQLite3, "migrations/sqlite", goose.WithIsolateDDL(true))
	})
}

// inOneTransaction makes steps, which find themselves within it, one transaction. What they sort, as for an index over
// all completions, may be larger than the memory: it is kept in files, which cannot be changed within a transaction.
func inOneTransaction(ctx context.Context, db *sql.DB, steps func() error) (err error) {
	if _, err := db.ExecContext(ctx, `PRAGMA temp_store = file`); err != nil {
		return fmt.Errorf("sort in files: %w", err)
	}
	always := context.WithoutCancel(ctx)
	defer func() {
		_, again := db.ExecContext(always, `PRAGMA temp_store = memory`)
		err = errors.Join(err, again)
	}()
	if _, err := db.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	err = steps()
	end := `COMMIT`
	if err != nil {
		end = `ROLLBACK`
	}
	_, endErr := db.ExecContext(always, end)
	return errors.Join(err, endErr)
}
