package activities

import (
	"context"
	"errors"
	"slices"

	"countersign/internal/journal"
	"countersign/internal/qms"
	"countersign/internal/training"
	"countersign/workflows"
)

// EnrollmentJournal is what the activities need of the journal for enrollments.
type EnrollmentJournal interface {
	Enrollment(ctx context.Context, tenant string, key training.EnrollmentKey) (journal.StoredEnrollment, error)
	ProjectEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, p journal.EnrollmentProjection) (decisions int, err error)
	// ReserveRef says under which reference a record of this employee and training is to be created.
	ReserveRef(ctx context.Context, tenant, employeeID, trainingID, ref string, spent []string) (reserved string, err error)
	// AwaitingRecord lists the completions in review whose learner had no open record of the course.
	AwaitingRecord(ctx context.Context, tenant, source string, l training.Learner, c training.Course) ([]training.Fingerprint, error)
	// LinkedSince is the record that an enrollment was linked to since this completion of it came; "" for none.
	LinkedSince(ctx context.Context, tenant string, f training.Fingerprint) (recordID string, err error)
}

// LinkEnrollment finds the training record of an enrollment or creates it, reads it back and keeps the link.
func (a *Activities) LinkEnrollment(ctx context.Context, ref workflows.EnrollmentRef) (workflows.LinkedEnrollment, error) {
	return attemptEnrollment(ctx, a, ref, func(ctx context.Context, e enrollee) (workflows.LinkedEnrollment, error) {
		if err := e.tenant.QMS.Employee(ctx, e.employee); err != nil {
			return workflows.LinkedEnrollment{}, err
		}
		record, created, err := e.record(ctx, a.applyOptions())
		if err != nil {
			return workflows.LinkedEnrollment{}, err
		}
		err = a.cfg.Journal.PutLink(ctx, journal.Link{
			Tenant: ref.Tenant, Source: e.enrollment.Source, EnrollmentID: e.enrollment.EnrollmentID,
			LearnerKey: e.enrollment.Learner.Key(), CourseKey: e.enrollment.Course.Key(),
			EmployeeID: e.employee, RecordID: record.ID,
		})
		if err != nil {
			return workflows.LinkedEnrollment{}, journalFailure("store enrollment link", err)
		}
		a.enrollmentLog(ref).Info("enrollment linked", "record", record.ID, "status", record.Status, "created", created)
		return workflows.LinkedEnrollment{RecordID: record.ID, Status: record.Status, Created: created}, nil
	})
}

// record is the enrollment's record: the one it is linked to, else the only one of the employee and training that
// is open, else the one that shows the enrollment's training as done already, else a new one. What came
// of an earlier attempt or of a completion that was faster is found on the way.
func (e enrollee) record(ctx context.Context, opts qms.ApplyOptions) (record training.Record, created bool, err error) {
	record, linked, err := e.linkedRecord(ctx)
	if linked || err != nil {
		return record, false, err
	}
	records, err := e.tenant.QMS.Records(ctx, e.employee, e.trainingID)
	if err != nil {
		return training.Record{}, false, err
	}
	var open, done []training.Record
	for _, record := range records {
		switch {
		case enrollable(record):
			open = append(open, record)
		case e.enrollment.FulfilledBy(record):
			done = append(done, record)
		}
	}
	switch {
	case len(open) == 1:
		return open[0], false, nil
	case len(open) > 1:
		return training.Record{}, false, training.Fail(training.FailureRecordAmbiguous, "find record", open[0].ID, string(open[0].Status))
	case len(done) > 0:
		return slices.MinFunc(done, func(a, b training.Record) int { return a.CompletedAt.Compare(b.CompletedAt) }), false, nil
	}
	record, err = e.create(ctx, records, opts)
	if err == nil && !enrollable(record) && !e.enrollment.FulfilledBy(record) && record.ExternalRef != e.enrollment.OwnRef() {
		// A late completion of an earlier enrollment was creating its record at this moment, and has completed it.
		record, err = e.create(ctx, append(records, record), opts)
	}
	return record, err == nil, err
}

// enrollable reports whether a record stands for a training that is to be done.
func enrollable(record training.Record) bool {
	return record.Status.Open() || record.Status == training.RecordPendingApproval
}

// linkedRecord is the record that the enrollment is linked to already. linked is false if there is none that can be
// meant: it is gone, of another training or employee, or over and done with before this enrollment. A completion
// of the very same enrollment id ends it, whatever its date.
func (e enrollee) linkedRecord(ctx context.Context) (record training.Record, linked bool, err error) {
	link, err := e.journal.FindLink(ctx, e.enrollment.Tenant, e.enrollment.Source, e.enrollment.EnrollmentID,
		e.enrollment.Learner.Key(), e.enrollment.Course.Key())
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return record, false, nil
	case err != nil:
		return record, false, journalFailure("find enrollment link", err)
	}
	record, err = e.tenant.QMS.Record(ctx, link.RecordID)
	if missing(err) {
		return record, false, nil
	}
	same := record.EmployeeID == e.employee && record.TrainingID == e.trainingID
	exactly := link.EnrollmentID != "" && link.EnrollmentID == e.enrollment.EnrollmentID && record.Status == training.RecordCompleted
	return record, err == nil && same && (enrollable(record) || exactly || e.enrollment.FulfilledBy(record)), err
}

// create creates the record, repeatably. The references of records that are over are spent: under them the
// QMS would answer with those.
func (e enrollee) create(ctx context.Context, over []training.Record, opts qms.ApplyOptions) (training.Record, error) {
	ref := e.enrollment.ExternalRef()
	var spent []string
	for _, record := range over {
		spent = append(spent, record.ExternalRef)
		if record.ExternalRef == ref {
			ref = e.enrollment.OwnRef()
		}
	}
	ref, err := e.journal.ReserveRef(ctx, e.enrollment.Tenant, e.employee, e.trainingID, ref, spent)
	if err != nil {
		return training.Record{}, journalFailure("reserve reference", err)
	}
	return qms.Ensure(ctx, e.tenant.QMS, training.NewRecord{EmployeeID: e.employee, TrainingID: e.trainingID, ExternalRef: ref}, opts)
}

// RecordEnrollment writes to the journal where the enrollment stands, and what a person decided.
func (a *Activities) RecordEnrollment(ctx context.Context, in workflows.RecordEnrollment) (workflows.RecordedWait, error) {
	p := journal.EnrollmentProjection{State: in.State, RecordID: in.RecordID, Decision: in.Decision, Round: in.Round, Via: in.Via}
	if in.Failure != nil {
		p.FailureClass, p.FailureDetail, p.FailureTarget = in.Failure.Class, in.Failure.Detail, in.Failure.Target
	}
	decisions, err := a.cfg.Journal.ProjectEnrollment(ctx, in.Tenant, in.Key, p)
	if err != nil {
		return workflows.RecordedWait{}, err
	}
	a.enrollmentLog(in.EnrollmentRef).Info("enrollment", "state", in.State, "class", p.FailureClass, "record", in.RecordID)
	return workflows.RecordedWait{Decisions: decisions}, nil
}

// WakeCompletions has the completions tried again that are in review for want of the record that is there now.
// A completion that cannot be reached stays in review, where a person sees it.
func (a *Activities) WakeCompletions(ctx context.Context, in workflows.WakeCompletions) error {
	stored, err := a.cfg.Journal.Enrollment(ctx, in.Tenant, in.Key)
	if err != nil {
		return err
	}
	e := stored.Enrollment
	waiting, err := a.cfg.Journal.AwaitingRecord(ctx, in.Tenant, e.Source, e.Learner, e.Course)
	if err != nil {
		return err
	}
	for _, f := range waiting {
		if err := a.cfg.Inbox.Decide(ctx, f, training.EnrollmentArrived(in.RecordID)); err != nil {
			a.enrollmentLog(in.EnrollmentRef).Warn("a completion stays in review", "fingerprint", f, "error", err)
		}
	}
	return nil
}
