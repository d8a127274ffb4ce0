package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"countersign/internal/journal"
	"countersign/internal/lmsapi"
	"countersign/internal/reconcile"
	"countersign/internal/training"
)

// The methods of deliveries that nobody has sent over HTTP.
const (
	methodReconciliation = "RECONCILIATION"
	methodImport         = "IMPORT"
)

// personPage is how many completions that may be one learner's are looked through at a time. All are: the one that
// a row means and that is not found would be started a second time.
const personPage = 500

// listing compares a page of what the LMS lists with the journal.
func (r *reconciliation) listing(ctx context.Context, source, cursor string) (page, error) {
	lister, ok := r.tenant.lister(source)
	if !ok {
		return page{}, training.Fail(training.FailureDefect, "list completions", source, "this worker's settings have no such listing")
	}
	from, err := r.listedFrom(ctx, source)
	if err != nil {
		return page{}, err
	}
	listed, err := lister.Completions(ctx, lmsapi.Window{From: from, To: r.run.To}, cursor)
	if err != nil {
		return page{}, ofLookUp(err)
	}
	if listed.Next == cursor && cursor != "" {
		return page{}, training.Fail(training.FailureMisread, "list completions", source, "the listing does not go on")
	}
	settings, _ := r.in.Settings.Source(source)
	rows := make([]row, 0, len(listed.Completions))
	for _, c := range listed.Completions {
		c.Tenant, c.Source, c.Platform = r.run.Tenant, source, settings.Platform
		rows = append(rows, row{completion: c})
	}
	found, err := r.rows(ctx, source, methodReconciliation, rows)
	for i, reason := range listed.Unreadable {
		found.looked++
		found.mismatches = append(found.mismatches, training.Mismatch{
			Kind: training.MismatchUnreadable, Origin: training.MismatchFromListing, Source: source,
			Detail: reason, Key: fmt.Sprintf("%s/%d", cursor, i),
		})
	}
	found.next, found.done = listed.Next, listed.Next == ""
	return found, err
}

// longestGap is how far back a listing goes on by itself: as far as a tenant may choose its window.
const longestGap = 90 * 24 * time.Hour

// listedFrom is where the listing of a source begins: where the last one ended, if no run could read it for longer
// than the settings' window. What was finished meanwhile nobody would ever look at else. A window that somebody
// has chosen stays as it is. All pages of a run get the same answer.
func (r *reconciliation) listedFrom(ctx context.Context, source string) (time.Time, error) {
	from, window := r.run.From, r.in.Settings.Window
	if r.run.To.Sub(from) != window {
		return from, nil
	}
	until, err := r.runs.ListedUntil(ctx, r.run.Tenant, partListing+source, r.run.StartedAt, window)
	if err != nil {
		return from, journalFailure("read until when was listed", err)
	}
	if until.IsZero() || !until.Before(from) {
		return from, nil
	}
	if most := r.run.To.Add(-longestGap); until.Before(most) {
		until = most
	}
	r.log.Info("listing goes on where the last one ended", "source", source, "from", until)
	return until, nil
}

// row is a completion that something else than a delivery reports.
type row struct {
	completion training.Completion
	// raw is what it was read from; nil stands for the completion itself.
	raw []byte
}

// rows compares completions of a source with the journal, and puts on their way those that it does not have.
func (r *reconciliation) rows(ctx context.Context, source, method string, rows []row) (page, error) {
	var found page
	var missing []row
	var pending []reconcile.Known
	caughtUp := false
	for _, row := range rows {
		c := row.completion
		found.looked++
		if err := c.Validate(); err != nil {
			found.mismatches = append(found.mismatches, training.Mismatch{
				Kind: training.MismatchUnreadable, Origin: training.MismatchFromListing, Source: source,
				Detail: err.Error(), Key: string(c.Fingerprint()),
			})
			continue
		}
		stored, ok, err := r.known(ctx, c, &caughtUp)
		if err != nil {
			return found, err
		}
		if !ok {
			if first, twice := reconcile.Match(c, pending, r.in.Settings.SameWithin); twice {
				found.mismatches = append(found.mismatches, reconcile.Listing(c, first)...)
			} else {
				missing = append(missing, row)
				pending = append(pending, reconcile.Known{Fingerprint: c.Fingerprint(), Completion: c})
			}
			continue
		}
		ours, err := enrichedKnown(stored)
		if err != nil {
			return found, err
		}
		found.mismatches = append(found.mismatches, reconcile.Listing(c, ours)...)
		found.seen = append(found.seen, stored.Fingerprint)
	}
	return found, r.start(ctx, method, missing)
}

// known finds the completion of ours that a listed one is: by its fingerprint, else by learner, course and an
// instant that is equal or near. Before it says that there is none, it looks at what has arrived meanwhile.
func (r *reconciliation) known(ctx context.Context, c training.Completion, caughtUp *bool) (journal.Stored, bool, error) {
	stored, err := r.a.cfg.Journal.Completion(ctx, c.Tenant, c.Fingerprint())
	if err == nil {
		return stored, true, nil
	}
	if !errors.Is(err, journal.ErrNotFound) {
		return stored, false, journalFailure("read completion", err)
	}
	if !*caughtUp {
		if err := r.catchUp(ctx); err != nil {
			return stored, false, err
		}
		*caughtUp = true
	}
	var best []reconcile.Known // of all pages until now; one at most
	for after := training.Fingerprint(""); ; {
		candidates, err := r.runs.FindOfPerson(ctx, c.Tenant, c.Source, c.Learner, after, personPage)
		if err != nil {
			return stored, false, journalFailure("find completions of a person", err)
		}
		all := best
		for _, candidate := range candidates {
			k, err := enrichedKnown(candidate)
			if err != nil {
				return stored, false, err
			}
			all = append(all, k)
			after = candidate.Fingerprint
		}
		if match, ok := reconcile.Match(c, all, r.in.Settings.SameWithin); ok {
			best = []reconcile.Known{match}
			for _, candidate := range candidates {
				if candidate.Fingerprint == match.Fingerprint {
					stored = candidate
				}
			}
		}
		if len(candidates) < personPage {
			return stored, len(best) > 0, nil
		}
	}
}

// known is a completion of the journal as the rules see it.
func known(s journal.Stored) reconcile.Known {
	return reconcile.Known{Fingerprint: s.Fingerprint, Completion: s.Completion}
}

// enrichedKnown is known with what was looked up: ids and scores that the event lacks, and the LMS's own instant
// beside the event's (R15).
func enrichedKnown(s journal.Stored) (reconcile.Known, error) {
	whole, err := enriched(s)
	if err != nil {
		return reconcile.Known{}, err
	}
	k := reconcile.Known{Fingerprint: s.Fingerprint, Completion: whole, Also: []time.Time{whole.CompletedAt}}
	k.Completion.CompletedAt, k.Completion.Precision = s.Completion.CompletedAt, s.Completion.Precision
	return k, nil
}

// catchUp makes findable what has arrived since the index was last brought up.
func (r *reconciliation) catchUp(ctx context.Context) error {
	for after := (journal.Place{}); ; {
		next, more, err := r.runs.IndexPeople(ctx, r.run.Tenant, after, 5*pageSize)
		if err != nil {
			return journalFailure("index people", err)
		}
		if !more {
			return nil
		}
		after = next
	}
}

// start puts what is missing on its way, like any delivery (one way in): dispatch finds it queued and starts the
// same workflow under the same fingerprint. That it was missing is written first, so that a worker that is
// killed in between leaves the report right: its successor finds some of them known.
func (r *reconciliation) start(ctx context.Context, method string, missing []row) error {
	mismatches := make([]training.Mismatch, len(missing))
	for i, row := range missing {
		c := row.completion
		mismatches[i] = training.Mismatch{
			Kind: training.MismatchMissingInQMS, Origin: training.MismatchFromListing, Source: c.Source, Fingerprint: c.Fingerprint(),
			Course: c.Course.Label(), At: c.CompletedAt, LMS: c.CompletedAt.UTC().Format(time.RFC3339), Started: !r.run.DryRun,
		}
	}
	if err := r.runs.PutMismatches(ctx, r.run.Tenant, r.run.Run, mismatches); err != nil {
		return journalFailure("put mismatches", err)
	}
	if r.run.DryRun {
		return nil
	}
	for _, row := range missing {
		c := row.completion
		body := row.raw
		if body == nil {
			var err error
			if body, err = json.Marshal(c); err != nil {
				return training.FailWith(training.FailureDefect, "encode row", string(c.Fingerprint()), err)
			}
		}
		receipt, err := r.runs.Append(ctx, journal.Delivery{
			Tenant: c.Tenant, Source: c.Source, Platform: c.Platform, Method: method, Path: "/reconciliation/" + r.run.Run,
			Body: body, Verdict: journal.VerdictAccepted, Reason: "found by reconciliation " + r.run.Run,
		}, []training.Completion{c})
		if err != nil {
			return journalFailure("append missing completion", err)
		}
		r.log.Info("missing completion found", "fingerprint", string(c.Fingerprint()), "delivery", receipt.DeliveryID, "source", c.Source)
	}
	return nil
}

// upload compares a page of an uploaded file with the journal.
func (r *reconciliation) upload(ctx context.Context, cursor string) (page, error) {
	var from reconcile.FilePlace
	if err := place(cursor, &from); err != nil {
		return page{}, err
	}
	if r.uploaded == nil {
		d, err := r.runs.Delivery(ctx, r.run.Tenant, r.run.Upload)
		if err != nil {
			return page{}, journalFailure("read upload", err)
		}
		zone, err := time.LoadLocation(r.in.Settings.TimeZone)
		if err != nil {
			return page{}, training.FailWith(training.FailureDefect, "read upload", "time zone", err)
		}
		if r.file, err = reconcile.ReadFile(d.Body, zone, from); err != nil {
			return page{}, training.FailWith(training.FailureDefect, "read upload", d.ID, err)
		}
		r.uploaded = &d
	}
	d, file := r.uploaded, r.file
	var rows []row
	var unreadable []training.Mismatch
	more := true
	for len(rows)+len(unreadable) < pageSize && more {
		var next reconcile.FileRow
		if next, more = file.Next(); !more {
			break
		}
		if next.Mistake != "" {
			unreadable = append(unreadable, training.Mismatch{
				Kind: training.MismatchUnreadable, Origin: training.MismatchFromListing, Source: d.Source,
				Detail: fmt.Sprintf("line %d: %s", next.Line, next.Mistake), Key: fmt.Sprintf("%s/%d", d.ID, next.Line),
			})
			continue
		}
		c := next.Completion
		c.Tenant, c.Source, c.Platform = r.run.Tenant, d.Source, d.Platform
		rows = append(rows, row{c, next.Raw})
	}
	found, err := r.rows(ctx, d.Source, methodImport, rows)
	found.looked += len(unreadable)
	found.mismatches = append(found.mismatches, unreadable...)
	found.next, found.done = placed(file.Place()), !more
	return found, err
}
