package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"countersign/internal/training"
)

// EnrollmentProjection is where the workflow says an enrollment stands.
type EnrollmentProjection struct {
	// State is any but QUEUED and STARTING, which belong to dispatch.
	State training.EnrollmentState
	// FailureClass and FailureDetail replace what was there; "" clears it.
	FailureClass  training.FailureClass
	FailureDetail string
	// FailureTarget is the target that has failed as an outage would, "" for none.
	FailureTarget string
	// RecordID is the training record; "" keeps the known one.
	RecordID string
	// Decision is what a person decided in the given Round, counted from 1, nil for none. Adding the same one
	// again does nothing; another one is kept under the next free round, as by AddDecision.
	Decision *training.Decision
	Round    int
	Via      string
}

// ProjectEnrollment records where an enrollment stands, for people, and returns how many decisions it has. An
// ended state never changes by it. ErrNotFound if the tenant has no such enrollment.
func (j *Journal) ProjectEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, p EnrollmentProjection) (decisions int, err error) {
	decisions, err = j.projectEnrollment(ctx, tenant, key, p)
	if err != nil {
		return 0, fmt.Errorf("project enrollment %s to %s: %w", key, p.State, err)
	}
	return decisions, nil
}

func (j *Journal) projectEnrollment(ctx context.Context, tenant string, key training.EnrollmentKey, p EnrollmentProjection) (decisions int, err error) {
	if p.State == training.EnrollmentQueued || p.State == training.EnrollmentStarting {
		return 0, errors.New("no state of a started enrollment")
	}
	if err := checkText(p.RecordID, p.Via, p.FailureTarget); err != nil {
		return 0, err
	}
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := one(ctx, j, tx, scanString, `SELECT state FROM enrollments WHERE tenant = ? AND key = ?`, tenant, string(key)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, j.dialect.rebind(
			`UPDATE enrollments SET state = ?, lease_until = NULL, failure_class = ?, failure_detail = ?,
				failure_target = ?, failed_at = CASE WHEN ? = '' THEN failed_at ELSE ? END,
				record_id = CASE WHEN ? = '' THEN record_id ELSE ? END, updated_at = ?
			WHERE tenant = ? AND key = ? AND `+openEnrollments),
			string(p.State), string(p.FailureClass), readable(p.FailureDetail), p.FailureTarget, string(p.FailureClass), micros(j.now()),
			p.RecordID, p.RecordID, micros(j.now()), tenant, string(key))
		if err != nil {
			return err
		}
		if p.Decision != nil {
			if err := j.decideEnrollment(ctx, tx, tenant, key, p); err != nil {
				return err
			}
		}
		decisions, err = one(ctx, j, tx, scanInt, `SELECT count(*) FROM enrollment_decisions WHERE tenant = ? AND key = ?`, tenant, string(key))
		return err
	})
	return decisions, err
}

// decideEnrollment keeps who decided what about an enrollment (law 5).
func (j *Journal) decideEnrollment(ctx context.Context, tx *sql.Tx, tenant string, key training.EnrollmentKey, p EnrollmentProjection) error {
	by, reason := readable(p.Decision.By), readable(p.Decision.Reason)
	for round := p.Round; ; round++ {
		_, err := tx.ExecContext(ctx, j.dialect.rebind(
			`INSERT INTO enrollment_decisions (tenant, key, round, action, decided_by, reason, decided_at, via)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, key, round) DO NOTHING`),
			tenant, string(key), round, string(p.Decision.Action), by, reason, micros(j.now()), p.Via)
		if err != nil {
			return err
		}
		kept, err := one(ctx, j, tx, func(row scanner) (training.Decision, error) {
			var d training.Decision
			err := row.Scan(&d.Action, &d.By, &d.Reason)
			return d, err
		}, `SELECT action, decided_by, reason FROM enrollment_decisions WHERE tenant = ? AND key = ? AND round = ?`, tenant, string(key), round)
		if err != nil || kept.Action == p.Decision.Action && kept.By == by && kept.Reason == reason {
			return err
		}
	}
}

// OpenEnrollments is how many enrollments of all tenants are in each state that is none of an end; states without any
// are missing. Its cost follows the open work, not the history.
func (j *Journal) OpenEnrollments(ctx context.Context) (map[training.EnrollmentState]int, error) {
	counts := map[training.EnrollmentState]int{}
	_, err := list(ctx, j, j.read, func(row scanner) (struct{}, error) {
		var state training.EnrollmentState
		var n int
		err := row.Scan(&state, &n)
		counts[state] = n
		return struct{}{}, err
	}, `SELECT state, count(*) FROM enrollments WHERE `+openEnrollments+` GROUP BY state`)
	if err != nil {
		return nil, fmt.Errorf("count enrollments: %w", err)
	}
	return counts, nil
}

// ReserveRef says under which reference a record of this employee and training is to be created: the one that was
// reserved first, unless it is among spent, whose records are over; then ref is reserved in its place. So
// an enrollment and a completion that find no record at the same moment create one.
func (j *Journal) ReserveRef(ctx context.Context, tenant, employeeID, trainingID, ref string, spent []string) (reserved string, err error) {
	if err := checkText(employeeID, trainingID, ref); err != nil {
		return "", fmt.Errorf("reserve reference %s: %w", ref, err)
	}
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, j.dialect.rebind(`INSERT INTO record_refs (tenant, employee_id, training_id, ref, reserved_at)
			VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, employee_id, training_id) DO NOTHING`),
			tenant, employeeID, trainingID, ref, micros(j.now()))
		if err != nil {
			return err
		}
		for _, old := range spent {
			if old == "" || old == ref {
				continue
			}
			_, err := tx.ExecContext(ctx, j.dialect.rebind(`UPDATE record_refs SET ref = ?, reserved_at = ?
				WHERE tenant = ? AND employee_id = ? AND training_id = ? AND ref = ?`),
				ref, micros(j.now()), tenant, employeeID, trainingID, old)
			if err != nil {
				return err
			}
		}
		reserved, err = one(ctx, j, tx, scanString,
			`SELECT ref FROM record_refs WHERE tenant = ? AND employee_id = ? AND training_id = ?`, tenant, employeeID, trainingID)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reserve reference %s: %w", ref, err)
	}
	return reserved, nil
}

func scanString(row scanner) (string, error) {
	var text string
	err := row.Scan(&text)
	return text, err
}

func scanInt(row scanner) (int, error) {
	var n int
	err := row.Scan(&n)
	return n, err
}
