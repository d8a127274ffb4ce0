package journal

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"countersign/internal/training"
)

// Claimed is a completion as dispatch sees it: no personal data.
type Claimed struct {
	Tenant, Source, Platform string
	Fingerprint              training.Fingerprint
	DeliveryID               string
	// CourseLabel is what a person calls the course.
	CourseLabel string
	ReceivedAt  time.Time
}

const claimedColumns = `tenant, source, platform, fingerprint, delivery_id, course_label, received_at`

// scanClaimed reads claimedColumns, and whatever is selected behind them into rest.
func scanClaimed(row scanner, rest ...any) (Claimed, error) {
	var (
		c          Claimed
		receivedAt int64
	)
	columns := []any{&c.Tenant, &c.Source, &c.Platform, &c.Fingerprint, &c.DeliveryID, &c.CourseLabel, &receivedAt}
	err := row.Scan(append(columns, rest...)...)
	c.ReceivedAt = instant(receivedAt)
	return c, err
}

// Claim moves completions from QUEUED to STARTING for the time of lease and returns them, oldest
// first. It takes as many as keep the number in flight (STARTING or RUNNING, of all tenants and
// all processes) at or below limit. A completion that is neither Started nor Released within
// its lease is free to be claimed again, and so is one whose lease ends much later than any that is given now.
//
// The free slots go to the tenants with the fewest completions in flight, so that one with
// 100,000 waiting does not keep another's only one waiting; within a tenant the oldest go first.
// A tenant with a target that is HELD or PAUSED gets none: its completions stay queued.
// Claims of all processes are made one after another: none returns what another has.
func (j *Journal) Claim(ctx context.Context, limit int, lease time.Duration) ([]Claimed, error) {
	look, err := j.look(ctx, lease)
	if err != nil {
		return nil, fmt.Errorf("look for completions to claim: %w", err)
	}
	if look.lapsed == 0 && (!look.queued || look.inFlight >= limit) {
		return nil, nil
	}
	var claimed []Claimed
	err = j.inTx(ctx, func(tx *sql.Tx) error {
		if err := j.dialect.lockClaims(ctx, tx); err != nil {
			return err
		}
		now := j.now() // after the lock, which may have taken a while
		if look.lapsed > 0 {
			if _, err := tx.ExecContext(ctx, j.dialect.rebind(endLapsed), micros(now), micros(now), micros(now.Add(lease+ahead))); err != nil {
				return fmt.Errorf("end lapsed leases: %w", err)
			}
		}
		var err error
		claimed, err = j.claim(ctx, tx, limit, now, now.Add(lease))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim completions: %w", err)
	}
	slices.SortFunc(claimed, func(a, b Claimed) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return claimed, nil
}

func (j *Journal) claim(ctx context.Context, tx *sql.Tx, limit int, now, until time.Time) ([]Claimed, error) {
	inFlight, total, err := j.inFlight(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("count in flight: %w", err)
	}
	if total >= limit {
		return nil, nil
	}
	tenants, err := list(ctx, j, tx, scanTenant, queuedTenants)
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	held, err := list(ctx, j, tx, func(row scanner) (name string, err error) {
		err = row.Scan(&name)
		return name, err
	}, heldTenants)
	if err != nil {
		return nil, fmt.Errorf("list held tenants: %w", err)
	}
	tenants = slices.DeleteFunc(tenants, func(t tenantShare) bool { return slices.Contains(held, t.name) })
	for i := range tenants {
		tenants[i].inFlight = inFlight[tenants[i].name]
	}
	var claimed []Claimed
	// A tenant may have fewer queued than it is dealt; what is left over is dealt again.
	for free := limit - total; free > 0 && len(tenants) > 0; free = limit - total - len(claimed) {
		var unsated []tenantShare
		for i, slots := range deal(free, tenants) {
			tenant := tenants[i]
			if slots > 0 {
				taken, err := j.claimOf(ctx, tx, tenant.name, slots, now, until)
				if err != nil {
					return nil, err
				}
				claimed = append(claimed, taken...)
				if len(taken) < slots {
					continue // it has no more
				}
				tenant.inFlight += slots
			}
			unsated = append(unsated, tenant)
		}
		tenants = unsated
	}
	return claimed, nil
}

// inFlight counts per tenant, and in all, what is STARTING or RUNNING.
func (j *Journal) inFlight(ctx context.Context, tx *sql.Tx) (perTenant map[string]int, total int, err error) {
	perTenant = map[string]int{}
	counts, err := list(ctx, j, tx, func(row scanner) (tenantShare, error) {
		var t tenantShare
		err := row.Scan(&t.name, &t.inFlight)
		return t, err
	}, inFlightCounts)
	for _, t := range counts {
		perTenant[t.name] = t.inFlight
		total += t.inFlight
	}
	return perTenant, total, err
}

// ahead is how far in the future an instant of the journal is that was written while somebody's clock was wrong. Clocks that
// are kept right differ by less.
const ahead = 5 * time.Minute

// lapsed takes what time it is and when a lease ends at the latest: a longer one was given by a
// process whose clock was ahead, and which may be gone. If it is not, two start the same workflow, and Temporal starts it once.
const lapsed = `state = 'STARTING' AND (lease_until <= ? OR lease_until > ?)`

const (
	endLapsed = `UPDATE completions SET state = 'QUEUED', lease_until = NULL, updated_at = ?
		WHERE ` + started + ` AND ` + lapsed

	inFlightCounts = `SELECT tenant, count(*) FROM completions
		WHERE ` + started + ` AND state IN ('STARTING', 'RUNNING') GROUP BY tenant`

	// The state is asked for again, because the workflow of an earlier start may have moved it
	// meanwhile; coalesce keeps the planner from reading all that is queued for that.
	takeOldest = `UPDATE completions SET state = 'STARTING', lease_until = ?, updated_at = ?
		WHERE tenant = ? AND coalesce(state, '') = 'QUEUED' AND fingerprint IN (
			SELECT fingerprint FROM completions WHERE tenant = ? AND state = 'QUEUED'
			ORDER BY received_at, fingerprint LIMIT ?)
		RETURNING ` + claimedColumns
)

// queuedTenants lists the tenants that have something queued, with the time of their oldest. It
// jumps from tenant to tenant through the index, so that its cost does not follow the number
// of queued completions.
const queuedTenants = `
	WITH RECURSIVE jump (tenant) AS (
		SELECT min(tenant) FROM completions WHERE state = 'QUEUED'
		UNION ALL
		SELECT (SELECT min(c.tenant) FROM completions c WHERE c.state = 'QUEUED' AND c.tenant > jump.tenant)
		FROM jump WHERE jump.tenant IS NOT NULL
	)
	SELECT tenant, (SELECT min(c.received_at) FROM completions c WHERE c.state = 'QUEUED' AND c.tenant = jump.tenant)
	FROM jump WHERE tenant IS NOT NULL`

// tenantShare is a tenant that wants slots.
type tenantShare struct {
	name     string
	inFlight int
	// oldest is when its oldest queued completion came in.
	oldest int64
}

func scanTenant(row scanner) (tenantShare, error) {
	var t tenantShare
	err := row.Scan(&t.name, &t.oldest)
	return t, err
}

// deal says how many of the free slots each tenant gets: one at a time to the one with the fewest in
// flight, among equals to the one that has waited longest.
func deal(free int, tenants []tenantShare) []int {
	slots := make([]int, len(tenants))
	for range free {
		next := 0
		for i, t := range tenants {
			best := tenants[next]
			if cmp.Or(cmp.Compare(t.inFlight+slots[i], best.inFlight+slots[next]),
				cmp.Compare(t.oldest, best.oldest)) < 0 {
				next = i
			}
		}
		slots[next]++
	}
	return slots
}

// claimOf takes the oldest n queued completions of one tenant.
func (j *Journal) claimOf(ctx context.Context, tx *sql.Tx, tenant string, n int, now, until time.Time) ([]Claimed, error) {
	claimed, err := list(ctx, j, tx, func(row scanner) (Claimed, error) { return scanClaimed(row) },
		takeOldest, micros(until), micros(now), tenant, tenant, n)
	if err != nil {
		return nil, fmt.Errorf("take from tenant %s: %w", tenant, err)
	}
	return claimed, nil
}
