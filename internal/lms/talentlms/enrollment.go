package talentlms

import (
	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// enrolled is the action of an enrollment, as the vendor documents it. That the record's object is the
// course is assumed, as for a completion. It is also that of an instructor's: the timeline does not tell them apart.
const enrolled = "course_add_user"

// enrollmentFields stand in an enrollment only; the others are where a completion has them.
func enrollmentFields() map[mapping.Target]mapping.Field {
	return map[mapping.Target]mapping.Field{mapping.EnrolledAt: {Path: "$.unix_timestamp"}}
}

// addEnrollment reads the record of an enrollment.
func (a *Adapter) addEnrollment(decoded *lms.Decoded, item strictjson.Value, where string) {
	r := a.enrollments.Read(withoutDashes(item))
	decoded.Enroll(enrolled, r.Enrollment(date), r.Err(), where)
}
