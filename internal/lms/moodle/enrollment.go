package moodle

import (
	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// enrolled is the event that reports an enrollment, in the shape of a completion's, for all four plugins.
const enrolled = `\core\event\user_enrolment_created`

// enrollmentFields stand in an enrollment only; the others are where a completion has them. The id of the enrollment
// (objectid) is left alone: a completion does not carry it, and one learner may be enrolled in a course by several
// methods, which is one training all the same.
func enrollmentFields() map[mapping.Target]mapping.Field {
	return map[mapping.Target]mapping.Field{
		mapping.EnrolledAt: {Path: "$.timecreated", Else: []string{"$.event.timecreated", "$.timestamp"}},
	}
}

// addEnrollment reads the event of an enrollment. Moodle enrols teachers with the same event and does not say so.
func (a *Adapter) addEnrollment(decoded *lms.Decoded, event strictjson.Value, where string) {
	r := a.enrollments.Read(event)
	e := r.Enrollment(dates)
	refuseNobody(r, e.Learner, e.Course)
	decoded.Enroll(enrolled, e, r.Err(), where)
}
