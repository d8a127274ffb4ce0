package workflows

import (
	"fmt"
	"math"
	"time"

	"go.temporal.io/sdk/workflow"
)

// resumption is a target's way back: everything that waits is told to go on, completions before enrollments, oldest
// first, no more than the policy's number a second, in two passes. The second one finds the steps that were under way when
// the target answered and came to know of the hold only afterwards.
type resumption struct {
	Began  time.Time `json:"began"`
	Second bool      `json:"second,omitempty"`
	After  Place     `json:"after,omitzero"`
}

// resumeBurst is how many seconds' worth of completions go on at once.
const resumeBurst = 5

// parkedLead is how long before the incident's first failure something may have been parked by it: each worker
// counts for itself, and the one that saw it first need not be the one that had seen enough.
const parkedLead = 5 * time.Minute

// lookedAtTwice is how many first gaps of a probe lie between the two passes, at most the longest step: a target
// that is read and takes no write must be seen to fail again before its incident is settled.
const lookedAtTwice = 10

// longestPage bounds one activity.
const longestPage = 100

// resume does one page and the pause after it, or the end of a pass.
func (o *outage) resume(ctx workflow.Context, standing TargetStanding) error {
	if o.Round == nil {
		o.Round = &resumption{Began: workflow.Now(ctx)}
		o.ToldPaused = false
		if o.Last.Incident == "" { // it was released before this began
			o.Last = standing
		}
	}
	o.page = func() string { return resumingPage(o.goneOn(), o.Policy.ResumePerSecond) }
	o.show(ctx)
	in := ResumeWaiting{
		TargetRef: o.TargetRef, Incident: standing.Incident, ParkedSince: standing.BeganAt.Add(-parkedLead), After: o.Round.After,
		Limit:  int(math.Min(longestPage, math.Max(1, math.Ceil(o.Policy.ResumePerSecond*resumeBurst)))),
		Reason: fmt.Sprintf("the %s answers again (incident %s)", o.Target, standing.Incident),
	}
	if o.Round.Second {
		in.FailedAfter = o.Round.Began
	}
	var page ResumedPage
	if err := journalWrite(ctx, resumeWaiting, in, &page); err != nil {
		return err
	}
	o.Resumed += page.Resumed
	o.Enrollments += page.Enrollments
	pause := time.Duration(float64(page.Resumed+page.Enrollments) / o.Policy.ResumePerSecond * float64(time.Second))
	switch {
	case page.State.Holds():
		return nil // it has failed again
	case page.More:
		o.Round.After = page.Next
	case !o.Round.Second:
		o.Round.Second, o.Round.After = true, Place{}
		pause = max(pause, min(lookedAtTwice*o.Policy.Probe.First, writeTimeout))
	default:
		var settled SettledTarget
		return journalWrite(ctx, settleTarget, o.TargetRef, &settled)
	}
	if pause <= 0 {
		return nil
	}
	_, err := o.wait(ctx, pause, "resume at most "+fmt.Sprint(o.Policy.ResumePerSecond)+" a second")
	return err
}
