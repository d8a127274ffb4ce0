package mapping

import (
	"maps"
	"slices"
)

// Target is a fact of a completion or of an enrollment.
type Target string

// The targets, named as in the API's JSON.
const (
	LearnerID         Target = "learner.id"
	LearnerUsername   Target = "learner.username"
	LearnerEmail      Target = "learner.email"
	LearnerExternalID Target = "learner.externalId"
	LearnerFirstName  Target = "learner.firstName"
	LearnerLastName   Target = "learner.lastName"
	CourseID          Target = "course.id"
	CourseTitle       Target = "course.title"
	CourseCode        Target = "course.code"
	EnrollmentID      Target = "enrollment.id"
	CompletedAt       Target = "completedAt"
	ExpiresAt         Target = "expiresAt"
	ScoreRaw          Target = "score.raw"
	ScoreMax          Target = "score.max"
	Passed            Target = "passed"
	EventID           Target = "event.id"
	Event             Target = "event"

	// Facts of an enrollment alone; it has those of learner, course, enrollment and event too.
	EnrolledAt Target = "enrolledAt"
	DueAt      Target = "dueAt"
)

// Targets are all targets, in the order in which people read about a completion.
func Targets() []Target {
	return []Target{
		LearnerID, LearnerUsername, LearnerEmail, LearnerExternalID, LearnerFirstName, LearnerLastName,
		CourseID, CourseTitle, CourseCode, EnrollmentID,
		CompletedAt, ExpiresAt, ScoreRaw, ScoreMax, Passed, EventID, Event,
		EnrolledAt, DueAt,
	}
}

// OfEnrollments reports whether only enrollments have the target.
func (t Target) OfEnrollments() bool { return t == EnrolledAt || t == DueAt }

// isInstant reports whether t is a date, which Parse can read.
func (t Target) isInstant() bool { return t == CompletedAt || t == ExpiresAt || t.OfEnrollments() }

// sortedTargets are the targets of fields, in the order of Targets and unknown ones behind.
func sortedTargets(fields map[Target]Field) []Target {
	all := Targets()
	rank := func(t Target) int {
		if at := slices.Index(all, t); at >= 0 {
			return at
		}
		return len(all)
	}
	found := slices.Sorted(maps.Keys(fields))
	slices.SortStableFunc(found, func(a, b Target) int { return rank(a) - rank(b) })
	return found
}
