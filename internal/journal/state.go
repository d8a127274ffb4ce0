package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"countersign/internal/training"
)

const (
	// open are the completions that have not ended.
	open = `state NOT IN ('COMPLETED', 'REJECTED', 'CLOSED', 'EXPIRED_IN_REVIEW')`
	// started and queued are the two parts of open, each with an index of its own; a query that is to use
	// it says it in the same words. What is queued is in as few indexes as can be: they are written before
	// a delivery is acknowledged.
	started = `state NOT IN ('QUEUED', 'COMPLETED', 'REJECTED', 'CLOSED', 'EXPIRED_IN_REVIEW')`
	queued  = `state = 'QUEUED'`
)

// Started moves STARTING to RUNNING: Temporal has the workflow. From any other state it does
// nothing; the workflow may have been faster.
func (j *Journal) Started(ctx context.Context, tenant string, fp training.Fingerprint) error {
	_, err := j.exec(ctx, `UPDATE completions SET state = 'RUNNING', lease_until = NULL, updated_at = ?
		WHERE tenant = ? AND fingerprint = ? AND state = 'STARTING'`, micros(j.now()), tenant, string(fp))
	if err != nil {
		return fmt.Errorf("mark completion %s started: %w", fp, err)
	}
	return nil
}

// Release moves STARTING back to QUEUED: the workflow could not be started. From any other
// state it does nothing.
func (j *Journal) Release(ctx context.Context, tenant string, fp training.Fingerprint) error {
	_, err := j.exec(ctx, `UPDATE completions SET state = 'QUEUED', lease_until = NULL, updated_at = ?
		WHERE tenant = ? AND fingerprint = ? AND state = 'STARTING'`, micros(j.now()), tenant, string(fp))
	if err != nil {
		return fmt.Errorf("release completion %s: %w", fp, err)
	}
	return nil
}

// Requeue moves RUNNING, RETRYING and every wait for people back to QUEUED: Temporal has
// lost the workflow. From any other state it does nothing, nor if the completion was updated
// after updatedAt: then another starter has seen to it.
func (j *Journal) Requeue(ctx context.Context, tenant string, fp training.Fingerprint, updatedAt time.Time) error {
	moved, err := j.exec(ctx, `UPDATE completions SET state = 'QUEUED', lease_until = NULL, updated_at = ?
		WHERE tenant = ? AND fingerprint = ?
		AND state IN ('RUNNING', 'RETRYING', 'WAITING_APPROVAL', 'WAITING_SIGNATURE', 'IN_REVIEW') AND updated_at = ?`,
		micros(j.now()), tenant, string(fp), micros(updatedAt))
	if err != nil {
		return fmt.Errorf("requeue completion %s: %w", fp, err)
	}
	if moved > 0 {
		j.signal()
	}
	return nil
}

// Touch makes the completion count as updated now, so that the sweep moves on to others.
func (j *Journal) Touch(ctx context.Context, tenant string, fp training.Fingerprint) error {
	_, err := j.exec(ctx, `UPDATE completions SET updated_at = ? WHERE tenant = ? AND fingerprint = ?`,
		micros(j.now()), tenant, string(fp))
	if err != nil {
		return fmt.Errorf("touch completion %s: %w", fp, err)
	}
	return nil
}

// Projection is where the workflow says a completion stands.
type Projection struct {
	// State is any but QUEUED and STARTING, which belong to dispatch.
	State training.State
	// FailureClass and FailureDetail replace what was there; "" clears it.
	FailureClass  training.FailureClass
	FailureDetail string
	// FailureTarget is the target that has failed as an outage would, "" for none.
	FailureTarget string
	// RecordID is the training record; "" keeps the known one.
	RecordID string
}

// Project records where a completion stands, for people. An ended state never changes by it: then
// it does nothing; Reopen is the only way on. ErrNotFound if the tenant has no such completion.
func (j *Journal) Project(ctx context.Context, tenant string, fp training.Fingerprint, p Projection) error {
	if err := j.project(ctx, key{tenant, fp}, p); err != nil {
		return fmt.Errorf("project completion %s to %s: %w", fp, p.State, err)
	}
	return nil
}

func (j *Journal) project(ctx context.Context, k key, p Projection) error {
	if !slices.Contains(startedStates(), p.State) && !p.State.Ended() {
		return errors.New("no state of a started completion")
	}
	if err := checkText(p.RecordID, p.FailureTarget); err != nil {
		return err
	}
	changed, err := j.exec(ctx,
		`UPDATE completions SET state = ?, lease_until = NULL, failure_class = ?, failure_detail = ?,
			failure_target = ?, failed_at = CASE WHEN ? = '' THEN failed_at ELSE ? END,
			record_id = CASE WHEN ? = '' THEN record_id ELSE ? END, updated_at = ?
		WHERE tenant = ? AND fingerprint = ? AND `+open,
		string(p.State), string(p.FailureClass), readable(p.FailureDetail),
		p.FailureTarget, string(p.FailureClass), micros(j.now()),
		p.RecordID, p.RecordID, micros(j.now()), k.tenant, string(k.fingerprint))
	if err != nil || changed > 0 {
		return err
	}
	return j.exists(ctx, j.read, k) // it has ended, or it never was
}

// startedStates are the states of a completion that has a workflow and no outcome.
func startedStates() []training.State {
	return []training.State{training.StateRunning, training.StateRetrying,
		training.StateWaitingApproval, training.StateWaitingSignature, training.StateInReview}
}

// Unheard is a completion that has a workflow and was not updated for a while.
type Unheard struct {
	Claimed
	State         training.State
	FailureClass  training.FailureClass
	FailureDetail string
	UpdatedAt     time.Time
}

const (
	staleIn = unheardIn + ` AND updated_at < ? ORDER BY updated_at LIMIT ?`
	// aheadIn are those that were updated while somebody's clock was ahead: else nobody would ask after them until it is that late.
	aheadIn = unheardIn + ` AND updated_at > ? ORDER BY updated_at LIMIT ?`

	unheardIn = `SELECT ` + claimedColumns + `, state, failure_class, failure_detail, updated_at FROM completions
		WHERE ` + started + ` AND state = ?`
)

// Stale lists, longest untouched first, completions of all tenants in the given started states
// (nil means all of them) that were not updated since before, or much later than now. The sweep asks Temporal about each, then calls Touch, Project or Requeue, so
// that the next call yields the next ones.
func (j *Journal) Stale(ctx context.Context, states []training.State, before time.Time, limit int) ([]Unheard, error) {
	if limit <= 0 {
		return nil, nil
	}
	if len(states) == 0 {
		states = startedStates()
	}
	var all []Unheard
	// One query per state, because each then reads the first rows of its part of the index only.
	for _, state := range states {
		if !slices.Contains(startedStates(), state) {
			return nil, fmt.Errorf("list stale completions: %s is no state of a started completion", state)
		}
		for _, part := range []struct {
			query string
			than  time.Time
		}{{staleIn, before}, {aheadIn, j.now().Add(ahead)}} {
			found, err := list(ctx, j, j.read, scanUnheard, part.query, string(state), micros(part.than), limit)
			if err != nil {
				return nil, fmt.Errorf("list stale completions: %w", err)
			}
			all = append(all, found...)
		}
	}
	slices.SortStableFunc(all, func(a, b Unheard) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	return all[:min(limit, len(all))], nil
}

func scanUnheard(row scanner) (Unheard, error) {
	var (
		u         Unheard
		updatedAt int64
	)
	claimed, err := scanClaimed(row, &u.State, &u.FailureClass, &u.FailureDetail, &updatedAt)
	u.Claimed, u.UpdatedAt = claimed, instant(updatedAt)
	return u, err
}
