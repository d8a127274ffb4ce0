package workflows

import (
	"cmp"
	"errors"
	"slices"
	"time"

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
	// QMSQueue is where the steps go that reach a QMS with a budget; "" for one without.
	QMSQueue string `json:"qmsQueue,omitempty"`
	// LookUp says that the source's LMS can be asked for what its event lacks. Inputs from before there was
	// such a step have it not.
	LookUp bool `json:"lookUp,omitempty"`
	// Steps is the order of steps the completion was started with: CurrentSteps, or less of an earlier time.
	Steps int `json:"steps,omitempty"`
}

// CompletionResult is how a completion ended. Every business outcome ends the workflow as
// Completed; Failed is for defects.
type CompletionResult struct {
	Outcome     training.Outcome      `json:"outcome"`
	RecordID    string                `json:"recordId,omitempty"`
	Status      training.RecordStatus `json:"status,omitempty"`
	Certificate string                `json:"certificate,omitempty"`
	Statement   string                `json:"statement,omitempty"`
	// Skipped are the documents that a person has decided to do without.
	Skipped []training.EffectKind `json:"skipped,omitempty"`
	// DecidedBy names the person whose decision ended the completion or approved the record, or the QMS.
	DecidedBy string `json:"decidedBy,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// Completion carries one completion into the quality system: once, verified, with proof.
//
//	(look up) ─► employee known? ─► record open? ─► complete, read back ─► certificate ∥ statement ─► outcome
//	                                                     │
//	                                                     └─ PENDING_APPROVAL: wait for approve or reject, here or in the QMS
//
// In a QMS that only the trainee's signature completes, the middle is another one (carrySigned).
//
// Whatever cannot be mended by the retries after 1, 5 and 15 minutes (R123) is told to the
// training admins (R133) and waits for a person: retry carries on from the start, which
// finds by reading what is already done; close ends it, and so does a wait that nobody answers (R141).
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
		decision, decided, err := c.review(ctx, failure)
		if err != nil {
			return CompletionResult{}, err
		}
		if !decided {
			c.expired()
			return c.end(ctx)
		}
		if c.reviewed(decision) {
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

	// failed is the effect that the way has come to, for a failure to be about.
	failed training.EffectKind
	// repair is true once an outage has held or parked it: what is new goes first.
	repair bool
	// documentsOnly is true when only certificate and statement are left.
	documentsOnly bool

	// What the details show: page renders them from the rest.
	page func(*completion) string
	// failure is what the last review is about, allowed what it takes, until when it waits.
	failure *training.Failure
	allowed []training.Action
	until   time.Time
	// retrying counts the steps that were tried in vain and are tried again.
	retrying int
	// announced is the item that told of the wait which is open, nil where its end is told to nobody.
	announced *InboxItem
	// told is ready once the inbox has been told everything so far, in order; nil where nothing was told.
	told workflow.Future
	// arrived is the record for which a review was left without asking anybody, "" for none.
	arrived string
	// lookFailed is what kept the last poll of an approval from seeing the record, nil if it saw it.
	lookFailed *training.Failure
}

func newCompletion(ctx workflow.Context, in CompletionInput) (*completion, error) {
	understood(in.Steps, CurrentSteps)
	c := &completion{
		in:  in,
		ref: Ref{Tenant: in.Tenant, Fingerprint: in.Fingerprint, Retry: in.Policy.Retry, Holds: in.Policy.Outage.Known()},
	}
	if err := errors.Join(in.Policy.Retry.Validate(), in.Policy.Approval.Validate(), in.Policy.Review.Validate(), in.Policy.Outage.Validate(), in.Policy.Signing.Validate()); err != nil {
		return nil, temporal.NewNonRetryableApplicationError("start completion: "+err.Error(), string(training.FailureDefect), nil)
	}
	var err error
	if c.desk, err = openDesk(ctx); err != nil {
		return nil, err
	}
	c.page = underwayPage
	c.desk.show = c.show
	c.show(ctx)
	return c, nil
}

// carry takes the completion as far as it goes without a review. A nil failure says that it
// has an outcome; an error is no business of ours (cancelled, or a defect).
func (c *completion) carry(ctx workflow.Context) (*training.Failure, error) {
	if c.documentsOnly {
		return c.finish(ctx)
	}
	c.failed = training.EffectRecord
	if c.in.LookUp {
		if failure, err := c.lookUp(ctx); failure != nil || err != nil {
			return failure, err
		}
	}
	if failure, err := c.resolveLearner(ctx); failure != nil || err != nil {
		return failure, err
	}
	if c.in.Policy.Signing != nil {
		return c.carrySigned(ctx)
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
		verdict, failure, err := c.awaitApproval(ctx)
		if failure != nil || err != nil {
			return failure, err
		}
		if !verdict.carried {
			if failure, err := c.carryDecision(ctx, verdict.decision); failure != nil || err != nil {
				return failure, err
			}
		}
		if verdict.decision.Action == training.ActionReject {
			c.decided(training.OutcomeRejected, verdict.decision)
			return nil, nil
		}
	}
	return c.finish(ctx)
}

// finish issues the documents of a verified record.
func (c *completion) finish(ctx workflow.Context) (*training.Failure, error) {
	if failure, err := c.issueDocuments(ctx); failure != nil || err != nil {
		return failure, err
	}
	if failure, err := c.keepCertificate(ctx); failure != nil || err != nil {
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
		return CheckRecord{Ref: ref, HoldFailed: c.in.Policy.HoldFailed, MissingRecord: c.in.Policy.MissingRecord, Enrollments: c.in.Policy.Enrollments}
	})
	if plan.RecordID != "" {
		c.result.RecordID = plan.RecordID
	}
	return plan, failure, err
}

// completeRecord writes the record and has it read back.
func (c *completion) completeRecord(ctx workflow.Context, plan RecordPlan) (VerifiedRecord, *training.Failure, error) {
	return c.write(ctx, completeRecord, func(ref Ref) any {
		return CompleteRecord{Ref: ref, RecordID: plan.RecordID, Target: plan.Target}
	})
}

// carryDecision hands the approver's word to the QMS.
func (c *completion) carryDecision(ctx workflow.Context, d training.Decision) (*training.Failure, error) {
	_, failure, err := c.write(ctx, carryDecision, func(ref Ref) any {
		return CarryDecision{Ref: ref, RecordID: c.result.RecordID, Decision: d}
	})
	return failure, err
}

func (c *completion) write(ctx workflow.Context, name string, input func(Ref) any) (VerifiedRecord, *training.Failure, error) {
	record, failure, err := unheld(ctx, c, func() (VerifiedRecord, *training.Failure, error) {
		step := effect[VerifiedRecord](ctx, c, name, input)
		if err := c.together(ctx, step); err != nil {
			return VerifiedRecord{}, nil, err
		}
		return step.get(ctx)
	})
	if failure == nil && err == nil {
		c.result.Status = record.Status
	}
	return record, failure, err
}

// issueDocuments issues the certificate and posts the statement side by side, but for those that a
// person has decided to do without. Both are waited for even when one fails, so that the other is
// never left under way while a person decides.
func (c *completion) issueDocuments(ctx workflow.Context) (*training.Failure, error) {
	documents := []document{
		{training.EffectCertificate, issueCertificate, &c.result.Certificate, nil},
		{training.EffectStatement, postStatement, &c.result.Statement, nil},
	}
	documents = slices.DeleteFunc(documents, func(d document) bool { return slices.Contains(c.result.Skipped, d.kind) })
	steps := make([]underway, len(documents))
	for i := range documents {
		documents[i].step = issue(ctx, c, documents[i].activity, func(ref Ref) any {
			return Document{Ref: ref, RecordID: c.result.RecordID}
		})
		steps[i] = documents[i].step
	}
	if err := c.together(ctx, steps...); err != nil {
		return nil, err
	}
	var first *training.Failure
	var errs error
	for _, d := range documents {
		issued, failure, err := d.step.get(ctx)
		*d.id = issued.ID
		errs = cmp.Or(errs, err)
		if failure != nil && first == nil {
			first, c.failed = failure, d.kind
		}
	}
	if errs != nil {
		return nil, errs
	}
	return first, nil
}

// document is one of the two, and the step that makes it.
type document struct {
	kind     training.EffectKind
	activity string
	// id is where the result has the document's id.
	id   *string
	step *step[Issued]
}

func (c *completion) decided(outcome training.Outcome, d training.Decision) {
	c.result.Outcome, c.result.DecidedBy, c.result.Reason = outcome, d.By, d.Reason
}

// end records the outcome and closes the desk.
func (c *completion) end(ctx workflow.Context) (CompletionResult, error) {
	in := RecordOutcome{Ref: c.ref, Outcome: c.result.Outcome, RecordID: c.result.RecordID, Skipped: c.result.Skipped}
	if c.result.Outcome.State().Replayable() {
		in.Failure = c.failure
	}
	if err := journalWrite(ctx, recordOutcome, in, nil); err != nil {
		return CompletionResult{}, err
	}
	if err := c.showEnded(ctx); err != nil {
		return CompletionResult{}, err
	}
	if c.told != nil { // with the run it would be lost that a wait has ended
		if err := c.told.Get(ctx, nil); err != nil {
			return CompletionResult{}, err
		}
	}
	return c.result, c.desk.close(ctx)
}
