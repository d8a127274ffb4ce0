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
	_, err := attempt(ctx, a, ref, atQMS(a, ref, func(ctx context.Context, s subject) (struct{}, error) {
		return struct{}{}, s.resolveLearner(ctx)
	}))
	return err
}

// CheckRecord finds the training record and says where a write must lead. A missing one is created
// where the tenant's policy wants that: a record that is over and done with is not missing, because
// somebody cancelled it, let it expire or completed it, and only a person may go past that.
func (a *Activities) CheckRecord(ctx context.Context, in workflows.CheckRecord) (workflows.RecordPlan, error) {
	return attempt(ctx, a, in.Ref, atQMS(a, in.Ref, func(ctx context.Context, s subject) (workflows.RecordPlan, error) {
		if err := held(s.completion(), in.HoldFailed); err != nil {
			return workflows.RecordPlan{}, err
		}
		found, err := s.findRecord(ctx)
		if missing(err) && s.stored.Override.RecordID == "" {
			switch {
			case in.MissingRecord == training.MissingCreate:
				found, err = s.createRecord(ctx, a.applyOptions())
			case in.Enrollments == training.EnrollmentsCreate:
				err = awaited(err)
			}
		}
		if err != nil {
			return workflows.RecordPlan{}, err
		}
		if err := s.keepLink(ctx, found); err != nil {
			return workflows.RecordPlan{}, err
		}
		return workflows.RecordPlan{RecordID: found.record.ID, Status: found.record.Status, Target: found.target()}, nil
	}))
}

// awaited is a missing record that the learner's enrollment may still bring: LMSs do not keep the order of events, and
// a person is asked only if it has not come by the last attempt.
func awaited(err error) error {
	failure, ok := errors.AsType[*training.Failure](err)
	if !ok {
		return err
	}
	later := *failure
	later.Awaited = true
	return &later
}

// CompleteRecord writes the record and reads it back. The record id goes to the journal before
// the first write, so that whoever carries on finds the same record.
func (a *Activities) CompleteRecord(ctx context.Context, in workflows.CompleteRecord) (workflows.VerifiedRecord, error) {
	return attempt(ctx, a, in.Ref, atQMS(a, in.Ref, func(ctx context.Context, s subject) (workflows.VerifiedRecord, error) {
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
	}))
}

// CarryDecision tells the QMS what the approver decided and reads the record back.
func (a *Activities) CarryDecision(ctx context.Context, in workflows.CarryDecision) (workflows.VerifiedRecord, error) {
	return attempt(ctx, a, in.Ref, atQMS(a, in.Ref, func(ctx context.Context, s subject) (workflows.VerifiedRecord, error) {
		write, err := s.write(in.RecordID, training.RecordPendingApproval)
		if err != nil {
			return workflows.VerifiedRecord{}, err
		}
		record, err := qms.Decide(ctx, s.tenant.QMS, write, in.Decision, a.applyOptions())
		if err != nil {
			return workflows.VerifiedRecord{}, err
		}
		return a.verified(ctx, in.Ref, write, record)
	}))
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
		if errors.Is(err, journal.ErrConflict) {
			// The same fact under another identity: from a second source, or read with another mapping.
			return workflows.VerifiedRecord{}, training.Fail(training.FailureCompletedElse, "store read-back", record.ID, "by another completion of ours")
		}
		if err != nil {
			return workflows.VerifiedRecord{}, journalFailure("store read-back", err)
		}
	}
	a.log(ref).Info("record verified", "record", record.ID, "status", record.Status)
	return workflows.VerifiedRecord{RecordID: record.ID, Status: record.Status}, nil
}
