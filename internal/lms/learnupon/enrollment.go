package learnupon

import (
	"errors"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// maxScore is the upper end of the scale: percentage is the score, percentage_complete of the API
// would be progress.
const maxScore = "100"

// enrollment is one learner's way through one course, as both versions send it: version 2 is version
// 1 without names, titles and certificates.
type enrollment struct {
	event *strictjson.Picker
	kind  string
	id    string
}

// into adds what the enrollment is to decoded; where begins the reason of a problem.
func (e enrollment) into(decoded *lms.Decoded, where string) {
	status := e.event.StringOnly("enrollmentStatus")
	if status == "" && e.event.Err() == nil {
		e.event.Problem("enrollmentStatus", errors.New("is missing"))
	}
	if status == "not_started" || status == "in_progress" {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: e.kind, Reason: "enrollmentStatus says that the course is not finished"})
		return
	}
	completion, err := e.read(status)
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: e.kind, EventID: e.id, Reason: where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, completion)
}

func (e enrollment) read(status string) (training.Completion, error) {
	c := training.Completion{
		Platform:     Platform,
		EventID:      e.id,
		Event:        e.kind,
		EnrollmentID: e.event.Text("enrollmentId"),
		Learner: training.Learner{
			ID:        e.event.Text("user.userId"),
			Username:  e.event.Text("user.username"),
			Email:     e.event.Text("user.email"),
			FirstName: e.event.Text("user.firstName"),
			LastName:  e.event.Text("user.lastName"),
		},
		Course: training.Course{
			ID:    e.event.Text("courseId"),
			Title: e.event.Text("courseName"),
			Code:  e.event.Text("courseReferenceCode"),
		},
		Score: training.Score{Raw: e.event.Number("percentage"), Passed: e.passed(status)},
	}
	if c.Score.Known() {
		c.Score.Max = maxScore
	}
	if instant, precision, sent := e.date("dateCompleted"); sent {
		c.CompletedAt, c.Precision = instant, precision
	} else {
		c.Precision = training.PrecisionMillisecond
	}
	c.CompletedAtSource = "dateCompleted"
	if instant, _, sent := e.date("certExpiresAt"); sent {
		c.ExpiresAt = &instant
	}
	if err := e.event.Err(); err != nil {
		return training.Completion{}, err
	}
	if err := c.Validate(); err != nil {
		return training.Completion{}, err
	}
	return c, nil
}

// passed reads the words that end an enrollment. "completed" is the word where the course has no
// score condition, so it says nothing about passing (R72).
func (e enrollment) passed(status string) *bool {
	passed := status == "passed"
	switch status {
	case "passed", "failed":
		return &passed
	case "completed", "": // into has noted a missing one
	case "pending_review":
		e.event.Problem("enrollmentStatus", errors.New("the result waits for a review in LearnUpon"))
	default:
		e.event.Problem("enrollmentStatus", errors.New("unknown word"))
	}
	return nil
}

// date reads the date at path, with its zone; sent is false where there is none.
func (e enrollment) date(path string) (instant time.Time, precision training.Precision, sent bool) {
	text := e.event.StringOnly(path)
	if text == "" {
		return time.Time{}, "", false
	}
	instant, precision, err := lms.ParseInstant(text)
	if err != nil {
		e.event.Problem(path, err)
	}
	return instant, precision, true
}
