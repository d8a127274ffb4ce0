package cornerstone

import (
	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// assignedEvent reports that a training was assigned. The vendor offers the event; its name in a delivery and that of
// its object are assumed to follow those of a completion.
const assignedEvent = "TrainingAssigned"

// enrollmentFields are those of a completion's object, in the object of an assignment.
func enrollmentFields() map[mapping.Target]mapping.Field {
	const data = "$.value.trainingAssigned.data."
	return map[mapping.Target]mapping.Field{
		mapping.EventID:           {Path: data + "eventId", Else: []string{"$.value.headers.messageId"}},
		mapping.LearnerID:         {Path: data + "targetUserId"},
		mapping.LearnerUsername:   {Path: data + "targetUsername"},
		mapping.LearnerExternalID: {Path: data + "targetUserRef"},
		mapping.LearnerFirstName:  {Path: data + "targetUserFirstName"},
		mapping.LearnerLastName:   {Path: data + "targetUserLastName"},
		mapping.CourseID:          {Path: data + "trainingId"},
		mapping.CourseTitle:       {Path: data + "trainingTitle"},
		mapping.CourseCode:        {Path: data + "trainingRef"},
		mapping.EnrolledAt:        {Path: data + "trainingActionDateTimestamp"},
		mapping.DueAt:             {Path: data + "dueDateTimestamp"},
	}
}

// addEnrollment reads the record of an assignment; where begins the reason of a problem.
func (a *Adapter) addEnrollment(decoded *lms.Decoded, item strictjson.Value, where string) {
	r := a.enrollments.Read(item)
	decoded.Enroll(assignedEvent, r.Enrollment(date), r.Err(), where)
}
