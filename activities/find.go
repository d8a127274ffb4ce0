package activities

import (
	"cmp"
	"context"
	"errors"

	"countersign/internal/journal"
	"countersign/internal/qms"
	"countersign/internal/training"
)

func (s subject) employee() (string, error) {
	id := cmp.Or(s.stored.Override.EmployeeID, s.employeeID)
	if id == "" {
		return "", training.Fail(training.FailureIncomplete, "resolve learner", "", "no employee id in the event")
	}
	return id, nil
}

// resolveLearner checks that the learner is an employee the QMS knows (R114).
func (s subject) resolveLearner(ctx context.Context) error {
	employee, err := s.employee()
	if err != nil {
		return err
	}
	return s.tenant.QMS.Employee(ctx, employee)
}

// held is the failure of a finished but failed course, where policy holds those (C12); nil else.
func held(c training.Completion, holdFailed bool) error {
	if !holdFailed || !c.Score.Failed() {
		return nil
	}
	return training.Fail(training.FailureNotPassed, "check completion", "", "passed is false")
}

// write is what the record is meant to say.
func (s subject) write(recordID string, status training.RecordStatus) (training.Write, error) {
	employee, err := s.employee()
	if err != nil {
		return training.Write{}, err
	}
	c := s.completion()
	return training.Write{
		RecordID: recordID, EmployeeID: employee, Status: status,
		CompletedAt: c.CompletedAt, Score: c.Score.Percent(),
	}, nil
}

// found is the record a completion belongs to.
type found struct {
	record training.Record
	// approval says that the course's setting asks for one.
	approval bool
	// linked says that the record is known by a link or an earlier attempt, not by a search.
	linked bool
}

// target is the status a write must lead to.
func (f found) target() training.RecordStatus {
	if f.approval || f.record.ApprovalRequired {
		return training.RecordPendingApproval
	}
	return training.RecordCompleted
}

// findRecord finds the record the completion belongs to: the record an earlier attempt was made on,
// else the one linked to the enrollment (R97), else the only open one of the employee for this
// training. It never guesses, and it writes nothing.
func (s subject) findRecord(ctx context.Context) (found, error) {
	employee, err := s.employee()
	if err != nil {
		return found{}, err
	}
	c := s.completion()
	trainingID, approval, err := trainingOf(ctx, s.journal, s.tenant, c.Tenant, c.Source, c.Course)
	if err != nil {
		return found{}, err
	}
	approval = approval || s.stored.Override.Submit
	if s.stored.Override.RecordID != "" {
		return s.chosenRecord(ctx, employee, trainingID, approval)
	}
	record, linked, err := s.linkedRecord(ctx, employee, trainingID)
	if linked || err != nil {
		return found{record: record, approval: approval, linked: linked}, err
	}
	records, err := s.tenant.QMS.Records(ctx, employee, trainingID)
	if err != nil {
		return found{}, err
	}
	record, err = choose(s, records)
	return found{record: record, approval: approval}, err
}

// createRecord creates the record that the completion is missing, or finds the one that an earlier
// attempt created under the same reference (R98). The employee is known to the QMS by then. What it
// returns was read back, and is refused like any other if another completion has used it up.
func (s subject) createRecord(ctx context.Context, opts qms.ApplyOptions) (found, error) {
	employee, err := s.employee()
	if err != nil {
		return found{}, err
	}
	c := s.completion()
	trainingID, approval, err := trainingOf(ctx, s.journal, s.tenant, c.Tenant, c.Source, c.Course)
	if err != nil {
		return found{}, err
	}
	// An enrollment that is under way may be creating it just now.
	ref, err := s.journal.ReserveRef(ctx, c.Tenant, employee, trainingID, s.event().ExternalRef(), nil)
	if err != nil {
		return found{}, journalFailure("reserve reference", err)
	}
	record, err := qms.Ensure(ctx, s.tenant.QMS, training.NewRecord{
		EmployeeID: employee, TrainingID: trainingID, ExternalRef: ref,
	}, opts)
	if err != nil {
		return found{}, err
	}
	record, err = choose(s, []training.Record{record})
	return found{record: record, approval: approval}, err
}

// missing reports whether err says that the employee has no record of the training, in any state.
func missing(err error) bool {
	failure, ok := errors.AsType[*training.Failure](err)
	return ok && failure.Class == training.FailureRecordMissing
}

// keepLink keeps what a search found or the policy created, so that the enrollment leads to the same record from now on (R97).
func (s subject) keepLink(ctx context.Context, f found) error {
	c := s.completion()
	if f.linked || c.EnrollmentID == "" {
		return nil
	}
	employee, err := s.employee()
	if err != nil {
		return err
	}
	err = s.journal.PutLink(ctx, journal.Link{
		Tenant: c.Tenant, Source: c.Source, EnrollmentID: c.EnrollmentID,
		LearnerKey: s.event().Learner.Key(), CourseKey: s.event().Course.Key(), EmployeeID: employee, RecordID: f.record.ID,
	})
	if err != nil {
		return journalFailure("store enrollment link", err)
	}
	return nil
}

// linkedRecord is the record that an earlier attempt or an enrollment points to. linked is false
// if there is none that can be meant: it is gone, over and done with by another completion, or
// of another training or employee, because a mapping was corrected since.
func (s subject) linkedRecord(ctx context.Context, employee, trainingID string) (record training.Record, linked bool, err error) {
	id, err := s.link(ctx)
	if id == "" || err != nil {
		return record, false, err
	}
	record, err = s.tenant.QMS.Record(ctx, id)
	if missing(err) {
		return record, false, nil
	}
	linked = err == nil && record.EmployeeID == employee && record.TrainingID == trainingID && usable(s, record)
	return record, linked, err
}

// link is the id of the record an earlier attempt or an enrollment points to, "" for none.
func (s subject) link(ctx context.Context) (string, error) {
	if s.stored.RecordID != "" {
		return s.stored.RecordID, nil
	}
	c := s.completion()
	link, err := s.journal.FindLink(ctx, c.Tenant, c.Source, c.EnrollmentID, s.event().Learner.Key(), s.event().Course.Key())
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return "", nil
	case err != nil:
		return "", journalFailure("find enrollment link", err)
	}
	return link.RecordID, nil
}

// usable reports whether record can take the completion or shows it already.
func usable(s subject, record training.Record) bool {
	return record.Status.Open() || record.Status == training.RecordPendingApproval || shows(s, record)
}

// shows reports whether record is COMPLETED by this very completion: an earlier attempt of ours
// whose answer was lost.
func shows(s subject, record training.Record) bool {
	write, err := s.write(record.ID, training.RecordCompleted)
	return err == nil && write.ShownBy(record)
}

// choose picks the only record that can be meant, or says why there is none.
func choose(s subject, records []training.Record) (training.Record, error) {
	var candidates []training.Record
	var last training.Record
	for _, record := range records {
		if shows(s, record) {
			return record, nil
		}
		if usable(s, record) {
			candidates = append(candidates, record)
		}
		last = record // the QMS orders by the last change
	}
	fail := func(class training.FailureClass) (training.Record, error) {
		return training.Record{}, training.Fail(class, "find record", last.ID, string(last.Status))
	}
	switch {
	case len(candidates) == 1:
		return candidates[0], nil
	case len(candidates) > 1:
		return fail(training.FailureRecordAmbiguous)
	case last.Status == training.RecordCompleted:
		return fail(training.FailureCompletedElse)
	case last.Status == training.RecordExpired:
		return fail(training.FailureRecordExpired)
	case last.Status == training.RecordCancelled:
		return fail(training.FailureRecordCancelled)
	default:
		return fail(training.FailureRecordMissing)
	}
}
