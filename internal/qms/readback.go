package qms

import (
	"context"
	"errors"
	"fmt"

	"countersign/internal/training"
)

// settle decides what a write that was not accepted has really done, by one read. More are not
// needed: what is carried out later than that, the next attempt's first read finds.
func settle(ctx context.Context, c Client, before training.Record, failure error, shown func(training.Record) bool) (training.Record, error) {
	var f *training.Failure
	if !errors.As(failure, &f) {
		return before, failure
	}
	switch f.Class {
	case training.FailureUnreachable, training.FailureMisread: // sent, and nobody knows
	case training.FailureCompletedElse, training.FailureApprovalNeeded: // perhaps by our own earlier attempt
	case training.FailureRefused: // a decision that came twice is refused too
	default:
		return before, failure
	}
	after, err := c.Record(ctx, before.ID)
	if err == nil && shown(after) {
		return after, nil
	}
	if errors.Is(err, context.Canceled) {
		return before, err
	}
	return before, failure // its class says already that the record may have changed
}

// readBack reads until the record shows what was written, as often as opts says, and returns
// the last reading. The error is FailureUnverified if that one could not be made.
func readBack(ctx context.Context, c Client, recordID string, opts ApplyOptions, shown func(training.Record) bool) (training.Record, error) {
	var record training.Record
	var err error
	for _, wait := range opts.waits() {
		if err = opts.sleep(ctx, wait); err != nil {
			break
		}
		record, err = c.Record(ctx, recordID)
		if err == nil && shown(record) {
			return record, nil
		}
	}
	var f *training.Failure
	switch {
	case err == nil:
		return record, nil
	case errors.Is(err, context.Canceled):
		return record, fmt.Errorf("read back record %s: %w", recordID, err)
	case errors.As(err, &f) && !f.Class.Transient():
		return record, err // for example deleted in the meantime
	}
	unverified := training.FailWith(training.FailureUnverified, "read back record", recordID, err)
	if f != nil {
		unverified.Detail, unverified.RetryAfter = f.Detail, f.RetryAfter
	}
	return record, unverified
}

// silent finds the reason why a 2xx did not do what it said, in the order in which the contract
// lists the causes (R106, R109, R111, R122). None of them is mended by sending it again.
func silent(ctx context.Context, c Client, before, after training.Record, w training.Write) error {
	fail := func(class training.FailureClass, detail string) error {
		return training.Fail(class, "read back record", after.ID, detail)
	}
	switch {
	case after.EmployeeID != w.EmployeeID:
		return fail(training.FailureOtherContent, "belongs to another employee")
	case after.Status == training.RecordExpired, after.Status == training.RecordCancelled:
		return ended(after, "read back record")
	case after.Status == training.RecordPendingApproval && w.Status == training.RecordCompleted:
		return fail(training.FailureApprovalNeeded, "is PENDING_APPROVAL")
	case !after.Status.Open(), !after.CompletedAt.Equal(before.CompletedAt), after.Score != before.Score:
		return fail(training.FailureOtherContent, "is "+string(after.Status))
	case after.TracksScore && w.Score == "":
		return fail(training.FailureIncomplete, "the training tracks scores and none was sent")
	case after.ApprovalRequired && w.Status == training.RecordCompleted:
		return fail(training.FailureApprovalNeeded, "is "+string(after.Status))
	case after.Locked:
		return fail(training.FailureRecordLocked, "is "+string(after.Status))
	}
	allowed, err := c.ExternalUpdatesAllowed(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case err != nil:
		// That nothing changed is known all the same; only the reason is missing.
		return &training.Failure{
			Class: training.FailureUnchanged, Operation: "read back record", Key: after.ID,
			Detail: "the QMS's configuration could not be read", Err: err,
		}
	case !allowed:
		return fail(training.FailureUpdatesOff, "is "+string(after.Status))
	default:
		return fail(training.FailureUnchanged, "is "+string(after.Status))
	}
}
