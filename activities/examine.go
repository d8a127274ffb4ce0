package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"countersign/internal/journal"
	"countersign/internal/qms"
	"countersign/internal/reconcile"
	"countersign/internal/training"
	"countersign/workflows"
)

// examine compares one completion of the journal with the QMS and with our own documents.
func (r *reconciliation) examine(ctx context.Context, s journal.Stored) ([]training.Mismatch, error) {
	switch {
	case !s.State.Ended():
		return r.waiting(s), nil
	case s.State == training.StateExpiredInReview:
		return []training.Mismatch{r.about(s, training.MismatchMissingInQMS, string(s.State))}, nil
	case s.State != training.StateCompleted:
		return nil, nil // rejected or closed: a named person has decided that the sides differ (law 5)
	}
	heads, err := r.runs.EffectHeads(ctx, r.run.Tenant, s.Fingerprint)
	if err != nil {
		return nil, journalFailure("list effects", err)
	}
	if _, ok := heads[training.EffectRecord]; !ok {
		return []training.Mismatch{r.about(s, training.MismatchMissingInQMS, "no proof in the journal")}, nil
	}
	found, err := r.documents(ctx, s, heads)
	if err != nil {
		return nil, err
	}
	compared, err := r.proved(ctx, s)
	return append(found, compared...), err
}

func (r *reconciliation) about(s journal.Stored, kind training.MismatchKind, detail string) training.Mismatch {
	return training.Mismatch{
		Kind: kind, Origin: training.MismatchFromCompletion, Source: s.Completion.Source, Fingerprint: s.Fingerprint,
		RecordID: s.RecordID, Course: s.Completion.Course.Label(), At: s.Completion.CompletedAt, QMS: string(s.State), Detail: detail,
	}
}

// documents finds a certificate and a statement that are missing, but for those that a person does without.
func (r *reconciliation) documents(ctx context.Context, s journal.Stored, heads map[training.EffectKind]journal.Effect) ([]training.Mismatch, error) {
	var found []training.Mismatch
	if _, ok := heads[training.EffectCertificate]; !ok {
		found = append(found, r.about(s, training.MismatchNoCertificate, ""))
	}
	if statement, ok := heads[training.EffectStatement]; r.tenant.LRS != nil && (!ok || statement.DeliveredAt.IsZero()) {
		found = append(found, r.about(s, training.MismatchNoStatement, ""))
	}
	if len(found) == 0 {
		return nil, nil
	}
	decisions, err := r.a.cfg.Journal.Decisions(ctx, r.run.Tenant, s.Fingerprint)
	if err != nil {
		return nil, journalFailure("list decisions", err)
	}
	skipped := map[training.Action]training.MismatchKind{
		training.ActionSkipCertificate: training.MismatchNoCertificate, training.ActionSkipStatement: training.MismatchNoStatement,
	}
	for _, d := range decisions {
		found = slices.DeleteFunc(found, func(m training.Mismatch) bool { return m.Kind == skipped[d.Decision.Action] })
	}
	return found, nil
}

// proved reads the training record again and compares it with what was written into it and verified.
func (r *reconciliation) proved(ctx context.Context, s journal.Stored) ([]training.Mismatch, error) {
	effect, err := r.a.cfg.Journal.Effect(ctx, r.run.Tenant, s.Fingerprint, training.EffectRecord)
	if err != nil {
		return nil, journalFailure("read proof", err)
	}
	var kept proof
	if err := json.Unmarshal(effect.Bytes, &kept); err != nil {
		return []training.Mismatch{r.about(s, training.MismatchUnreadable, "the proof in the journal")}, nil
	}
	read, problem, err := r.read(ctx, r.recordOf(kept, effect))
	switch {
	case err != nil:
		return nil, err
	case problem == training.FailureRecordMissing:
		return []training.Mismatch{r.about(s, training.MismatchMissingInQMS, "the record is gone")}, nil
	case problem != "":
		return []training.Mismatch{r.about(s, training.MismatchUnreadable, string(problem))}, nil
	}
	if r.signs() {
		return reconcile.Record(known(s), signedAs(kept, read), read), nil
	}
	return reconcile.Record(known(s), kept.Meant, read), nil
}

// signs reports whether the trainee's signature completes the tenant's records.
func (r *reconciliation) signs() bool {
	_, ok := r.tenant.QMS.(qms.Signing)
	return ok
}

// recordOf is the record that a proof is about. The proof of signatures has the last signature's id instead.
func (r *reconciliation) recordOf(kept proof, effect journal.Effect) string {
	if r.signs() {
		return kept.Meant.RecordID
	}
	return effect.ID
}

// signedAs is what a record that was completed by signatures is to show: the last one's instant, or a later one
// (whoever trains on a new revision signs again), and nothing of the score, which such a QMS does not keep.
func signedAs(kept proof, read training.Record) training.Write {
	want := kept.Meant
	want.CompletedAt, want.Score = kept.Read.CompletedAt, ""
	if read.CompletedAt.After(want.CompletedAt) {
		want.CompletedAt = read.CompletedAt
	}
	if training.SamePerson(want.EmployeeID, read.EmployeeID) { // it may be an e-mail address, which has no case
		want.EmployeeID = read.EmployeeID
	}
	return want
}

// read reads a record inside the rate. What is wrong with this record alone is its problem; an error is about
// the QMS, and the page is tried again.
func (r *reconciliation) read(ctx context.Context, recordID string) (record training.Record, problem training.FailureClass, err error) {
	if err := r.turn(ctx); err != nil {
		return record, "", err
	}
	record, err = r.tenant.QMS.Record(ctx, recordID)
	var failure *training.Failure
	if !errors.As(err, &failure) {
		return record, "", err
	}
	switch failure.Class {
	case training.FailureUnreachable, training.FailureRateLimited, training.FailureCredentials:
		return record, "", err
	}
	return record, failure.Class, nil
}

// turn waits until the QMS may be asked once more. While it is held or paused nothing is asked of it.
func (r *reconciliation) turn(ctx context.Context) error {
	if err := r.pace.Wait(ctx); err != nil {
		return err
	}
	return r.a.held(ctx, workflows.Ref{Tenant: r.run.Tenant, Holds: true})
}

// links finds links of enrollments that lead nowhere. A link whose record proves a completion is examined with it.
func (r *reconciliation) links(ctx context.Context, cursor string) (page, error) {
	var after journal.LinkPlace
	if err := place(cursor, &after); err != nil {
		return page{}, err
	}
	all, places, err := r.runs.LinksUpdated(ctx, r.run.Tenant, r.run.From, r.run.StartedAt, after, r.size())
	if err != nil {
		return page{}, journalFailure("list links", err)
	}
	found := page{next: cursor, done: len(all) < r.size()}
	for i, link := range all {
		if r.full(i) {
			found.done = false
			break
		}
		orphans, err := r.orphans(ctx, link.RecordID, all[i:i+1])
		if err != nil {
			return found.upTo(cursor, err)
		}
		found.looked++
		found.mismatches = append(found.mismatches, orphans...)
		found.next = placed(places[i])
	}
	return found, nil
}

// link looks again at the links that lead to a record.
func (r *reconciliation) link(ctx context.Context, recordID string) ([]training.Mismatch, error) {
	all, err := r.runs.LinksTo(ctx, r.run.Tenant, recordID)
	if err != nil {
		return nil, journalFailure("list links", err)
	}
	return r.orphans(ctx, recordID, all)
}

// orphans are those of the links to one record that lead nowhere.
func (r *reconciliation) orphans(ctx context.Context, recordID string, links []journal.Link) ([]training.Mismatch, error) {
	if len(links) == 0 {
		return nil, nil
	}
	if _, err := r.runs.ProvedBy(ctx, r.run.Tenant, recordID); err == nil {
		return nil, nil
	} else if !errors.Is(err, journal.ErrNotFound) {
		return nil, journalFailure("find completion of record", err)
	}
	record, problem, err := r.read(ctx, recordID)
	if err != nil {
		return nil, err
	}
	var found []training.Mismatch
	for _, link := range links {
		m := training.Mismatch{
			Kind: training.MismatchOrphanLink, Origin: training.MismatchFromLink, Source: link.Source, RecordID: recordID, Detail: "the record is gone",
		}
		switch {
		case problem == training.FailureRecordMissing:
		case problem != "":
			m.Kind, m.Detail = training.MismatchUnreadable, string(problem)
		case link.EmployeeID != "" && record.EmployeeID != link.EmployeeID && (!r.signs() || !training.SamePerson(record.EmployeeID, link.EmployeeID)):
			m.Detail, m.QMS = "the record is another employee's", string(record.Status)
		default:
			continue
		}
		found = append(found, m)
	}
	return found, nil
}

// records finds what the QMS shows as COMPLETED inside the window and no completion of ours proves.
func (r *reconciliation) records(ctx context.Context, cursor string) (page, error) {
	lister, ok := r.tenant.QMS.(qms.Lister)
	if !ok || r.tenant.MappedTraining == nil {
		return page{done: true}, nil
	}
	if err := r.turn(ctx); err != nil {
		return page{}, err
	}
	listed, next, err := lister.Completed(ctx, r.run.From, cursor)
	if err != nil {
		return page{}, err
	}
	inside := slices.DeleteFunc(slices.Clone(listed), func(record training.Record) bool {
		return !within(record.CompletedAt, r.run.From, r.run.To)
	})
	mismatches, err := r.unreported(ctx, inside)
	if err != nil {
		return page{}, err
	}
	return page{next: next, done: next == "", looked: len(listed), mismatches: mismatches}, nil
}

// unreported are the mismatches of those COMPLETED records that no completion of ours proves. Trainings that no course
// of an LMS is mapped to are none of our business.
func (r *reconciliation) unreported(ctx context.Context, records []training.Record) ([]training.Mismatch, error) {
	foreign := slices.DeleteFunc(slices.Clone(records), func(record training.Record) bool {
		return record.Status != training.RecordCompleted || r.tenant.MappedTraining == nil || !r.tenant.MappedTraining(record.TrainingID)
	})
	// A write whose proof is not stored yet is nobody else's. Its proof may arrive between the two looks, so the first
	// is taken again.
	for _, without := range []func(context.Context, []training.Record) ([]training.Record, error){r.unproved, r.uncarried, r.unproved} {
		var err error
		if foreign, err = without(ctx, foreign); err != nil {
			return nil, journalFailure("find completions of records", err)
		}
	}
	var found []training.Mismatch
	for _, record := range foreign {
		found = append(found, training.Mismatch{
			Kind: training.MismatchMissingInLMS, Origin: training.MismatchFromRecord, RecordID: record.ID, Course: record.TrainingID,
			At: record.CompletedAt, QMS: record.CompletedAt.UTC().Format(time.RFC3339), Detail: "completed in the QMS, not by us",
		})
	}
	return found, nil
}

// unproved are those of the records that prove no completion of ours.
func (r *reconciliation) unproved(ctx context.Context, records []training.Record) ([]training.Record, error) {
	var rest []training.Record
	for _, record := range records {
		_, err := r.runs.ProvedBy(ctx, r.run.Tenant, cmp.Or(record.ProofID, record.ID))
		switch {
		case errors.Is(err, journal.ErrNotFound):
			rest = append(rest, record)
		case err != nil:
			return nil, err
		}
	}
	return rest, nil
}

// uncarried are those of the records into which no completion of ours is on its way: one question for all of them.
func (r *reconciliation) uncarried(ctx context.Context, records []training.Record) ([]training.Record, error) {
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	carried, err := r.runs.Carried(ctx, r.run.Tenant, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(records, func(record training.Record) bool { return carried[record.ID] }), nil
}

// record looks again at a record that nobody had reported.
func (r *reconciliation) record(ctx context.Context, m training.Mismatch) ([]training.Mismatch, error) {
	read, problem, err := r.read(ctx, m.RecordID)
	if err != nil || problem != "" {
		return nil, err // gone: there is nothing left that an LMS could report
	}
	return r.unreported(ctx, []training.Record{read})
}
