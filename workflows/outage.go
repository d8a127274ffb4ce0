package workflows

import (
	"fmt"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Outage is the input of WatchOutage, and the state it hands to its next run.
type Outage struct {
	TargetRef
	// Policy is the tenant's as it was when the outage began; without one it is the default.
	Policy      training.Outage `json:"policy,omitzero"`
	DigestEvery time.Duration   `json:"digestEvery,omitempty"`
	// Pause pauses the target first. It lets a person start this workflow in the Temporal Web UI:
	//
	//	{"tenant": "acme", "target": "qms", "pause": {"by": "m.keller", "reason": "QMS migration"}}
	Pause *training.Decision `json:"pause,omitempty"`

	// Incident is what is the matter, "" for nothing; what follows is about it.
	Incident string `json:"incident,omitempty"`
	// Looks counts the probes, Resumed the completions that have gone on, Enrollments the enrollments.
	Looks       int `json:"looks,omitempty"`
	Resumed     int `json:"resumed,omitempty"`
	Enrollments int `json:"enrollments,omitempty"`
	// ToldHeld and ToldPaused are whether the training admins have heard of it.
	ToldHeld   bool `json:"toldHeld,omitempty"`
	ToldPaused bool `json:"toldPaused,omitempty"`
	// Last is what was the matter last.
	Last TargetStanding `json:"last,omitzero"`
	// Round is the resumption under way; nil while the target is held.
	Round *resumption `json:"round,omitempty"`
}

// NewOutage is the input for a tenant's target.
func NewOutage(tenant, target string, p training.Policy) Outage {
	return Outage{TargetRef: TargetRef{tenant, target}, DigestEvery: p.DigestEvery, Policy: p.Outage}
}

// pausedLook is how often a target is looked at that is not to be asked now, in case what a person said did
// not get through.
const pausedLook = 30 * time.Minute

// WatchOutage takes care of a target of a tenant from its first failure to its all-clear.
//
//	HELD ─► probe at once, then at growing gaps ─► ANSWERING ─► resume page by page ─► settle ─► all-clear
//	  ▲                                                               │ it fails again
//	  └───────────────────────────────────────────────────────────────┘ the same incident
//	PAUSED ─► wait for a person, probe nothing ─► ANSWERING ─► …
//
// The journal's row is the truth; this only acts on it. So it may be started at any time, also by a
// starter that finds a row which nobody watches, and survives the loss of Temporal.
func WatchOutage(ctx workflow.Context, in Outage) error {
	o, err := newOutage(ctx, in)
	if err != nil {
		return err
	}
	if in.Pause != nil {
		decision := *in.Pause
		decision.Action, o.Pause = training.ActionPause, nil
		err := decision.Validate([]training.Action{training.ActionPause})
		if err == nil && (o.Tenant == "" || o.Target != training.TargetQMS) {
			// A row of a target that no step asks would keep the tenant queued, and stop nothing under way.
			err = fmt.Errorf("tenant must be given, and target be %q", training.TargetQMS)
		}
		if err != nil {
			return temporal.NewNonRetryableApplicationError(err.Error(), "decision_refused", nil)
		}
		if err := o.change(ctx, decision); err != nil {
			return err
		}
	}
	probe := o.Looks == 0 && o.Round == nil
	for {
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() && !o.said() && workflow.AllHandlersFinished(ctx) {
			return workflow.NewContinueAsNewError(ctx, OutageWorkflow, o.Outage)
		}
		standing, err := o.look(ctx, probe)
		if err != nil {
			return err
		}
		if standing.Incident != o.Incident {
			if err := o.over(ctx, standing.Incident); err != nil {
				return err
			}
		}
		if standing.State.Holds() {
			o.Last, o.Round = standing, nil
		}
		probe = false
		switch {
		case standing.State == training.TargetHeld:
			probe, err = o.held(ctx, standing)
		case standing.State == training.TargetPaused:
			err = o.paused(ctx, standing)
		case standing.Incident != "":
			err = o.resume(ctx, standing)
		case !o.said() && workflow.AllHandlersFinished(ctx):
			return nil
		}
		if err != nil {
			return err
		}
		if err := o.hear(ctx); err != nil {
			return err
		}
	}
}

// over sends the all-clear of the incident that has ended, and begins with the next one, "" for none.
func (o *outage) over(ctx workflow.Context, next string) error {
	if o.Incident != "" {
		if err := o.allClear(ctx); err != nil {
			return err
		}
		o.Looks, o.Resumed, o.Enrollments, o.ToldHeld, o.ToldPaused, o.Round, o.Last = 0, 0, 0, false, false, nil, TargetStanding{}
	}
	o.Incident = next
	return nil
}

// look asks where the target stands. One that cannot be asked stands where it stood.
func (o *outage) look(ctx workflow.Context, probe bool) (TargetStanding, error) {
	if probe {
		o.Looks++
	}
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: readTimeout, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}, Summary: summaries[lookAtTarget],
	})
	var standing TargetStanding
	err := workflow.ExecuteLocalActivity(local, lookAtTarget, LookAtTarget{TargetRef: o.TargetRef, Probe: probe, Look: o.Looks}).Get(ctx, &standing)
	if err != nil {
		if temporal.IsCanceledError(err) {
			return standing, err
		}
		workflow.GetLogger(ctx).Warn("target not looked at", "error", err.Error())
		standing = o.Last
		if standing.State == "" { // the first look: wait, and look again
			standing = TargetStanding{State: training.TargetHeld, Incident: o.Incident, Class: training.FailureHeld, Detail: "the journal does not answer"}
		}
	}
	return standing, nil
}

// held tells the admins once, and waits until the next probe is due.
func (o *outage) held(ctx workflow.Context, standing TargetStanding) (probe bool, err error) {
	if standing.Incident != "" && !o.ToldHeld {
		o.ToldHeld = true
		if err := o.tell(ctx, NoticeOutage, standing.Incident+"/outage", standing.Class, standing.Why()); err != nil {
			return false, err
		}
	}
	o.ToldPaused = false
	now := workflow.Now(ctx)
	gap := max(o.Policy.Probe.Gap(max(o.Looks, 1)), standing.RetryAfter)
	if standing.Until.After(now) {
		gap = standing.Until.Sub(now) // before that a probe would only spend what is spent
	}
	next := now.Add(gap)
	o.page = func() string { return heldTargetPage(standing, o.Looks, next) }
	if standing.Until.After(now.Add(pausedLook)) {
		_, err := o.wait(ctx, pausedLook, "held: look whether it was resumed")
		return false, err
	}
	said, err := o.wait(ctx, gap, fmt.Sprintf("probe %d of the %s", o.Looks+1, o.Target))
	return !said, err
}

// paused waits for a person.
func (o *outage) paused(ctx workflow.Context, standing TargetStanding) error {
	if !o.ToldPaused {
		o.ToldPaused = true
		err := o.tell(ctx, NoticeOutage, fmt.Sprintf("%s/paused/%d", standing.Incident, standing.Since.UnixMicro()),
			training.FailureHeld, standing.Why())
		if err != nil {
			return err
		}
	}
	o.page = func() string { return pausedTargetPage(standing) }
	_, err := o.wait(ctx, pausedLook, "paused: look whether it was resumed")
	return err
}

// allClear tells those who have heard of the incident that it is over.
func (o *outage) allClear(ctx workflow.Context) error {
	what, class := "answers again", o.Last.Class
	if o.Last.State == training.TargetPaused {
		what, class = "was resumed", training.FailureHeld
	}
	over := workflow.Now(ctx)
	if o.Round != nil {
		over = o.Round.Began // what has gone on since is no outage
	}
	text := fmt.Sprintf("the %s %s after %s; %s went on by themselves",
		o.Target, what, over.Sub(o.Last.BeganAt).Round(time.Second), o.goneOn())
	o.page = func() string { return "Over: " + escapeLong(text) + "." }
	o.show(ctx)
	if !o.ToldHeld && o.Last.State != training.TargetPaused {
		return nil // it was over at the first look
	}
	return o.tell(ctx, NoticeAllClear, o.Incident+"/all_clear", class, text)
}

// goneOn counts what has gone on, in words.
func (o *outage) goneOn() string {
	text := fmt.Sprintf("%d completions", o.Resumed)
	if o.Enrollments > 0 {
		text += fmt.Sprintf(" and %d enrollments", o.Enrollments)
	}
	return text
}

// tell brings an item to the tenant's AdminInbox, and waits until it has it: it may be the last thing done.
func (o *outage) tell(ctx workflow.Context, kind NoticeKind, id string, class training.FailureClass, detail string) error {
	return untilDone(ctx, tellAdmins, journalTimeout, TellAdmins{Tenant: o.Tenant, Item: InboxItem{
		ID: id, Kind: kind, Cause: o.Target, Course: "all courses", Class: class, Detail: detail, DigestEvery: o.DigestEvery,
	}})
}

// change has the journal keep what a person has decided about the target.
func (o *outage) change(ctx workflow.Context, d training.Decision) error {
	incident := fmt.Sprintf("%s/%s/%s", o.Tenant, o.Target, workflow.Now(ctx).UTC().Format("20060102T150405.000Z"))
	return journalWrite(ctx, changeTarget, ChangeTarget{TargetRef: o.TargetRef, Incident: incident, Decision: d}, nil)
}
