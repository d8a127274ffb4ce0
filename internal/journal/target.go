package journal

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"countersign/internal/training"
)

// Target is whether anything is asked of what a tenant's completions need from outside.
type Target struct {
	// Name is training.TargetQMS.
	Tenant, Name string
	State        training.TargetState
	// Since is when it came to this state; zero for a target that nothing was ever the matter with.
	Since time.Time
	// Until is when a hold ends by itself, zero if nobody knows.
	Until time.Time
	// Incident names what is the matter, "" for nothing. It stays until what was held has gone on.
	Incident string
	// BeganAt is when the incident began: its first failure.
	BeganAt time.Time
	// Class and Detail are the failure that it is held for.
	Class  training.FailureClass
	Detail string
	// Example is a completion that has failed; a probe repeats its reads.
	Example training.Fingerprint
	// By and Reason are the person's who has paused or resumed it.
	By, Reason string
}

// Target reads one target. One that the journal has never heard of is ANSWERING.
func (j *Journal) Target(ctx context.Context, tenant, name string) (Target, error) {
	found, err := list(ctx, j, j.read, scanTarget, targets+` WHERE tenant = ? AND target = ?`, tenant, name)
	if err != nil {
		return Target{}, fmt.Errorf("read target %s/%s: %w", tenant, name, err)
	}
	if len(found) == 0 {
		return Target{Tenant: tenant, Name: name, State: training.TargetAnswering}, nil
	}
	return found[0], nil
}

// Targets lists all targets that something was ever the matter with, of all tenants.
func (j *Journal) Targets(ctx context.Context) ([]Target, error) {
	found, err := list(ctx, j, j.read, scanTarget, targets+` ORDER BY tenant, target`)
	if err != nil {
		return nil, fmt.Errorf("list targets: %w", err)
	}
	return found, nil
}

// Hold moves a target from ANSWERING to HELD, and reports whether it was this call that did. An incident
// that is not settled yet goes on under its own name and with its own beginning.
func (j *Journal) Hold(ctx context.Context, t Target) (held bool, err error) {
	t.State, t.By, t.Reason = training.TargetHeld, "", ""
	held, err = j.moveTarget(ctx, t, training.TargetAnswering)
	if err != nil {
		return false, fmt.Errorf("hold target %s/%s: %w", t.Tenant, t.Name, err)
	}
	return held, nil
}

// Pause moves a target to PAUSED because a named person says so (law 5), and reports whether it was
// this call that did; incident is the name if nothing is the matter yet.
func (j *Journal) Pause(ctx context.Context, tenant, name, incident string, d training.Decision) (paused bool, err error) {
	if err = d.Validate([]training.Action{training.ActionPause}); err == nil {
		paused, err = j.moveTarget(ctx, Target{
			Tenant: tenant, Name: name, State: training.TargetPaused, Incident: incident, BeganAt: j.now(),
			By: d.By, Reason: d.Reason,
		}, training.TargetAnswering, training.TargetHeld)
	}
	if err != nil {
		return false, fmt.Errorf("pause target %s/%s: %w", tenant, name, err)
	}
	return paused, nil
}

// Resume moves a target from PAUSED or HELD to ANSWERING because a named person says so (law 5), and
// reports whether it was this call that did. The incident stays until Settle.
func (j *Journal) Resume(ctx context.Context, tenant, name string, d training.Decision) (resumed bool, err error) {
	if err = d.Validate([]training.Action{training.ActionResume}); err == nil {
		resumed, err = j.moveTarget(ctx, Target{
			Tenant: tenant, Name: name, State: training.TargetAnswering, BeganAt: j.now(), By: d.By, Reason: d.Reason,
		}, training.TargetPaused, training.TargetHeld)
	}
	if err != nil {
		return false, fmt.Errorf("resume target %s/%s: %w", tenant, name, err)
	}
	return resumed, nil
}

// Answers moves a target from HELD to ANSWERING: a probe has found it so. The incident stays until Settle.
func (j *Journal) Answers(ctx context.Context, tenant, name string) error {
	_, err := j.moveTarget(ctx, Target{Tenant: tenant, Name: name, State: training.TargetAnswering, BeganAt: j.now()}, training.TargetHeld)
	if err != nil {
		return fmt.Errorf("release target %s/%s: %w", tenant, name, err)
	}
	return nil
}

// Settle ends the incident of a target that is ANSWERING, and reports whether nothing is the matter any more.
func (j *Journal) Settle(ctx context.Context, tenant, name string) (settled bool, err error) {
	_, err = j.exec(ctx, `UPDATE targets SET incident = '', class = '', detail = '', example = ''
		WHERE tenant = ? AND target = ? AND state = 'ANSWERING'`, tenant, name)
	if err != nil {
		return false, fmt.Errorf("settle target %s/%s: %w", tenant, name, err)
	}
	t, err := j.Target(ctx, tenant, name)
	return err == nil && t.Incident == "", err
}

// moveTarget brings a target from one of the given states to t's, and keeps that it did.
func (j *Journal) moveTarget(ctx context.Context, t Target, from ...training.TargetState) (moved bool, err error) {
	if err := checkText(t.Tenant, t.Name, t.Incident, string(t.Class), string(t.Example)); err != nil {
		return false, err
	}
	t.Detail, t.By, t.Reason = readable(t.Detail), readable(t.By), readable(t.Reason)
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		now := j.now()
		if slices.Contains(from, training.TargetAnswering) { // nothing was ever the matter with it
			_, err := tx.ExecContext(ctx, j.dialect.rebind(`INSERT INTO targets (tenant, target, state, since, incident, began_at)
				VALUES (?, ?, 'ANSWERING', ?, '', ?) ON CONFLICT (tenant, target) DO NOTHING`),
				t.Tenant, t.Name, micros(now), micros(now))
			if err != nil {
				return err
			}
		}
		states := make([]string, len(from))
		for i, state := range from {
			states[i] = "'" + string(state) + "'"
		}
		result, err := tx.ExecContext(ctx, j.dialect.rebind(moveTarget+strings.Join(states, ", ")+`)`),
			string(t.State), micros(now), nullable(t.Until), micros(t.BeganAt), t.Incident,
			string(t.Class), string(t.Class), t.Detail, string(t.Example), string(t.Example), t.By, t.Reason, t.Tenant, t.Name)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		moved = true
		_, err = tx.ExecContext(ctx, j.dialect.rebind(keepTargetChange), micros(now), t.Tenant, t.Name)
		return err
	})
	return moved, err
}

const (
	targets = `SELECT tenant, target, state, since, until, incident, began_at, class, detail, example, decided_by, reason FROM targets`

	// Class and example of an incident stay when a person pauses or resumes it.
	moveTarget = `UPDATE targets SET state = ?, since = ?, until = ?,
			began_at = CASE WHEN incident = '' THEN ? ELSE began_at END,
			incident = CASE WHEN incident = '' THEN ? ELSE incident END,
			class = CASE WHEN ? = '' THEN class ELSE ? END, detail = ?,
			example = CASE WHEN ? = '' THEN example ELSE ? END, decided_by = ?, reason = ?
		WHERE tenant = ? AND target = ? AND state IN (`

	keepTargetChange = `INSERT INTO target_changes (tenant, target, n, state, changed_at, incident, class, decided_by, reason)
		SELECT t.tenant, t.target, 1 + (SELECT count(*) FROM target_changes c WHERE c.tenant = t.tenant AND c.target = t.target),
			t.state, CAST(? AS BIGINT), t.incident, t.class, t.decided_by, t.reason
		FROM targets t WHERE t.tenant = ? AND t.target = ?`
)

func scanTarget(row scanner) (Target, error) {
	var (
		t              Target
		since, beganAt int64
		until          sql.NullInt64
	)
	err := row.Scan(&t.Tenant, &t.Name, &t.State, &since, &until, &t.Incident, &beganAt, &t.Class, &t.Detail, &t.Example, &t.By, &t.Reason)
	t.Since, t.BeganAt = instant(since), instant(beganAt)
	if until.Valid {
		t.Until = instant(until.Int64)
	}
	return t, err
}

// TargetChange is one change of a target as it was kept.
type TargetChange struct {
	State    training.TargetState
	At       time.Time
	Incident string
	// By and Reason are "" where no person has decided it.
	By, Reason string
}

// TargetChanges lists the changes of a target, oldest first.
func (j *Journal) TargetChanges(ctx context.Context, tenant, name string) ([]TargetChange, error) {
	found, err := list(ctx, j, j.read, func(row scanner) (TargetChange, error) {
		var (
			c  TargetChange
			at int64
		)
		err := row.Scan(&c.State, &at, &c.Incident, &c.By, &c.Reason)
		c.At = instant(at)
		return c, err
	}, `SELECT state, changed_at, incident, decided_by, reason FROM target_changes WHERE tenant = ? AND target = ? ORDER BY n`, tenant, name)
	if err != nil {
		return nil, fmt.Errorf("list changes of target %s/%s: %w", tenant, name, err)
	}
	return found, nil
}

// Incidents counts how often each target has come to HELD.
func (j *Journal) Incidents(ctx context.Context) (map[Target]int, error) {
	type count struct {
		of Target
		n  int
	}
	found, err := list(ctx, j, j.read, func(row scanner) (count, error) {
		var c count
		err := row.Scan(&c.of.Tenant, &c.of.Name, &c.n)
		return c, err
	}, `SELECT tenant, target, count(*) FROM target_changes WHERE state = 'HELD' GROUP BY tenant, target`)
	if err != nil {
		return nil, fmt.Errorf("count incidents: %w", err)
	}
	counts := map[Target]int{}
	for _, c := range found {
		counts[c.of] = c.n
	}
	return counts, nil
}
