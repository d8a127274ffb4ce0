package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"countersign/internal/journal"
	"countersign/internal/lmsapi"
	"countersign/internal/qms"
	"countersign/internal/reconcile"
	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/time/rate"
)

// Runs is what reconciliation needs of the journal, beside Journal.
type Runs interface {
	Append(ctx context.Context, d journal.Delivery, cs []training.Completion, es ...training.Enrollment) (journal.Receipt, error)
	Delivery(ctx context.Context, tenant, id string) (journal.Delivery, error)
	BeginReconciliation(ctx context.Context, r journal.Reconciliation) (journal.Reconciliation, error)
	EndReconciliation(ctx context.Context, tenant, run string) error
	Reconciliation(ctx context.Context, tenant, run string) (journal.Reconciliation, error)
	ReconciliationPart(ctx context.Context, tenant, run, part string) (journal.ReconciliationPart, error)
	ReconciliationParts(ctx context.Context, tenant, run string) ([]journal.ReconciliationPart, error)
	ListedUntil(ctx context.Context, tenant, part string, before time.Time, window time.Duration) (time.Time, error)
	GiveUpReconciliationPart(ctx context.Context, tenant, run, part, failure string) error
	CommitReconciliationPage(ctx context.Context, p journal.ReconciliationPage) error
	ReconciliationSeen(ctx context.Context, tenant, run string, some []training.Fingerprint) (map[training.Fingerprint]bool, error)
	ReconciliationSeenPage(ctx context.Context, tenant, run string, after training.Fingerprint, limit int) ([]training.Fingerprint, error)
	PutMismatches(ctx context.Context, tenant, run string, all []training.Mismatch) error
	Mismatches(ctx context.Context, tenant, run string, kind training.MismatchKind, after journal.MismatchPlace, limit int) ([]training.Mismatch, error)
	MismatchCounts(ctx context.Context, tenant, run string) (map[training.MismatchKind]journal.MismatchCount, error)
	Received(ctx context.Context, tenant string, from time.Time, after journal.Place, limit int) ([]journal.Stored, error)
	OpenBefore(ctx context.Context, tenant string, before time.Time, after journal.Place, limit int) ([]journal.Stored, error)
	EffectHeads(ctx context.Context, tenant string, f training.Fingerprint) (map[training.EffectKind]journal.Effect, error)
	Carried(ctx context.Context, tenant string, recordIDs []string) (map[string]bool, error)
	ProvedBy(ctx context.Context, tenant, recordID string) (training.Fingerprint, error)
	LinksUpdated(ctx context.Context, tenant string, from, to time.Time, after journal.LinkPlace, limit int) ([]journal.Link, []journal.LinkPlace, error)
	LinksTo(ctx context.Context, tenant, recordID string) ([]journal.Link, error)
	IndexPeople(ctx context.Context, tenant string, after journal.Place, limit int) (next journal.Place, more bool, err error)
	FindOfPerson(ctx context.Context, tenant, source string, l training.Learner, after training.Fingerprint, limit int) ([]journal.Stored, error)
}

// The parts of a run, in their order. A part whose name ends in "/" is followed by a source.
const (
	partPeople    = "people"    // makes what came in since findable by who finished
	partListing   = "lms/"      // what the LMS lists, against the journal
	partUpload    = "upload"    // what an uploaded file lists, against the journal
	partListed    = "listed"    // what they have shown, against the QMS and our own documents
	partJournal   = "journal"   // what came in, against the listings, the QMS, and our own documents
	partOpen      = "open"      // what came in before and has not ended
	partStanding  = "standing"  // what the last run has found
	partLinks     = "links"     // links of enrollments, against the QMS
	partRecords   = "records"   // what the QMS lists, against the journal
	partDocuments = "documents" // what the QMS keeps with trainings: no document of ours twice
	partLRS       = "lrs"       // what the LRS shows of statements that were delivered, against their bytes
)

const (
	// pageSize is how many completions or links make a page: what a killed worker has to do again.
	pageSize = 100
	// partTime is how long one activity goes on before it hands back control.
	partTime = 2 * time.Minute
	// pageTime is how long a page goes on before it is committed as far as it has come, so that the activity ends in time
	// also where each answer takes its half minute.
	pageTime = time.Minute
	// lrsPatience is the longest that an LRS is waited for on its word (Retry-After). The run ends without it then: the
	// next one could not begin.
	lrsPatience = time.Hour
)

// BeginReconciliation stores the run and says which parts it has.
func (a *Activities) BeginReconciliation(ctx context.Context, in workflows.BeginReconciliation) (workflows.ReconciliationPlan, error) {
	tenant, ok := a.cfg.Tenant(in.Tenant)
	if !ok {
		return workflows.ReconciliationPlan{}, fmt.Errorf("begin reconciliation %s: the tenant is not in this worker's settings", in.Run)
	}
	run, err := a.cfg.Runs.BeginReconciliation(ctx, journal.Reconciliation{
		Tenant: in.Tenant, Run: in.Run, Source: in.Source, Upload: in.Upload, DryRun: in.DryRun, From: in.From, To: in.To,
	})
	if err != nil {
		return workflows.ReconciliationPlan{}, err
	}
	parts := []string{partPeople}
	if in.Upload != "" {
		parts = append(parts, partUpload)
	}
	for _, source := range in.Settings.Sources {
		_, lists := tenant.lister(source.ID)
		if source.Listed && lists && (in.Source == "" || in.Source == source.ID) && in.Upload == "" {
			parts = append(parts, partListing+source.ID)
		}
	}
	if len(parts) > 1 {
		parts = append(parts, partListed)
	}
	if in.Upload == "" { // a file is compared with what it names, not with everything
		parts = append(parts, partJournal, partOpen)
		if in.Source == "" {
			parts = append(parts, partLinks, partRecords)
			if _, ok := tenant.QMS.(qms.Filing); ok {
				parts = append(parts, partDocuments)
			}
		}
	}
	// An LRS that does not answer keeps the rest waiting for nothing.
	if in.Settings.Statements > 0 && tenant.LRS != nil {
		parts = append(parts, partLRS)
	}
	// Last, because what this run has found anew needs no second look.
	if run.Previous != "" {
		parts = append(parts, partStanding)
	}
	a.cfg.Log.Info("reconciliation begins", "tenant", in.Tenant, "run", in.Run, "from", run.From, "to", run.To, "parts", len(parts))
	return workflows.ReconciliationPlan{Parts: parts}, nil
}

// lister is the source's access to an LMS that lists completions.
func (t Tenant) lister(source string) (lmsapi.Lister, bool) {
	if t.LMS == nil {
		return nil, false
	}
	lister, ok := t.LMS(source).(lmsapi.Lister)
	return lister, ok
}

// reconciliation is a run at work on one part.
type reconciliation struct {
	a      *Activities
	runs   Runs
	in     workflows.ReconcilePart
	run    journal.Reconciliation
	tenant Tenant
	now    time.Time
	pace   *rate.Limiter
	log    *slog.Logger
	// late is when the page under way ends; zero for when it is full.
	late time.Time
	// uploaded and file are the upload, read once for all pages of the activity.
	uploaded *journal.Delivery
	file     *reconcile.File
	// reads is what the part of the LRS knows from page to page.
	reads *reading
}

// ReconcilePart compares the next pages of a part, from where the journal says that it has come to. It heartbeats,
// stays inside the rate of reads, and hands back control after a while.
func (a *Activities) ReconcilePart(ctx context.Context, in workflows.ReconcilePart) (workflows.PartProgress, error) {
	log := a.cfg.Log.With("tenant", in.Tenant, "run", in.Run, "part", in.Part)
	var pages atomic.Int64
	defer beat(ctx, &pages)()
	progress, err := a.reconcilePart(ctx, in, log, &pages)
	if err != nil {
		return progress, comparison(ctx, log, in.Part, int(activity.GetInfo(ctx).Attempt), err)
	}
	return progress, nil
}

func (a *Activities) reconcilePart(ctx context.Context, in workflows.ReconcilePart, log *slog.Logger, pages *atomic.Int64) (progress workflows.PartProgress, err error) {
	tenant, ok := a.cfg.Tenant(in.Tenant)
	if !ok {
		return progress, training.Fail(training.FailureTenantUnknown, "find tenant", in.Tenant, "")
	}
	run, err := a.cfg.Runs.Reconciliation(ctx, in.Tenant, in.Run)
	if err != nil {
		return progress, journalFailure("read reconciliation", err)
	}
	r := &reconciliation{
		a: a, runs: a.cfg.Runs, in: in, run: run, tenant: tenant, now: time.Now(), log: log,
		pace: limiter(in.Settings),
	}
	for until := r.now.Add(partTime); ; pages.Add(1) {
		part, err := a.cfg.Runs.ReconciliationPart(ctx, in.Tenant, in.Run, in.Part)
		if err != nil {
			return progress, journalFailure("read part", err)
		}
		progress.Done, progress.Looked = part.Done, part.Looked
		if part.Done || time.Now().After(until) {
			return progress, nil
		}
		found, err := r.compare(ctx, part.Cursor)
		if err != nil && pages.Load() > 0 {
			return progress, r.goOn(ctx, err)
		}
		if err != nil {
			return progress, err
		}
		if err := r.commit(ctx, part.Cursor, found); err != nil {
			return progress, err
		}
		if found.trouble != nil {
			return progress, r.goOn(ctx, found.trouble)
		}
	}
}

// limiter is the rate at which a run reads the QMS, and the LRS: a second's worth at once at most, once it was saved. One
// read is free, so that activities that end one after another do not each begin with a second's worth.
func limiter(rules training.Reconciliation) *rate.Limiter {
	l := rate.NewLimiter(rate.Limit(rules.PerSecond), max(1, int(rules.PerSecond)))
	l.AllowN(time.Now(), l.Burst()-1)
	return l
}

// size is how many things make a page of a part that reads the QMS, or the LRS, for each: a minute's worth at most, so that a
// page ends long before its activity does, however slow the rate.
func (r *reconciliation) size() int {
	return min(max(int(60*r.in.Settings.PerSecond), 1), pageSize)
}

// full reports whether a page that holds n things takes no more: it holds one at least.
func (r *reconciliation) full(n int) bool {
	return n > 0 && !r.late.IsZero() && time.Now().After(r.late)
}

// compare does one page.
func (r *reconciliation) compare(ctx context.Context, cursor string) (page, error) {
	r.late = time.Now().Add(pageTime)
	switch name := r.in.Part; {
	case name == partPeople:
		return r.people(ctx, cursor)
	case strings.HasPrefix(name, partListing):
		return r.listing(ctx, strings.TrimPrefix(name, partListing), cursor)
	case name == partUpload:
		return r.upload(ctx, cursor)
	case name == partListed:
		return r.shown(ctx, cursor, r.examine)
	case name == partJournal:
		return r.journaled(ctx, cursor, r.examineListed)
	case name == partOpen:
		return r.open(ctx, cursor)
	case name == partStanding:
		return r.standing(ctx, cursor)
	case name == partLinks:
		return r.links(ctx, cursor)
	case name == partRecords:
		return r.records(ctx, cursor)
	case name == partDocuments:
		return r.documentsTwice(ctx, cursor)
	case name == partLRS:
		return r.statements(ctx, cursor)
	default:
		return page{}, training.Fail(training.FailureDefect, "compare part", name, "no such part in this version")
	}
}

// commit stores a page together with its cursor.
func (r *reconciliation) commit(ctx context.Context, cursor string, p page) error {
	err := r.runs.CommitReconciliationPage(ctx, journal.ReconciliationPage{
		Tenant: r.in.Tenant, Run: r.in.Run, Part: r.in.Part, Cursor: cursor, Next: p.next, Done: p.done,
		Looked: p.looked, Mismatches: p.mismatches, Seen: p.seen,
	})
	if err != nil {
		return journalFailure("commit page", err)
	}
	return nil
}

// GiveUpPart writes into the report that a part could not be compared.
func (a *Activities) GiveUpPart(ctx context.Context, in workflows.GiveUpPart) error {
	if in.Part == partStanding {
		if err := a.carryOver(ctx, in.Tenant, in.Run); err != nil {
			return err
		}
	}
	a.cfg.Log.Error("part of a reconciliation given up", "tenant", in.Tenant, "run", in.Run, "part", in.Part, "failure", in.Failure.Error())
	return a.cfg.Runs.GiveUpReconciliationPart(ctx, in.Tenant, in.Run, in.Part, in.Failure.Error())
}

// EndReconciliation closes the run and counts what it has found.
func (a *Activities) EndReconciliation(ctx context.Context, in workflows.EndReconciliation) (workflows.ReconciliationReport, error) {
	report := workflows.ReconciliationReport{Run: in.Run}
	if err := a.cfg.Runs.EndReconciliation(ctx, in.Tenant, in.Run); err != nil {
		return report, err
	}
	counts, err := a.cfg.Runs.MismatchCounts(ctx, in.Tenant, in.Run)
	if err != nil {
		return report, err
	}
	parts, err := a.cfg.Runs.ReconciliationParts(ctx, in.Tenant, in.Run)
	if err != nil {
		return report, err
	}
	report.Mismatches = map[training.MismatchKind]int{}
	for kind, c := range counts {
		report.Mismatches[kind] = c.N
		report.Started += c.Started
		report.New += c.New
	}
	for _, part := range parts {
		if part.Part != partPeople {
			report.Looked += part.Looked
		}
		if part.Failure != "" {
			report.GivenUp = append(report.GivenUp, part.Part)
		}
	}
	a.cfg.Log.Info("reconciliation ended", "tenant", in.Tenant, "run", in.Run, "found", report.Words(), "looked", report.Looked)
	return report, nil
}

// beat says that the activity lives, and how many pages it has done, until the returned function is called.
func beat(ctx context.Context, pages *atomic.Int64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(workflows.HeartbeatEvery)
		defer ticker.Stop()
		for {
			activity.RecordHeartbeat(ctx, pages.Load())
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

// comparison turns an error of a part into what Temporal and people understand. What no retry can mend is given
// up at once, and the report says so.
func comparison(ctx context.Context, log *slog.Logger, part string, attempt int, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return err // the worker stops; another one takes over
	}
	var failure *training.Failure
	if !errors.As(err, &failure) {
		failure = training.FailWith(training.FailureDefect, "compare part", "", err)
	}
	log.Warn("comparison failed", "class", failure.Class, "failure", failure.Error())
	delay := failure.RetryAfter
	if delay <= workflows.PartRetry().Gap(attempt) {
		// A page may cost more calls than that gives back to a budget: the schedule's gaps grow until it is enough.
		delay = 0
	}
	final := !failure.Class.Transient() || part == partLRS && failure.RetryAfter > lrsPatience
	return temporal.NewApplicationErrorWithOptions(failure.Error(), string(failure.Class), temporal.ApplicationErrorOptions{
		NonRetryable: final, NextRetryDelay: delay, Details: []any{*failure},
	})
}

// people brings the index of people up to date, which the listings look into.
func (r *reconciliation) people(ctx context.Context, cursor string) (page, error) {
	var after journal.Place
	if err := place(cursor, &after); err != nil {
		return page{}, err
	}
	next, more, err := r.runs.IndexPeople(ctx, r.run.Tenant, after, 5*pageSize)
	if err != nil {
		return page{}, journalFailure("index people", err)
	}
	return page{next: placed(next), done: !more}, nil
}
