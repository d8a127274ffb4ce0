package workflows

import (
	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// CompletionInput starts a Completion. The tenant's policy travels with it, so that a change
// of settings never changes a completion under way.
type CompletionInput struct {
	Tenant      string               `json:"tenant"`
	Source      string               `json:"source"`
	Platform    string               `json:"platform"`
	Fingerprint training.Fingerprint `json:"fingerprint"`
	// Course is the course's code, title or id, for people to read.
	Course string          `json:"course"`
	Policy training.Policy `json:"policy"`
}

// CompletionResult is how a completion ended. Every business outcome ends the workflow as
// Completed; Failed is for defects.
type CompletionResult struct {
	Outcome     training.Outcome      `json:"outcome"`
	RecordID    string                `json:"recordId,omitempty"`
	Status      training.RecordStatus `json:"status,omitempty"`
	Certificate string                `json:"certificate,omitempty"`
	Statement   string                `json:"statement,omitempty"`
	// DecidedBy names the person whose decision ended the completion.
	DecidedBy string `json:"decidedBy,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// Completion carries one completion into the quality system: once, verified, with proof.
//
//	employee known? ─► record open? ─► complete, read back ─► certificate ∥ statement ─► outcome
//	                                       │
//	                                       └─ PENDING_APPROVAL: wait for approve or reject
//
// Whatever cannot be mended by the retries after 1, 5 and 15 minutes (R123) is told to the
// training admins (R133) and waits for a person: retry carries on from the start, which
// finds by reading what is already done; close ends it.
func Completion(ctx workflow.Context, in CompletionInput) (CompletionResult, error) {
	c, err := newCompletion(ctx, in)
	if err != nil {
		return CompletionResult{}, err
	}
	for {
		failure, err := c.carry(ctx)
		if err != nil {
			return CompletionResult{}, err
		}
		if failure == nil {
			return c.end(ctx)
		}
		decision, err := c.review(ctx, failure)
		if err != nil {
			return CompletionResult{}, err
		}
		if decision.Action == training.ActionClose {
			c.decided(training.OutcomeClosed, decision)
			return c.end(ctx)
		}
	}
}

// completion is one run of the workflow.
type completion struct {
	in     CompletionInput
	ref    Ref
	result CompletionResult
	desk   *desk
}

func newCompletion(ctx workflow.Context, in CompletionInput) (*completion, error) {
	c := &completion{
		in:  in,
		ref: Ref{Tenant: in.Tenant, Fingerprint: in.Fingerprint, Retry: in.Policy.Retry},
	}
	if err := in.Policy.Retry.Validate(); err != nil {
		return nil, temporal.NewNonRetryableApplicationError("start completion: "+err.Error(), string(training.FailureDefect), nil)
	}
	var err error
	if c.desk, err = openDesk(ctx); err != nil {
		return nil, err
	}
	workflow.SetCurrentDetails(ctx, c.details("Under way."))
	return c, nil
}

// carry takes the completion as far as it goes without a review. A nil failure says that it
// has an outcome; an error is no business of ours (cancelled, or a defect).
func (c *completion) carry(ctx workflow.Context) (*training.Failure, error) {
	if failure, err := c.resolveLearner(ctx); failure != nil || err != nil {
		return failure, err
	}
	plan, failure, err := c.checkRecord(ctx)
	if failure != nil || err != nil {
		return failure, err
	}
	record, failure, err := c.completeRecord(ctx, plan)
	if failure != nil || err != nil {
		return failure, err
	}
	if record.Status == training.RecordPendingApproval {
		decision, err := c.awaitApproval(ctx)
		if err != nil {
			return nil, err
		}
		if failure, err := c.carryDecision(ctx, decision); failure != nil || err != nil {
			return failure, err
		}
		if decision.Action == training.ActionReject {
			c.decided(training.OutcomeRejected, decision)
			return nil, nil
		}
	}
	if failure, err := c.issueDocuments(ctx); failure != nil || err != nil {
		return failure, err
	}
	c.result.Outcome = training.OutcomeCompleted
	return nil, nil
}

// resolveLearner asks whether the learner is an employee the QMS knows.
func (c *completion) resolveLearner(ctx workflow.Context) (*training.Failure, error) {
	_, failure, err := readOnly[struct{}](ctx, c, resolveLearner, func(ref Ref) any { return ref })
	return failure, err
}

// checkRecord finds the training record and decides between completing and submitting for approval.
func (c *completion) checkRecord(ctx workflow.Context) (RecordPlan, *training.Failure, error) {
	plan, failure, err := readOnly[RecordPlan](ctx, c, checkRecord, func(ref Ref) any {
		return CheckRecord{Ref: ref, HoldFailed: c.in.Policy.HoldFailed}
	})
	if plan.RecordID != "" {
		c.result.RecordID = plan.RecordID
	}
	return plan, failure, err
}

// completeRecord writes the record and has it read back.
func (c *completion) completeRecord(ctx workflow.Context, plan RecordPlan) (VerifiedRecord, *training.Failure, error) {
	record, failure, err := effect[VerifiedRecord](ctx, c, completeRecord, CompleteRecord{
		Ref: c.ref, RecordID: plan.RecordID, Target: plan.Target,
	}).get(ctx)
	if failure == nil && err == nil {
		c.result.Status = record.Status
	}
	return record, failure, err
}

// carryDecision hands the approver's word to the QMS.
func (c *completion) carryDecision(ctx workflow.Context, d training.Decision) (*training.Failure, error) {
	record, failure, err := effect[VerifiedRecord](ctx, c, carryDecision, CarryDecision{
		Ref: c.ref, RecordID: c.result.RecordID, Decision: d,
	}).get(ctx)
	if failure == nil && err == nil {
		c.result.Status = record.Status
	}
	return failure, err
}

// issueDocuments issues the certificate and posts the statement side by side. Both are waited
// for even when one fails, so that the other is never left under way while a person decides.
func (c *completion) issueDocuments(ctx workflow.Context) (*training.Failure, error) {
	document := Document{Ref: c.ref, RecordID: c.result.RecordID}
	certificate := effect[Issued](ctx, c, issueCertificate, document)
	statement := effect[Issued](ctx, c, postStatement, document)

	issued, certificateFailure, certificateErr := certificate.get(ctx)
	posted, statementFailure, statementErr := statement.get(ctx)
	c.result.Certificate, c.result.Statement = issued.ID, posted.ID
	switch {
	case certificateErr != nil:
		return nil, certificateErr
	case statementErr != nil:
		return nil, statementErr
	case certificateFailure != nil:
		return certificateFailure, nil
	default:
		return statementFailure, nil
	}
}

func (c *completion) decided(outcome training.Outcome, d training.Decision) {
	c.result.Outcome, c.result.DecidedBy, c.result.Reason = outcome, d.By, d.Reason
}

// end records the outcome and closes the desk.
func (c *completion) end(ctx workflow.Context) (CompletionResult, error) {
	err := journalWrite(ctx, recordOutcome, RecordOutcome{
		Ref: c.ref, Outcome: c.result.Outcome, RecordID: c.result.RecordID,
	}, nil)
	if err != nil {
		return CompletionResult{}, err
	}
	if err := c.showEnded(ctx); err != nil {
		return CompletionResult{}, err
	}
	return c.result, c.desk.close(ctx)
}
