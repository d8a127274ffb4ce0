package brightspace

import (
	"slices"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// isEnrollment reports whether somebody was enrolled; the vendor's page says that the actor is who was.
func (k kind) isEnrollment() bool { return k.object == "classlist" && k.verb == "enrolled" }

// enrollmentFields are where an enrollment has what a completion has elsewhere. The course is the org unit: an award's
// completion has the award behind it, so the two are mapped to one training by two entries of courses.
func enrollmentFields() map[mapping.Target]mapping.Field {
	const context = "$.context.extensions['" + extensions + "context']."
	const actor = "$.context.extensions['" + extensions + "actor']."
	return map[mapping.Target]mapping.Field{
		mapping.LearnerID:  {Path: actor + "userId"},
		mapping.CourseID:   {Path: context + "orgUnitId"},
		mapping.EnrolledAt: {Path: "$.timestamp"},
	}
}

// addEnrollment reads the event of an enrollment. Teachers are enrolled too, and people in departments: only
// a learner in a course has a training record.
func (a *Adapter) addEnrollment(decoded *lms.Decoded, event strictjson.Value, k kind, where string) {
	ignore := func(reason string) {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: k.String(), Reason: where + reason})
	}
	held := strictjson.Pick(event).At("context.extensions")
	roles := held.Member(extensions + "actor").Member("imsRoleIds").Items()
	if !slices.ContainsFunc(roles, func(v strictjson.Value) bool { text, _ := v.Text(); return text == "Learner" }) {
		ignore("an enrollment, and not of a learner")
		return
	}
	if unit, err := held.Member(extensions + "context").Member("orgUnitType").Text(); err == nil && unit != "" && unit != "Course Offering" {
		ignore("an enrollment, and not in a course")
		return
	}
	r := a.enrollments.Read(event)
	e := r.Enrollment(date)
	if !a.mapping.Overridden(mapping.Event) {
		e.Event = k.String()
	}
	decoded.Enroll(k.String(), e, r.Err(), where)
}
