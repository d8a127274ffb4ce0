package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"
)

// Reconciliation is one run of the comparison (R143).
type Reconciliation struct {
	Tenant, Run string
	// Previous is the run whose mismatches this one looks at again, "" for the first.
	Previous string
	// Source is the only source that is listed, "" for all.
	Source string
	// Upload is the delivery that holds an uploaded file, "" for none.
	Upload string
	// DryRun says that nothing is started.
	DryRun bool
	// From is inside the window of completion instants, To is not.
	From, To  time.Time
	StartedAt time.Time
	// EndedAt is zero while the run is under way.
	EndedAt time.Time
}

// ReconciliationPart is how far one comparison of a run has come.
type ReconciliationPart struct {
	Part string
	// Cursor is where the next page begins, "" at the start. It may hold personal data.
	Cursor string
	Done   bool
	// Pages and Looked count the pages that were committed and what was looked at in them.
	Pages, Looked int
	// Failure says why the part was given up, "" if it was not.
	Failure string
}

// BeginReconciliation stores a run, and returns it as it is stored: to begin one again changes nothing.
// Previous and StartedAt are the journal's to fill.
func (j *Journal) BeginReconciliation(ctx context.Context, r Reconciliation) (Reconciliation, error) {
	stored, err := j.beginReconciliation(ctx, r)
	if err != nil {
		return Reconciliation{}, fmt.Errorf("begin reconciliation %s: %w", r.Run, err)
	}
	return stored, nil
}

func (j *Journal) beginReconciliation(ctx context.Context, r Reconciliation) (stored Reconciliation, err error) {
	if err := checkText(r.Run, r.Source, r.Upload); err != nil {
		return r, err
	}
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, j.dialect.rebind(
			`INSERT INTO reconciliations (tenant, run, previous, source, upload, dry_run, from_at, to_at, started_at)
			VALUES (?, ?, coalesce((SELECT run FROM reconciliations WHERE tenant = ? AND dry_run = 0 AND ended_at IS NOT NULL
				ORDER BY started_at DESC, run LIMIT 1), ''), ?, ?, ?, ?, ?, ?)
			ON CONFLICT (tenant, run) DO NOTHING`),
			r.Tenant, r.Run, r.Tenant, r.Source, r.Upload, flag(r.DryRun), micros(r.From), micros(r.To), micros(j.now()))
		if err != nil {
			return err
		}
		stored, err = one(ctx, j, tx, scanReconciliation, reconciliations+` AND run = ?`, r.Tenant, r.Run)
		return err
	})
	return stored, err
}

// EndReconciliation closes a run and forgets what only its comparisons needed. Twice is once.
func (j *Journal) EndReconciliation(ctx context.Context, tenant, run string) error {
	err := j.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, j.dialect.rebind(`UPDATE reconciliations SET ended_at = coalesce(ended_at, ?)
			WHERE tenant = ? AND run = ?`), micros(j.now()), tenant, run)
		if err != nil {
			return err
		}
		// Also of runs that were terminated: nobody ends those.
		_, err = tx.ExecContext(ctx, j.dialect.rebind(`DELETE FROM reconciliation_seen WHERE tenant = ?`), tenant)
		return err
	})
	if err != nil {
		return fmt.Errorf("end reconciliation %s: %w", run, err)
	}
	return nil
}

// Reconciliation reads a run of a tenant, the latest one for run ""; ErrNotFound if there is none.
func (j *Journal) Reconciliation(ctx context.Context, tenant, run string) (Reconciliation, error) {
	r, err := one(ctx, j, j.read, scanReconciliation,
		reconciliations+` AND (? = '' OR run = ?) ORDER BY started_at DESC, run LIMIT 1`, tenant, run, run)
	if err != nil {
		return Reconciliation{}, fmt.Errorf("read reconciliation %s: %w", run, err)
	}
	return r, nil
}

// Reconciliations lists the runs of a tenant, the latest first.
func (j *Journal) Reconciliations(ctx context.Context, tenant string, limit int) ([]Reconciliation, error) {
	found, err := list(ctx, j, j.read, scanReconciliation,
		reconciliations+` ORDER BY started_at DESC, run LIMIT ?`, tenant, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list reconciliations: %w", err)
	}
	return found, nil
}

const reconciliations = `SELECT tenant, run, previous, source, upload, dry_run, from_at, to_at, started_at, ended_at
	FROM reconciliations WHERE tenant = ?`

func scanReconciliation(row scanner) (Reconciliation, error) {
	var (
		r                        Reconciliation
		dry, from, to, startedAt int64
		endedAt                  sql.NullInt64
	)
	err := row.Scan(&r.Tenant, &r.Run, &r.Previous, &r.Source, &r.Upload, &dry, &from, &to, &startedAt, &endedAt)
	r.DryRun, r.From, r.To, r.StartedAt = dry != 0, instant(from), instant(to), instant(startedAt)
	if endedAt.Valid {
		r.EndedAt = instant(endedAt.Int64)
	}
	return r, err
}

func flag(set bool) int64 {
	if set {
		return 1
	}
	return 0
}

// ReconciliationPart reads how far a part of a run has come; one that has not begun is zero.
func (j *Journal) ReconciliationPart(ctx context.Context, tenant, run, part string) (ReconciliationPart, error) {
	p, err := one(ctx, j, j.read, scanPart, parts+` AND part = ?`, tenant, run, part)
	if errors.Is(err, ErrNotFound) {
		return ReconciliationPart{Part: part}, nil
	}
	if err != nil {
		return ReconciliationPart{}, fmt.Errorf("read part %s of reconciliation %s: %w", part, run, err)
	}
	return p, nil
}

// ReconciliationParts lists the parts of a run that have begun.
func (j *Journal) ReconciliationParts(ctx context.Context, tenant, run string) ([]ReconciliationPart, error) {
	found, err := list(ctx, j, j.read, scanPart, parts+` ORDER BY part`, tenant, run)
	if err != nil {
		return nil, fmt.Errorf("list parts of reconciliation %s: %w", run, err)
	}
	return found, nil
}

const parts = `SELECT part, cursor, done, pages, looked, failure FROM reconciliation_parts WHERE tenant = ? AND run = ?`

func scanPart(row scanner) (ReconciliationPart, error) {
	var (
		p    ReconciliationPart
		done int64
	)
	err := row.Scan(&p.Part, &p.Cursor, &done, &p.Pages, &p.Looked, &p.Failure)
	p.Done = done != 0
	return p, err
}

// ListedUntil is the end of the latest window of which a run that was begun before has compared a part whole, the
// zero time if none has. Dry runs count for nothing, and neither do windows shorter than window: one that
// somebody chose for a day says nothing about the days before.
func (j *Journal) ListedUntil(ctx context.Context, tenant, part string, before time.Time, window time.Duration) (time.Time, error) {
	until, err := one(ctx, j, j.read, func(row scanner) (until sql.NullInt64, err error) {
		err = row.Scan(&until)
		return until, err
	}, `SELECT max(r.to_at) FROM reconciliations r JOIN reconciliation_parts p ON p.tenant = r.tenant AND p.run = r.run
		WHERE r.tenant = ? AND p.part = ? AND p.done = 1 AND p.failure = '' AND r.dry_run = 0 AND r.started_at < ?
			AND r.to_at - r.from_at >= ?`, tenant, part, micros(before), window.Microseconds())
	if err != nil {
		return time.Time{}, fmt.Errorf("read until when %s was listed: %w", part, err)
	}
	if !until.Valid {
		return time.Time{}, nil
	}
	return instant(until.Int64), nil
}

// GiveUpReconciliationPart ends a part that cannot be compared, and says why. One that is done stays.
func (j *Journal) GiveUpReconciliationPart(ctx context.Context, tenant, run, part, failure string) error {
	_, err := j.exec(ctx, `INSERT INTO reconciliation_parts (tenant, run, part, cursor, done, pages, looked, failure)
		VALUES (?, ?, ?, '', 1, 0, 0, ?)
		ON CONFLICT (tenant, run, part) DO UPDATE SET done = 1, failure = excluded.failure
		WHERE reconciliation_parts.done = 0`, tenant, run, part, readable(failure))
	if err != nil {
		return fmt.Errorf("give up part %s of reconciliation %s: %w", part, run, err)
	}
	return nil
}

// ReconciliationPage is what came of one page of a part.
type ReconciliationPage struct {
	Tenant, Run, Part string
	// Cursor is where the page began, Next where the next one does. Done says that there is none.
	Cursor, Next string
	Done         bool
	// Looked is how much was looked at.
	Looked     int
	Mismatches []training.Mismatch
	// Seen are completions that a listing has shown.
	Seen []training.Fingerprint
}

// CommitReconciliationPage stores a page and moves the part's cursor, in one transaction: a worker that is killed
// before it leaves nothing of the page, and its successor begins the page anew. A page that was
// committed already, by an attempt that was thought dead, changes nothing and is no error.
func (j *Journal) CommitReconciliationPage(ctx context.Context, p ReconciliationPage) error {
	err := j.inTx(ctx, func(tx *sql.Tx) error {
		moved, err := j.moveCursor(ctx, tx, p)
		if err != nil || !moved {
			return err
		}
		if err := j.insertMismatches(ctx, tx, p.Tenant, p.Run, p.Mismatches); err != nil {
			return err
		}
		for _, f := range p.Seen {
			_, err := tx.ExecContext(ctx, j.dialect.rebind(`INSERT INTO reconciliation_seen (tenant, run, fingerprint)
				VALUES (?, ?, ?) ON CONFLICT DO NOTHING`), p.Tenant, p.Run, string(f))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("commit page of part %s of reconciliation %s: %w", p.Part, p.Run, err)
	}
	return nil
}

func (j *Journal) moveCursor(ctx context.Context, tx *sql.Tx, p ReconciliationPage) (moved bool, err error) {
	if err := checkText(p.Part, p.Cursor, p.Next); err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, j.dialect.rebind(
		`INSERT INTO reconciliation_parts (tenant, run, part, cursor, done, pages, looked, failure)
		VALUES (?, ?, ?, '', 0, 0, 0, '') ON CONFLICT (tenant, run, part) DO NOTHING`), p.Tenant, p.Run, p.Part)
	if err != nil {
		return false, err
	}
	result, err := tx.ExecContext(ctx, j.dialect.rebind(
		`UPDATE reconciliation_parts SET cursor = ?, done = ?, pages = pages + 1, looked = looked + ?
		WHERE tenant = ? AND run = ? AND part = ? AND cursor = ? AND done = 0`),
		p.Next, flag(p.Done), p.Looked, p.Tenant, p.Run, p.Part, p.Cursor)
	if err != nil {
		return false, err
	}
	rows, err := result.RowsAffected()
	return rows > 0, err
}

// ReconciliationSeen reports which of these completions a listing of the run has shown.
func (j *Journal) ReconciliationSeen(ctx context.Context, tenant, run string, some []training.Fingerprint) (map[training.Fingerprint]bool, error) {
	seen := map[training.Fingerprint]bool{}
	if len(some) == 0 {
		return seen, nil
	}
	// Filled up to a few lengths, because each is a statement of its own that a connection keeps.
	length := (len(some) + 99) / 100 * 100
	args := []any{tenant, run}
	for i := range length {
		args = append(args, string(some[min(i, len(some)-1)]))
	}
	found, err := list(ctx, j, j.read, func(row scanner) (f training.Fingerprint, err error) {
		err = row.Scan(&f)
		return f, err
	}, `SELECT fingerprint FROM reconciliation_seen WHERE tenant = ? AND run = ? AND fingerprint IN `+tuples(1, length), args...)
	if err != nil {
		return nil, fmt.Errorf("read what reconciliation %s has seen: %w", run, err)
	}
	for _, f := range found {
		seen[f] = true
	}
	return seen, nil
}

// ReconciliationSeenPage lists completions that a listing of the run has shown, by fingerprint, from the first one
// behind after on.
func (j *Journal) ReconciliationSeenPage(ctx context.Context, tenant, run string, after training.Fingerprint, limit int) ([]training.Fingerprint, error) {
	found, err := list(ctx, j, j.read, func(row scanner) (f training.Fingerprint, err error) {
		err = row.Scan(&f)
		return f, err
	}, `SELECT fingerprint FROM reconciliation_seen WHERE tenant = ? AND run = ? AND fingerprint > ? ORDER BY fingerprint LIMIT ?`,
		tenant, run, string(after), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list what reconciliation %s has seen: %w", run, err)
	}
	return found, nil
}
