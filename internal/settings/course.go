package settings

import "countersign/internal/training"

// LearnerField names the field of the LMS's learner that holds the QMS employee id.
type LearnerField string

// The fields an employee id may be in.
const (
	LearnerExternalID LearnerField = "external_id"
	LearnerUsername   LearnerField = "username"
	LearnerID         LearnerField = "id"
	LearnerEmail      LearnerField = "email"
)

// Of returns the learner's employee id, "" when the LMS did not send the field. It is personal data.
func (f LearnerField) Of(l training.Learner) string {
	switch f {
	case LearnerExternalID:
		return l.ExternalID
	case LearnerUsername:
		return l.Username
	case LearnerID:
		return l.ID
	case LearnerEmail:
		return l.Email
	default:
		return ""
	}
}

// Unmapped says what becomes of a course that is not mapped.
type Unmapped string

const (
	// UnmappedReview puts the completion up for review.
	UnmappedReview Unmapped = "review"
	// UnmappedSameCode takes the course's code for the QMS's training id.
	UnmappedSameCode Unmapped = "same_code"
)

// Course maps a course of the LMS to a training of the QMS. Exactly one of Code, ID and Title is
// set; titles exist because some events carry nothing else (C15).
type Course struct {
	Code  string
	ID    string
	Title string
	// Source restricts the mapping to one source, "" for all.
	Source string
	// Training is the training's id in the QMS.
	Training string
	// Item is the controlled item of the training that is meant, by number or GUID, "" for all; with
	// QMSArenaV1 only.
	Item string
	// Approval sends PENDING_APPROVAL instead of COMPLETED (C2, R120).
	Approval bool
}

// specificity orders mappings that match the same course: the one for this source before the
// one for all, and an id before a code before a title, because titles are edited.
func (c Course) specificity() int {
	rank := 0
	switch {
	case c.ID != "":
		rank = 3
	case c.Code != "":
		rank = 2
	case c.Title != "":
		rank = 1
	}
	if c.Source != "" {
		rank += 10
	}
	return rank
}

func (c Course) matches(source string, course training.Course) bool {
	if c.Source != "" && c.Source != source {
		return false
	}
	switch {
	case c.ID != "":
		return c.ID == course.ID
	case c.Code != "":
		return c.Code == course.Code
	default:
		return c.Title != "" && c.Title == course.Title
	}
}

// NamedCourse is Course without the course's own code in place of a mapping.
func (t Tenant) NamedCourse(source string, course training.Course) (mapped Course, ok bool) {
	for _, c := range t.Courses {
		if c.matches(source, course) && (!ok || c.specificity() > mapped.specificity()) {
			mapped, ok = c, true
		}
	}
	return mapped, ok
}

// Course returns the QMS training for a course of a source, compared exactly, letter for letter.
// ok is false when the course is not mapped and is not to be passed on under its own code.
func (t Tenant) Course(source string, course training.Course) (mapped Course, ok bool) {
	mapped, ok = t.NamedCourse(source, course)
	if !ok && t.UnmappedCourses == UnmappedSameCode && course.Code != "" {
		return Course{Code: course.Code, Training: course.Code}, true
	}
	return mapped, ok
}

// learnerField reads the name of a field; absent gives fallback.
func learnerField(e entry, fallback LearnerField) LearnerField {
	if !e.present() {
		return fallback
	}
	return oneOf(e, "learner field", LearnerExternalID, LearnerUsername, LearnerID, LearnerEmail)
}
