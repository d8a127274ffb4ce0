package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"countersign/internal/training"
)

// ReopenEnrollment moves an enrollment from CLOSED or EXPIRED_IN_REVIEW to QUEUED, from where dispatch begins it again,
// and keeps the decision that did it, in one transaction (R142, law 5). Of two at once one gets ErrNotReplayable, as does
// one about any other state; ErrNotFound if the tenant has no such enrollment. Via is how the decision came.
func (j *Journal) ReopenEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, d training.Decision, via string) error {
	if err := j.reopenEnrollment(ctx, tenant, key, d, via); err != nil {
		return fmt.Errorf("reopen enrollment %s: %w", key, err)
	}
	j.signal()
	return nil
}

func (j *Journal) reopenEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, d training.Decision, via string) error {
	if err := d.Validate([]training.Action{training.ActionReplay}); err != nil {
		return err
	}
	if err := checkText(via); err != nil {
		return err
	}
	return j.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := one(ctx, j, tx, scanString, `SELECT state FROM enrollments WHERE tenant = ? AND key = ?`, tenant, string(key)); err != nil {
			return err
		}
		// A write first: on PostgreSQL it makes a second one wait, which then sees what this one did.
		result, err := tx.ExecContext(ctx, j.dialect.rebind(`UPDATE enrollments SET updated_at = ?
			WHERE tenant = ? AND key = ? AND state IN ('CLOSED', 'EXPIRED_IN_REVIEW')`), micros(j.now()), tenant, string(key))
		if err != nil {
			return err
		}
		if found, err := result.RowsAffected(); err != nil || found == 0 {
			return errors.Join(err, ErrNotReplayable)
		}
		round, err := one(ctx, j, tx, scanInt, `SELECT count(*) + 1 FROM enrollment_decisions WHERE tenant = ? AND key = ?`, tenant, string(key))
		if err != nil {
			return err
		}
		if err := j.decideEnrollment(ctx, tx, tenant, key, EnrollmentProjection{Decision: &d, Round: round, Via: via}); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, j.dialect.rebind(`UPDATE enrollments SET state = 'QUEUED' WHERE tenant = ? AND key = ?`), tenant, string(key))
		return err
	})
}
