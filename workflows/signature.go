package workflows

import (
	"fmt"
	"slices"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// carrySigned takes the completion through a QMS that only the trainee's own signature completes. Nothing
// here writes a status: the trainee is enrolled, the report is kept with the training, and then somebody
// else has to act.
//
//	enrolled? ─► report kept ─► signed? ─► certificate ∥ statement ─► certificate kept ─► outcome
//	                              │ ▲
//	                              └─┘ WAITING_SIGNATURE: poll, remind, escalate; retry looks now, close ends it
//
// The report says of itself that it is no certificate. The certificate is issued only when the signatures
// were read back and stored as the proof (law 3).
func (c *completion) carrySigned(ctx workflow.Context) (*training.Failure, error) {
	plan, failure, err := atQMS[RecordPlan](ctx, c, enrollTrainee, func(ref Ref) any {
		return CheckRecord{Ref: ref, HoldFailed: c.in.Policy.HoldFailed, MissingRecord: c.in.Policy.MissingRecord, Enrollments: c.in.Policy.Enrollments}
	})
	if failure != nil || err != nil {
		return failure, err
	}
	c.result.RecordID = plan.RecordID
	if failure, err := c.keepDocument(ctx, training.EffectEvidence); failure != nil || err != nil {
		return failure, err
	}
	c.failed = training.EffectRecord
	closed, failure, err := c.awaitSignature(ctx)
	if closed || failure != nil || err != nil {
		return failure, err
	}
	return c.finish(ctx)
}

// keepCertificate has the certificate kept beside the report, in a QMS that signatures complete.
func (c *completion) keepCertificate(ctx workflow.Context) (*training.Failure, error) {
	if c.in.Policy.Signing == nil || slices.Contains(c.result.Skipped, training.EffectCertificate) {
		return nil, nil
	}
	return c.keepDocument(ctx, training.EffectCertificate)
}

// keepDocument has a document kept with the training, unless the tenant or a person wants none kept.
func (c *completion) keepDocument(ctx workflow.Context, kind training.EffectKind) (*training.Failure, error) {
	if !c.in.Policy.Signing.Evidence || slices.Contains(c.result.Skipped, training.EffectEvidence) {
		return nil, nil
	}
	c.failed = training.EffectEvidence
	_, failure, err := atQMS[Issued](ctx, c, keepDocument, func(ref Ref) any {
		return KeepDocument{Document: Document{Ref: ref, RecordID: c.result.RecordID}, Kind: kind}
	})
	return failure, err
}

// atQMS runs a step that may write to the QMS, and waits while the QMS is held.
func atQMS[Out any](ctx workflow.Context, c *completion, name string, input func(Ref) any) (Out, *training.Failure, error) {
	return unheld(ctx, c, func() (Out, *training.Failure, error) {
		step := effect[Out](ctx, c, name, input)
		if err := c.together(ctx, step); err != nil {
			var none Out
			return none, nil, err
		}
		return step.get(ctx)
	})
}

// awaitSignature looks whether the trainee has signed, and waits until they have. Nobody here can sign for
// them, so the wait takes two decisions only: retry, to look now, and close. A failure is what makes it
// pointless; a QMS that does not answer is none, the poll goes on.
func (c *completion) awaitSignature(ctx workflow.Context) (closed bool, failure *training.Failure, err error) {
	fresh := c.failure != nil // a person has decided about it
	for {
		c.lookFailed = nil
		signed, failure, err := c.readSignature(ctx, fresh)
		switch {
		case err != nil || signed:
			return false, failure, err
		case failure != nil && !failure.Class.Transient():
			return false, failure, nil
		}
		c.lookFailed = failure
		decision, decided, failure, err := c.waitForSignature(ctx)
		switch {
		case failure != nil || err != nil:
			return false, failure, err
		case !decided:
			return false, nil, c.showSigned(ctx)
		case decision.Action == training.ActionClose:
			c.decided(training.OutcomeClosed, decision)
			return true, nil, nil
		}
		fresh = true
	}
}

// readSignature looks once; fresh takes nothing from memory.
func (c *completion) readSignature(ctx workflow.Context, fresh bool) (signed bool, failure *training.Failure, err error) {
	var out Signed
	err = c.look(ctx, readSignature, ReadSignature{
		Ref: c.ref, RecordID: c.result.RecordID, Grace: c.in.Policy.Signing.Grace, Fresh: fresh,
	}).Get(ctx, &out)
	if unpolled(err) && since(ctx, deadQueueChange) {
		c.leaveQueue(err)
	}
	failure, err = failureOf(readSignature, err)
	if failure != nil || err != nil {
		return false, failure, err
	}
	c.result.Status = out.Status
	return out.Status == training.RecordCompleted, nil, nil
}

// waitForSignature waits until the poll has seen the signature (not decided), somebody has decided, or a
// failure has made the wait pointless.
func (c *completion) waitForSignature(ctx workflow.Context) (training.Decision, bool, *training.Failure, error) {
	signing := c.in.Policy.Signing
	c.page = signaturePage
	if err := c.showSignature(ctx); err != nil {
		return training.Decision{}, false, nil, err
	}
	w := wait{
		state:    training.StateWaitingSignature,
		question: question{signal: ReviewSignal, allowed: signatureActions()},
		clock:    &clock{},
	}
	w.opened = func(ctx workflow.Context, _ RecordedWait, round int) {
		for _, notice := range []struct {
			after   time.Duration
			summary string
			kind    NoticeKind
		}{
			{signing.Remind, "remind: the trainee has not signed yet", NoticeSignatureReminder},
			{signing.Escalate, "escalate: the trainee has still not signed", NoticeSignatureEscalation},
		} {
			w.clock.add(workflow.Now(ctx).Add(notice.after), notice.summary, func(ctx workflow.Context) (bool, error) {
				c.tellAdmins(ctx, InboxItem{ID: string(notice.kind), Kind: notice.kind}, round)
				// What is not told yet of this wait is not told any more once it has ended.
				c.announced = &InboxItem{ID: c.itemID(ctx, round)}
				return false, nil
			})
		}
	}
	var failed *training.Failure
	c.lookForSignature(ctx, w.clock, workflow.Now(ctx), 1, &failed)
	decision, decided, err := c.wait(ctx, w)
	return decision, decided, failed, err
}

// signatureActions are the decisions that a wait for a signature takes.
func signatureActions() []training.Action {
	return []training.Action{training.ActionRetry, training.ActionClose}
}

// lookForSignature makes the appointment for the given read of the record. Whoever has not signed when others
// have been asked to see to it is looked for once a day: each look costs of the QMS's budget.
func (c *completion) lookForSignature(ctx workflow.Context, k *clock, began time.Time, read int, failed **training.Failure) {
	signing := c.in.Policy.Signing
	poll := signing.Poll
	if signing.Patient && workflow.Now(ctx).Sub(began) >= signing.Escalate || workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		poll = poll.Slow()
	}
	gap := poll.Gap(read)
	if c.lookFailed != nil {
		gap = max(gap, c.lookFailed.RetryAfter)
	}
	summary := fmt.Sprintf("read the record, time %d: has the trainee signed?", read)
	k.add(workflow.Now(ctx).Add(gap), summary, func(ctx workflow.Context) (bool, error) {
		signed, failure, err := c.readSignature(ctx, false)
		switch {
		case err != nil:
			return false, err
		case c.desk.decision.Action != "":
			return false, nil // somebody has decided meanwhile, and that was first
		case signed:
			return true, nil
		case failure != nil && !failure.Class.Transient():
			*failed = failure
			return true, nil
		}
		c.lookFailed = failure
		c.show(ctx)
		c.lookForSignature(ctx, k, began, read+1, failed)
		return false, nil
	})
}

// signaturePage says whom the completion waits for.
func signaturePage(c *completion) string {
	text := "**Waits for the trainee's signature in the QMS.** The learner finished the course, and in this QMS a training record " +
		"is completed by the trainee's own signature, which nobody else can give.\n\n" +
		"The trainee is enrolled there. No certificate and no statement have been issued."
	if c.result.Status == training.RecordInProgress {
		text += " A part of the training is signed."
	}
	text += "\n\nAsk the trainee to sign; it is noticed by itself. To look now, or to end it, send the signal `review` (or the update `decide`):\n\n" +
		examples(signatureActions())
	if c.lookFailed != nil {
		text += fmt.Sprintf("\n\nThe QMS could not be read the last time: %s. It is read again.", code(c.lookFailed.Error()))
	}
	return text
}

func (c *completion) showSignature(ctx workflow.Context) error {
	c.show(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateWaitingSignature)), RecordAttribute.ValueSet(shorten(c.result.RecordID)))
}

func (c *completion) showSigned(ctx workflow.Context) error {
	c.page = func(*completion) string {
		return "The trainee has signed, and the signature was read back. The documents are being issued."
	}
	c.show(ctx)
	return workflow.UpsertTypedSearchAttributes(ctx,
		StateAttribute.ValueSet(string(training.StateRunning)), FailureAttribute.ValueUnset())
}
