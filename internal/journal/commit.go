package journal

import (
	"cmp"
	"context"
	"slices"
	"time"
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
	receipts, queued, err := j.store(ctx, batch)
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
		if w.undecided() {
			r.Verdict = brought
		}
		receipts[i] = r
	}
	return receipts
}

// undecided reports whether the verdict depends on what is known already.
func (w *waiting) undecided() bool {
	return len(w.completions)+len(w.enrollments) > 0 && (w.delivery.Verdict == VerdictAccepted || w.delivery.Verdict == VerdictDuplicate)
}

// toDecide is the verdict of every delivery, "" where the database is to say it.
func toDecide(batch []*waiting) []Verdict {
	verdicts := make([]Verdict, len(batch))
	for i, w := range batch {
		if !w.undecided() {
			verdicts[i] = w.delivery.Verdict
		}
	}
	return verdicts
}
