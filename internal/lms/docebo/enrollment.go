package docebo

import (
	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
)

// enrolled is the event that reports an enrollment. Its body was seen in captured deliveries: that of a completion
// with enrollment_date and without completion_date. The end of its validity is no due date, so there is none.
const enrolled = "course.enrollment.created"

// enrollmentFields stand in an enrollment only; the others are where a completion has them. Docebo has no
// enrollment id in either.
func enrollmentFields() map[mapping.Target]mapping.Field {
	return map[mapping.Target]mapping.Field{mapping.EnrolledAt: {Path: "$.payload.enrollment_date"}}
}

// addEnrollment reads the event of an enrollment. One of a tutor or of somebody on a waiting list is none that a
// training record belongs to.
func (a *Adapter) addEnrollment(decoded *lms.Decoded, e entry, messageID string) {
	payload := e.event.Member("payload")
	for name, wanted := range map[string]string{"level": "learner", "status": "subscribed"} {
		if text, err := payload.Member(name).Text(); err == nil && text != "" && text != wanted {
			decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: enrolled, Reason: e.where() + "payload." + name + ": is not " + wanted})
			return
		}
	}
	r := a.enrollments.Read(e.event)
	enrollment := r.Enrollment(date)
	if enrollment.EventID == "" {
		enrollment.EventID = messageID
	}
	decoded.Enroll(enrolled, enrollment, r.Err(), e.where())
}
