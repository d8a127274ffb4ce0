// Package journal is the durable store: deliveries as they came in, completions with the state
// people see, effects, decisions and enrollment links. It is where "acknowledged is durable" and
// "one completion, one effect of each kind" are kept: the key (tenant, fingerprint) is unique for
// ever, nothing under it can be deleted, and nobody is answered before the commit.
//
// There is one type, Journal, over database/sql, with two dialects: SQLite (one file, the
// default) and PostgreSQL. The suite in this package holds both to the same behaviour.
package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrNotFound means that there is no such row for this tenant.
	ErrNotFound = errors.New("not found in the journal")
	// ErrBusy means that too many appends wait for a commit already; try again later.
	ErrBusy = errors.New("journal is busy")
	// ErrClosed means that the journal is closed or closing.
	ErrClosed = errors.New("journal is closed")
	// ErrUnstorable means that a text holds a NUL byte or is not UTF-8: PostgreSQL cannot
	// keep it, so SQLite does not either.
	ErrUnstorable = errors.New("text holds a NUL byte or is not UTF-8")
	// ErrConflict means that something else is already written where only one thing may ever be.
	ErrConflict = errors.New("the journal already holds something else")
	// ErrNotDurable means that the database is set up to lose what it has acknowledged.
	ErrNotDurable = errors.New("database is not durable")
)

// Options tune a Journal; the zero value is ready for use.
type Options struct {
	// Log takes what no caller is told, e.g. that a batch had to be split. nil discards it.
	Log *slog.Logger
	// Now is the clock for everything the journal dates itself; nil means time.Now.
	Now func() time.Time
	// Committers is how many transactions of appends run side by side; 0 means 1 on SQLite,
	// which has one writer, and 2 on PostgreSQL, so that one fills while the other is flushed.
	Committers int
	// MaxBatch is how many appends share one transaction at most; 0 means 256.
	MaxBatch int
	// MaxQueued is how many appends may wait for a commit before ErrBusy; 0 means 10000.
	MaxQueued int
}

// Journal is an open journal. It is safe for concurrent use, also by several processes.
type Journal struct {
	database
	log *slog.Logger
	now func() time.Time

	maxBatch    int
	queue       chan *waiting
	queuedBytes atomic.Int64
	committers  sync.WaitGroup
	appends     atomic.Uint64
	commits     atomic.Uint64
	wake        chan struct{}

	// closing guards queue against a send after it was closed.
	closing sync.RWMutex
	closed  bool
}

// Open opens the journal that dsn names and brings its schema up to date; it is safe for several
// processes to do so at once. A DSN that starts with postgres:// or postgresql:// is a PostgreSQL
// database; "sqlite:PATH" or a plain path is an SQLite file, made (with mode 0600) if missing.
//
// A PostgreSQL that would lose acknowledged rows in a crash (fsync, full_page_writes or
// synchronous_commit off) is refused with ErrNotDurable and the command that mends it.
// Errors do not show the DSN, which may hold a password.
func Open(ctx context.Context, dsn string, opts Options) (*Journal, error) {
	if min(opts.Committers, opts.MaxBatch, opts.MaxQueued) < 0 {
		return nil, errors.New("open journal: committers, batch and queue cannot be negative")
	}
	db, err := openDatabase(ctx, dsn)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{
		database: db,
		log:      cmp.Or(opts.Log, slog.New(slog.DiscardHandler)),
		now:      opts.Now,
		maxBatch: cmp.Or(opts.MaxBatch, 256),
		queue:    make(chan *waiting, cmp.Or(opts.MaxQueued, 10_000)),
		wake:     make(chan struct{}, 1),
	}
	if j.now == nil {
		j.now = time.Now
	}
	if err := j.dialect.migrate(ctx, j.write); err != nil {
		return nil, errors.Join(fmt.Errorf("open journal: migrate: %w", err), db.close())
	}
	for range cmp.Or(opts.Committers, j.dialect.committers()) {
		j.committers.Go(j.commitQueued)
	}
	return j, nil
}

// Close ends the journal. Appends that wait are committed or answered with an error; later ones
// get ErrClosed. It waits for that; each transaction takes at most commitTimeout.
func (j *Journal) Close() error {
	j.closing.Lock()
	if j.closed {
		j.closing.Unlock()
		return nil
	}
	j.closed = true
	close(j.queue)
	j.closing.Unlock()

	j.committers.Wait()
	if err := j.database.close(); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

// Ping reports whether the journal can take a delivery now. It commits a small write, because a
// database may answer while its disk is full or its tables are read-only: callers that are asked
// often should keep the answer for a second.
func (j *Journal) Ping(ctx context.Context) error {
	if _, err := j.exec(ctx, `UPDATE probe SET written_at = ? WHERE id = 1`, micros(j.now())); err != nil {
		return fmt.Errorf("ping journal: %w", err)
	}
	return nil
}

// Wake is signalled after a commit that queued something new or again, so that a dispatch in the
// same process need not poll fast. It is not closed, holds one signal, and several signals
// may become one. Release gives no signal: who gives a completion back decides when to try again.
func (j *Journal) Wake() <-chan struct{} { return j.wake }

func (j *Journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default: // one is pending already
	}
}

// Stats are counters since Open, for metrics.
type Stats struct {
	// Appends is how many appends were committed, Commits by how many transactions.
	Appends, Commits uint64
	// Queued is how many appends wait now.
	Queued int
}

// Stats returns the counters.
func (j *Journal) Stats() Stats {
	return Stats{Appends: j.appends.Load(), Commits: j.commits.Load(), Queued: len(j.queue)}
}
