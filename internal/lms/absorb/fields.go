package absorb

import (
	"strings"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping is what every source without a mapping of its own is read with. Our source writes
// EnrollmentId, the REST API userId; as nobody has seen a body, any other case of the letters counts too.
func DefaultMapping() *mapping.Mapping {
	percent := "100" // the REST API's score is a percentage
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.EventID:      {Path: "$.id"},
		mapping.Event:        {Path: "$.event"},
		mapping.EnrollmentID: {Path: "$.payload['enrollmentId','EnrollmentId']"},
		// fullName is left: where the first name ends is not for us to say.
		mapping.LearnerID:   {Path: "$.payload['userId','UserId']"},
		mapping.CourseID:    {Path: "$.payload['courseId','CourseId']"},
		mapping.CourseTitle: {Path: "$.payload['courseName','CourseName']"},
		// There is nothing to fall back on: fired_at is when Absorb spoke, and an administrator may enter a
		// completion of last week.
		mapping.CompletedAt: {Path: "$.payload['dateCompleted','DateCompleted']"},
		mapping.ScoreRaw:    {Path: "$.payload['score','Score']"},
		mapping.ScoreMax:    {Const: &percent},
		// "complete", number 3, alone does not say that anybody passed.
		mapping.Passed: {Path: "$.payload['status','Status']", Transform: "statusMap:5=false,*=null"},
	}})
}

// add reads the envelope of an enrollment that is finished.
func (a *Adapter) add(decoded *lms.Decoded, e event, event, eventID string) {
	r := a.mapping.Read(e.document)
	if is, reason := r.IsCompletion(); !is {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: reason})
		return
	}
	c := r.Completion(date)
	if strings.EqualFold(c.CompletedAtSource, "payload.dateCompleted") && !a.mapping.Overridden(mapping.CompletedAt) {
		c.CompletedAtSource = e.path("dateCompleted")
	}
	a.checkSpellings(r, e)
	err := r.Err()
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: eventID, Reason: err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

func date(value strictjson.Value) (time.Time, training.Precision, error) {
	text, err := value.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}
