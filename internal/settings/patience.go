package settings

import (
	"fmt"
	"io"
	"strings"
	"time"

	"countersign/internal/training"
)

const day = 24 * time.Hour

// approvalPolicy reads what differs from training.DefaultApproval (R120, R122).
func approvalPolicy(e entry) training.Approval {
	a := training.DefaultApproval()
	f, ok := e.fields()
	if !ok {
		return a
	}
	before := len(e.report.mistakes)
	if poll, ok := f.get("poll").fields(); ok {
		// Faster than every second would be no poll but a load; each read counts in the QMS's budget.
		a.Poll.First = poll.get("first").duration(a.Poll.First, time.Second, day)
		a.Poll.Maximum = poll.get("maximum").duration(max(a.Poll.Maximum, a.Poll.First), time.Second, day)
		poll.done()
	}
	a.Remind = f.get("remind").duration(a.Remind, time.Second, 30*day)
	a.Escalate = f.get("escalate").duration(a.Escalate, time.Second, 90*day)
	a.FourEyes = f.get("four_eyes").flag(a.FourEyes)
	f.done()
	// What they mean together is only asked when each of them was read.
	if err := a.Validate(); err != nil && len(e.report.mistakes) == before {
		e.mistake("%s", strings.TrimPrefix(err.Error(), "approval: "))
	}
	return a
}

// reviewPolicy reads what differs from training.DefaultReview. A dead letter is kept for 7 days at least
// (R141); 90 is what a person may be expected to come back to.
func reviewPolicy(e entry) training.Review {
	r := training.DefaultReview()
	f, ok := e.fields()
	if !ok {
		return r
	}
	r.Wait = f.get("wait").duration(r.Wait, 7*day, 90*day)
	f.done()
	return r
}

// addresses reads a list of e-mail addresses; an absent one has none.
func addresses(e entry) []string {
	var all []string
	for _, item := range e.list() {
		all = append(all, address(item))
	}
	return all
}

// describePatience says how long the tenant's completions wait for people.
func (t Tenant) describePatience(w io.Writer) {
	a := t.Policy.Approval
	persons := "one person"
	if a.FourEyes {
		persons = "two persons"
	}
	to := "the training admins"
	if len(t.EscalateTo) > 0 {
		to = fmt.Sprintf("%d addresses of escalate_to", len(t.EscalateTo))
	}
	line(w, "approvals", "by %s; reminder after %s, escalation to %s after %s", persons, a.Remind, to, a.Escalate)
	line(w, "", "the record is read after %s, then at growing gaps up to %s", a.Poll.First, a.Poll.Maximum)
	line(w, "reviews", "end as expired in review after %s", t.Policy.Review.Wait)
}
