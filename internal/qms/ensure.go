package qms

import (
	"context"
	"errors"

	"countersign/internal/training"
)

// Ensure returns the training record that n means, creating it if there is none (R98), and only
// after a read showed it. Its errors are those of Apply.
//
//	create ─ id, new or there before ───► read back ──► done if it shows n, else a failure
//	   └ no answer, 5xx, unreadable ─► list by employee and training ──► done if one has our
//	                                   reference, else the failure (a retry creates again)
//
// It may run any number of times, at once too, and a lost attempt may be carried out late: the QMS
// keeps one record per reference and refuses the second with the id of the first. A QMS that does
// not keep the reference fails here after its first record, and is not asked for a second: the
// record is open then, and the next search finds it. A Signing QMS keeps one record per employee and
// training instead, and no reference.
func Ensure(ctx context.Context, c Client, n training.NewRecord, opts ApplyOptions) (training.Record, error) {
	if n.EmployeeID == "" || n.TrainingID == "" || n.ExternalRef == "" {
		return training.Record{}, training.Fail(training.FailureDefect, "create record", n.ExternalRef, "employee, training and reference are required")
	}
	id, err := c.Create(ctx, n, opts.requestID())
	shown := n.ShownBy
	if _, signing := c.(Signing); signing {
		shown = func(r training.Record) bool {
			return training.SamePerson(r.EmployeeID, n.EmployeeID) && r.TrainingID == n.TrainingID
		}
	}
	if err != nil {
		return created(ctx, c, n, err, shown)
	}
	record, err := readBack(ctx, c, id, opts, shown)
	if err != nil || shown(record) {
		return record, err
	}
	if record.EmployeeID != n.EmployeeID {
		return record, training.Fail(training.FailureEmployeeMismatch, "create record", id, "the reference is another employee's")
	}
	return record, training.Fail(training.FailureOtherContent, "create record", id, "training or reference is another one")
}

// created decides what a creation without an answer has really done, by one list.
func created(ctx context.Context, c Client, n training.NewRecord, failure error, shown func(training.Record) bool) (training.Record, error) {
	var f *training.Failure
	if !errors.As(failure, &f) || (f.Class != training.FailureUnreachable && f.Class != training.FailureMisread) {
		return training.Record{}, failure
	}
	records, err := c.Records(ctx, n.EmployeeID, n.TrainingID)
	if errors.Is(err, context.Canceled) {
		return training.Record{}, err
	}
	for _, record := range records {
		if shown(record) {
			return record, nil
		}
	}
	return training.Record{}, failure
}
