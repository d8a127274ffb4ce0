package journal

import (
	"context"
	"database/sql"
	"fmt"

	"countersign/internal/training"
)

// PutMismatches stores what a run has found, ahead of its page: of what a run starts it is known that this
// run has started it, also if it is killed in between. The same mismatch twice is one row.
func (j *Journal) PutMismatches(ctx context.Context, tenant, run string, all []training.Mismatch) error {
	if len(all) == 0 {
		return nil
	}
	err := j.inTx(ctx, func(tx *sql.Tx) error { return j.insertMismatches(ctx, tx, tenant, run, all) })
	if err != nil {
		return fmt.Errorf("put mismatches of reconciliation %s: %w", run, err)
	}
	return nil
}

// insertMismatches keeps since when a mismatch has stood: as the previous run says, else since now. What was
// found again after it was carried over is not carried any more.
func (j *Journal) insertMismatches(ctx context.Context, tx *sql.Tx, tenant, run string, all []training.Mismatch) error {
	for _, m := range all {
		var happened sql.NullInt64
		if !m.At.IsZero() {
			happened = nullable(m.At)
		}
		_, err := tx.ExecContext(ctx, j.dialect.rebind(
			`INSERT INTO mismatches (tenant, run, id, kind, origin, source, fingerprint, record_id, course, happened_at,
				lms, qms, detail, subject, started, carried, since)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce((SELECT p.since FROM mismatches p
				JOIN reconciliations r ON r.tenant = p.tenant AND r.previous = p.run
				WHERE r.tenant = ? AND r.run = ? AND p.kind = ? AND p.id = ?), ?))
			ON CONFLICT (tenant, run, kind, id) DO UPDATE SET lms = excluded.lms, qms = excluded.qms, detail = excluded.detail,
				carried = 0, started = CASE WHEN mismatches.started = 1 THEN 1 ELSE excluded.started END
			WHERE excluded.carried = 0`),
			tenant, run, m.ID(), string(m.Kind), string(m.Origin), m.Source, string(m.Fingerprint), readable(m.RecordID),
			readable(m.Course), happened, readable(m.LMS), readable(m.QMS), readable(m.Detail), readable(m.Key),
			flag(m.Started), flag(m.Carried), tenant, run, string(m.Kind), m.ID(), micros(j.now()))
		if err != nil {
			return fmt.Errorf("insert mismatch %s: %w", m.ID(), err)
		}
	}
	return nil
}

// MismatchPlace is a mismatch's place in the order of kind and id.
type MismatchPlace struct {
	Kind training.MismatchKind
	ID   string
}

// Mismatches lists a page of what a run has found, of one kind or ("") of all, by kind and id, from the
// first one behind after on; the zero MismatchPlace begins.
func (j *Journal) Mismatches(ctx context.Context, tenant, run string, kind training.MismatchKind, after MismatchPlace, limit int) ([]training.Mismatch, error) {
	found, err := list(ctx, j, j.read, scanMismatch,
		`SELECT kind, origin, source, fingerprint, record_id, course, happened_at, lms, qms, detail, subject, started, carried, since
		FROM mismatches WHERE tenant = ? AND run = ? AND (? = '' OR kind = ?) AND (kind, id) > (?, ?)
		ORDER BY kind, id LIMIT ?`, tenant, run, string(kind), string(kind), string(after.Kind), after.ID, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list mismatches of reconciliation %s: %w", run, err)
	}
	return found, nil
}

func scanMismatch(row scanner) (training.Mismatch, error) {
	var (
		m                       training.Mismatch
		happened                sql.NullInt64
		started, carried, since int64
	)
	err := row.Scan(&m.Kind, &m.Origin, &m.Source, &m.Fingerprint, &m.RecordID, &m.Course, &happened,
		&m.LMS, &m.QMS, &m.Detail, &m.Key, &started, &carried, &since)
	if happened.Valid {
		m.At = instant(happened.Int64)
	}
	m.Started, m.Carried, m.Since = started != 0, carried != 0, instant(since)
	return m, err
}

// MismatchCount is how many mismatches of a kind a run has found.
type MismatchCount struct {
	Kind training.MismatchKind
	// Started of N were put on their way, Carried could not be looked at again, New were not there before.
	N, Started, Carried, New int
}

// MismatchCounts counts what a run has found.
func (j *Journal) MismatchCounts(ctx context.Context, tenant, run string) (map[training.MismatchKind]MismatchCount, error) {
	found, err := list(ctx, j, j.read, func(row scanner) (MismatchCount, error) {
		var c MismatchCount
		err := row.Scan(&c.Kind, &c.N, &c.Started, &c.Carried, &c.New)
		return c, err
	}, `SELECT kind, count(*), CAST(sum(started) AS BIGINT), CAST(sum(carried) AS BIGINT),
			count(CASE WHEN since >= (SELECT r.started_at FROM reconciliations r WHERE r.tenant = m.tenant AND r.run = m.run) THEN 1 END)
		FROM mismatches m WHERE tenant = ? AND run = ? GROUP BY kind`, tenant, run)
	if err != nil {
		return nil, fmt.Errorf("count mismatches of reconciliation %s: %w", run, err)
	}
	counts := make(map[training.MismatchKind]MismatchCount, len(found))
	for _, c := range found {
		counts[c.Kind] = c
	}
	return counts, nil
}
