package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// Rehearsal is what would become of a completion if it were delivered now (R190).
type Rehearsal struct {
	// Problems would put the completion up for review, or make it retry.
	Problems []*training.Failure
	// WouldDo says in sentences, in their order, what would be done. It holds no personal data.
	WouldDo []string
}

// Rehearse asks what the workflow asks before it writes, with the same code, and writes nothing
// (R191, R192): is the completion known already, is the learner an employee, which record would be
// written and to what. It can be repeated at will and is bounded by ctx.
func Rehearse(ctx context.Context, j Journal, tenant Tenant, policy training.Policy, c training.Completion) Rehearsal {
	s := subject{journal: j, tenant: tenant, stored: journal.Stored{Completion: c}, whole: c}
	var r Rehearsal
	known, err := j.Completion(ctx, c.Tenant, c.Fingerprint())
	switch {
	case err == nil:
		r.would("This completion is known since %s and its state is %s: nothing would be done a second time.",
			known.ReceivedAt.UTC().Format("2006-01-02 15:04 MST"), known.State)
		return r
	case !errors.Is(err, journal.ErrNotFound):
		r.fail("read completion", journalFailure("read completion", err))
	}
	if err := r.lookUp(ctx, &s); err != nil {
		r.fail("look up", err)
		return r
	}
	if err := s.identify(ctx); err != nil {
		r.fail("find employee mapping", err)
		return r
	}
	if err := held(s.completion(), policy.HoldFailed); err != nil {
		r.fail("check completion", err)
	}
	if err := s.resolveLearner(ctx); err != nil {
		r.fail("resolve learner", err)
		return r // without an employee there is no record to look for
	}
	if policy.Signing != nil {
		r.signature(ctx, s, policy)
		return r
	}
	found, err := s.findRecord(ctx)
	if missing(err) && policy.MissingRecord == training.MissingCreate {
		r.would("The employee has no training record of this course: one would be created, set to COMPLETED and read back.")
		r.switches(ctx, s)
		return r
	}
	if err != nil {
		r.fail("find record", err)
		return r
	}
	r.record(s, found)
	r.switches(ctx, s)
	return r
}

// lookUp asks the LMS for what the event lacks, as the workflow does, and keeps the answer to itself.
func (r *Rehearsal) lookUp(ctx context.Context, s *subject) error {
	document, err := s.lookUp(ctx)
	if err != nil || document == nil {
		return err
	}
	found, err := details(document)
	if err != nil {
		return err
	}
	s.whole = found.Fill(s.event())
	if names := found.Fields(); len(names) > 0 {
		r.would("From the LMS would be added what the event lacks: %s.", strings.Join(names, ", "))
	} else {
		r.would("The LMS was asked for what the event lacks, and knew nothing more.")
	}
	return nil
}

// switches looks whether the QMS lets anybody write from outside (R109). Not every service account
// may ask; then it is said and no problem of this completion.
func (r *Rehearsal) switches(ctx context.Context, s subject) {
	allowed, err := s.tenant.QMS.ExternalUpdatesAllowed(ctx)
	switch {
	case err != nil:
		r.would("Whether the QMS allows external status updates could not be read.")
	case !allowed:
		r.Problems = append(r.Problems, training.Fail(training.FailureUpdatesOff, "read configuration", "", ""))
	}
}

// signature says what would be done in a QMS that the trainee's signature completes.
func (r *Rehearsal) signature(ctx context.Context, s subject, policy training.Policy) {
	record, err := s.enrollment(ctx)
	switch {
	case missing(err) && policy.MissingRecord == training.MissingCreate:
		r.would("The employee would be enrolled in the training, and the enrollment read back.")
	case err != nil:
		r.fail("find enrollment", err)
		return
	case record.Status == training.RecordCompleted:
		r.would("Enrollment %s is signed already: the signatures would be read back, and count if they were given after the course was finished.", record.ID)
	default:
		r.would("Enrollment %s would be used.", record.ID)
	}
	if policy.Signing.Evidence {
		r.would("A report of the completion, which says that it is no certificate, would be kept with the training.")
	}
	r.would("The completion would wait until the trainee has signed in the QMS. Nobody else can, and nothing is completed for them.")
	r.documents(s, "is signed")
}

// record says what would be done with the record, and after it.
func (r *Rehearsal) record(s subject, f found) {
	record := f.record
	switch {
	case shows(s, record):
		r.would("Training record %s shows this completion already: it would be read back and left as it is.", record.ID)
	case record.Status == training.RecordPendingApproval:
		r.would("Training record %s is PENDING_APPROVAL: the completion would wait for the approval.", record.ID)
	case f.target() == training.RecordPendingApproval:
		r.would("Training record %s, now %s, would be set to PENDING_APPROVAL and read back; then the completion would wait for an approval.", record.ID, record.Status)
	default:
		r.would("Training record %s, now %s, would be set to COMPLETED and read back.", record.ID, record.Status)
	}
	if record.Locked {
		r.Problems = append(r.Problems, training.Fail(training.FailureRecordLocked, "find record", record.ID, ""))
	}
	r.documents(s, "is COMPLETED")
}

// documents says which would be issued, and when.
func (r *Rehearsal) documents(s subject, once string) {
	r.would("A certificate would be issued once the record %s.", once)
	if s.tenant.LRS != nil {
		r.would("An xAPI statement would be put into the LRS once the record %s.", once)
	}
}

func (r *Rehearsal) would(format string, args ...any) {
	r.WouldDo = append(r.WouldDo, fmt.Sprintf(format, args...))
}

// fail keeps what went wrong as the workflow would have classified it.
func (r *Rehearsal) fail(operation string, err error) {
	var failure *training.Failure
	switch {
	case errors.As(err, &failure):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		failure = training.FailWith(training.FailureUnreachable, operation, "", err)
	default:
		failure = training.FailWith(training.FailureDefect, operation, "", err)
	}
	r.Problems = append(r.Problems, failure)
}
