package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"countersign/internal/training"
)

// DecisionEntry is a decision as it was taken (law 5).
type DecisionEntry struct {
	Tenant      string
	Fingerprint training.Fingerprint
	Decision    training.Decision
	// At is when it was taken; zero means now.
	At time.Time
	// Via is how it came: "signal", "update", "qms" (decided there), "outage" or "enrollment" (by itself) or "command".
	Via string
	// Round counts the decisions of the completion from 1.
	Round int
}

// AddDecision appends a decision; entries are never changed. Adding the same decision of a round
// again does nothing. Another one is of a workflow that somebody has reset in Temporal, which counts the rounds from
// where it was reset to: both were taken, so it is kept under the next free round. ErrNotFound if the tenant has
// no such completion.
func (j *Journal) AddDecision(ctx context.Context, e DecisionEntry) error {
	if err := j.addDecision(ctx, e); err != nil {
		return fmt.Errorf("add decision %d of %s: %w", e.Round, e.Fingerprint, err)
	}
	return nil
}

func (j *Journal) addDecision(ctx context.Context, e DecisionEntry) error {
	if err := e.prepare(j.now); err != nil {
		return err
	}
	return j.inTx(ctx, func(tx *sql.Tx) error {
		if err := j.exists(ctx, tx, key{e.Tenant, e.Fingerprint}); err != nil {
			return err
		}
		for ; ; e.Round++ {
			if err := j.insertDecision(ctx, tx, e); err != nil {
				return err
			}
			stored, err := one(ctx, j, tx, scanDecision,
				decisions+` AND round = ?`, e.Tenant, string(e.Fingerprint), e.Round)
			if err != nil || stored.Decision == e.Decision {
				return err
			}
		}
	})
}

// prepare makes the entry storable, or says that it is not.
func (e *DecisionEntry) prepare(now func() time.Time) error {
	d := &e.Decision
	d.By, d.Reason, d.Meaning = readable(d.By), readable(d.Reason), readable(d.Meaning)
	if e.At.IsZero() {
		e.At = now()
	}
	return checkText(string(d.Action), e.Via, d.RecordID, d.EmployeeID)
}

func (j *Journal) insertDecision(ctx context.Context, tx *sql.Tx, e DecisionEntry) error {
	d := e.Decision
	_, err := tx.ExecContext(ctx, j.dialect.rebind(
		`INSERT INTO decisions (tenant, fingerprint, round, action, decided_by, reason, decided_at, via,
			meaning, record_id, employee_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, fingerprint, round) DO NOTHING`),
		e.Tenant, string(e.Fingerprint), e.Round, string(d.Action), d.By, d.Reason, micros(e.At), e.Via,
		d.Meaning, d.RecordID, d.EmployeeID)
	return err
}

// Decisions lists the decisions of a completion by round.
func (j *Journal) Decisions(ctx context.Context, tenant string, fp training.Fingerprint) ([]DecisionEntry, error) {
	found, err := list(ctx, j, j.read, scanDecision, decisions+` ORDER BY round`, tenant, string(fp))
	if err != nil {
		return nil, fmt.Errorf("list decisions of %s: %w", fp, err)
	}
	return found, nil
}

const decisions = `SELECT tenant, fingerprint, round, action, decided_by, reason, decided_at, via,
	meaning, record_id, employee_id
	FROM decisions WHERE tenant = ? AND fingerprint = ?`

func scanDecision(row scanner) (DecisionEntry, error) {
	var (
		e  DecisionEntry
		at int64
	)
	err := row.Scan(&e.Tenant, &e.Fingerprint, &e.Round, &e.Decision.Action, &e.Decision.By,
		&e.Decision.Reason, &at, &e.Via,
		&e.Decision.Meaning, &e.Decision.RecordID, &e.Decision.EmployeeID)
	e.At = instant(at)
	return e, err
}
