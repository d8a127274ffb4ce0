package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

const (
	postgresConnections = 16
	// postgresConnectionAge is how long a connection is used; a new one is checked for
	// durability again, so that a setting changed under way is noticed.
	postgresConnectionAge = 5 * time.Minute
	// claimLock is the key of the advisory lock that claims take: "csclaims" as a number.
	claimLock int64 = 0x6373_636c_6169_6d73
)

type postgresDialect struct{}

func openPostgres(ctx context.Context, dsn string) (database, error) {
	config, err := postgresConfig(dsn)
	if err != nil {
		return database{}, err
	}
	// Statements here are written for it, whatever the database's default is.
	config.RuntimeParams["default_transaction_isolation"] = "read committed"

	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(checkPostgres))
	db.SetMaxOpenConns(postgresConnections)
	db.SetMaxIdleConns(postgresConnections)
	db.SetConnMaxLifetime(postgresConnectionAge)
	if err := db.PingContext(ctx); err != nil {
		return database{}, errors.Join(fmt.Errorf("connect to PostgreSQL: %w", err), db.Close())
	}
	return database{dialect: postgresDialect{}, write: db, read: db}, nil
}

// postgresConfig reads the DSN and fills in what it leaves open.
func postgresConfig(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The parser's text quotes the DSN, and masks passwords only as well as it can.
		return nil, errors.New("the PostgreSQL DSN cannot be read; it looks like postgres://user:password@host:5432/database")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "countersign"
	}
	return config, nil
}

// checkPostgres refuses a connection whose commits may not survive a crash. It runs for every new
// connection, because synchronous_commit may differ by role and database.
func checkPostgres(ctx context.Context, conn *pgx.Conn) error {
	var fsync, fullPageWrites, synchronousCommit string
	err := conn.QueryRow(ctx, `SELECT current_setting('fsync'), current_setting('full_page_writes'),
		current_setting('synchronous_commit')`).Scan(&fsync, &fullPageWrites, &synchronousCommit)
	const system = "as superuser: ALTER SYSTEM SET %[1]s = on; SELECT pg_reload_conf(); (it may also stand in postgresql.conf or on the server's command line)"
	switch {
	case err != nil:
		return fmt.Errorf("read durability settings: %w", err)
	case fsync == "off":
		return notDurable("fsync", "a crash of the machine can lose or corrupt everything", system)
	case fullPageWrites == "off":
		return notDurable("full_page_writes", "a crash of the machine can leave half-written pages", system)
	case synchronousCommit == "off":
		return notDurable("synchronous_commit", "a crash loses what was acknowledged shortly before",
			"ALTER ROLE %[2]q SET %[1]s = on; ALTER DATABASE %[3]q SET %[1]s = on; and see postgresql.conf",
			conn.Config().User, conn.Config().Database)
	}
	return nil
}

func notDurable(setting, why, mend string, args ...any) error {
	mend = fmt.Sprintf(mend, slices.Concat([]any{setting}, args)...)
	return fmt.Errorf("%w: PostgreSQL runs with %s=off: %s. To mend it, %s", ErrNotDurable, setting, why, mend)
}

func (postgresDialect) rebind(query string) string { return numbered(query) }

func (postgresDialect) committers() int { return 2 }

// refusesContent goes by the class of the SQLSTATE (PostgreSQL manual, appendix A).
func (postgresDialect) refusesContent(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || len(refused.Code) != 5 {
		return false
	}
	switch refused.Code[:2] {
	case "21", "22", "23", "54": // cardinality, data, constraint, program limit
		return true
	default:
		return false
	}
}

func (postgresDialect) missesReference(err error) bool {
	const foreignKeyViolation = "23503"
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == foreignKeyViolation
}

func (postgresDialect) lockClaims(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, claimLock)
	return err
}

func (postgresDialect) migrate(ctx context.Context, db *sql.DB) error {
	// An advisory lock, tried every second for five minutes: a migration may take that long.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return applyMigrations(ctx, db, goose.DialectPostgres, "migrations/postgres", goose.WithSessionLocker(locker))
}
