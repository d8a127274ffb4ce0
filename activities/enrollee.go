package activities

import (
	"context"
	"errors"

	"countersign/internal/training"
	"countersign/workflows"
)

// enrollee is an enrollment that is being worked on: who, in which training.
type enrollee struct {
	journal              Journal
	tenant               Tenant
	enrollment           training.Enrollment
	employee, trainingID string
}

// enrollee reads what ref names, and finds out who it is and what they are to be trained in.
func (a *Activities) enrollee(ctx context.Context, ref workflows.EnrollmentRef) (enrollee, error) {
	tenant, ok := a.cfg.Tenant(ref.Tenant)
	if !ok {
		return enrollee{}, training.Fail(training.FailureTenantUnknown, "find tenant", ref.Tenant, "")
	}
	if tenant.Policy.Enrollments != training.EnrollmentsCreate {
		// Somebody has switched them off since it came, and may have had every reason.
		return enrollee{}, training.Fail(training.FailureEnrollmentsOff, "find tenant", ref.Tenant, "")
	}
	stored, err := a.cfg.Journal.Enrollment(ctx, ref.Tenant, ref.Key)
	if err != nil {
		return enrollee{}, journalFailure("read enrollment", err)
	}
	e := enrollee{journal: a.cfg.Journal, tenant: tenant, enrollment: stored.Enrollment}
	lacks, err := e.identify(ctx, e.enrollment.Learner, e.enrollment.Course)
	if lacks == nil || err != nil {
		return e, err
	}
	learner, course, err := e.lookUp(ctx)
	if err != nil {
		return enrollee{}, err
	}
	if lacks, err = e.identify(ctx, learner, course); err == nil {
		err = lacks
	}
	return e, err
}

// identify finds out who the learner is in the QMS and which training the course is. lacks says what nobody knows.
func (e *enrollee) identify(ctx context.Context, l training.Learner, c training.Course) (lacks, err error) {
	tenant, source := e.enrollment.Tenant, e.enrollment.Source
	if e.employee, err = employeeOf(ctx, e.journal, e.tenant, tenant, source, l); err != nil {
		return nil, err
	}
	if e.employee == "" {
		return training.Fail(training.FailureIncomplete, "resolve learner", "", "no employee id in the event"), nil
	}
	e.trainingID, _, err = trainingOf(ctx, e.journal, e.tenant, tenant, source, c)
	if failure, ok := errors.AsType[*training.Failure](err); ok && failure.Class == training.FailureCourseUnmapped {
		return failure, nil
	}
	return nil, err
}

// lookUp asks the LMS for what the event lacks, as for a completion (R15). The link keeps to what the event says. Nothing
// is completed yet, so it is asked for no completion: an LMS that shows none would be waited for, and a
// call for the score would be taken from the budget of those who have one.
func (e *enrollee) lookUp(ctx context.Context) (training.Learner, training.Course, error) {
	have := training.Completion{
		Tenant: e.enrollment.Tenant, Source: e.enrollment.Source, Platform: e.enrollment.Platform, EnrollmentID: e.enrollment.EnrollmentID,
		Learner: e.enrollment.Learner, Course: e.enrollment.Course, Score: training.Score{Raw: "0"},
	}
	if e.tenant.LMS == nil {
		return have.Learner, have.Course, nil
	}
	client := e.tenant.LMS(e.enrollment.Source)
	if client == nil {
		return have.Learner, have.Course, nil
	}
	found, err := client.Lookup(ctx, have)
	if err != nil {
		return have.Learner, have.Course, ofLookUp(err)
	}
	filled := found.Storable().Fill(have)
	return filled.Learner, filled.Course, nil
}
