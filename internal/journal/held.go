package journal

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/training"
)

// Waiting is a completion or an enrollment that waits because of a target. It holds no personal data.
type Waiting struct {
	// Fingerprint is that of a completion, Enrollment the key of an enrollment; the other one is "".
	Fingerprint training.Fingerprint
	Enrollment  training.EnrollmentKey
	// Held is true where it waits for the target itself, false where it was parked in review.
	Held       bool
	ReceivedAt time.Time
	// FailedAt is when it was last said to have failed.
	FailedAt time.Time
}

// WaitingFor lists what waits because of a target, oldest first: what is held, and what was parked in
// review for an outage of it since parkedSince. What failed for another reason, at another system or
// before that, is not among it. The list goes on behind after; its zero value is the beginning.
func (j *Journal) WaitingFor(ctx context.Context, tenant, target string, parkedSince time.Time, after Waiting, limit int) ([]Waiting, error) {
	receivedAfter := micros(after.ReceivedAt)
	if after.Fingerprint == "" {
		receivedAfter = -1
	}
	found, err := list(ctx, j, j.read, func(row scanner) (w Waiting, err error) { return scanWaiting(row, &w.Fingerprint, &w) },
		waitingFor, tenant, target, micros(parkedSince), receivedAfter, receivedAfter, string(after.Fingerprint), limit)
	if err != nil {
		return nil, fmt.Errorf("list what waits for target %s/%s: %w", tenant, target, err)
	}
	return found, nil
}

// WaitingEnrollments is WaitingFor about enrollments.
func (j *Journal) WaitingEnrollments(ctx context.Context, tenant, target string, parkedSince time.Time, after Waiting, limit int) ([]Waiting, error) {
	receivedAfter := micros(after.ReceivedAt)
	if after.Enrollment == "" {
		receivedAfter = -1
	}
	found, err := list(ctx, j, j.read, func(row scanner) (w Waiting, err error) { return scanWaiting(row, &w.Enrollment, &w) },
		waitingEnrollments, tenant, target, micros(parkedSince), receivedAfter, receivedAfter, string(after.Enrollment), limit)
	if err != nil {
		return nil, fmt.Errorf("list enrollments that wait for target %s/%s: %w", tenant, target, err)
	}
	return found, nil
}

// scanWaiting reads a row into w, and what it is called into id, a field of w.
func scanWaiting(row scanner, id any, w *Waiting) (Waiting, error) {
	var (
		state                string
		receivedAt, failedAt int64
	)
	err := row.Scan(id, &state, &receivedAt, &failedAt)
	w.Held = state == string(training.StateRetrying) // an enrollment's is the same word
	w.ReceivedAt, w.FailedAt = instant(receivedAt), instant(failedAt)
	return *w, err
}

// The classes are those of training.FailureClass.Outage, as the test holds.
const (
	becauseOfTarget = ` WHERE tenant = ? AND failure_target = ? AND failure_target <> '' AND state IN ('RETRYING', 'IN_REVIEW')
		AND (state = 'RETRYING' AND failure_class = 'held' OR state = 'IN_REVIEW' AND failed_at >= ?
			AND failure_class IN ('unreachable', 'rate_limited', 'credentials', 'unverified'))`
	waitingFor = `SELECT fingerprint, state, received_at, coalesce(failed_at, 0) FROM completions` + becauseOfTarget + `
		AND (received_at > ? OR received_at = ? AND fingerprint > ?) ORDER BY received_at, fingerprint LIMIT ?`
	waitingEnrollments = `SELECT key, state, received_at, coalesce(failed_at, 0) FROM enrollments` + becauseOfTarget + `
		AND (received_at > ? OR received_at = ? AND key > ?) ORDER BY received_at, key LIMIT ?`
)

// heldTenants are those of whom nothing is started now.
const heldTenants = `SELECT DISTINCT tenant FROM targets WHERE state <> 'ANSWERING'`
