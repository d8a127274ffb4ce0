package qms

import (
	"context"
	"time"

	"countersign/internal/training"
)

// ApplyOptions tunes Apply and Decide. Its zero value is ready for production, except that
// adapters then choose the request ids.
type ApplyOptions struct {
	// RequestID makes a fresh id for a write (R105); nil leaves it to the adapter.
	RequestID func() string
	// ReadBack holds the wait before each read after a write; nil means three reads within
	// ten seconds: at once, after two seconds more and after six more.
	ReadBack []time.Duration
	// Sleep waits for d or for the end of ctx, whose error it then returns; nil is a timer.
	Sleep func(ctx context.Context, d time.Duration) error
}

func (o ApplyOptions) requestID() string {
	if o.RequestID == nil {
		return ""
	}
	return o.RequestID()
}

func (o ApplyOptions) waits() []time.Duration {
	if len(o.ReadBack) == 0 {
		return []time.Duration{0, 2 * time.Second, 6 * time.Second}
	}
	return o.ReadBack
}

func (o ApplyOptions) sleep(ctx context.Context, d time.Duration) error {
	if o.Sleep != nil {
		return o.Sleep(ctx, d)
	}
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Apply is the one way in which a completion is written. It returns the record as read back,
// which shows w: COMPLETED, or PENDING_APPROVAL when w asks for that. Its errors are
// *training.Failure, or the caller's own context.Canceled; the record beside an error proves
// nothing.
//
//	read ─ shows w ──────────────────────────────► done, nothing written
//	 │   └ cannot take w, or w lacks a score ────► that failure, nothing written
//	 ▼
//	write ─ no answer, 5xx, unreadable ─► read ──► done if it shows w, else the failure (a retry reads first)
//	 │    └ 409, already there ─────────► read ──► done if it shows w, else the conflict
//	 ▼ 2xx, which proves nothing (R106)
//	read back, three times ─ shows w ────────────► done
//	                       └ does not ───────────► silent failure, with its reason
//
// Apply may run any number of times for one completion, and still the record changes once.
// An attempt whose answer is lost can be carried out late: after a later attempt has read, and
// even after it has written. Reading first cannot prevent that, and no request id does. What
// does is the other side: COMPLETED has no way out and PENDING_APPROVAL takes no submission, so
// of two attempts the second is refused with 409. Both say the same (employee, instant,
// score), so it does not matter which of them arrives, and reading after the 409 finds our
// own content. One thing is beyond this: a submission that is carried out only after a person
// has rejected a later one makes the record pending again. It is submitted, not completed, and
// waits for that person.
func Apply(ctx context.Context, c Client, w training.Write, opts ApplyOptions) (training.Record, error) {
	// No QMS keeps more than milliseconds; a finer instant would never be read back.
	w.CompletedAt = training.PrecisionMillisecond.Truncate(w.CompletedAt)
	before, err := c.Record(ctx, w.RecordID)
	if err != nil {
		return training.Record{}, err
	}
	if shows(before, w) {
		return before, nil
	}
	if err := takes(before, w); err != nil {
		return before, err
	}
	if before.TracksScore && w.Score == "" {
		// The QMS would accept it and do nothing, or refuse it in words of no help (R103, R106).
		return before, training.Fail(training.FailureIncomplete, "complete record", w.RecordID, "the training tracks scores and the event has none")
	}
	shown := func(r training.Record) bool { return shows(r, w) }
	if err := c.Complete(ctx, w, opts.requestID()); err != nil {
		return settle(ctx, c, before, err, shown)
	}
	after, err := readBack(ctx, c, w.RecordID, opts, shown)
	if err != nil || shows(after, w) {
		return after, err
	}
	return after, silent(ctx, c, before, after, w)
}

// shows is Write.ShownBy, and tolerant of a pending record that does not show the date or the
// score yet: the contract leaves open whether they appear on submission or on approval. Once
// it is COMPLETED both must be there.
func shows(record training.Record, w training.Write) bool {
	if record.Status == training.RecordPendingApproval {
		if record.CompletedAt.IsZero() {
			record.CompletedAt = w.CompletedAt
		}
		if record.Score == "" {
			record.Score = w.Score
		}
	}
	return w.ShownBy(record)
}

// takes reports why a record that does not show w cannot be written, nil if it can (R107, R108).
func takes(record training.Record, w training.Write) error {
	if record.EmployeeID != w.EmployeeID {
		return training.Fail(training.FailureEmployeeMismatch, "complete record", record.ID, "")
	}
	switch record.Status {
	case training.RecordAssigned, training.RecordInProgress:
		return nil
	case training.RecordPendingApproval:
		if w.Status == training.RecordPendingApproval { // another completion waits there
			return training.Fail(training.FailureOtherContent, "complete record", record.ID, "already PENDING_APPROVAL")
		}
		return training.Fail(training.FailureApprovalNeeded, "complete record", record.ID, "already PENDING_APPROVAL")
	default:
		return ended(record, "complete record")
	}
}

// ended is the failure of a record that has left the open states for good, and of a status
// that this package does not know.
func ended(record training.Record, operation string) error {
	class := training.FailureDefect
	switch record.Status {
	case training.RecordCompleted:
		class = training.FailureCompletedElse
	case training.RecordExpired:
		class = training.FailureRecordExpired
	case training.RecordCancelled:
		class = training.FailureRecordCancelled
	}
	return training.Fail(class, operation, record.ID, "is "+string(record.Status))
}
