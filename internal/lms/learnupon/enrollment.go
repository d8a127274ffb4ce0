package learnupon

import (
	"errors"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping is what every source without a mapping of its own is read with. Version 2 is version 1 without
// names, titles and certificates.
func DefaultMapping() *mapping.Mapping {
	percent := "100" // percentage is the score; percentage_complete of the API would be progress
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.EventID:          {Path: "$.header.webhookId"},
		mapping.Event:            {Path: "$.header['webHookType','webhookType']"},
		mapping.EnrollmentID:     {Path: "$.enrollmentId"},
		mapping.LearnerID:        {Path: "$.user.userId"},
		mapping.LearnerUsername:  {Path: "$.user.username"},
		mapping.LearnerEmail:     {Path: "$.user.email"},
		mapping.LearnerFirstName: {Path: "$.user.firstName"},
		mapping.LearnerLastName:  {Path: "$.user.lastName"},
		mapping.CourseID:         {Path: "$.courseId"},
		mapping.CourseTitle:      {Path: "$.courseName"},
		mapping.CourseCode:       {Path: "$.courseReferenceCode"},
		mapping.CompletedAt:      {Path: "$.dateCompleted"},
		mapping.ExpiresAt:        {Path: "$.certExpiresAt"},
		mapping.ScoreRaw:         {Path: "$.percentage"},
		mapping.ScoreMax:         {Const: &percent},
		// "completed" is the word where the course has no score condition, so it says nothing about
		// passing (R72).
		mapping.Passed: {Path: "$.enrollmentStatus", Transform: "statusMap:passed=true,failed=false,completed=null"},
	}})
}

// enrollment is one learner's way through one course, in the form of version 1.
type enrollment struct {
	event strictjson.Value
	kind  string
	id    string
	// where begins the reason of a problem.
	where string
	// doubt is a problem that the event has whatever its members say.
	doubt error
}

// add adds what the enrollment is to decoded.
func (a *Adapter) add(decoded *lms.Decoded, e enrollment) {
	finished, err := e.isFinished()
	if err == nil && !finished {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: e.kind, Reason: "enrollmentStatus says that the course is not finished"})
		return
	}
	var c training.Completion
	if err == nil {
		r := a.mapping.Read(e.event)
		if is, reason := r.IsCompletion(); !is {
			decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: e.kind, Reason: reason})
			return
		}
		c = r.Completion(date)
		if err = r.Err(); err == nil {
			err = c.Validate()
		}
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: e.kind, EventID: e.id, Reason: e.where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

// isFinished knows the six words of the status.
func (e enrollment) isFinished() (bool, error) {
	event := strictjson.Pick(e.event)
	status := event.StringOnly("enrollmentStatus")
	finished := false
	switch status {
	case "passed", "failed", "completed":
		finished = true
	case "not_started", "in_progress":
	case "pending_review":
		event.Problem("enrollmentStatus", errors.New("the result waits for a review in LearnUpon"))
	case "":
		if event.Err() == nil {
			event.Problem("enrollmentStatus", errors.New("is missing"))
		}
	default:
		event.Problem("enrollmentStatus", errors.New("unknown word"))
	}
	if finished && e.doubt != nil {
		return false, e.doubt
	}
	return finished, event.Err()
}

// date reads a date with its zone, or a day.
func date(value strictjson.Value) (time.Time, training.Precision, error) {
	text, err := value.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}
