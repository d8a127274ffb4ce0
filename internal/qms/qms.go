// Package qms is the port to the quality system that keeps training records. It holds the
// contract every adapter keeps (Client), Apply, the one way in which a completion is written
// (read first, write, read back), Decide, the same for a person's decision, and Ensure, the one way
// in which a record is created. Signing and Keep are for a QMS that only the trainee's own signature
// completes. Adapters live below it; qmstest is their suite.
package qms

import (
	"context"

	"countersign/internal/training"
)

// Client is one tenant's access to its QMS. Every method is safe for concurrent use.
//
// Every error is a *training.Failure (through errors.As), classified from what the other side
// really did: FailureUnreachable for no connection, a timeout, a reset or a 5xx;
// FailureRateLimited with RetryAfter for 429; FailureCredentials for a 401 that a fresh token
// did not mend and for 403; FailureMisread for an answer that is no JSON of the contract, too
// large or cut off. Its text names operations and record ids, never a person or a secret.
//
// A method makes no retries of its own, except for one with a fresh token after a 401:
// waiting belongs to the workflow, where people can see it.
type Client interface {
	// Employee checks that the QMS knows the employee (R114); FailureEmployeeUnknown if not.
	Employee(ctx context.Context, employeeID string) error

	// Record reads one training record; FailureRecordMissing if there is none.
	Record(ctx context.Context, recordID string) (training.Record, error)

	// Records lists the employee's records of a training in every state, all pages.
	Records(ctx context.Context, employeeID, trainingID string) ([]training.Record, error)

	// Create asks for a training record once, and returns the id that the QMS gave it, or the
	// id of the record that has this reference already: a creation can be repeated (R98). An id
	// proves nothing: the caller reads back. FailureMisread for a 2xx without an id, after which
	// nobody knows; FailureEmployeeUnknown and FailureCourseUnmapped for what is not there.
	Create(ctx context.Context, n training.NewRecord, requestID string) (recordID string, err error)

	// Complete asks for the transition that w means, once. nil says that the QMS answered
	// 2xx, which proves nothing (R106): the caller reads back. A state the record cannot
	// leave is its own class (FailureCompletedElse, FailureRecordExpired,
	// FailureRecordCancelled, FailureApprovalNeeded when it is already pending). requestID
	// is sent as X-Request-ID, for tracing only (R105). The instant may be written to the
	// whole second below, which Write.ShownBy takes for the same.
	Complete(ctx context.Context, w training.Write, requestID string) error

	// Decide carries an approval or rejection of a pending record over, in the approver's
	// name; FailureApprovalForbidden if the service account may not, nil after a 2xx, which
	// proves nothing: the caller reads back.
	Decide(ctx context.Context, recordID string, d training.Decision, requestID string) error

	// ExternalUpdatesAllowed reads the switch "Allow external status updates" (R109).
	ExternalUpdatesAllowed(ctx context.Context) (bool, error)
}
