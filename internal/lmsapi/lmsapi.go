// Package lmsapi is the port to an LMS's own REST API: what a delivery lacks is looked up there (R15), and what
// the LMS holds is listed for reconciliation (R143, R145). Deliveries come in by package lms; nothing here
// runs before a sender has its answer. One package per platform lives below it; lmsapitest is their suite.
package lmsapi

import (
	"context"
	"time"

	"countersign/internal/training"
)

// Client is one source's access to its LMS. Every method is safe for concurrent use.
//
// Every error is a *training.Failure (through errors.As), classified from what the other side really did, as
// qms.Client's are: FailureUnreachable, FailureRateLimited with RetryAfter, FailureCredentials, FailureRefused,
// FailureMisread. Its text names operations, never a person or a secret. A method makes no retries of
// its own, except for one with a fresh token after a 401. Calls stay inside the source's rate budget: one that
// would not is FailureRateLimited without having been made.
type Client interface {
	// Lookup returns what the LMS knows of a completion. What it does not know is left empty; an LMS that knows
	// neither the learner nor the course returns empty Details and no error: the completion then fails at
	// whatever it still lacks, with that step's own words. It makes no call for what c has already.
	// CompletedAt is zero where nobody has completed anything yet, only learner and course of an enrollment are asked
	// for: then an LMS that shows no completion is not waited for.
	Lookup(ctx context.Context, c training.Completion) (Details, error)

	// Check proves address, credentials and permissions by the cheapest reading calls that need them.
	Check(ctx context.Context) error
}

// Lister is a Client whose platform lists completions.
type Lister interface {
	Client

	// Completions returns one page of the completions inside the window, and the cursor of the next page, "" after
	// the last. A cursor is opaque, holds no personal data and no secret, and stays good for a day: a
	// listing is resumed with it. Every completion validates and carries the same learner id,
	// course id and instant that the platform's deliveries carry, where the platform lets it: then both have
	// one fingerprint. Tenant and Source are the caller's to fill.
	Completions(ctx context.Context, w Window, cursor string) (Page, error)
}

// Window is a span of completion instants: From is inside, To is not.
type Window struct{ From, To time.Time }

// Holds reports whether t lies in the window.
func (w Window) Holds(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

// Page is a part of a listing.
type Page struct {
	Completions []training.Completion
	// Unreadable are the rows that report a completion and lack what one needs, by a reason that names
	// fields and never values.
	Unreadable []string
	// Apart says that the instants are not those of the platform's deliveries: fingerprints then differ, and only
	// learner, course and about the time can tell that a completion is known.
	Apart bool
	// Next is the cursor of the next page, "" after the last.
	Next string
}

// Details is what an LMS knows of a completion. Empty fields are unknown.
type Details struct {
	Learner training.Learner `json:"learner,omitzero"`
	Course  training.Course  `json:"course,omitzero"`
	// EnrollmentID is the LMS's id of the enrollment.
	EnrollmentID string `json:"enrollmentId,omitempty"`
	// CompletedAt is the instant at which the LMS says the learner finished, to Precision. It is filled only
	// where the platform's event states another one, e.g. that of sending, and then goes before it.
	CompletedAt time.Time          `json:"completedAt,omitzero"`
	Precision   training.Precision `json:"precision,omitempty"`
	Score       training.Score     `json:"score,omitzero"`
	ExpiresAt   *time.Time         `json:"expiresAt,omitempty"`
}

// Fill puts the details into the empty fields of c and replaces its instant by a truer one. What the event
// said stands. The fingerprint is that of the event as it came: nobody may compute it from the result.
func (d Details) Fill(c training.Completion) training.Completion {
	for _, f := range []struct {
		into *string
		from string
	}{
		{&c.Learner.ID, d.Learner.ID}, {&c.Learner.Username, d.Learner.Username}, {&c.Learner.Email, d.Learner.Email},
		{&c.Learner.ExternalID, d.Learner.ExternalID},
		{&c.Course.ID, d.Course.ID}, {&c.Course.Title, d.Course.Title}, {&c.Course.Code, d.Course.Code},
		{&c.EnrollmentID, d.EnrollmentID},
	} {
		if *f.into == "" {
			*f.into = f.from
		}
	}
	if c.Learner.FullName() == "" { // a half of it by the event and a half from here might name somebody else
		c.Learner.FirstName, c.Learner.LastName = d.Learner.FirstName, d.Learner.LastName
	}
	if !d.CompletedAt.IsZero() {
		c.CompletedAt, c.Precision = d.CompletedAt, d.Precision
	}
	if !c.Score.Known() {
		passed := c.Score.Passed
		c.Score = d.Score
		if passed != nil {
			c.Score.Passed = passed
		}
	}
	if c.ExpiresAt == nil {
		c.ExpiresAt = d.ExpiresAt
	}
	return c
}
