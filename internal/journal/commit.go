package journal

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"countersign/internal/training"
)

const (
	// commitTimeout bounds one transaction of appends. It is not any caller's deadline, because
	// the transaction is many callers'.
	commitTimeout = 30 * time.Second
	// siblings is how many appends in a batch make the next one wait, for at most siblingWait and until
	// there are enough.
	siblings    = 4
	siblingWait = time.Millisecond
	enough      = 32
	// maxBatchBytes bounds one transaction: a large one keeps all its callers waiting.
	maxBatchBytes = 8 << 20
)

// commitQueued is a committer: it takes what waits, commits it as one transaction and answers. While
// one transaction is flushed the next appends gather by themselves, so that the batch grows
// with the load and a single append waits for nobody. It ends when the queue is closed and empty.
func (j *Journal) commitQueued() {
	last := 0
	for first := range j.queue {
		batch := j.gather(first, last)
		last = len(batch)
		j.settle(batch)
	}
}

// gather adds to first what waits already. Where the last batch had siblings, those who were answered just
// now are coming back: it waits a moment for enough of them, because a flush for two costs as much as
// one for thirty (PostgreSQL calls this commit_delay and commit_siblings).
func (j *Journal) gather(first *waiting, last int) []*waiting {
	batch := make([]*waiting, 0, j.maxBatch)
	var bytes int64
	take := func(w *waiting) {
		j.queuedBytes.Add(-w.bytes)
		if err := w.ctx.Err(); err != nil {
			w.answer <- answer{err: err} // nobody waits any more; under load this saves the work
			return
		}
		bytes += w.bytes
		batch = append(batch, w)
	}
	take(first)
	var over <-chan time.Time
	if last >= siblings {
		timer := time.NewTimer(siblingWait)
		defer timer.Stop()
		over = timer.C
	}
	for len(batch) < j.maxBatch && bytes < maxBatchBytes {
		select {
		case w, open := <-j.queue:
			if !open {
				return batch
			}
			take(w)
			continue
		default:
		}
		if over == nil || len(batch) >= enough {
			return batch
		}
		select {
		case w, open := <-j.queue:
			if !open {
				return batch
			}
			take(w)
		case <-over:
			return batch
		}
	}
	return batch
}

// settle commits the batch and answers every member. A batch that the database refuses for its
// content is committed one by one, so that only the append that is to blame fails.
func (j *Journal) settle(batch []*waiting) {
	if len(batch) == 0 {
		return
	}
	err := j.commit(batch)
	if err == nil {
		return
	}
	if len(batch) == 1 || !j.dialect.refusesContent(err) {
		fail(batch, err)
		return
	}
	j.log.Warn("a batch of appends is split", "appends", len(batch), "error", err)
	for i, w := range batch {
		err := j.commit([]*waiting{w})
		switch {
		case err == nil:
		case j.dialect.refusesContent(err):
			fail(batch[i:i+1], err)
		default: // the database is gone: the others would only wait for the same error
			fail(batch[i:], err)
			return
		}
	}
}

func fail(batch []*waiting, err error) {
	for _, w := range batch {
		w.answer <- answer{err: err}
	}
}

// commit stores the batch in one transaction and, once that is committed, answers every member. On
// an error nobody is answered.
func (j *Journal) commit(batch []*waiting) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	var receipts []Receipt
	queued := false
	err := j.inTx(ctx, func(tx *sql.Tx) error {
		fresh, err := j.insertCompletions(ctx, tx, unique(batch))
		if err != nil {
			return err
		}
		freshEnrollments, err := j.insertEnrollments(ctx, tx, uniqueEnrollments(batch))
		if err != nil {
			return err
		}
		queued = len(fresh)+len(freshEnrollments) > 0
		receipts = write(batch, fresh, freshEnrollments)
		return j.insertDeliveries(ctx, tx, batch, receipts)
	})
	if err != nil {
		return err
	}
	j.commits.Add(1)
	j.appends.Add(uint64(len(batch)))
	if queued {
		j.signal()
	}
	for i, w := range batch {
		w.answer <- answer{receipt: receipts[i]}
	}
	return nil
}

// unique is every completion of the batch once, the first one of each key. All transactions insert in
// the order of the keys; in any other, two that share keys could wait for each other for ever.
func unique(batch []*waiting) []newCompletion {
	seen := map[key]bool{}
	var all []newCompletion
	for _, w := range batch {
		for _, c := range w.completions {
			if !seen[c.key] {
				seen[c.key] = true
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b newCompletion) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.fingerprint, b.fingerprint))
	})
	return all
}

// write writes the receipts: of each fresh key the first occurrence is new, all others are duplicates.
func write(batch []*waiting, fresh map[key]bool, freshEnrollments map[enrollmentKey]bool) []Receipt {
	receipts := make([]Receipt, len(batch))
	for i, w := range batch {
		r := Receipt{DeliveryID: w.delivery.ID, Verdict: w.delivery.Verdict}
		brought := VerdictDuplicate
		for _, c := range w.completions {
			isNew := fresh[c.key]
			delete(fresh, c.key)
			if isNew {
				brought = VerdictAccepted
			}
			r.Completions = append(r.Completions, ReceiptItem{Fingerprint: c.fingerprint, Duplicate: !isNew})
		}
		for _, e := range w.enrollments {
			isNew := freshEnrollments[e.enrollmentKey]
			delete(freshEnrollments, e.enrollmentKey)
			if isNew {
				brought = VerdictAccepted
			}
			r.Enrollments = append(r.Enrollments, EnrollmentReceipt{Key: e.key, Duplicate: !isNew})
		}
		if len(w.completions)+len(w.enrollments) > 0 && (r.Verdict == VerdictAccepted || r.Verdict == VerdictDuplicate) {
			r.Verdict = brought
		}
		receipts[i] = r
	}
	return receipts
}

// insertCompletions inserts what is not there yet and returns the keys that were new.
func (j *Journal) insertCompletions(ctx context.Context, tx *sql.Tx, all []newCompletion) (map[key]bool, error) {
	fresh := map[key]bool{}
	now := micros(j.now())
	for rows := range inserts(j.dialect, all) {
		args := make([]any, 0, 10*len(rows))
		for _, c := range rows {
			args = append(args, c.tenant, c.fingerprint, c.source, c.platform, c.deliveryID,
				c.receivedAt, c.courseLabel, c.document, string(training.StateQueued), now)
		}
		inserted, err := list(ctx, j, tx, scanKey,
			`INSERT INTO completions (tenant, fingerprint, source, platform, delivery_id,
				received_at, course_label, completion, state, updated_at)
			VALUES `+tuples(len(rows), 10)+`
			ON CONFLICT (tenant, fingerprint) DO NOTHING
			RETURNING tenant, fingerprint`, args...)
		if err != nil {
			return nil, fmt.Errorf("insert completions: %w", err)
		}
		for _, k := range inserted {
			fresh[k] = true
		}
	}
	return fresh, nil
}

func (j *Journal) insertDeliveries(ctx context.Context, tx *sql.Tx, batch []*waiting, receipts []Receipt) error {
	start := 0
	for rows := range inserts(j.dialect, batch) {
		args := make([]any, 0, 12*len(rows))
		for i, w := range rows {
			d := w.delivery
			args = append(args, d.ID, d.Tenant, d.Source, d.Platform, micros(d.ReceivedAt),
				d.Method, d.Path, d.RemoteAddr, w.header, string(receipts[start+i].Verdict), d.Reason, d.Body)
		}
		start += len(rows)
		_, err := tx.ExecContext(ctx, j.dialect.rebind(
			`INSERT INTO deliveries (`+deliveryColumns+`, body) VALUES `+tuples(len(rows), 12)), args...)
		if err != nil {
			return fmt.Errorf("insert deliveries: %w", err)
		}
	}
	return nil
}

// inserts cuts rows into what one INSERT takes.
func inserts[T any](d dialect, rows []T) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for len(rows) > 0 {
			n := d.insertRows(len(rows))
			if !yield(rows[:n]) {
				return
			}
			rows = rows[n:]
		}
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
