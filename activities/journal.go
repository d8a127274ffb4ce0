package activities

import (
	"context"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	"go.temporal.io/sdk/activity"
)

// RecordOutcome writes to the journal how the completion ended.
func (a *Activities) RecordOutcome(ctx context.Context, in workflows.RecordOutcome) error {
	err := a.cfg.Journal.Project(ctx, in.Tenant, in.Fingerprint, journal.Projection{
		State: in.Outcome.State(), RecordID: in.RecordID,
	})
	if err != nil {
		return err
	}
	a.log(in.Ref).Info("completion ended", "outcome", in.Outcome, "record", in.RecordID)
	return nil
}

// RecordWait writes to the journal that the completion waits, and for what.
func (a *Activities) RecordWait(ctx context.Context, in workflows.RecordWait) (workflows.RecordedWait, error) {
	p := journal.Projection{State: in.State, RecordID: in.RecordID}
	if in.Failure != nil {
		p.FailureClass, p.FailureDetail = in.Failure.Class, in.Failure.Detail
	}
	if err := a.cfg.Journal.Project(ctx, in.Tenant, in.Fingerprint, p); err != nil {
		return workflows.RecordedWait{}, err
	}
	decisions, err := a.cfg.Journal.Decisions(ctx, in.Tenant, in.Fingerprint)
	if err != nil {
		return workflows.RecordedWait{}, err
	}
	a.log(in.Ref).Info("completion waits", "state", in.State, "class", p.FailureClass, "record", in.RecordID)
	return workflows.RecordedWait{Decisions: len(decisions)}, nil
}

// RecordDecision keeps what a person decided, and that the work goes on; the same round twice is
// one entry.
func (a *Activities) RecordDecision(ctx context.Context, in workflows.RecordDecision) error {
	err := a.cfg.Journal.AddDecision(ctx, journal.DecisionEntry{
		Tenant: in.Tenant, Fingerprint: in.Fingerprint, Decision: in.Decision,
		At: activity.GetInfo(ctx).ScheduledTime, Via: in.Via, Round: in.Round,
	})
	if err != nil {
		return err
	}
	a.log(in.Ref).Info("decision taken", "action", in.Decision.Action, "via", in.Via, "round", in.Round)
	return a.cfg.Journal.Project(ctx, in.Tenant, in.Fingerprint, journal.Projection{State: training.StateRunning})
}
