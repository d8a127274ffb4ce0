package canonical

import (
	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// enrolled is the event that reports an enrollment, in the envelope of a completion.
const enrolled = "enrollment.created"

// enrollmentFields stand in an enrollment only; the others are where a completion has them. The course's members
// are ours to name, because the form is.
func enrollmentFields() map[mapping.Target]mapping.Field {
	return map[mapping.Target]mapping.Field{
		mapping.EnrolledAt: {Path: "$.payload.course.enrollment_date", Else: []string{"$.fired_at"}},
		mapping.DueAt:      {Path: "$.payload.course.due_date"},
	}
}

// addEnrollment reads the envelope of an enrollment event.
func (a *Adapter) addEnrollment(decoded *lms.Decoded, envelope strictjson.Value) {
	r := a.enrollments.Read(envelope)
	decoded.Enroll(enrolled, r.Enrollment(date), r.Err(), "")
}
