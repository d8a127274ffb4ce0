package adobe

import (
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// isEnrollment knows the six names exactly; the vendor documents them. Those with _BATCH are an administrator's doing.
func isEnrollment(name string) bool {
	switch strings.TrimSuffix(name, "_BATCH") {
	case "COURSE_ENROLLMENT", "LEARNING_PATH_ENROLLMENT", "CERTIFICATION_ENROLLMENT":
		return true
	default:
		return false
	}
}

// enrollmentFields stand in an enrollment only; the others are where a completion has them.
func enrollmentFields() map[mapping.Target]mapping.Field {
	return map[mapping.Target]mapping.Field{mapping.EnrolledAt: {Path: "$.data.dateEnrolled"}}
}

// addEnrollment reads the event of an enrollment that stands in the body at the path at.
func (a *Adapter) addEnrollment(decoded *lms.Decoded, name, at string, event strictjson.Value) {
	r := a.enrollments.Read(event)
	e := r.Enrollment(date)
	if !a.mapping.Overridden(mapping.EnrollmentID) {
		e.EnrollmentID = enrollmentID(e.EnrollmentID, strictjson.Pick(event).Text("data.userId"))
	}
	decoded.Enroll(name, e, r.Err(), at+": ")
}
