package journal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// store stores the batch in one transaction. queued says whether anything of it is new.
func (j *Journal) store(ctx context.Context, batch []*waiting) (receipts []Receipt, queued bool, err error) {
	completions, enrollments := unique(batch), uniqueEnrollments(batch)
	if len(enrollments) == 0 {
		query, args, can := j.dialect.atOnce(j.columnsOfCompletions(completions), columnsOfDeliveries(batch, toDecide(batch)))
		if can {
			inserted, err := list(ctx, j, j.write, scanKey, query, args...)
			if err != nil {
				return nil, false, fmt.Errorf("insert completions and deliveries: %w", err)
			}
			return write(batch, keysOf(inserted), nil), len(inserted) > 0, nil
		}
	}
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		fresh, err := j.insertCompletions(ctx, tx, completions)
		if err != nil {
			return err
		}
		freshEnrollments, err := j.insertEnrollments(ctx, tx, enrollments)
		if err != nil {
			return err
		}
		queued = len(fresh)+len(freshEnrollments) > 0
		receipts = write(batch, fresh, freshEnrollments)
		return j.insertDeliveries(ctx, tx, batch, receipts)
	})
	return receipts, queued, err
}

// insertCompletions inserts what is not there yet and returns the keys that were new.
func (j *Journal) insertCompletions(ctx context.Context, tx *sql.Tx, all []newCompletion) (map[key]bool, error) {
	var fresh []key
	for insert, args := range j.dialect.inserts("completions", j.columnsOfCompletions(all), len(all)) {
		inserted, err := list(ctx, j, tx, scanKey,
			insert+` ON CONFLICT (tenant, fingerprint) DO NOTHING RETURNING tenant, fingerprint`, args...)
		if err != nil {
			return nil, fmt.Errorf("insert completions: %w", err)
		}
		fresh = append(fresh, inserted...)
	}
	return keysOf(fresh), nil
}

func keysOf(all []key) map[key]bool {
	keys := make(map[key]bool, len(all))
	for _, k := range all {
		keys[k] = true
	}
	return keys
}

func (j *Journal) columnsOfCompletions(all []newCompletion) []column {
	now := micros(j.now())
	return []column{
		columnOf("tenant", all, func(c newCompletion) string { return c.tenant }),
		columnOf("fingerprint", all, func(c newCompletion) string { return string(c.fingerprint) }),
		columnOf("source", all, func(c newCompletion) string { return c.source }),
		columnOf("platform", all, func(c newCompletion) string { return c.platform }),
		columnOf("delivery_id", all, func(c newCompletion) string { return c.deliveryID }),
		columnOf("received_at", all, func(c newCompletion) int64 { return c.receivedAt }),
		columnOf("course_label", all, func(c newCompletion) string { return c.courseLabel }),
		columnOf("completion", all, func(c newCompletion) string { return c.document }),
		columnOf("updated_at", all, func(newCompletion) int64 { return now }),
	}
}

func (j *Journal) insertDeliveries(ctx context.Context, tx *sql.Tx, batch []*waiting, receipts []Receipt) error {
	verdicts := make([]Verdict, len(receipts))
	for i, r := range receipts {
		verdicts[i] = r.Verdict
	}
	for insert, args := range j.dialect.inserts("deliveries", columnsOfDeliveries(batch, verdicts), len(batch)) {
		if _, err := tx.ExecContext(ctx, j.dialect.rebind(insert), args...); err != nil {
			return fmt.Errorf("insert deliveries: %w", err)
		}
	}
	return nil
}

func columnsOfDeliveries(batch []*waiting, verdicts []Verdict) []column {
	return []column{
		columnOf("id", batch, func(w *waiting) string { return w.delivery.ID }),
		columnOf("tenant", batch, func(w *waiting) string { return w.delivery.Tenant }),
		columnOf("source", batch, func(w *waiting) string { return w.delivery.Source }),
		columnOf("platform", batch, func(w *waiting) string { return w.delivery.Platform }),
		columnOf("received_at", batch, func(w *waiting) int64 { return micros(w.delivery.ReceivedAt) }),
		columnOf("method", batch, func(w *waiting) string { return w.delivery.Method }),
		columnOf("path", batch, func(w *waiting) string { return w.delivery.Path }),
		columnOf("remote_addr", batch, func(w *waiting) string { return w.delivery.RemoteAddr }),
		columnOf("header", batch, func(w *waiting) string { return w.header }),
		columnOf("verdict", verdicts, func(v Verdict) string { return string(v) }),
		columnOf("reason", batch, func(w *waiting) string { return w.delivery.Reason }),
		columnOf("body", batch, func(w *waiting) []byte { return w.delivery.Body }),
	}
}

// tuples is "(?,?),(?,?)" for rows and columns.
func tuples(rows, columns int) string {
	tuple := "(" + strings.Repeat("?,", columns-1) + "?)"
	return strings.Repeat(tuple+",", rows-1) + tuple
}

func scanKey(row scanner) (key, error) {
	var k key
	err := row.Scan(&k.tenant, &k.fingerprint)
	return k, err
}
