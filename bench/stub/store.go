package stub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

const (
	// maxBatch is how many bodies share one transaction at most, as in the journal.
	maxBatch = 256
	// maxQueued is how many may wait for a commit, as in the journal.
	maxQueued = 10_000
)

// Store keeps bodies and nothing else, with the databases, settings and group commit of the
// journal: SQLite with WAL and synchronous=FULL behind one committer, PostgreSQL with its synchronous
// commit behind two.
type Store struct {
	db         *sql.DB
	numbered   bool // $1 instead of ?
	queue      chan waiting
	committers sync.WaitGroup
	commits    atomic.Uint64
	appends    atomic.Uint64
}

type waiting struct {
	body   []byte
	answer chan error // has room for one
}

// OpenStore opens "sqlite:PATH" or "postgres://..." and makes its table. Close ends it.
func OpenStore(ctx context.Context, dsn string) (*Store, error) {
	s := &Store{queue: make(chan waiting, maxQueued)}
	committers, table := 1, `CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`
	var err error
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		settings := url.Values{"_txlock": {"immediate"}, "_busy_timeout": {"10000"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}}
		s.db, err = sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String())
	} else {
		s.numbered, committers = true, 2
		table = `CREATE TABLE IF NOT EXISTS bodies (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body BYTEA NOT NULL)`
		s.db, err = sql.Open("pgx", dsn)
	}
	if err != nil {
		return nil, fmt.Errorf("open the stub's store: %w", err)
	}
	s.db.SetMaxOpenConns(committers)
	s.db.SetMaxIdleConns(committers)
	if _, err := s.db.ExecContext(ctx, table); err != nil {
		return nil, errors.Join(fmt.Errorf("open the stub's store: %w", err), s.db.Close())
	}
	for range committers {
		s.committers.Go(s.commitQueued)
	}
	return s, nil
}

// Append returns after the body is committed.
func (s *Store) Append(ctx context.Context, body []byte) error {
	w := waiting{body, make(chan error, 1)}
	select {
	case s.queue <- w:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stats are how many bodies were committed, and by how many transactions.
func (s *Store) Stats() (appends, commits uint64) { return s.appends.Load(), s.commits.Load() }

// Close commits what waits and closes the database. Nothing may be appended any more.
func (s *Store) Close() error {
	close(s.queue)
	s.committers.Wait()
	return s.db.Close()
}

// commitQueued commits what has gathered while the commit before was flushed.
func (s *Store) commitQueued() {
	for first := range s.queue {
		batch := []waiting{first}
	gather:
		for len(batch) < maxBatch {
			select {
			case w, open := <-s.queue:
				if !open {
					break gather
				}
				batch = append(batch, w)
			default:
				break gather
			}
		}
		err := s.commit(batch)
		for _, w := range batch {
			w.answer <- err
		}
	}
}

// commit is one statement, and with that one transaction.
func (s *Store) commit(batch []waiting) error {
	var query strings.Builder
	query.WriteString("INSERT INTO bodies (body) VALUES ")
	args := make([]any, len(batch))
	for i, w := range batch {
		if i > 0 {
			query.WriteByte(',')
		}
		if s.numbered {
			query.WriteString("($" + strconv.Itoa(i+1) + ")")
		} else {
			query.WriteString("(?)")
		}
		args[i] = w.body
	}
	if _, err := s.db.ExecContext(context.Background(), query.String(), args...); err != nil {
		return fmt.Errorf("commit bodies: %w", err)
	}
	s.commits.Add(1)
	s.appends.Add(uint64(len(batch)))
	return nil
}

// Durability reads back how durable a commit is: journal mode and synchronous of SQLite, fsync and
// synchronous_commit of PostgreSQL.
func (s *Store) Durability(ctx context.Context) (first, second string, err error) {
	queries := [2]string{`PRAGMA journal_mode`, `PRAGMA synchronous`}
	if s.numbered {
		queries = [2]string{`SHOW fsync`, `SHOW synchronous_commit`}
	}
	for i, into := range []*string{&first, &second} {
		if err := s.db.QueryRowContext(ctx, queries[i]).Scan(into); err != nil {
			return "", "", fmt.Errorf("read the stub's durability: %w", err)
		}
	}
	return first, second, nil
}
