package journal

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"countersign/internal/training"
)

// Place is a completion's place in the order of arrival.
type Place struct {
	ReceivedAt  time.Time
	Fingerprint training.Fingerprint
}

// Received lists completions of a tenant that arrived at or after from, in the order of arrival, from the first
// one behind after on; the zero Place begins.
func (j *Journal) Received(ctx context.Context, tenant string, from time.Time, after Place, limit int) ([]Stored, error) {
	if after.ReceivedAt.Before(from) {
		after = Place{ReceivedAt: from}
	}
	found, err := j.arrived(ctx, selectReceived, tenant, math.MaxInt64, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list received completions: %w", err)
	}
	return found, nil
}

// OpenBefore lists completions of a tenant that arrived before a time and have not ended, in the order of arrival,
// from the first one behind after on; the zero Place begins.
func (j *Journal) OpenBefore(ctx context.Context, tenant string, before time.Time, after Place, limit int) ([]Stored, error) {
	if after == (Place{}) {
		after.ReceivedAt = instant(0)
	}
	found, err := j.arrived(ctx, selectOpen, tenant, micros(before), after, limit)
	if err != nil {
		return nil, fmt.Errorf("list open completions: %w", err)
	}
	return found, nil
}

var (
	selectReceived = selectArrived(`state <> 'QUEUED'`)
	selectOpen     = selectArrived(started)
)

// selectArrived reads a page of what is queued and of others in the order of arrival. They are in two indexes; a
// page of each is taken, in one statement, because between two a completion might go from one to the other.
func selectArrived(others string) string {
	page := func(condition string) string {
		return `SELECT fingerprint FROM (SELECT fingerprint FROM completions
			WHERE ` + condition + ` AND tenant = ? AND received_at < ? AND (received_at, fingerprint) > (?, ?)
			ORDER BY received_at, fingerprint LIMIT ?) AS page`
	}
	return selectStored() + ` WHERE tenant = ? AND fingerprint IN (` + page(queued) + ` UNION ALL ` + page(others) + `)
		ORDER BY received_at, fingerprint LIMIT ?`
}

func (j *Journal) arrived(ctx context.Context, query, tenant string, before int64, after Place, limit int) ([]Stored, error) {
	limit = max(limit, 0)
	page := []any{tenant, before, micros(after.ReceivedAt), string(after.Fingerprint), limit}
	return list(ctx, j, j.read, scanStored, query, slices.Concat([]any{tenant}, page, page, []any{limit})...)
}

// EffectHeads lists the effects of a completion by kind, without their bytes.
func (j *Journal) EffectHeads(ctx context.Context, tenant string, fp training.Fingerprint) (map[training.EffectKind]Effect, error) {
	found, err := list(ctx, j, j.read, func(row scanner) (Effect, error) {
		e := Effect{Tenant: tenant, Fingerprint: fp}
		var delivered int64
		err := row.Scan(&e.Kind, &e.ID, &delivered)
		if delivered != 0 {
			e.DeliveredAt = instant(delivered)
		}
		return e, err
	}, `SELECT kind, id, coalesce(delivered_at, 0) FROM effects WHERE tenant = ? AND fingerprint = ?`, tenant, string(fp))
	if err != nil {
		return nil, fmt.Errorf("list effects of %s: %w", fp, err)
	}
	heads := make(map[training.EffectKind]Effect, len(found))
	for _, e := range found {
		heads[e.Kind] = e
	}
	return heads, nil
}

// ProvedBy is the completion that the read-back of a training record proves; ErrNotFound if it is none of ours.
func (j *Journal) ProvedBy(ctx context.Context, tenant, recordID string) (training.Fingerprint, error) {
	f, err := one(ctx, j, j.read, func(row scanner) (f training.Fingerprint, err error) {
		err = row.Scan(&f)
		return f, err
	}, `SELECT fingerprint FROM effects WHERE kind = 'record' AND tenant = ? AND id = ?`, tenant, recordID)
	if err != nil {
		return "", fmt.Errorf("find the completion of record %s: %w", recordID, err)
	}
	return f, nil
}

// LinkPlace is a link's place in the order of change.
type LinkPlace struct {
	UpdatedAt                                 time.Time
	Record, Enrollment, LearnerKey, CourseKey string
}

// LinksUpdated lists links of a tenant that were put at or after from and before to, in that order, each with its
// place, from the first one behind after on. The zero LinkPlace begins.
func (j *Journal) LinksUpdated(ctx context.Context, tenant string, from, to time.Time, after LinkPlace, limit int) ([]Link, []LinkPlace, error) {
	if after.UpdatedAt.Before(from) {
		after = LinkPlace{UpdatedAt: from}
	}
	var places []LinkPlace
	found, err := list(ctx, j, j.read, func(row scanner) (Link, error) {
		var l Link
		var updatedAt int64
		err := row.Scan(&l.Tenant, &l.Source, &l.EnrollmentID, &l.LearnerKey, &l.CourseKey, &l.EmployeeID, &l.RecordID, &updatedAt)
		places = append(places, LinkPlace{instant(updatedAt), l.RecordID, l.EnrollmentID, l.LearnerKey, l.CourseKey})
		return l, err
	}, `SELECT tenant, source, enrollment_id, learner_key, course_key, employee_id, record_id, updated_at FROM links
		WHERE tenant = ? AND updated_at < ? AND (updated_at, record_id, enrollment_id, learner_key, course_key) > (?, ?, ?, ?, ?)
		ORDER BY updated_at, record_id, enrollment_id, learner_key, course_key LIMIT ?`,
		tenant, micros(to), micros(after.UpdatedAt), after.Record, after.Enrollment, after.LearnerKey, after.CourseKey, max(limit, 0))
	if err != nil {
		return nil, nil, fmt.Errorf("list updated links: %w", err)
	}
	return found, places, nil
}

// LinksTo lists the links of a tenant that lead to a training record.
func (j *Journal) LinksTo(ctx context.Context, tenant, recordID string) ([]Link, error) {
	found, err := list(ctx, j, j.read, scanLink, `SELECT tenant, source, enrollment_id, learner_key, course_key, employee_id, record_id
		FROM links WHERE tenant = ? AND record_id = ?`, tenant, recordID)
	if err != nil {
		return nil, fmt.Errorf("list links to record %s: %w", recordID, err)
	}
	return found, nil
}
