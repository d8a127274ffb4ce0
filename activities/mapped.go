package activities

import (
	"cmp"
	"context"
	"errors"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// MapJournal is what the activities need of imported mappings. Both report journal.ErrNotFound where there is none.
type MapJournal interface {
	CourseTraining(ctx context.Context, tenant, source string, c training.Course) (journal.MappedCourse, error)
	EmployeeOf(ctx context.Context, tenant, source string, l training.Learner) (string, error)
}

// employeeOf is the QMS's id of a learner, "" if nobody knows. An imported mapping goes before the field that the
// settings name: it is about this person, and the setting about everybody.
func employeeOf(ctx context.Context, j MapJournal, t Tenant, tenant, source string, l training.Learner) (string, error) {
	id, err := j.EmployeeOf(ctx, tenant, source, l)
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return "", journalFailure("find employee mapping", err)
	}
	return cmp.Or(id, t.EmployeeID(source, l)), nil
}

// trainingOf is the QMS's training for a course, and whether it asks for an approval. The settings' file goes before an
// import: it is reviewed, has a history, and says what `starter check` shows. The course's own code stands in last,
// where the tenant wants that.
func trainingOf(ctx context.Context, j MapJournal, t Tenant, tenant, source string, c training.Course) (id string, approval bool, err error) {
	if id, approval, ok := t.Training(source, c); ok {
		return id, approval, nil
	}
	mapped, err := j.CourseTraining(ctx, tenant, source, c)
	switch {
	case err == nil:
		return mapped.Training, mapped.Approval, nil
	case !errors.Is(err, journal.ErrNotFound):
		return "", false, journalFailure("find course mapping", err)
	case t.SameCode && c.Code != "":
		return c.Code, false, nil
	}
	return "", false, training.Fail(training.FailureCourseUnmapped, "find training", "", c.Label())
}
