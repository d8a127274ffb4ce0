package adobe

import (
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping is what every source without a mapping of its own is read with.
func DefaultMapping() *mapping.Mapping {
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.EventID: {Path: "$.eventId"},
		mapping.Event:   {Path: "$.eventName"},
		// Without an override the adapter puts the learner's id behind it; see enrollmentID.
		mapping.EnrollmentID: {Path: "$.data.loInstanceId"},
		mapping.LearnerID:    {Path: "$.data.userId"},
		// The kind of the learning object is its prefix, which stays: a certification's event may be
		// about a course.
		mapping.CourseID: {Path: "$.data.loId"},
		// There is nothing to fall back on: the event's timestamp is when Adobe spoke, and _BATCH events are
		// late by design.
		mapping.CompletedAt: {Path: "$.data.dateCompleted"},
		// Missing in CERTIFICATION_COMPLETED; false is possible.
		mapping.Passed: {Path: "$.data.hasPassed"},
	}})
}

// read takes a completion event; r notes what is wrong with it.
func (a *Adapter) read(r *mapping.Reader, event strictjson.Value, at string) training.Completion {
	c := r.Completion(date)
	if c.CompletedAtSource != "" && !a.mapping.Overridden(mapping.CompletedAt) {
		c.CompletedAtSource = at + "." + c.CompletedAtSource // where it stands in the body
	}
	if !a.mapping.Overridden(mapping.EnrollmentID) {
		c.EnrollmentID = enrollmentID(c.EnrollmentID, strictjson.Pick(event).Text("data.userId"))
	}
	return c
}

// enrollmentID is what GET /primeapi/v2/enrollments/{id} calls the enrollment: the instance, an
// underscore, the user ("course:7454218_10333537_11257863"). The delivery states only the parts.
func enrollmentID(instance, user string) string {
	if instance == "" || user == "" {
		return ""
	}
	return instance + "_" + user
}
