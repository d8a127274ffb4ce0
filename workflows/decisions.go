package workflows

import (
	"countersign/internal/training"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// How people speak to a waiting completion: two signals for the Temporal Web UI and CLI, one
// update for the console. All three carry a training.Decision and meet in one handler.
const (
	ApprovalSignal = "approval"
	ReviewSignal   = "review"
	DecideUpdate   = "decide"
)

// desk is where decisions arrive. The first valid decision of a wait wins.
type desk struct {
	// waiting is nil while the completion waits for nobody.
	waiting  *question
	decision training.Decision
	via      string
	// asked is true once a question was put.
	asked bool
}

// question is what a completion waits for.
type question struct {
	signal  string
	allowed []training.Action
}

// openDesk registers the handlers. It must come before the first step, so that the Web UI
// knows them from the beginning.
func openDesk(ctx workflow.Context) (*desk, error) {
	d := &desk{}
	workflow.GetSignalChannelWithOptions(ctx, ApprovalSignal, workflow.SignalChannelOptions{
		Description: `Decide about a record that is PENDING_APPROVAL: {"action":"approve","by":"your name","reason":"why"} or "reject".`,
	})
	workflow.GetSignalChannelWithOptions(ctx, ReviewSignal, workflow.SignalChannelOptions{
		Description: `Decide about a completion in review: {"action":"retry","by":"your name","reason":"why"} or "close".`,
	})
	err := workflow.SetUpdateHandlerWithOptions(ctx, DecideUpdate,
		func(_ workflow.Context, decision training.Decision) error { return d.take(decision, "update") },
		workflow.UpdateHandlerOptions{
			Description: "Decide about the wait that the completion is in; what does not fit is refused with the reason.",
			Validator:   d.check,
		})
	return d, err
}

// check says why a decision cannot be taken now. It changes nothing.
func (d *desk) check(decision training.Decision) error {
	switch {
	case d.waiting == nil:
		return refused("the completion does not wait for a decision")
	case d.decision.Action != "":
		return refused("already decided")
	}
	if err := decision.Validate(d.waiting.allowed); err != nil {
		return refused(err.Error())
	}
	return nil
}

func refused(why string) error {
	return temporal.NewNonRetryableApplicationError(why, "decision_refused", nil)
}

func (d *desk) take(decision training.Decision, via string) error {
	if err := d.check(decision); err != nil {
		return err
	}
	d.decision, d.via = decision, via
	return nil
}

// open puts the question, before the wait is announced to anybody, so that no answer can come
// too soon. An approval sent even earlier, while the record was still being written, counts;
// what was sent to a review, or came second in an earlier wait, does not: it was about
// something else.
func (d *desk) open(ctx workflow.Context, q question) {
	if q.signal == ReviewSignal || d.asked {
		ignoreAll(ctx, q.signal)
	}
	d.asked = true
	d.waiting, d.decision = &q, training.Decision{}
}

// await waits until a person has answered the open question. A signal that does not fit is
// ignored, and it still waits.
func (d *desk) await(ctx workflow.Context) (training.Decision, error) {
	channel := workflow.GetSignalChannel(ctx, d.waiting.signal)
	for {
		err := workflow.Await(ctx, func() bool { return d.decision.Action != "" || channel.Len() > 0 })
		if err != nil {
			return training.Decision{}, err
		}
		if d.decision.Action != "" {
			break
		}
		var decision training.Decision
		if !channel.ReceiveAsync(&decision) {
			continue // could not be decoded; the SDK has logged and dropped it
		}
		if err := d.take(decision, "signal"); err != nil {
			workflow.GetLogger(ctx).Warn("decision ignored", "signal", d.waiting.signal, "reason", err.Error())
		}
	}
	d.waiting = nil
	return d.decision, nil
}

// close waits for update handlers under way and says which signals came too late.
func (d *desk) close(ctx workflow.Context) error {
	ignoreAll(ctx, ApprovalSignal)
	ignoreAll(ctx, ReviewSignal)
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

func ignoreAll(ctx workflow.Context, signal string) {
	channel := workflow.GetSignalChannel(ctx, signal)
	for n := channel.Len(); n > 0; n-- {
		var decision training.Decision
		if channel.ReceiveAsync(&decision) {
			workflow.GetLogger(ctx).Warn("decision ignored", "signal", signal, "reason", "the completion does not wait for it")
		}
	}
}
