package activities

import (
	"context"
	"slices"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/activity"
)

// RecordOutcome writes to the journal how the completion ended. "Completed" is not written where its
// proof is missing: the journal was restored from a backup while the workflow was under way. The
// completion stays as it is then, and dispatch's sweep, which finds a workflow that has ended, has it
// carried again.
func (a *Activities) RecordOutcome(ctx context.Context, in workflows.RecordOutcome) error {
	if in.Outcome == training.OutcomeCompleted {
		proofs, err := a.cfg.Journal.EffectHeads(ctx, in.Tenant, in.Fingerprint)
		if err != nil {
			return err
		}
		for _, kind := range []training.EffectKind{training.EffectRecord, training.EffectCertificate} {
			if slices.Contains(in.Skipped, kind) {
				continue // a person has decided to do without it
			}
			if _, stored := proofs[kind]; !stored {
				a.log(in.Ref).Warn("completed without a proof in the journal, left for the sweep", "missing", kind)
				return nil
			}
		}
	}
	p := journal.Projection{State: in.Outcome.State(), RecordID: in.RecordID}
	if in.Failure != nil {
		p.FailureClass, p.FailureDetail = in.Failure.Class, in.Failure.Detail
	}
	if err := a.cfg.Journal.Project(ctx, in.Tenant, in.Fingerprint, p); err != nil {
		return err
	}
	log := a.log(in.Ref)
	if len(in.Skipped) > 0 {
		log = log.With("skipped", in.Skipped)
	}
	log.Info("completion ended", "outcome", in.Outcome, "record", in.RecordID)
	return nil
}

// RecordWait writes to the journal that the completion waits, and for what.
func (a *Activities) RecordWait(ctx context.Context, in workflows.RecordWait) (workflows.RecordedWait, error) {
	p := journal.Projection{State: in.State, RecordID: in.RecordID}
	if in.Failure != nil {
		p.FailureClass, p.FailureDetail, p.FailureTarget = in.Failure.Class, in.Failure.Detail, in.Failure.Target
	}
	if err := a.cfg.Journal.Project(ctx, in.Tenant, in.Fingerprint, p); err != nil {
		return workflows.RecordedWait{}, err
	}
	decisions, err := a.cfg.Journal.Decisions(ctx, in.Tenant, in.Fingerprint)
	if err != nil {
		return workflows.RecordedWait{}, err
	}
	proofs, err := a.cfg.Journal.EffectHeads(ctx, in.Tenant, in.Fingerprint)
	if err != nil {
		return workflows.RecordedWait{}, err
	}
	_, verified := proofs[training.EffectRecord]
	recorded := workflows.RecordedWait{Decisions: len(decisions), Verified: verified}
	if in.State == training.StateInReview && p.FailureClass == training.FailureRecordMissing {
		// After the projection: an enrollment that does not see this completion waiting has put its link before.
		if recorded.Linked, err = a.cfg.Journal.LinkedSince(ctx, in.Tenant, in.Fingerprint); err != nil {
			return workflows.RecordedWait{}, err
		}
	}
	a.log(in.Ref).Info("completion waits", "state", in.State, "class", p.FailureClass, "record", in.RecordID)
	return recorded, nil
}

// RecordDecision keeps what a person decided, and that the work goes on unless it does not end the
// wait; the same round twice is one entry.
func (a *Activities) RecordDecision(ctx context.Context, in workflows.RecordDecision) error {
	err := a.cfg.Journal.AddDecision(ctx, journal.DecisionEntry{
		Tenant: in.Tenant, Fingerprint: in.Fingerprint, Decision: in.Decision,
		At: activity.GetInfo(ctx).ScheduledTime, Via: in.Via, Round: in.Round,
	})
	if err != nil {
		return err
	}
	a.log(in.Ref).Info("decision taken", "action", in.Decision.Action, "via", in.Via, "round", in.Round)
	if in.StillWaiting {
		return nil
	}
	return a.cfg.Journal.Project(ctx, in.Tenant, in.Fingerprint, journal.Projection{State: training.StateRunning})
}
