package journal

import (
	"context"
	"errors"
	"fmt"
)

// Link ties an LMS enrollment to a training record in the QMS (R97).
type Link struct {
	Tenant, Source string
	// EnrollmentID is the LMS's id of the enrollment, "" where the platform has none.
	EnrollmentID string
	// LearnerKey and CourseKey are training.Learner.Key and training.Course.Key.
	LearnerKey, CourseKey string
	EmployeeID, RecordID  string
}

// errKeyless keeps rows apart that nobody could find again.
var errKeyless = errors.New("neither an enrollment id nor learner and course")

// PutLink stores or replaces a link: the one of the enrollment or, without an enrollment id, the
// one of learner and course.
func (j *Journal) PutLink(ctx context.Context, l Link) error {
	if err := j.putLink(ctx, l); err != nil {
		return fmt.Errorf("put link to record %s: %w", l.RecordID, err)
	}
	return nil
}

func (j *Journal) putLink(ctx context.Context, l Link) error {
	target := `(tenant, source, enrollment_id) WHERE enrollment_id <> ''`
	if l.EnrollmentID == "" {
		target = `(tenant, source, learner_key, course_key) WHERE enrollment_id = ''`
		if l.LearnerKey == "" || l.CourseKey == "" {
			return errKeyless
		}
	}
	if err := checkText(l.EnrollmentID, l.LearnerKey, l.CourseKey, l.EmployeeID, l.RecordID); err != nil {
		return err
	}
	_, err := j.exec(ctx, `INSERT INTO links
			(tenant, source, enrollment_id, learner_key, course_key, employee_id, record_id, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT `+target+` DO UPDATE SET
			learner_key = excluded.learner_key, course_key = excluded.course_key,
			employee_id = excluded.employee_id, record_id = excluded.record_id, updated_at = excluded.updated_at`,
		l.Tenant, l.Source, l.EnrollmentID, l.LearnerKey, l.CourseKey, l.EmployeeID, l.RecordID, micros(j.now()))
	return err
}

// FindLink finds the link of an enrollment. Without one it looks for learner and course, and takes
// a link of another enrollment only when the caller knows no enrollment and there is just one: last
// year's enrollment is not this year's, and nothing is chosen by guessing. Else ErrNotFound.
func (j *Journal) FindLink(ctx context.Context, tenant, source, enrollmentID, learnerKey, courseKey string) (Link, error) {
	l, err := j.findLink(ctx, tenant, source, enrollmentID, learnerKey, courseKey)
	if err != nil {
		return Link{}, fmt.Errorf("find link: %w", err)
	}
	return l, nil
}

func (j *Journal) findLink(ctx context.Context, tenant, source, enrollmentID, learnerKey, courseKey string) (Link, error) {
	if enrollmentID != "" {
		l, err := one(ctx, j, j.read, scanLink, links+` AND enrollment_id = ? AND enrollment_id <> ''`, tenant, source, enrollmentID)
		if err == nil || !errors.Is(err, ErrNotFound) {
			return l, err
		}
	}
	if learnerKey == "" || courseKey == "" {
		return Link{}, ErrNotFound
	}
	found, err := list(ctx, j, j.read, scanLink,
		// The one without an enrollment sorts first; a second row only shows that there are more.
		links+` AND learner_key = ? AND course_key = ? ORDER BY enrollment_id LIMIT 2`, tenant, source, learnerKey, courseKey)
	switch {
	case err != nil:
		return Link{}, err
	case len(found) > 0 && found[0].EnrollmentID == "":
		return found[0], nil
	case len(found) == 1 && enrollmentID == "":
		return found[0], nil
	default:
		return Link{}, ErrNotFound
	}
}

const links = `SELECT tenant, source, enrollment_id, learner_key, course_key, employee_id, record_id
	FROM links WHERE tenant = ? AND source = ?`

func scanLink(row scanner) (Link, error) {
	var l Link
	err := row.Scan(&l.Tenant, &l.Source, &l.EnrollmentID, &l.LearnerKey, &l.CourseKey, &l.EmployeeID, &l.RecordID)
	return l, err
}
