package training

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Approval is how a tenant waits for approvals (R120, R122). Nothing here ever approves by itself.
type Approval struct {
	// Poll says how often the record is read to notice a decision taken in the QMS itself.
	Poll Poll
	// Remind is when the training admins are told again, Escalate when somebody else is; both
	// count from the beginning of the wait.
	Remind, Escalate time.Duration
	// FourEyes asks for two approvals by two persons; one rejection suffices.
	FourEyes bool
}

// Poll is a patient series of reads: the first gap, then twice the gap before, at most Maximum.
//
// With the default, 5 minutes doubling to 4 hours, a wait of 14 days is 88 reads (5 h 15 min for the
// first six, then one every 4 hours). Each adds six events to the workflow's history, so the 51,200
// events that Temporal allows last for almost four years. Where a tenant polls faster, Slow makes up
// for it.
type Poll struct {
	First, Maximum time.Duration
}

// slowGap is the gap of a poll that has gone on for very long.
const slowGap = 24 * time.Hour

// Gap is the wait before the given read, counted from 1.
func (p Poll) Gap(read int) time.Duration {
	gap := p.First
	for n := 1; n < read && gap < p.Maximum; n++ {
		gap *= 2
	}
	return min(gap, p.Maximum)
}

// Slow is p for a history that has grown long: one read a day.
func (p Poll) Slow() Poll {
	return Poll{First: max(p.First, slowGap), Maximum: max(p.Maximum, slowGap)}
}

// Review is how long a tenant's completions wait for a review.
type Review struct {
	// Wait is when one that nobody decides ends as expired in review (R141).
	Wait time.Duration
}

// Reminders are when the training admins are told again, counted from the beginning of the wait: after
// half of it, and one day before its end where that is later.
func (r Review) Reminders() []time.Duration {
	reminders := []time.Duration{r.Wait / 2}
	if last := r.Wait - 24*time.Hour; last > r.Wait/2 {
		reminders = append(reminders, last)
	}
	return reminders
}

// DefaultApproval reads after 5, 10, 20, 40, 80 and 160 minutes and then every 4 hours, reminds after
// a day and escalates after three.
func DefaultApproval() Approval {
	return Approval{
		Poll:   Poll{First: 5 * time.Minute, Maximum: 4 * time.Hour},
		Remind: 24 * time.Hour, Escalate: 72 * time.Hour,
	}
}

// DefaultReview waits for 14 days, the longer one of R141's two numbers.
func DefaultReview() Review { return Review{Wait: 14 * 24 * time.Hour} }

// Validate reports a patience under which a workflow would spin or wait in the wrong order.
func (a Approval) Validate() error {
	switch {
	case a.Poll.First < 10*time.Millisecond:
		return errors.New("approval: poll.first must be at least 10ms")
	case a.Poll.Maximum < a.Poll.First:
		return errors.New("approval: poll.maximum must not be below poll.first")
	case a.Remind <= 0:
		return errors.New("approval: remind must be above 0")
	case a.Escalate <= a.Remind:
		return errors.New("approval: escalate must come after remind")
	}
	return nil
}

// Validate reports a wait that is none. Which waits a tenant may choose, the settings say.
func (r Review) Validate() error {
	if r.Wait <= 0 {
		return errors.New("review: wait must be above 0")
	}
	return nil
}

// SamePerson reports whether two names of people are the same, by case and white space. That one
// person signs with two names cannot be seen here.
func SamePerson(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// As JSON, durations are words here too. What an older policy lacks, and what is 0, is the default.
type approvalJSON struct {
	Poll struct {
		First   string `json:"first"`
		Maximum string `json:"maximum"`
	} `json:"poll"`
	Remind   string `json:"remind"`
	Escalate string `json:"escalate"`
	FourEyes bool   `json:"fourEyes,omitempty"`
}

type reviewJSON struct {
	Wait string `json:"wait"`
}

func (a Approval) words() *approvalJSON {
	w := &approvalJSON{Remind: a.Remind.String(), Escalate: a.Escalate.String(), FourEyes: a.FourEyes}
	w.Poll.First, w.Poll.Maximum = a.Poll.First.String(), a.Poll.Maximum.String()
	return w
}

func (w *approvalJSON) approval() (Approval, error) {
	if w == nil {
		return DefaultApproval(), nil
	}
	var errs [4]error
	parse := func(i int, text string, fallback time.Duration) (d time.Duration) {
		d, errs[i] = time.ParseDuration(cmp.Or(text, "0s"))
		return cmp.Or(d, fallback)
	}
	standard := DefaultApproval()
	a := Approval{
		Poll:   Poll{parse(0, w.Poll.First, standard.Poll.First), parse(1, w.Poll.Maximum, standard.Poll.Maximum)},
		Remind: parse(2, w.Remind, standard.Remind), Escalate: parse(3, w.Escalate, standard.Escalate),
		FourEyes: w.FourEyes,
	}
	if err := errors.Join(errs[:]...); err != nil {
		return Approval{}, fmt.Errorf("approval: %w", err)
	}
	return a, nil
}

func (r Review) words() *reviewJSON { return &reviewJSON{r.Wait.String()} }

func (w *reviewJSON) review() (Review, error) {
	if w == nil {
		return DefaultReview(), nil
	}
	wait, err := time.ParseDuration(cmp.Or(w.Wait, "0s"))
	if err != nil {
		return Review{}, fmt.Errorf("review: %w", err)
	}
	return Review{cmp.Or(wait, DefaultReview().Wait)}, nil
}
