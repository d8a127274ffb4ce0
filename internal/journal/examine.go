package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"countersign/internal/training"
)

// ErrNoFile means that there is no SQLite file yet: the first Open makes it.
var ErrNoFile = errors.New("the SQLite file is not there")

// Examiner looks at a journal from outside, beside running processes: it makes no file, brings no schema up to
// date, and its connection cannot write. It takes a database that Open refuses, so that it can say why.
type Examiner struct {
	journal *Journal // for its reading half; never returned
	inspect func(ctx context.Context, db *sql.DB, f *Facts) error
	// migrated counts the tables in which goose keeps its notes: none before the first Open.
	migrated string
	facts    Facts
}

// Facts are what decides whether the database keeps what it has acknowledged.
type Facts struct {
	// Path is the file of an SQLite journal, "" for PostgreSQL.
	Path string
	// Version is the server's, or that of the SQLite library in this program.
	Version string
	// WAL says that the SQLite file is in write-ahead mode. synchronous=FULL is no property of the file: Open
	// sets it for each connection and reads it back.
	WAL bool
	// Postgres is nil for SQLite.
	Postgres *PostgresFacts
	// Pending are the migrations that the next Open will make, Unknown those that a newer version has made.
	Pending, Unknown []int64
}

// PostgresFacts are settings as this role and database see them.
type PostgresFacts struct {
	Fsync, FullPageWrites, SynchronousCommit string
	// StandbyNames is synchronous_standby_names, "" where one machine alone holds what is acknowledged.
	StandbyNames string
	// Standby says that the server only follows another one: it takes no writes.
	Standby bool
	// Remote says that the connection goes over a network, Encrypted that it uses TLS.
	Remote, Encrypted bool
}

// Examine opens the journal that dsn names, as Open reads it. The error wraps ErrNoFile where an
// SQLite journal is still to be made; no error shows the DSN.
func Examine(ctx context.Context, dsn string) (*Examiner, error) {
	e, err := examine(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("examine journal: %w", err)
	}
	return e, nil
}

// Close ends the examination.
func (e *Examiner) Close() error {
	if err := e.journal.read.Close(); err != nil {
		return fmt.Errorf("close examined journal: %w", err)
	}
	return nil
}

// Facts reads what there is to know of the database.
func (e *Examiner) Facts(ctx context.Context) (Facts, error) {
	f := e.facts
	if err := e.inspect(ctx, e.journal.read, &f); err != nil {
		return f, fmt.Errorf("examine journal: %w", err)
	}
	if err := e.versions(ctx, &f); err != nil {
		return f, fmt.Errorf("examine journal's schema: %w", err)
	}
	return f, nil
}

// versions compares the migrations of this program with those that goose has noted in the database.
func (e *Examiner) versions(ctx context.Context, f *Facts) error {
	known, err := migrationVersions()
	if err != nil {
		return err
	}
	var tables int
	if err := e.journal.read.QueryRowContext(ctx, e.migrated).Scan(&tables); err != nil {
		return err
	}
	var applied []int64
	if tables > 0 {
		applied, err = list(ctx, e.journal, e.journal.read, func(row scanner) (int64, error) {
			var version int64
			err := row.Scan(&version)
			return version, err
		}, `SELECT version_id FROM goose_db_version WHERE is_applied AND version_id > 0 ORDER BY version_id`)
		if err != nil {
			return err
		}
	}
	f.Pending = slices.DeleteFunc(slices.Clone(known), func(v int64) bool { return slices.Contains(applied, v) })
	f.Unknown = slices.DeleteFunc(applied, func(v int64) bool { return slices.Contains(known, v) })
	return nil
}

// Backlog is what dispatch has still to start.
type Backlog struct {
	// Queued is how many completions of all tenants wait; Oldest is since when the first one does, zero for none.
	Queued int
	Oldest time.Time
}

// Backlog counts what is queued.
func (e *Examiner) Backlog(ctx context.Context) (Backlog, error) {
	w, err := one(ctx, e.journal, e.journal.read, func(row scanner) (Backlog, error) {
		var (
			w      Backlog
			oldest sql.NullInt64
		)
		err := row.Scan(&w.Queued, &oldest)
		if oldest.Valid {
			w.Oldest = instant(oldest.Int64)
		}
		return w, err
	}, `SELECT count(*), min(updated_at) FROM completions WHERE `+queued)
	if err != nil {
		return Backlog{}, fmt.Errorf("count what is queued: %w", err)
	}
	return w, nil
}

// sampled is how many completions a sample is picked from.
const sampled = 200

// Sample picks completions of a tenant: the newest n of 200 that lie together in the order of fingerprints, from
// the given one on and around. Fingerprints are digests, so that is a random choice, and it costs the
// same however many there are. They hold personal data.
func (e *Examiner) Sample(ctx context.Context, tenant string, from training.Fingerprint, n int) ([]training.Completion, error) {
	const part = `SELECT completion, received_at FROM completions WHERE tenant = ? AND fingerprint %s ? ORDER BY fingerprint LIMIT ?`
	var found []Stored
	for _, comparison := range []string{">=", "<"} {
		more, err := list(ctx, e.journal, e.journal.read, scanSampled,
			fmt.Sprintf(part, comparison), tenant, string(from), sampled-len(found))
		if err != nil {
			return nil, fmt.Errorf("sample completions: %w", err)
		}
		if found = append(found, more...); len(found) >= sampled {
			break
		}
	}
	slices.SortStableFunc(found, func(a, b Stored) int { return b.ReceivedAt.Compare(a.ReceivedAt) })
	var all []training.Completion
	for _, s := range found[:min(max(n, 0), len(found))] {
		all = append(all, s.Completion)
	}
	return all, nil
}

// Targets is Journal.Targets.
func (e *Examiner) Targets(ctx context.Context) ([]Target, error) { return e.journal.Targets(ctx) }

// BudgetUses is Journal.BudgetUses.
func (e *Examiner) BudgetUses(ctx context.Context) ([]BudgetUse, error) {
	return e.journal.BudgetUses(ctx)
}
