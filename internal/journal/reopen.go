package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"countersign/internal/training"
)

// ErrNotReplayable means that a completion has not ended, or has ended with its effect.
var ErrNotReplayable = errors.New("only what is CLOSED or EXPIRED_IN_REVIEW is started again")

// Reopen moves a completion from CLOSED or EXPIRED_IN_REVIEW to RUNNING and keeps the decision that
// did it, in one transaction (R142, law 5). The journal counts its round. Of two at once one gets
// ErrNotReplayable, as does one about any other state; ErrNotFound if the tenant has no such completion.
func (j *Journal) Reopen(ctx context.Context, e DecisionEntry) error {
	if err := j.reopen(ctx, e); err != nil {
		return fmt.Errorf("reopen completion %s: %w", e.Fingerprint, err)
	}
	return nil
}

func (j *Journal) reopen(ctx context.Context, e DecisionEntry) error {
	if err := e.Decision.Validate([]training.Action{training.ActionReplay}); err != nil {
		return err
	}
	if err := e.prepare(j.now); err != nil {
		return err
	}
	return j.inTx(ctx, func(tx *sql.Tx) error {
		if err := j.exists(ctx, tx, key{e.Tenant, e.Fingerprint}); err != nil {
			return err
		}
		// A write first: on PostgreSQL it makes a second one wait, which then sees what this one did.
		result, err := tx.ExecContext(ctx, j.dialect.rebind(`UPDATE completions SET updated_at = ?
			WHERE tenant = ? AND fingerprint = ? AND state IN ('CLOSED', 'EXPIRED_IN_REVIEW')`),
			micros(j.now()), e.Tenant, string(e.Fingerprint))
		if err != nil {
			return err
		}
		if found, err := result.RowsAffected(); err != nil || found == 0 {
			return errors.Join(err, ErrNotReplayable)
		}
		e.Round, err = one(ctx, j, tx, func(row scanner) (round int, err error) {
			err = row.Scan(&round)
			return round, err
		}, `SELECT count(*) + 1 FROM decisions WHERE tenant = ? AND fingerprint = ?`, e.Tenant, string(e.Fingerprint))
		if err != nil {
			return err
		}
		if err := j.insertDecision(ctx, tx, e); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, j.dialect.rebind(`UPDATE completions SET state = 'RUNNING'
			WHERE tenant = ? AND fingerprint = ?`), e.Tenant, string(e.Fingerprint))
		return err
	})
}
