package workflows

import (
	"context"
	"fmt"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
)

// TargetActivities is what the Outage workflow asks of the world. Each may be repeated.
type TargetActivities interface {
	// LookAtTarget says where a target stands. With Probe, one that is HELD is asked for what a completion
	// has failed to read, inside the budget, and is ANSWERING if it answered.
	LookAtTarget(ctx context.Context, in LookAtTarget) (TargetStanding, error)
	// ChangeTarget pauses or resumes a target because a person says so, and keeps that (law 5).
	ChangeTarget(ctx context.Context, in ChangeTarget) (TargetStanding, error)
	// ResumeWaiting lets one page of what waits for the target go on, oldest first.
	ResumeWaiting(ctx context.Context, in ResumeWaiting) (ResumedPage, error)
	// SettleTarget ends the incident of a target that is ANSWERING.
	SettleTarget(ctx context.Context, in TargetRef) (SettledTarget, error)
}

// TargetRef names a target of a tenant.
type TargetRef struct {
	Tenant string `json:"tenant"`
	// Target is training.TargetQMS.
	Target string `json:"target"`
}

// LookAtTarget is the input of the activity.
type LookAtTarget struct {
	TargetRef
	Probe bool `json:"probe,omitempty"`
	// Look counts the probes from 1: they take turns with what they ask for.
	Look int `json:"look,omitempty"`
}

// TargetStanding is where a target stands. It names nobody but those who decide.
type TargetStanding struct {
	State training.TargetState `json:"state"`
	// Incident is "" when nothing is the matter.
	Incident string    `json:"incident,omitempty"`
	BeganAt  time.Time `json:"beganAt,omitzero"`
	Since    time.Time `json:"since,omitzero"`
	// Until is when a hold ends by itself, zero if nobody knows.
	Until time.Time `json:"until,omitzero"`
	// Class and Detail are what it is held for.
	Class  training.FailureClass `json:"class,omitempty"`
	Detail string                `json:"detail,omitempty"`
	By     string                `json:"by,omitempty"`
	Reason string                `json:"reason,omitempty"`
	// RetryAfter is how long a target that was probed asks to be left alone.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
}

// Why says in one line why nothing is asked of the target.
func (s TargetStanding) Why() string {
	switch {
	case s.State == training.TargetPaused:
		return fmt.Sprintf("paused by %s: %s", s.By, s.Reason)
	case !s.Until.IsZero():
		return fmt.Sprintf("%s, until %s", s.cause(), clockTime(s.Until))
	default:
		return fmt.Sprintf("%s, since %s", s.cause(), clockTime(s.BeganAt))
	}
}

// cause is what it is held for: the class, and the answer if there was one.
func (s TargetStanding) cause() string {
	if s.Detail == "" {
		return string(s.Class)
	}
	return fmt.Sprintf("%s: %s", s.Class, s.Detail)
}

// ChangeTarget is the input of the activity. Incident is the name if nothing was the matter yet.
type ChangeTarget struct {
	TargetRef
	Incident string            `json:"incident"`
	Decision training.Decision `json:"decision"`
}

// Place is where a list of completions goes on, and of enrollments behind them; the zero value is its beginning.
type Place struct {
	ReceivedAt  time.Time            `json:"receivedAt,omitzero"`
	Fingerprint training.Fingerprint `json:"fingerprint,omitempty"`
	// Enrollment is "" while completions are left.
	Enrollment training.EnrollmentKey `json:"enrollment,omitempty"`
}

// ResumeWaiting is the input of the activity.
type ResumeWaiting struct {
	TargetRef
	Incident string `json:"incident"`
	// ParkedSince is shortly before the incident began: what was parked before is another's.
	ParkedSince time.Time `json:"parkedSince"`
	// FailedAfter leaves out what has failed before; it went on with an earlier page.
	FailedAfter time.Time `json:"failedAfter,omitzero"`
	After       Place     `json:"after,omitzero"`
	Limit       int       `json:"limit"`
	// Reason is kept with each decision.
	Reason string `json:"reason"`
}

// ResumedPage is what came of a page.
type ResumedPage struct {
	// State is the target's; one that holds has let nobody go on.
	State training.TargetState `json:"state"`
	// Resumed counts the completions that were told, Enrollments the enrollments.
	Resumed     int `json:"resumed"`
	Enrollments int `json:"enrollments,omitempty"`
	// More is false at the end of the list, Next is where it goes on.
	More bool  `json:"more,omitempty"`
	Next Place `json:"next,omitzero"`
}

// SettledTarget is the result of SettleTarget.
type SettledTarget struct {
	// Settled is false where the target is held or paused again.
	Settled bool `json:"settled"`
}

// Registered names of the activities. They are in recorded histories: never change one.
const (
	lookAtTarget  = "LookAtTarget"
	changeTarget  = "ChangeTarget"
	resumeWaiting = "ResumeWaiting"
	settleTarget  = "SettleTarget"
)

func registerTargetActivities(r worker.ActivityRegistry, a TargetActivities) {
	for name, f := range map[string]any{
		lookAtTarget:  a.LookAtTarget,
		changeTarget:  a.ChangeTarget,
		resumeWaiting: a.ResumeWaiting,
		settleTarget:  a.SettleTarget,
	} {
		r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
}
