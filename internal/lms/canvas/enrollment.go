package canvas

import (
	"errors"
	"strconv"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// enrolled is the event that reports an enrollment.
const enrolled = "enrollment_created"

// shard is by what a global id exceeds the local one, once for each shard (vendor, "Data service setup").
const shard = 10_000_000_000_000

// enrollmentFields are where an enrollment has what a completion has elsewhere. The enrollment's id is left alone: a
// completion does not carry it, and a learner in two sections of a course is in one training. The e-mail address
// is not there, and the user in metadata is who acted.
func enrollmentFields() map[mapping.Target]mapping.Field {
	return map[mapping.Target]mapping.Field{
		mapping.LearnerID:        {Path: "$.body.user_id"},
		mapping.LearnerFirstName: {Path: "$.body.user_name"},
		mapping.CourseID:         {Path: "$.body.course_id"},
		// Of the course, because an enrollment's context is one.
		mapping.CourseCode: {Path: "$.metadata.context_sis_source_id"},
		mapping.EnrolledAt: {Path: "$.body.created_at", Else: []string{"$.metadata.event_time"}},
	}
}

// addEnrollment reads the event of an enrollment. Teachers, designers and observers are enrolled too: only a student
// who is not deleted or concluded has a training record.
func (a *Adapter) addEnrollment(decoded *lms.Decoded, event strictjson.Value) {
	body := strictjson.Pick(event.Member("body"))
	switch kind, state := body.Text("type"), body.Text("workflow_state"); {
	case kind != "StudentEnrollment" && kind != "":
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: enrolled, Reason: "an enrollment, and not of a student"})
		return
	case state == "deleted" || state == "completed" || state == "inactive":
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: enrolled, Reason: "an enrollment that is not active"})
		return
	case kind == "":
		body.Problem("body.type", errors.New("is missing"))
	}
	r := a.enrollments.Read(event)
	e := r.Enrollment(dates)
	if !a.mapping.Overridden(mapping.LearnerID) {
		e.Learner.ID = local(r, "body.user_id", e.Learner.ID)
	}
	if !a.mapping.Overridden(mapping.CourseID) {
		e.Course.ID = local(r, "body.course_id", e.Course.ID)
	}
	err := body.Err()
	if err == nil {
		err = r.Err()
	}
	decoded.Enroll(enrolled, e, err, "")
}

// local is the local id of a global one: completions carry local ids, and both must name the same learner and course.
func local(r *mapping.Reader, path, id string) string {
	if id == "" {
		return ""
	}
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n%shard == 0 {
		r.Problem(path, errors.New("want a number, the id of a user or a course"))
		return ""
	}
	return strconv.FormatUint(n%shard, 10)
}
