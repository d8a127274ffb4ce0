package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// examine opens what openDatabase would, reading only.
func examine(ctx context.Context, dsn string) (*Examiner, error) {
	scheme, rest, found := strings.Cut(dsn, ":")
	switch {
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return examinePostgres(ctx, dsn)
	case found && scheme == "sqlite":
		return examineSQLite(ctx, rest)
	default:
		return examineSQLite(ctx, dsn)
	}
}

func examineSQLite(ctx context.Context, name string) (*Examiner, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("SQLite path: %w", err)
	}
	wal, err := readMode(name)
	if err != nil {
		return nil, err
	}
	settings := []string{"_query_only", "on", "mode", "ro"}
	// A reader of a file that nobody has open would make the -wal and -shm files beside it.
	if _, err := os.Stat(name + "-wal"); errors.Is(err, fs.ErrNotExist) {
		settings = append(settings, "immutable", "1")
	}
	db, err := sql.Open("sqlite", sqliteURI(name, settings...))
	if err != nil {
		return nil, fmt.Errorf("SQLite file: %w", err)
	}
	db.SetMaxOpenConns(sqliteReaders)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("SQLite file: %w", err), db.Close())
	}
	return &Examiner{
		journal:  &Journal{database: database{dialect: sqliteDialect{}, read: db}},
		facts:    Facts{Path: name, WAL: wal},
		migrated: `SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'`,
		inspect: func(ctx context.Context, db *sql.DB, f *Facts) error {
			return db.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&f.Version)
		},
	}, nil
}

// readMode reads from the file's header whether it is in write-ahead mode: https://www.sqlite.org/fileformat.html,
// 1.3.3. An empty file has no mode yet.
func readMode(name string) (wal bool, err error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, ErrNoFile
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	header := make([]byte, 100)
	switch n, err := io.ReadFull(file, header); {
	case n == 0 && errors.Is(err, io.EOF):
		return true, nil
	case err != nil || string(header[:16]) != "SQLite format 3\x00":
		return false, fmt.Errorf("%s is no SQLite database", name)
	}
	return header[18] == 2 && header[19] == 2, nil
}

func examinePostgres(ctx context.Context, dsn string) (*Examiner, error) {
	config, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `SET default_transaction_read_only = on`)
		return err
	}))
	db.SetMaxOpenConns(2)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to PostgreSQL: %w", err), db.Close())
	}
	return &Examiner{
		journal:  &Journal{database: database{dialect: postgresDialect{}, read: db}},
		inspect:  inspectPostgres,
		migrated: `SELECT count(*) FROM pg_tables WHERE tablename = 'goose_db_version' AND schemaname = ANY (current_schemas(false))`,
	}, nil
}

func inspectPostgres(ctx context.Context, db *sql.DB, f *Facts) error {
	p := PostgresFacts{}
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version'), current_setting('fsync'), current_setting('full_page_writes'),
			current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), pg_is_in_recovery(),
			inet_server_addr() IS NOT NULL AND inet_server_addr() IS DISTINCT FROM inet_client_addr(),
			coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)`).
		Scan(&f.Version, &p.Fsync, &p.FullPageWrites, &p.SynchronousCommit, &p.StandbyNames, &p.Standby, &p.Remote, &p.Encrypted)
	f.Postgres = &p
	return err
}

// migrationVersions are the numbers of the migrations in this program, the same for both databases.
func migrationVersions() ([]int64, error) {
	names, err := fs.Glob(migrationFiles, "migrations/sqlite/*.sql")
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		all = append(all, version)
	}
	slices.Sort(all)
	return all, nil
}

func scanSampled(row scanner) (Stored, error) {
	var (
		s          Stored
		document   string
		receivedAt int64
	)
	if err := row.Scan(&document, &receivedAt); err != nil {
		return s, err
	}
	s.ReceivedAt = instant(receivedAt)
	if err := json.Unmarshal([]byte(document), &s.Completion); err != nil {
		return s, fmt.Errorf("stored completion: %w", err)
	}
	return s, nil
}
