package activities

import (
	"context"
	"encoding/json"
	"errors"

	"countersign/internal/journal"
	"countersign/internal/qms"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/google/uuid"
)

// ResolveLearner checks that the learner is an employee the QMS knows (R114).
func (a *Activities) ResolveLearner(ctx context.Context, ref workflows.Ref) error {
	_, err := attempt(ctx, a, ref, func(ctx context.Context, s subject) (struct{}, error) {
		employee, err := s.employee()
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.tenant.QMS.Employee(ctx, employee)
	})
	return err
}

// CheckRecord finds the training record and says where a write must lead.
func (a *Activities) CheckRecord(ctx context.Context, in workflows.CheckRecord) (workflows.RecordPlan, error) {
	return attempt(ctx, a, in.Ref, func(ctx context.Context, s subject) (workflows.RecordPlan, error) {
		if in.HoldFailed && s.completion().Score.Failed() {
			return workflows.RecordPlan{}, training.Fail(training.FailureNotPassed, "check completion", "", "passed is false")
		}
		record, approval, err := a.findRecord(ctx, s)
		if err != nil {
			return workflows.RecordPlan{}, err
		}
		plan := workflows.RecordPlan{RecordID: record.ID, Status: record.Status, Target: training.RecordCompleted}
		if approval || record.ApprovalRequired {
			plan.Target = training.RecordPendingApproval
		}
		return plan, nil
	})
}

// CompleteRecord writes the record and reads it back. The record id goes to the journal before
// the first write, so that whoever carries on finds the same record.
func (a *Activities) CompleteRecord(ctx context.Context, in workflows.CompleteRecord) (workflows.VerifiedRecord, error) {
	return attempt(ctx, a, in.Ref, func(ctx context.Context, s subject) (workflows.VerifiedRecord, error) {
		write, err := s.write(in.RecordID, in.Target)
		if err != nil {
			return workflows.VerifiedRecord{}, err
		}
		if s.stored.RecordID != in.RecordID {
			err := a.cfg.Journal.Project(ctx, in.Tenant, in.Fingerprint, journal.Projection{
				State: training.StateRunning, RecordID: in.RecordID,
			})
			if err != nil {
				return workflows.VerifiedRecord{}, journalFailure("pin record", err)
			}
		}
		record, err := qms.Apply(ctx, s.tenant.QMS, write, a.applyOptions())
		if err != nil {
			return workflows.VerifiedRecord{}, err
		}
		return a.verified(ctx, in.Ref, write, record)
	})
}

// CarryDecision tells the QMS what the approver decided and reads the record back.
func (a *Activities) CarryDecision(ctx context.Context, in workflows.CarryDecision) (workflows.VerifiedRecord, error) {
	return attempt(ctx, a, in.Ref, func(ctx context.Context, s subject) (workflows.VerifiedRecord, error) {
		write, err := s.write(in.RecordID, training.RecordPendingApproval)
		if err != nil {
			return workflows.VerifiedRecord{}, err
		}
		record, err := qms.Decide(ctx, s.tenant.QMS, write, in.Decision, a.applyOptions())
		if err != nil {
			return workflows.VerifiedRecord{}, err
		}
		return a.verified(ctx, in.Ref, write, record)
	})
}

func (a *Activities) applyOptions() qms.ApplyOptions {
	return qms.ApplyOptions{RequestID: uuid.NewString, ReadBack: a.cfg.ReadBack}
}

// proof is what the journal keeps of a verified transition (law 3).
type proof struct {
	Meant training.Write  `json:"meant"`
	Read  training.Record `json:"read"`
}

// verified stores the proof of a COMPLETED record; a pending one is on its way only.
func (a *Activities) verified(ctx context.Context, ref workflows.Ref, write training.Write, record training.Record) (workflows.VerifiedRecord, error) {
	if record.Status == training.RecordCompleted {
		body, err := json.Marshal(proof{write, record})
		if err != nil {
			return workflows.VerifiedRecord{}, err
		}
		_, err = a.cfg.Journal.PutEffect(ctx, journal.Effect{
			Tenant: ref.Tenant, Fingerprint: ref.Fingerprint, Kind: training.EffectRecord,
			ID: record.ID, ContentType: "application/json", Bytes: body,
		})
		if err != nil {
			return workflows.VerifiedRecord{}, journalFailure("store read-back", err)
		}
	}
	a.log(ref).Info("record verified", "record", record.ID, "status", record.Status)
	return workflows.VerifiedRecord{RecordID: record.ID, Status: record.Status}, nil
}

func (s subject) employee() (string, error) {
	id := s.tenant.EmployeeID(s.completion().Learner)
	if id == "" {
		return "", training.Fail(training.FailureIncomplete, "resolve learner", "", "no employee id in the event")
	}
	return id, nil
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

// findRecord finds the record the completion belongs to, and whether the course asks for an
// approval: the record an earlier attempt was made on, else the one linked to the enrollment (R97),
// else the only open one of the employee for this training. It never guesses.
func (a *Activities) findRecord(ctx context.Context, s subject) (record training.Record, approval bool, err error) {
	employee, err := s.employee()
	if err != nil {
		return record, false, err
	}
	c := s.completion()
	trainingID, approval, ok := s.tenant.Training(c.Source, c.Course)
	if !ok {
		return record, false, training.Fail(training.FailureCourseUnmapped, "find record", "", c.Course.Label())
	}
	record, found, err := a.linkedRecord(ctx, s, employee, trainingID)
	if found || err != nil {
		return record, approval, err
	}
	records, err := s.tenant.QMS.Records(ctx, employee, trainingID)
	if err != nil {
		return record, approval, err
	}
	record, err = choose(s, records)
	if err == nil && c.EnrollmentID != "" {
		err = a.cfg.Journal.PutLink(ctx, journal.Link{
			Tenant: c.Tenant, Source: c.Source, EnrollmentID: c.EnrollmentID,
			LearnerKey: c.Learner.Key(), CourseKey: c.Course.Key(), EmployeeID: employee, RecordID: record.ID,
		})
		if err != nil {
			return record, approval, journalFailure("store enrollment link", err)
		}
	}
	return record, approval, err
}

// linkedRecord is the record that an earlier attempt or an enrollment points to. found is false
// if there is none that can be meant: it is gone, over and done with by another completion, or
// of another training or employee, because a mapping was corrected since.
func (a *Activities) linkedRecord(ctx context.Context, s subject, employee, trainingID string) (record training.Record, found bool, err error) {
	id, err := a.link(ctx, s)
	if id == "" || err != nil {
		return record, false, err
	}
	record, err = s.tenant.QMS.Record(ctx, id)
	var failure *training.Failure
	if errors.As(err, &failure) && failure.Class == training.FailureRecordMissing {
		return record, false, nil
	}
	found = err == nil && record.EmployeeID == employee && record.TrainingID == trainingID && usable(s, record)
	return record, found, err
}

// link is the id of the record an earlier attempt or an enrollment points to, "" for none.
func (a *Activities) link(ctx context.Context, s subject) (string, error) {
	if s.stored.RecordID != "" {
		return s.stored.RecordID, nil
	}
	c := s.completion()
	if c.EnrollmentID == "" {
		return "", nil
	}
	link, err := a.cfg.Journal.FindLink(ctx, c.Tenant, c.Source, c.EnrollmentID, c.Learner.Key(), c.Course.Key())
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
