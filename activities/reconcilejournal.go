package activities

import (
	"context"
	"errors"
	"time"

	"countersign/internal/journal"
	"countersign/internal/qms"
	"countersign/internal/reconcile"
	"countersign/internal/training"
)

// visit compares one completion of a walk.
type visit func(context.Context, journal.Stored) ([]training.Mismatch, error)

// shown looks at what the listings have shown, also what came in long before the window.
func (r *reconciliation) shown(ctx context.Context, cursor string, each visit) (page, error) {
	all, err := r.runs.ReconciliationSeenPage(ctx, r.run.Tenant, r.run.Run, training.Fingerprint(cursor), r.size())
	if err != nil {
		return page{}, journalFailure("list what was seen", err)
	}
	found := page{next: cursor, done: len(all) < r.size()}
	for _, f := range all {
		if r.full(found.looked) {
			found.done = false
			break
		}
		stored, ok, err := r.stored(ctx, f)
		if err != nil {
			return page{}, err
		}
		if ok {
			examined, err := each(ctx, stored)
			if err != nil {
				return found.upTo(cursor, err)
			}
			found.mismatches = append(found.mismatches, examined...)
		}
		found.looked++
		found.next = string(f)
	}
	return found, nil
}

// journaled looks at what came in, or was completed, inside the window, and the listings have not shown.
func (r *reconciliation) journaled(ctx context.Context, cursor string, each visit) (page, error) {
	var after journal.Place
	if err := place(cursor, &after); err != nil {
		return page{}, err
	}
	all, err := r.runs.Received(ctx, r.run.Tenant, r.run.From, after, r.size())
	if err != nil {
		return page{}, journalFailure("list received completions", err)
	}
	found := page{next: cursor, done: len(all) < r.size()}
	fingerprints := make([]training.Fingerprint, len(all))
	for i, stored := range all {
		fingerprints[i] = stored.Fingerprint
	}
	seen, err := r.runs.ReconciliationSeen(ctx, r.run.Tenant, r.run.Run, fingerprints)
	if err != nil {
		return page{}, journalFailure("read what was seen", err)
	}
	for i, stored := range all {
		if r.full(i) {
			found.done = false
			break
		}
		if stored.ReceivedAt.After(r.run.StartedAt) { // the next run's
			found.done = true
			break
		}
		if r.concerns(stored) && !seen[stored.Fingerprint] {
			examined, err := each(ctx, stored)
			if err != nil {
				return found.upTo(cursor, err)
			}
			found.looked++
			found.mismatches = append(found.mismatches, examined...)
		}
		found.next = placed(journal.Place{ReceivedAt: stored.ReceivedAt, Fingerprint: stored.Fingerprint})
	}
	return found, nil
}

// examineListed examines a completion that the listings have not shown, and says so where they should have.
func (r *reconciliation) examineListed(ctx context.Context, s journal.Stored) ([]training.Mismatch, error) {
	examined, err := r.examine(ctx, s)
	if err != nil {
		return nil, err
	}
	unlisted, err := r.unlisted(ctx, s)
	return append(examined, unlisted...), err
}

// concerns reports whether a completion is one of those that the run is about.
func (r *reconciliation) concerns(s journal.Stored) bool {
	if r.run.Source != "" && s.Completion.Source != r.run.Source {
		return false
	}
	return s.ReceivedAt.Before(r.run.To) || within(s.Completion.CompletedAt, r.run.From, r.run.To)
}

func within(t, from, to time.Time) bool { return !t.Before(from) && t.Before(to) }

// edge is how far from the window's ends a completion must lie to be missed in a listing: an instant that the
// listing states a little differently may lie outside.
func edge(p training.Precision) time.Duration {
	if p == training.PrecisionDay {
		return 24 * time.Hour
	}
	return time.Hour
}

// unlisted is the mismatch of a completion that its LMS does not list, though it lists others of that time.
func (r *reconciliation) unlisted(ctx context.Context, s journal.Stored) ([]training.Mismatch, error) {
	margin := edge(s.Completion.Precision)
	if s.State == training.StateClosed || s.State == training.StateRejected || !within(s.Completion.CompletedAt, r.run.From.Add(margin), r.run.To.Add(-margin)) {
		return nil, nil
	}
	listed, err := r.compared(ctx, partListing+s.Completion.Source)
	if err != nil || !listed {
		return nil, err
	}
	return []training.Mismatch{{
		Kind: training.MismatchMissingInLMS, Origin: training.MismatchFromListing, Source: s.Completion.Source, Fingerprint: s.Fingerprint,
		RecordID: s.RecordID, Course: s.Completion.Course.Label(), At: s.Completion.CompletedAt,
		QMS: s.Completion.CompletedAt.UTC().Format(time.RFC3339), Detail: string(s.State),
	}}, nil
}

// compared reports whether this run has come to the end of a part.
func (r *reconciliation) compared(ctx context.Context, name string) (bool, error) {
	part, err := r.runs.ReconciliationPart(ctx, r.run.Tenant, r.run.Run, name)
	if err != nil {
		return false, journalFailure("read part", err)
	}
	return part.Done && part.Failure == "", nil
}

// open examines what came in before the window and has not ended.
func (r *reconciliation) open(ctx context.Context, cursor string) (page, error) {
	var after journal.Place
	if err := place(cursor, &after); err != nil {
		return page{}, err
	}
	all, err := r.runs.OpenBefore(ctx, r.run.Tenant, r.run.From, after, pageSize)
	if err != nil {
		return page{}, journalFailure("list open completions", err)
	}
	found := page{next: cursor, done: len(all) < pageSize}
	for _, s := range all {
		found.next = placed(journal.Place{ReceivedAt: s.ReceivedAt, Fingerprint: s.Fingerprint})
		if r.run.Source != "" && s.Completion.Source != r.run.Source {
			continue
		}
		found.looked++
		found.mismatches = append(found.mismatches, r.waiting(s)...)
	}
	return found, nil
}

// standing looks again at what the last run has found. What this run cannot look at, because it lies outside of
// its window or of its sources, is carried over: a mismatch ends when it is mended, not when it is old.
func (r *reconciliation) standing(ctx context.Context, cursor string) (page, error) {
	var after journal.MismatchPlace
	if err := place(cursor, &after); err != nil {
		return page{}, err
	}
	all, err := r.runs.Mismatches(ctx, r.run.Tenant, r.run.Previous, "", after, r.size())
	if err != nil {
		return page{}, journalFailure("list mismatches", err)
	}
	found := page{next: cursor, done: len(all) < r.size()}
	for _, m := range all {
		if r.full(found.looked) {
			found.done = false
			break
		}
		still, err := r.still(ctx, m)
		if err != nil {
			return found.upTo(cursor, err)
		}
		found.looked++
		found.next = placed(journal.MismatchPlace{Kind: m.Kind, ID: m.ID()})
		found.mismatches = append(found.mismatches, still...)
	}
	return found, nil
}

// carryOver keeps what the last run has found and this one could not look at again, because the QMS was away: the
// next run knows no other run than this one.
func (a *Activities) carryOver(ctx context.Context, tenant, run string) error {
	r, err := a.cfg.Runs.Reconciliation(ctx, tenant, run)
	if err != nil {
		return err
	}
	part, err := a.cfg.Runs.ReconciliationPart(ctx, tenant, run, partStanding)
	if err != nil || part.Done || r.Previous == "" {
		return err
	}
	var after journal.MismatchPlace
	if err := place(part.Cursor, &after); err != nil {
		return err
	}
	for {
		all, err := a.cfg.Runs.Mismatches(ctx, tenant, r.Previous, "", after, pageSize)
		if err != nil {
			return err
		}
		for i := range all {
			after = journal.MismatchPlace{Kind: all[i].Kind, ID: all[i].ID()}
			all[i].Carried, all[i].Started = true, false
		}
		if err := a.cfg.Runs.PutMismatches(ctx, tenant, run, all); err != nil {
			return err
		}
		if len(all) < pageSize {
			return nil
		}
	}
}

// still is what has become of a mismatch.
func (r *reconciliation) still(ctx context.Context, m training.Mismatch) ([]training.Mismatch, error) {
	carried := m
	carried.Carried, carried.Started = true, false // by a run before this one
	switch m.Origin {
	case training.MismatchFromCompletion:
		stored, ok, err := r.stored(ctx, m.Fingerprint)
		if !ok || err != nil {
			return nil, err
		}
		return r.examine(ctx, stored)
	case training.MismatchFromLink:
		return r.link(ctx, m.RecordID)
	case training.MismatchFromRecord:
		return r.record(ctx, m)
	case training.MismatchFromStatement:
		if r.tenant.LRS == nil { // the tenant wants no statements any more
			return nil, nil
		}
		if settled, err := r.compared(ctx, partLRS); settled || err != nil {
			return nil, err // that part has looked at it again
		}
		return []training.Mismatch{carried}, nil
	case training.MismatchFromDocument:
		if _, ok := r.tenant.QMS.(qms.Filing); !ok { // the tenant's QMS is another one now
			return nil, nil
		}
		if settled, err := r.compared(ctx, partDocuments); settled || err != nil {
			return nil, err
		}
		return []training.Mismatch{carried}, nil
	}
	if m.Kind == training.MismatchMissingInQMS {
		// It was started: from then on it is a completion like others, with mismatches of its own.
		stored, ok, err := r.stored(ctx, m.Fingerprint)
		if err != nil || ok && stored.State == training.StateCompleted {
			return nil, err
		}
		if ok {
			return r.examine(ctx, stored)
		}
	}
	if settled, err := r.shownAgain(ctx, m); err != nil || settled {
		return nil, err
	}
	listed, err := r.compared(ctx, partListing+m.Source)
	if err != nil || listed && (m.At.IsZero() || within(m.At, r.run.From, r.run.To)) {
		return nil, err // this run has read the same rows: what still stands, it has found itself
	}
	return []training.Mismatch{carried}, nil
}

// shownAgain reports whether this run has compared what a listing or a file showed: by the completion, and an
// unreadable row of an LMS without a listing by the next file, in which it stands mended, or is found again.
func (r *reconciliation) shownAgain(ctx context.Context, m training.Mismatch) (bool, error) {
	if m.Fingerprint != "" {
		seen, err := r.runs.ReconciliationSeen(ctx, r.run.Tenant, r.run.Run, []training.Fingerprint{m.Fingerprint})
		if err != nil {
			return false, journalFailure("read what was seen", err)
		}
		return seen[m.Fingerprint], nil
	}
	if _, lists := r.tenant.lister(m.Source); lists || r.run.Upload == "" || r.run.Source != m.Source {
		return false, nil
	}
	return r.compared(ctx, partUpload)
}

func (r *reconciliation) stored(ctx context.Context, f training.Fingerprint) (journal.Stored, bool, error) {
	stored, err := r.a.cfg.Journal.Completion(ctx, r.run.Tenant, f)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return stored, false, nil
	case err != nil:
		return stored, false, journalFailure("read completion", err)
	}
	return stored, true, nil
}

func (r *reconciliation) waiting(s journal.Stored) []training.Mismatch {
	return reconcile.Waiting(known(s), s.State, s.FailureClass, s.ReceivedAt, r.now, r.in.Settings.LateAfter)
}
