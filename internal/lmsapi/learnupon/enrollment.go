package learnupon

import (
	"errors"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// enrollment is one learner's way through one course.
type enrollment struct {
	ID        rest.Text `json:"id"`
	UserID    rest.Text `json:"user_id"`
	CourseID  rest.Text `json:"course_id"`
	Course    string    `json:"course_name"`
	First     string    `json:"first_name"`
	Last      string    `json:"last_name"`
	Email     string    `json:"email"`
	Username  string    `json:"username"`
	Status    string    `json:"status"`
	Percent   rest.Text `json:"percentage"` // the score; percentage_complete is progress
	Completed string    `json:"date_completed"`
	Expires   string    `json:"cert_expires_at"`
}

// finished knows the words of the status as the webhook's adapter does: completed says nothing about passing (R72). One
// that waits for a review is not finished.
func (e enrollment) finished() bool {
	return e.Status == "completed" || e.Status == "passed" || e.Status == "failed"
}

// completedAt reports whether that is when the enrollment was completed, to the second.
func (e enrollment) completedAt(at time.Time) bool {
	completed, _, err := lms.ParseInstant(e.Completed)
	return err == nil && e.finished() && completed.Truncate(time.Second).Equal(at.Truncate(time.Second))
}

func (e enrollment) score() training.Score {
	var s training.Score
	if e.Percent != "" {
		s = rest.Score(string(e.Percent), "100")
	}
	if e.Status == "passed" || e.Status == "failed" {
		passed := e.Status == "passed"
		s.Passed = &passed
	}
	return s
}

func (e enrollment) expiry() *time.Time {
	at, _, err := lms.ParseInstant(e.Expires)
	if err != nil {
		return nil
	}
	return &at
}

func (e enrollment) learner() training.Learner {
	return training.Learner{Username: e.Username, Email: e.Email, FirstName: e.First, LastName: e.Last}
}

// details are what the enrollment says that have lacks. The score is that of the completion only while the enrollment
// stands as it was completed.
func (e enrollment) details(have training.Completion) lmsapi.Details {
	d := lmsapi.Details{Learner: e.learner(), Course: training.Course{Title: e.Course}, EnrollmentID: string(e.ID)}
	if e.completedAt(have.CompletedAt) {
		d.Score, d.ExpiresAt = e.score(), e.expiry()
	}
	return d
}

// completion reads the enrollment as the webhook states it.
func (e enrollment) completion() (training.Completion, error) {
	at, precision, err := lms.ParseInstant(e.Completed)
	if err != nil {
		return training.Completion{}, errors.New("date_completed: " + err.Error())
	}
	c := training.Completion{
		Platform: Platform, EnrollmentID: string(e.ID), Learner: e.learner(),
		Course:      training.Course{ID: string(e.CourseID), Title: e.Course},
		CompletedAt: at, Precision: precision, CompletedAtSource: "date_completed", Score: e.score(), ExpiresAt: e.expiry(),
	}
	c.Learner.ID = string(e.UserID)
	return c, c.Validate()
}
