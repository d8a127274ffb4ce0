package workflows

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// How people speak to an Outage: two signals for the Temporal Web UI and CLI, and two updates of the same
// names, which answer.
const (
	// The other one is ResumeSignal, by a person here.
	PauseSignal = "pause"
	// ChangedSignal says that the journal's row has changed. Sent by Countersign itself.
	ChangedSignal = "changed"
)

// pauseExample is what a person pastes.
const pauseExample = `{"by": "your staff id", "reason": "why"}`

// outage is one run of the workflow.
type outage struct {
	Outage
	// asked are decisions that came as updates and wait for the loop.
	asked   []*askedChange
	signals []workflow.ReceiveChannel
	page    func() string
	note    string
}

type askedChange struct {
	decision training.Decision
	done     bool
	err      error
}

// newOutage registers the handlers before the first step.
func newOutage(ctx workflow.Context, in Outage) (*outage, error) {
	o := &outage{Outage: in, page: func() string { return "Looks." }}
	o.Target = cmp.Or(o.Target, training.TargetQMS)
	if !o.Policy.Known() {
		o.Policy = training.DefaultOutage()
	}
	if err := o.Policy.Validate(); err != nil {
		return nil, temporal.NewNonRetryableApplicationError("watch outage: "+err.Error(), string(training.FailureDefect), nil)
	}
	o.signals = []workflow.ReceiveChannel{workflow.GetSignalChannelWithOptions(ctx, ChangedSignal, workflow.SignalChannelOptions{
		Description: "The state in the journal has changed. Sent by Countersign itself.",
	})}
	for _, name := range []string{PauseSignal, ResumeSignal} {
		o.signals = append(o.signals, workflow.GetSignalChannelWithOptions(ctx, name, workflow.SignalChannelOptions{
			Description: changes(name) + ", for example " + pauseExample,
		}))
		err := workflow.SetUpdateHandlerWithOptions(ctx, name,
			func(ctx workflow.Context, a answer) error { return o.ask(ctx, name, a) },
			workflow.UpdateHandlerOptions{
				Description: changes(name) + ", for example " + pauseExample + "; what is wrong with it is said.",
				Validator:   func(a answer) error { _, err := changeOf(name, a); return err },
			})
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// changes says what a signal or update does.
func changes(name string) string {
	if name == PauseSignal {
		return "Ask nothing of the target until somebody resumes it; deliveries are taken all the same"
	}
	return "Ask the target again; what waits for it goes on"
}

// changeOf is the decision that a signal or update means, or says what is wrong with it.
func changeOf(name string, a answer) (training.Decision, error) {
	action := training.ActionPause
	if name == ResumeSignal {
		action = training.ActionResume
	}
	if a.problem != "" {
		return a.Decision, refused("%s", a.problem)
	}
	a.Decision.Action = cmp.Or(a.Decision.Action, action)
	if err := a.Validate([]training.Action{action}); err != nil {
		return a.Decision, refused("%s", err.Error())
	}
	return a.Decision, nil
}

// ask leaves the decision to the loop, and waits for what becomes of it.
func (o *outage) ask(ctx workflow.Context, name string, a answer) error {
	decision, err := changeOf(name, a)
	if err != nil {
		return err
	}
	asked := &askedChange{decision: decision}
	o.asked = append(o.asked, asked)
	if err := workflow.Await(ctx, func() bool { return asked.done }); err != nil {
		return err
	}
	return asked.err
}

// said reports whether somebody has said something that is not heard yet.
func (o *outage) said() bool {
	for _, channel := range o.signals {
		if channel.Len() > 0 {
			return true
		}
	}
	return len(o.asked) > 0
}

// wait shows the page and waits for d, or until somebody has said something.
func (o *outage) wait(ctx workflow.Context, d time.Duration, summary string) (said bool, err error) {
	o.show(ctx)
	return workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: d, TimerOptions: workflow.TimerOptions{Summary: summary},
	}, o.said)
}

// hear does what people have said since, one after the other.
func (o *outage) hear(ctx workflow.Context) error {
	changed := workflow.GetSignalChannel(ctx, ChangedSignal)
	for changed.ReceiveAsync(nil) {
	}
	for _, name := range []string{PauseSignal, ResumeSignal} {
		channel := workflow.GetSignalChannel(ctx, name)
		for channel.Len() > 0 {
			var a answer
			if !channel.ReceiveAsync(&a) {
				a.problem = "it cannot be read"
			}
			decision, err := changeOf(name, a)
			if err != nil {
				o.note = why(err)
				workflow.GetLogger(ctx).Warn("signal ignored", "signal", name, "reason", o.note)
				continue
			}
			o.note = ""
			if err := o.change(ctx, decision); err != nil {
				return err
			}
		}
	}
	for len(o.asked) > 0 {
		asked := o.asked[0]
		o.asked = o.asked[1:]
		asked.err = o.change(ctx, asked.decision)
		asked.done = true
	}
	return ctx.Err()
}

// show renders the Markdown that an operator reads in the Temporal Web UI.
func (o *outage) show(ctx workflow.Context) {
	var text strings.Builder
	if o.note != "" {
		fmt.Fprintf(&text, "**The last signal changed nothing:** %s.\n\n", escapeLong(o.note))
	}
	fmt.Fprintf(&text, "Target `%s` of tenant `%s`.\n\n%s", escape(o.Target), escape(o.Tenant), o.page())
	workflow.SetCurrentDetails(ctx, text.String())
}

func heldTargetPage(s TargetStanding, looks int, next time.Time) string {
	return fmt.Sprintf("**Held: %s.** Deliveries are taken and stay queued; completions under way wait, and no attempt is used up.\n\n"+
		"Incident `%s`. %d probes so far; the next one is at %s.\n\n"+
		"To resume at once send the signal `%s`, to keep it held whatever it answers the signal `%s` (or the updates):\n\n```json\n%s\n```",
		escapeLong(s.Why()), escape(s.Incident), looks, clockTime(next), ResumeSignal, PauseSignal, pauseExample)
}

func pausedTargetPage(s TargetStanding) string {
	return fmt.Sprintf("**%s.** Since %s. Nothing is asked of it, not even whether it answers. Deliveries are taken and stay queued.\n\n"+
		"To resume send the signal `%s` (or the update):\n\n```json\n%s\n```",
		escapeLong(s.Why()), clockTime(s.Since), ResumeSignal, pauseExample)
}

func resumingPage(goneOn string, perSecond float64) string {
	return fmt.Sprintf("**It has answered.** What was held or parked goes on, completions first, oldest first, at most %v a second; %s so far. "+
		"If it fails again meanwhile, `starter targets` says so at once, and this page within two minutes.", perSecond, goneOn)
}
