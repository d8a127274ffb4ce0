// Package activities is every side effect of the workflows: one file per group. It keeps the
// contract workflows.Activities, over ports that package worker wires for each tenant.
package activities

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"countersign/internal/breaker"
	"countersign/internal/certificate"
	"countersign/internal/journal"
	"countersign/internal/lmsapi"
	"countersign/internal/notify"
	"countersign/internal/qms"
	"countersign/internal/training"
	"countersign/internal/xapi"
	"countersign/workflows"
)

// Tenant is what the activities need to work for one tenant.
type Tenant struct {
	Name string
	QMS  qms.Client
	// LRS is nil when the tenant wants no statements.
	LRS LRS
	// Statements are the settings of the tenant's statements.
	Statements xapi.Options
	// Issuer and VerifyURL are printed on certificates; "{number}" in VerifyURL is replaced.
	Issuer, VerifyURL string
	// EmployeeID picks the employee id out of the learner of a source (C14); "" if it is not there.
	EmployeeID func(source string, l training.Learner) string
	// Training finds the QMS's training for a course in the settings, and whether it asks for an approval.
	Training func(source string, course training.Course) (id string, approval, ok bool)
	// LMS is the REST API of a source's LMS, nil where nothing can be looked up (R15). LMS itself may be nil.
	LMS func(source string) lmsapi.Client
	// MappedTraining reports whether any course of an LMS leads to this training of the QMS.
	MappedTraining func(id string) bool
	// SameCode takes the course's code for the training's id where neither settings nor imports name one.
	SameCode bool
	// Notices reach the tenant's training admins, and may say Personal of learners.
	Notices  notify.Channel
	Personal notify.Personal
	// Quiet are the hours in which no notice goes out.
	Quiet notify.Quiet
	// Escalations take what nobody has decided about in time; nil when the training admins hear of it again.
	Escalations notify.Channel
	// Policy is the tenant's as it is now; Breaker is nil where it wants no holds.
	Policy  training.Policy
	Breaker *breaker.Breaker
	// NoticeLink makes the address that a notice leads to, for one completion or ("") for all.
	NoticeLink func(training.Fingerprint) string
}

// LRS takes statements and shows them. Put may be repeated with the same bytes.
type LRS interface {
	Put(ctx context.Context, id string, statement []byte) error
	// ReadBack compares what stands under an id with what was put there.
	ReadBack(ctx context.Context, id string, statement []byte) (xapi.Shown, error)
	// Readable proves that it is an LRS that answers, and that we may read there.
	Readable(ctx context.Context) error
}

// Journal is what the activities need of the journal.
type Journal interface {
	Completion(ctx context.Context, tenant string, f training.Fingerprint) (journal.Stored, error)
	Project(ctx context.Context, tenant string, f training.Fingerprint, p journal.Projection) error
	PutEffect(ctx context.Context, e journal.Effect) (journal.Effect, error)
	Effect(ctx context.Context, tenant string, f training.Fingerprint, kind training.EffectKind) (journal.Effect, error)
	EffectHeads(ctx context.Context, tenant string, f training.Fingerprint) (map[training.EffectKind]journal.Effect, error)
	PutEnrichment(ctx context.Context, tenant string, f training.Fingerprint, document, earlier []byte) (journal.Enrichment, error)
	IndexPerson(ctx context.Context, tenant, source string, f training.Fingerprint, l training.Learner) error
	MarkDelivered(ctx context.Context, tenant string, f training.Fingerprint, kind training.EffectKind) error
	PutLink(ctx context.Context, l journal.Link) error
	FindLink(ctx context.Context, tenant, source, enrollmentID, learnerKey, courseKey string) (journal.Link, error)
	AddDecision(ctx context.Context, e journal.DecisionEntry) error
	Decisions(ctx context.Context, tenant string, f training.Fingerprint) ([]journal.DecisionEntry, error)

	EnrollmentJournal
	MapJournal
}

// Inbox brings an item to a tenant's AdminInbox, starting it if there is none.
type Inbox interface {
	Tell(ctx context.Context, in workflows.TellAdmins) error
	// Decide answers the review that a completion waits in.
	Decide(ctx context.Context, f training.Fingerprint, d training.Decision) error
}

// Config is what New needs; all of it is required but where it says so.
type Config struct {
	Journal Journal
	// Targets and Outages are nil where nothing is ever held.
	Targets Targets
	Outages Outages
	// Runs is what reconciliation needs of the same journal; nil where nothing is reconciled.
	Runs Runs
	// Tenant finds a tenant by its id.
	Tenant func(id string) (Tenant, bool)
	Inbox  Inbox
	Drawer *certificate.Drawer
	Log    *slog.Logger
	// ReadBack are the waits before the reads that follow a write; nil for qms's own.
	ReadBack []time.Duration
}

// Activities keeps workflows.Activities.
type Activities struct {
	cfg  Config
	gate gate
}

var _ workflows.Activities = (*Activities)(nil)

// New builds the activities.
func New(cfg Config) *Activities { return &Activities{cfg: cfg} }

// subject is a completion that is being worked on, with its tenant.
type subject struct {
	journal Journal
	tenant  Tenant
	stored  journal.Stored
	// whole is the completion with what its LMS said beyond the event.
	whole training.Completion
	// employeeID is who the learner is in the QMS if no decision says otherwise, "" if nobody knows.
	employeeID string
}

// event is the completion as it came: its fingerprint, its links and the reference of its record are made of it.
func (s subject) event() training.Completion { return s.stored.Completion }

// completion is the event with what was looked up.
func (s subject) completion() training.Completion { return s.whole }

// open reads what ref names.
func (a *Activities) open(ctx context.Context, ref workflows.Ref) (subject, error) {
	tenant, ok := a.cfg.Tenant(ref.Tenant)
	if !ok {
		return subject{}, training.Fail(training.FailureTenantUnknown, "find tenant", ref.Tenant, "")
	}
	stored, err := a.cfg.Journal.Completion(ctx, ref.Tenant, ref.Fingerprint)
	if err != nil {
		return subject{}, journalFailure("read completion", err)
	}
	s, err := subjectOf(a.cfg.Journal, tenant, stored)
	if err != nil {
		return subject{}, err
	}
	return s, s.identify(ctx)
}

func subjectOf(j Journal, tenant Tenant, stored journal.Stored) (subject, error) {
	whole, err := enriched(stored)
	return subject{journal: j, tenant: tenant, stored: stored, whole: whole}, err
}

// identify finds out who the learner is in the QMS.
func (s *subject) identify(ctx context.Context) (err error) {
	c := s.completion()
	s.employeeID, err = employeeOf(ctx, s.journal, s.tenant, c.Tenant, c.Source, c.Learner)
	return err
}

// journalFailure classifies an error of the journal: it is down, or it has lost what it was given.
func journalFailure(operation string, err error) error {
	class := training.FailureUnreachable
	if errors.Is(err, journal.ErrNotFound) {
		class = training.FailureDefect
	}
	f := training.FailWith(class, operation, "", err)
	f.Detail = breaker.JournalDetail
	return f
}
