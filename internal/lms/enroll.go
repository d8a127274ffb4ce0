package lms

import "countersign/internal/training"

// Enroll adds what an enrollment event says: e if it can be processed, and else the problem. event is the
// event's name in verdicts, err what is wrong so far, nil for nothing, and where begins the reason.
func (d *Decoded) Enroll(event string, e training.Enrollment, err error, where string) {
	if err == nil {
		err = e.Validate()
	}
	if err != nil {
		d.Problems = append(d.Problems, Problem{Event: event, EventID: e.EventID, Reason: where + err.Error(), Enrollment: true})
		return
	}
	d.Enrollments = append(d.Enrollments, e)
}
