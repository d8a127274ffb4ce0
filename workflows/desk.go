package workflows

import (
	"countersign/internal/training"

	"go.temporal.io/sdk/workflow"
)

// desk is where decisions arrive. The first one that is taken ends the wait; whatever is not taken
// changes nothing, and its sender is told why: an update by its error, a signal in the details.
type desk struct {
	// waiting is nil while the completion waits for nobody.
	waiting  *question
	decision training.Decision
	via      string
	// asked is true once a question was put.
	asked bool
	// underway is true while steps are under way whose next attempt a person may hurry.
	underway bool
	hurry    *hurry
	// note is what was wrong with the last signal.
	note string
	// show renders the details anew.
	show func(workflow.Context)
}

// question is what a completion waits for.
type question struct {
	signal  string
	allowed []training.Action
	// lenient takes fields that nobody knows, as the completions did that waited before they were refused.
	lenient bool
	// first is who has approved already, where four eyes are asked for.
	first string
	// examine says in words why a decision cannot be taken, "" if it can. It may take its time.
	examine func(ctx workflow.Context, d training.Decision) (string, error)
}

// hurry is a "retry" that came while steps were under way.
type hurry struct {
	decision      training.Decision
	via           string
	taken, passed bool
}

// check says why a decision cannot be taken now. It changes nothing and takes no time.
func (d *desk) check(a answer) error {
	q := d.waiting
	switch {
	case q == nil && !d.underway:
		return refused("the completion does not wait for a decision")
	case q == nil:
		q = &question{allowed: []training.Action{training.ActionRetry}}
	case d.decision.Action != "":
		return refused("already decided")
	}
	if a.problem != "" && !q.lenient {
		return refused("%s", a.problem)
	}
	if err := a.Validate(q.allowed); err != nil {
		return refused("%s", err.Error())
	}
	if training.SamePerson(a.By, training.ByCountersign) && a.Action != training.ActionRetry {
		return refused("a person has to decide this, by their own name")
	}
	if a.Action == training.ActionApprove && q.first != "" && training.SamePerson(q.first, a.By) {
		return refused("a second person has to approve; this one has")
	}
	return nil
}

// offer takes a decision, or says why not.
func (d *desk) offer(ctx workflow.Context, a answer, via string) error {
	if err := d.check(a); err != nil {
		return err
	}
	q := d.waiting
	if q == nil {
		return d.offerHurry(ctx, a.Decision, via)
	}
	if q.examine != nil {
		objection, err := q.examine(ctx, a.Decision)
		if err != nil {
			return err
		}
		if objection != "" {
			return refused("%s", objection)
		}
		if d.waiting != q {
			return refused("the completion does not wait for this decision any more")
		}
		if err := d.check(a); err != nil {
			return err
		}
	}
	d.decision, d.via = a.Signed(), via
	return nil
}

// offerHurry leaves a "retry" to the steps that are under way and waits for what becomes of it.
func (d *desk) offerHurry(ctx workflow.Context, decision training.Decision, via string) error {
	h := &hurry{decision: decision, via: via}
	d.hurry = h
	if err := workflow.Await(ctx, func() bool { return h.taken || h.passed || d.hurry != h }); err != nil {
		return err
	}
	if !h.taken {
		return refused("what was under way has ended meanwhile")
	}
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
	d.asked, d.note = true, ""
	d.waiting, d.decision = &q, training.Decision{}
}

// again asks for the second of two approvals.
func (d *desk) again() {
	d.waiting.first, d.decision, d.note = d.decision.By, training.Decision{}, ""
}

// answered closes the question. What else was sent about it decides nothing later: the next step and
// the next question begin with what is sent after them.
func (d *desk) answered() { d.waiting, d.note = nil, "" }

// await waits until somebody has answered the open question (true), or until an appointment has
// ended the wait (false). An answer that is there goes before an appointment that is due.
func (d *desk) await(ctx workflow.Context, k *clock) (decided bool, err error) {
	said := func() bool {
		return d.decision.Action != "" ||
			workflow.GetSignalChannel(ctx, ApprovalSignal).Len() > 0 || workflow.GetSignalChannel(ctx, ReviewSignal).Len() > 0
	}
	for {
		if err := k.wait(ctx, said); err != nil {
			return false, err
		}
		for _, signal := range []string{ApprovalSignal, ReviewSignal} {
			if err := d.receive(ctx, signal); err != nil {
				return false, err
			}
		}
		if d.decision.Action != "" {
			return true, nil
		}
		ended, err := k.keep(ctx)
		switch {
		case err != nil:
			return false, err
		case d.decision.Action != "":
			return true, nil
		case ended:
			return false, nil
		}
	}
}

// receive offers what has come as a signal, one after the other until one is taken.
func (d *desk) receive(ctx workflow.Context, signal string) error {
	channel := workflow.GetSignalChannel(ctx, signal)
	for d.decision.Action == "" && channel.Len() > 0 {
		var a answer
		if !channel.ReceiveAsync(&a) {
			a.problem = "it cannot be read" // not JSON at all; the SDK has logged and dropped it
		}
		if signal != d.waiting.signal {
			d.ignore(ctx, signal, "this wait takes the signal "+d.waiting.signal)
			continue
		}
		if err := d.offer(ctx, a, viaOf(a.Decision)); err != nil {
			if ctx.Err() != nil {
				return err
			}
			d.ignore(ctx, signal, why(err))
		}
	}
	return nil
}

// ignore says why a signal was not taken.
func (d *desk) ignore(ctx workflow.Context, signal, why string) {
	workflow.GetLogger(ctx).Warn("decision ignored", "signal", signal, "reason", why)
	d.note = why
	d.show(ctx)
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
		var a answer
		if channel.ReceiveAsync(&a) {
			workflow.GetLogger(ctx).Warn("decision ignored", "signal", signal, "reason", "the completion does not wait for it")
		}
	}
}
