package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"countersign/internal/training"
)

// openEnrollments is the condition of the index over enrollments that have not ended.
const openEnrollments = `state NOT IN ('LINKED', 'CLOSED', 'EXPIRED_IN_REVIEW')`

// ClaimEnrollments moves enrollments from QUEUED to STARTING for the time of lease and returns them: as many as
// keep the number that is STARTING or RUNNING, of all tenants and processes, at or below limit. They
// are dealt to the tenants as by Claim, and those not seen to within the lease are free again.
//
// A tenant with a target that is HELD or PAUSED gets none: its enrollments stay queued. Any other that has none
// STARTING or RUNNING gets one beyond the limit: those of another tenant may wait for hours behind the
// completions in that one's budget.
func (j *Journal) ClaimEnrollments(ctx context.Context, limit int, lease time.Duration) ([]ClaimedEnrollment, error) {
	// Most tenants have none: what is asked for often must not cost the writer's turn.
	_, err := one(ctx, j, j.read, scanInt, `SELECT 1 FROM enrollments
		WHERE `+openEnrollments+` AND (state = 'STARTING' OR state = 'QUEUED' AND tenant NOT IN (`+heldTenants+`)) LIMIT 1`)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("claim enrollments: %w", err)
	}
	var claimed []ClaimedEnrollment
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		if err := j.dialect.lockClaims(ctx, tx); err != nil {
			return err
		}
		now := j.now()
		_, err := tx.ExecContext(ctx, j.dialect.rebind(`UPDATE enrollments SET state = 'QUEUED', lease_until = NULL, updated_at = ?
			WHERE `+openEnrollments+` AND `+lapsed), micros(now), micros(now), micros(now.Add(lease+ahead)))
		if err != nil {
			return fmt.Errorf("end lapsed leases: %w", err)
		}
		// A tenant may have fewer queued than it is dealt; what is left over is dealt again.
		for {
			taken, err := j.claimEnrollments(ctx, tx, limit, now, now.Add(lease))
			if err != nil || len(taken) == 0 {
				return err
			}
			claimed = append(claimed, taken...)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("claim enrollments: %w", err)
	}
	return claimed, nil
}

// claimEnrollments deals what slots are free.
func (j *Journal) claimEnrollments(ctx context.Context, tx *sql.Tx, limit int, now, until time.Time) (claimed []ClaimedEnrollment, err error) {
	tenants, free, err := j.enrollmentShares(ctx, tx, limit)
	if err != nil {
		return nil, err
	}
	for i, slots := range deal(max(free, 0), tenants) {
		if slots == 0 && tenants[i].inFlight == 0 {
			slots = 1
		}
		if slots == 0 {
			continue
		}
		taken, err := list(ctx, j, tx, scanClaimedEnrollment, takeEnrollments, micros(until), micros(now), tenants[i].name, tenants[i].name, slots)
		if err != nil {
			return nil, fmt.Errorf("take from tenant %s: %w", tenants[i].name, err)
		}
		claimed = append(claimed, taken...)
	}
	return claimed, nil
}

// enrollmentShares are the tenants that have something queued and are not held, and how many slots are free.
func (j *Journal) enrollmentShares(ctx context.Context, tx *sql.Tx, limit int) (tenants []tenantShare, free int, err error) {
	tenants, err = list(ctx, j, tx, scanTenant, queuedEnrollments)
	if err != nil || len(tenants) == 0 {
		return nil, 0, err
	}
	held, err := list(ctx, j, tx, scanString, heldTenants)
	if err != nil {
		return nil, 0, fmt.Errorf("list held tenants: %w", err)
	}
	tenants = slices.DeleteFunc(tenants, func(t tenantShare) bool { return slices.Contains(held, t.name) })
	if len(tenants) == 0 {
		return nil, 0, nil
	}
	counts, err := list(ctx, j, tx, func(row scanner) (tenantShare, error) {
		var t tenantShare
		err := row.Scan(&t.name, &t.inFlight)
		return t, err
	}, `SELECT tenant, count(*) FROM enrollments
		WHERE `+openEnrollments+` AND state IN ('STARTING', 'RUNNING') GROUP BY tenant`)
	if err != nil {
		return nil, 0, fmt.Errorf("count in flight: %w", err)
	}
	free = limit
	for _, count := range counts {
		free -= count.inFlight
		for i := range tenants {
			if tenants[i].name == count.name {
				tenants[i].inFlight = count.inFlight
			}
		}
	}
	return tenants, free, nil
}

// queuedEnrollments lists tenants as queuedTenants does.
const queuedEnrollments = `
	WITH RECURSIVE jump (tenant) AS (
		SELECT min(tenant) FROM enrollments WHERE state = 'QUEUED'
		UNION ALL
		SELECT (SELECT min(e.tenant) FROM enrollments e WHERE e.state = 'QUEUED' AND e.tenant > jump.tenant)
		FROM jump WHERE jump.tenant IS NOT NULL
	)
	SELECT tenant, (SELECT min(e.received_at) FROM enrollments e WHERE e.state = 'QUEUED' AND e.tenant = jump.tenant)
	FROM jump WHERE tenant IS NOT NULL`

const enrollmentColumns = `tenant, source, platform, key, delivery_id, course_label, state, updated_at,
	(SELECT count(*) FROM enrollment_decisions d WHERE d.tenant = enrollments.tenant AND d.key = enrollments.key AND d.action = 'replay')`

const takeEnrollments = `UPDATE enrollments SET state = 'STARTING', lease_until = ?, updated_at = ?
	WHERE tenant = ? AND coalesce(state, '') = 'QUEUED' AND key IN (
		SELECT key FROM enrollments WHERE tenant = ? AND state = 'QUEUED'
		ORDER BY received_at, key LIMIT ?)
	RETURNING ` + enrollmentColumns

func scanClaimedEnrollment(row scanner) (ClaimedEnrollment, error) {
	var (
		c         ClaimedEnrollment
		updatedAt int64
		replays   int
	)
	err := row.Scan(&c.Tenant, &c.Source, &c.Platform, &c.Key, &c.DeliveryID, &c.CourseLabel, &c.State, &updatedAt, &replays)
	c.UpdatedAt, c.Replayed = instant(updatedAt), replays > 0
	return c, err
}

// EnrollmentStarted moves STARTING to RUNNING: Temporal has the workflow. From any other state it does nothing.
func (j *Journal) EnrollmentStarted(ctx context.Context, tenant string, key training.EnrollmentKey) error {
	return j.moveEnrollment(ctx, tenant, key, training.EnrollmentRunning, "state = 'STARTING'")
}

// ReleaseEnrollment moves STARTING back to QUEUED: the workflow could not be started. From any other state it
// does nothing.
func (j *Journal) ReleaseEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey) error {
	return j.moveEnrollment(ctx, tenant, key, training.EnrollmentQueued, "state = 'STARTING'")
}

// RequeueEnrollment moves RUNNING, RETRYING and IN_REVIEW back to QUEUED: Temporal has lost the workflow. It does
// nothing from any other state, nor if the enrollment was updated after updatedAt.
func (j *Journal) RequeueEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, updatedAt time.Time) error {
	return j.moveEnrollment(ctx, tenant, key, training.EnrollmentQueued, "state IN ('RUNNING', 'RETRYING', 'IN_REVIEW') AND updated_at = ?", micros(updatedAt))
}

// TouchEnrollment makes the enrollment count as updated now, so that the sweep moves on to others.
func (j *Journal) TouchEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey) error {
	if _, err := j.exec(ctx, `UPDATE enrollments SET updated_at = ? WHERE tenant = ? AND key = ?`, micros(j.now()), tenant, string(key)); err != nil {
		return fmt.Errorf("touch enrollment %s: %w", key, err)
	}
	return nil
}

func (j *Journal) moveEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, to training.EnrollmentState, from string, args ...any) error {
	args = append([]any{string(to), micros(j.now()), tenant, string(key)}, args...)
	moved, err := j.exec(ctx, `UPDATE enrollments SET state = ?, lease_until = NULL, updated_at = ?
		WHERE tenant = ? AND key = ? AND `+from, args...)
	if err != nil {
		return fmt.Errorf("move enrollment %s to %s: %w", key, to, err)
	}
	if moved > 0 && to == training.EnrollmentQueued {
		j.signal()
	}
	return nil
}

// StaleEnrollments lists, longest untouched first, enrollments of all tenants that are in one of the states and were
// not updated since before, or much later than now. Nothing is stale in QUEUED and STARTING, which are dispatch's own, or once it has ended.
func (j *Journal) StaleEnrollments(ctx context.Context, states []training.EnrollmentState, before time.Time, limit int) ([]ClaimedEnrollment, error) {
	if len(states) == 0 {
		return nil, nil
	}
	var args []any
	for _, state := range states {
		args = append(args, string(state))
	}
	found, err := list(ctx, j, j.read, scanClaimedEnrollment, `SELECT `+enrollmentColumns+` FROM enrollments
		WHERE `+openEnrollments+` AND state IN (`+strings.TrimSuffix(strings.Repeat("?, ", len(states)), ", ")+`)
		AND state NOT IN ('QUEUED', 'STARTING') AND (updated_at < ? OR updated_at > ?) ORDER BY updated_at LIMIT ?`,
		append(args, micros(before), micros(j.now().Add(ahead)), max(limit, 0))...)
	if err != nil {
		return nil, fmt.Errorf("list stale enrollments: %w", err)
	}
	return found, nil
}
