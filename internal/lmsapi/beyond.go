package lmsapi

import (
	"time"

	"countersign/internal/training"
)

// Beyond is what filled says that event does not: Beyond(e, d.Fill(e)).Fill(e) is d.Fill(e). It is what is worth
// keeping of an answer.
func Beyond(event, filled training.Completion) Details {
	var d Details
	for _, f := range []struct {
		into            *string
		event, filledBy string
	}{
		{&d.Learner.ID, event.Learner.ID, filled.Learner.ID},
		{&d.Learner.Username, event.Learner.Username, filled.Learner.Username},
		{&d.Learner.Email, event.Learner.Email, filled.Learner.Email},
		{&d.Learner.ExternalID, event.Learner.ExternalID, filled.Learner.ExternalID},
		{&d.Learner.FirstName, event.Learner.FirstName, filled.Learner.FirstName},
		{&d.Learner.LastName, event.Learner.LastName, filled.Learner.LastName},
		{&d.Course.ID, event.Course.ID, filled.Course.ID},
		{&d.Course.Title, event.Course.Title, filled.Course.Title},
		{&d.Course.Code, event.Course.Code, filled.Course.Code},
		{&d.EnrollmentID, event.EnrollmentID, filled.EnrollmentID},
	} {
		if f.event != f.filledBy {
			*f.into = f.filledBy
		}
	}
	if !event.CompletedAt.Equal(filled.CompletedAt) || event.Precision != filled.Precision {
		d.CompletedAt, d.Precision = filled.CompletedAt, filled.Precision
	}
	if !event.Score.Known() {
		d.Score = filled.Score
		if event.Score.Passed != nil {
			d.Score.Passed = nil
		}
	}
	if event.ExpiresAt == nil {
		d.ExpiresAt = filled.ExpiresAt
	}
	return d
}

// Storable is d without what no store takes: a title with a line break is no reason to hold a completion up.
func (d Details) Storable() Details {
	takes := func(change func(*training.Completion)) bool {
		least := training.Completion{Learner: training.Learner{ID: "-"}, Course: training.Course{ID: "-"},
			CompletedAt: time.Unix(0, 0), Precision: training.PrecisionDay}
		change(&least)
		return least.Validate() == nil
	}
	for _, text := range []*string{
		&d.Learner.ID, &d.Learner.Username, &d.Learner.Email, &d.Learner.ExternalID, &d.Learner.FirstName, &d.Learner.LastName,
		&d.Course.ID, &d.Course.Title, &d.Course.Code, &d.EnrollmentID,
	} {
		if !takes(func(c *training.Completion) { c.EnrollmentID = *text }) {
			*text = ""
		}
	}
	if !takes(func(c *training.Completion) { c.Score = d.Score }) {
		d.Score = training.Score{Passed: d.Score.Passed}
	}
	if !takes(func(c *training.Completion) { c.ExpiresAt = d.ExpiresAt }) {
		d.ExpiresAt = nil
	}
	if !d.CompletedAt.IsZero() && !takes(func(c *training.Completion) { c.CompletedAt, c.Precision = d.CompletedAt, d.Precision }) {
		d.CompletedAt, d.Precision = time.Time{}, ""
	}
	return d
}

// Fields names what d holds, for people to read: never a value.
func (d Details) Fields() []string {
	var names []string
	for _, f := range []struct {
		name string
		held bool
	}{
		{"learner id", d.Learner.ID != ""}, {"username", d.Learner.Username != ""}, {"e-mail", d.Learner.Email != ""},
		{"external id", d.Learner.ExternalID != ""}, {"name", d.Learner.FullName() != ""},
		{"course id", d.Course.ID != ""}, {"course title", d.Course.Title != ""}, {"course code", d.Course.Code != ""},
		{"enrollment id", d.EnrollmentID != ""}, {"completion date", !d.CompletedAt.IsZero()}, {"score", d.Score.Known()},
		{"passed", d.Score.Passed != nil}, {"expiry", d.ExpiresAt != nil},
	} {
		if f.held {
			names = append(names, f.name)
		}
	}
	return names
}
