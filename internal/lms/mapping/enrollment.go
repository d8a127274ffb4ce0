package mapping

import (
	"maps"
	"time"

	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// ForEnrollments is m for the platform's enrollment events: fields says where they have what stands elsewhere
// in a completion, or only in them. What the tenant has overridden stays the tenant's. fields is a
// constant of the program: it panics where that is wrong.
func (m *Mapping) ForEnrollments(fields map[Target]Field) *Mapping {
	own := MustCompile(m.platform, Definition{Version: m.definition.Version, Fields: fields})
	result := *m
	result.fields, result.condition = maps.Clone(m.fields), nil
	result.definition = m.Definition()
	for target := range fields {
		if !m.overridden[target] {
			result.fields[target], result.definition.Fields[target] = own.fields[target], own.definition.Fields[target]
		}
	}
	return &result
}

// Enrollment reads the targets of an enrollment, as Completion those of a completion. It is of use where
// Err is nil and Validate passes.
func (r *Reader) Enrollment(dates func(strictjson.Value) (time.Time, training.Precision, error)) training.Enrollment {
	e := training.Enrollment{
		Platform: r.mapping.platform, EventID: r.Text(EventID), Event: r.Text(Event), EnrollmentID: r.Text(EnrollmentID),
		Learner: r.learner(), Course: r.course(), MappingVersion: r.mapping.Version(),
	}
	if instant, precision, sent := r.Instant(EnrolledAt, dates); sent {
		e.EnrolledAt = precision.Truncate(instant)
	}
	if instant, _, sent := r.Instant(DueAt, dates); sent {
		e.DueAt = &instant
	}
	return e
}

func (r *Reader) learner() training.Learner {
	return training.Learner{
		ID:         r.Text(LearnerID),
		Username:   r.Text(LearnerUsername),
		Email:      r.Text(LearnerEmail),
		ExternalID: r.Text(LearnerExternalID),
		FirstName:  r.Text(LearnerFirstName),
		LastName:   r.Text(LearnerLastName),
	}
}

func (r *Reader) course() training.Course {
	return training.Course{ID: r.Text(CourseID), Title: r.Text(CourseTitle), Code: r.Text(CourseCode)}
}
