package journal

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"countersign/internal/training"
)

// EnrollmentReceipt is one enrollment of a delivery, in the order given.
type EnrollmentReceipt struct {
	Key training.EnrollmentKey
	// Duplicate says that the enrollment was in the journal before.
	Duplicate bool
}

type enrollmentKey struct {
	tenant string
	key    training.EnrollmentKey
}

type newEnrollment struct {
	enrollmentKey
	source, platform, courseLabel, document string
	deliveryID                              string
	receivedAt                              int64
}

func prepareEnrollment(d Delivery, e training.Enrollment) (newEnrollment, error) {
	if e.Tenant != d.Tenant || e.Source != d.Source {
		return newEnrollment{}, errors.New("is of another tenant or source than its delivery")
	}
	if err := checkText(
		e.Tenant, e.Source, e.Platform, e.EventID, e.Event, e.EnrollmentID, e.MappingVersion,
		e.Learner.ID, e.Learner.Username, e.Learner.Email, e.Learner.ExternalID, e.Learner.FirstName, e.Learner.LastName,
		e.Course.ID, e.Course.Title, e.Course.Code,
	); err != nil {
		return newEnrollment{}, err
	}
	document, err := json.Marshal(e)
	if err != nil {
		return newEnrollment{}, fmt.Errorf("encode: %w", err)
	}
	return newEnrollment{
		enrollmentKey: enrollmentKey{d.Tenant, e.Key()},
		source:        d.Source, platform: cmp.Or(e.Platform, d.Platform), courseLabel: e.Course.Label(),
		document: string(document), deliveryID: d.ID, receivedAt: micros(d.ReceivedAt),
	}, nil
}

// uniqueEnrollments is every enrollment of the batch once, the first one of each key, in the order of the keys; see unique.
func uniqueEnrollments(batch []*waiting) []newEnrollment {
	seen := map[enrollmentKey]bool{}
	var all []newEnrollment
	for _, w := range batch {
		for _, e := range w.enrollments {
			if !seen[e.enrollmentKey] {
				seen[e.enrollmentKey] = true
				all = append(all, e)
			}
		}
	}
	slices.SortFunc(all, func(a, b newEnrollment) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.key, b.key))
	})
	return all
}

// insertEnrollments inserts what is not there yet and returns the keys that were new.
func (j *Journal) insertEnrollments(ctx context.Context, tx *sql.Tx, all []newEnrollment) (map[enrollmentKey]bool, error) {
	fresh := map[enrollmentKey]bool{}
	now := micros(j.now())
	for insert, args := range j.dialect.inserts("enrollments", []column{
		columnOf("tenant", all, func(e newEnrollment) string { return e.tenant }),
		columnOf("key", all, func(e newEnrollment) string { return string(e.key) }),
		columnOf("source", all, func(e newEnrollment) string { return e.source }),
		columnOf("platform", all, func(e newEnrollment) string { return e.platform }),
		columnOf("delivery_id", all, func(e newEnrollment) string { return e.deliveryID }),
		columnOf("received_at", all, func(e newEnrollment) int64 { return e.receivedAt }),
		columnOf("course_label", all, func(e newEnrollment) string { return e.courseLabel }),
		columnOf("enrollment", all, func(e newEnrollment) string { return e.document }),
		columnOf("updated_at", all, func(newEnrollment) int64 { return now }),
	}, len(all)) {
		inserted, err := list(ctx, j, tx, func(row scanner) (enrollmentKey, error) {
			var k enrollmentKey
			err := row.Scan(&k.tenant, &k.key)
			return k, err
		}, insert+` ON CONFLICT (tenant, key) DO NOTHING RETURNING tenant, key`, args...)
		if err != nil {
			return nil, fmt.Errorf("insert enrollments: %w", err)
		}
		for _, k := range inserted {
			fresh[k] = true
		}
	}
	return fresh, nil
}

// StoredEnrollment is an enrollment as the journal keeps it. It holds personal data.
type StoredEnrollment struct {
	Key        training.EnrollmentKey
	Enrollment training.Enrollment
	// DeliveryID is the delivery that brought it first.
	DeliveryID string
	State      training.EnrollmentState
	// FailureClass and FailureDetail are the last projected failure, "" when there is none.
	FailureClass  training.FailureClass
	FailureDetail string
	// RecordID is the training record in the QMS, "" until it is known.
	RecordID string
}

// Enrollment reads one enrollment of a tenant; ErrNotFound if there is none.
func (j *Journal) Enrollment(ctx context.Context, tenant string, key training.EnrollmentKey) (StoredEnrollment, error) {
	s, err := one(ctx, j, j.read, func(row scanner) (StoredEnrollment, error) {
		var (
			s        StoredEnrollment
			document string
		)
		if err := row.Scan(&s.Key, &document, &s.DeliveryID, &s.State, &s.FailureClass, &s.FailureDetail, &s.RecordID); err != nil {
			return s, err
		}
		if err := json.Unmarshal([]byte(document), &s.Enrollment); err != nil {
			return s, fmt.Errorf("stored enrollment: %w", err)
		}
		return s, nil
	}, `SELECT key, enrollment, delivery_id, state, failure_class, failure_detail, record_id
		FROM enrollments WHERE tenant = ? AND key = ?`, tenant, string(key))
	if err != nil {
		return StoredEnrollment{}, fmt.Errorf("read enrollment %s: %w", key, err)
	}
	return s, nil
}

// ClaimedEnrollment is an enrollment as dispatch sees it: no personal data.
type ClaimedEnrollment struct {
	Tenant, Source, Platform string
	Key                      training.EnrollmentKey
	DeliveryID, CourseLabel  string
	// Replayed says that a person has had it begun again after an end.
	Replayed bool
	// State and UpdatedAt are set by StaleEnrollments only.
	State     training.EnrollmentState
	UpdatedAt time.Time
}
