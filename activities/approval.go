package activities

import (
	"context"
	"errors"

	"countersign/internal/training"
	"countersign/workflows"
)

// ReadRecord says where a record that waits for an approval stands now. It writes nothing to the QMS;
// a record that was approved there is read back by it, so it keeps the proof (law 3).
func (a *Activities) ReadRecord(ctx context.Context, in workflows.ReadRecord) (workflows.Standing, error) {
	return look(ctx, a, in.Ref, atQMS(a, in.Ref, func(ctx context.Context, s subject) (workflows.Standing, error) {
		record, err := s.tenant.QMS.Record(ctx, in.RecordID)
		if err != nil {
			return workflows.Standing{}, err
		}
		meant, err := s.write(in.RecordID, training.RecordPendingApproval)
		if err != nil {
			return workflows.Standing{}, err
		}
		if err := standing(record, meant); err != nil {
			return workflows.Standing{}, err
		}
		if record.Status == training.RecordCompleted {
			if _, err := a.verified(ctx, in.Ref, meant, record); err != nil {
				return workflows.Standing{}, err
			}
		}
		return workflows.Standing{Status: record.Status}, nil
	}))
}

// standing reports why a record can no longer be the one that meant was submitted to, nil if it is:
// still pending, COMPLETED with our content, or open again because it was rejected.
func standing(record training.Record, meant training.Write) error {
	const operation = "read record"
	fail := func(class training.FailureClass) error {
		return training.Fail(class, operation, record.ID, "is "+string(record.Status))
	}
	if record.EmployeeID != meant.EmployeeID {
		return fail(training.FailureEmployeeMismatch)
	}
	switch record.Status {
	case training.RecordPendingApproval:
		// Whether a pending record shows date and score already is left open by the contract.
		if record.CompletedAt.IsZero() {
			record.CompletedAt = meant.CompletedAt
		}
		if record.Score == "" {
			record.Score = meant.Score
		}
		if !meant.ShownBy(record) {
			return fail(training.FailureOtherContent)
		}
		return nil
	case training.RecordCompleted:
		if !meant.ShownBy(record) {
			return fail(training.FailureCompletedElse)
		}
		return nil
	case training.RecordAssigned, training.RecordInProgress:
		return nil
	case training.RecordExpired:
		return fail(training.FailureRecordExpired)
	case training.RecordCancelled:
		return fail(training.FailureRecordCancelled)
	default:
		return fail(training.FailureDefect)
	}
}

// CheckApprover refuses the learner (law 5): nobody approves or rejects their own training. Whoever
// signs with a name that neither the LMS nor the settings know cannot be recognised.
func (a *Activities) CheckApprover(ctx context.Context, in workflows.CheckApprover) (workflows.Approver, error) {
	s, err := a.open(ctx, in.Ref)
	if err != nil {
		return workflows.Approver{}, err
	}
	if s.isLearner(in.By) {
		a.log(in.Ref).Warn("decision refused: the learner decides about the own completion")
		return workflows.Approver{Refused: "the learner must not decide about their own completion; somebody else has to"}, nil
	}
	return workflows.Approver{}, nil
}

// isLearner reports whether by is one of the names under which the learner is known. The full name is
// one of them: two people who share it sign with their staff ids.
func (s subject) isLearner(by string) bool {
	c := s.completion()
	for _, name := range []string{
		s.stored.Override.EmployeeID, s.employeeID, s.tenant.EmployeeID(c.Source, c.Learner),
		c.Learner.ID, c.Learner.Username, c.Learner.Email, c.Learner.ExternalID, c.Learner.FullName(),
	} {
		if name != "" && training.SamePerson(name, by) {
			return true
		}
	}
	return false
}

// chosenRecord is the record that a person has chosen for this completion (use_record) instead of the
// one a link or a search would find. One that is not this employee's, not this training's, or over and
// done with is refused, and never written. It makes no link: the choice is for this completion only.
func (s subject) chosenRecord(ctx context.Context, employee, trainingID string, approval bool) (found, error) {
	record, err := s.tenant.QMS.Record(ctx, s.stored.Override.RecordID)
	if err != nil {
		return found{}, err
	}
	fail := func(class training.FailureClass) (found, error) {
		return found{}, training.Fail(class, "use record", record.ID, "")
	}
	switch {
	case record.EmployeeID != employee:
		return fail(training.FailureEmployeeMismatch)
	case record.TrainingID != trainingID:
		return fail(training.FailureTrainingMismatch)
	}
	record, err = choose(s, []training.Record{record})
	var failure *training.Failure
	if errors.As(err, &failure) {
		failure.Operation = "use record"
	}
	return found{record: record, approval: approval, linked: true}, err
}
