package qms

import (
	"context"

	"countersign/internal/training"
)

// Decide carries a person's approval or rejection of a submitted completion to the QMS, in the
// same steps as Apply: read first, write, settle doubt by reading, read back. w is what was
// submitted. It returns the record as read back: COMPLETED with w's content after an approval,
// open again after a rejection. A decision made in the QMS itself in the meantime is success
// when it is the same one.
//
// A decision is sent only while the record is pending with our content, because the QMS decides
// on whatever waits there. As in Apply, a decision carried out late cannot take effect twice: a
// record that is not pending refuses it.
func Decide(ctx context.Context, c Client, w training.Write, d training.Decision, opts ApplyOptions) (training.Record, error) {
	w.Status = training.RecordPendingApproval
	w.CompletedAt = training.PrecisionMillisecond.Truncate(w.CompletedAt)
	if err := d.Validate(training.ApprovalActions()); err != nil {
		return training.Record{}, training.FailWith(training.FailureDefect, "decide record", w.RecordID, err)
	}
	before, err := c.Record(ctx, w.RecordID)
	if err != nil {
		return training.Record{}, err
	}
	decided := func(r training.Record) bool { return followed(r, w, d.Action) }
	if decided(before) {
		return before, nil
	}
	if err := decidable(before, w); err != nil {
		return before, err
	}
	if err := c.Decide(ctx, w.RecordID, d, opts.requestID()); err != nil {
		return settle(ctx, c, before, err, decided)
	}
	after, err := readBack(ctx, c, w.RecordID, opts, decided)
	if err != nil || decided(after) {
		return after, err
	}
	if err := decidable(after, w); err != nil {
		return after, err
	}
	return after, training.Fail(training.FailureUnchanged, "decide record", w.RecordID, "is still PENDING_APPROVAL")
}

// followed reports whether the record stands where the decision leads.
func followed(record training.Record, w training.Write, action training.Action) bool {
	if action == training.ActionApprove {
		return record.Status == training.RecordCompleted && w.ShownBy(record)
	}
	return record.Status.Open() && record.ID == w.RecordID && record.EmployeeID == w.EmployeeID
}

// decidable reports why nothing can be decided about w in this record, nil if it can: another
// employee, another decision or another submission stands there.
func decidable(record training.Record, w training.Write) error {
	const operation = "decide record"
	switch {
	case record.EmployeeID != w.EmployeeID:
		return training.Fail(training.FailureEmployeeMismatch, operation, record.ID, "")
	case record.Status == training.RecordPendingApproval && shows(record, w):
		return nil
	case record.Status == training.RecordPendingApproval, record.Status.Open(), w.ShownBy(record):
		return training.Fail(training.FailureOtherContent, operation, record.ID, "is "+string(record.Status))
	default:
		return ended(record, operation)
	}
}
