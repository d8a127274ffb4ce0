// Package verdict judges a run. It compares what the sender was told with what stands at the
// other side and in the journal, and counts what must never be: lost, doubled, phantom, silent.
// It sees plain facts only (Evidence), so that a test can show it any of the four.
package verdict

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"countersign/internal/training"
)

// Fact is everything that is known about one completion.
type Fact struct {
	Key         int
	Fingerprint training.Fingerprint
	// Sent: some delivery of it left the sender. Acked: some delivery of it was answered 2xx.
	Sent, Acked bool
	// Completes says that it is to end COMPLETED once everything is healed; else it is poison
	// that is right to end in review.
	Completes bool
	// Approval says that its record is submitted first and approved then.
	Approval bool
	// Conflict says that the LRS held another statement under its id before: it is right to
	// end in review, and that statement is not ours.
	Conflict bool

	// CompletedAt and Score are what was sent; a record that keeps no score shows none.
	CompletedAt time.Time
	Score       string

	// State is where the journal says it stands, "" when the journal does not know it.
	State training.State
	// Proof is the stored read-back, nil without one; ProofAt is when it was stored.
	Proof   *Proof
	ProofAt time.Time
	// Certificates counts the different documents that were ever stored, also before a restore;
	// CertificateAt is when the present one was, zero when there is none.
	Certificates  int
	CertificateAt time.Time

	// Record is the training record in the QMS, Changes the statuses it went to.
	Record  training.Record
	Changes []training.RecordStatus
	// Statements counts those that the LRS holds; Early counts those that arrived before the
	// record was COMPLETED.
	Statements, Early int
	// Notices counts the different notices that told a person of it.
	Notices int
	// ClockSet says that the clock was set meanwhile, so that the two times tell no order. When a statement came, the LRS knows.
	ClockSet bool
	// ToldAnew says that Temporal forgot whom it had told, so that a second notice is right.
	ToldAnew bool
}

// Proof is what the journal keeps of a verified transition.
type Proof struct {
	Meant training.Write  `json:"meant"`
	Read  training.Record `json:"read"`
}

// Evidence is a run.
type Evidence struct {
	Facts []Fact
	// Strays are effects that belong to no completion of the run, one line each.
	Strays []string
	// Missing are acknowledged deliveries that are not in the journal, and completions in
	// review of which no person was told, one line each.
	Missing []string
}

// Count is the judgement. The first four of the lower half must be 0.
type Count struct {
	// Keys is how many completions some delivery of which was acknowledged.
	Keys int
	// Completed and Review are where keys stand: ended well, waiting for a person.
	Completed, Review int

	Lost, Doubled, Phantom, Silent int
	// Findings say which and why, one line each.
	Findings []string
}

// Clean reports whether nothing is wrong.
func (c Count) Clean() bool { return c.Lost+c.Doubled+c.Phantom+c.Silent == 0 }

// Judge counts.
func Judge(e Evidence) Count {
	var c Count
	for _, f := range e.Facts {
		c.judge(f)
	}
	for _, stray := range e.Strays {
		c.find(&c.Phantom, "phantom", stray)
	}
	for _, missing := range e.Missing {
		c.find(&c.Lost, "lost", missing)
	}
	return c
}

func (c *Count) find(counter *int, word, what string) {
	*counter++
	c.Findings = append(c.Findings, word+": "+what)
}

func (c *Count) judge(f Fact) {
	if f.Acked {
		c.Keys++
		switch f.State {
		case training.StateCompleted:
			c.Completed++
		case training.StateInReview, training.StateWaitingApproval:
			c.Review++
		}
	}
	for _, rule := range []struct {
		counter *int
		word    string
		broken  func(Fact) string
	}{
		{&c.Lost, "lost", lost},
		{&c.Doubled, "doubled", doubled},
		{&c.Phantom, "phantom", phantom},
		{&c.Silent, "silent", silent},
	} {
		if why := rule.broken(f); why != "" {
			c.find(rule.counter, rule.word, fmt.Sprintf("key %d (%s, %s): %s", f.Key, f.Fingerprint.Short(), f.State, why))
		}
	}
}

// lost: acknowledged, and neither ended nor before a person; or, with everything healed and a
// person having said "retry", still not where it belongs.
func lost(f Fact) string {
	switch {
	case !f.Acked:
		return ""
	case f.State == "":
		return "acknowledged, and not in the journal"
	case !f.State.Ended() && f.State != training.StateInReview && f.State != training.StateWaitingApproval:
		return "acknowledged, and neither ended nor before a person"
	case f.Completes && !f.Conflict && f.State != training.StateCompleted:
		return "nothing is wrong with it, and it is not completed"
	}
	return ""
}

// doubled: two of anything, acknowledged or not.
func doubled(f Fact) string {
	want := []training.RecordStatus{training.RecordCompleted}
	if f.Approval {
		want = []training.RecordStatus{training.RecordPendingApproval, training.RecordCompleted}
	}
	switch {
	case len(f.Changes) > len(want):
		return fmt.Sprintf("%d effective changes of its record: %v", len(f.Changes), f.Changes)
	case !slices.Equal(f.Changes, want[:len(f.Changes)]):
		return fmt.Sprintf("its record went to %v", f.Changes)
	case f.Statements > 1:
		return fmt.Sprintf("%d statements", f.Statements)
	case f.Certificates > 1:
		return fmt.Sprintf("%d different certificates", f.Certificates)
	case (!f.Completes || f.Conflict) && !f.ToldAnew && f.Notices > 1: // a healthy one may come to review again
		return fmt.Sprintf("%d notices of one review", f.Notices)
	}
	return ""
}

// phantom: an effect that nothing sent accounts for, or one that came before what it attests.
func phantom(f Fact) string {
	completed := f.Record.Status == training.RecordCompleted
	switch {
	case !f.Sent && (len(f.Changes) > 0 || f.Statements > 0 || f.Certificates > 0 || f.State != ""):
		return "never sent, and something was done"
	case !f.Completes && len(f.Changes)+f.Statements+f.Certificates > 0:
		return "poison, and something was done"
	case f.Early > 0:
		return "a statement before the record was COMPLETED"
	case f.Statements > 0 && !completed:
		return "a statement, and the record is not COMPLETED"
	case f.Certificates > 0 && !completed:
		return "a certificate, and the record is not COMPLETED"
	case !f.CertificateAt.IsZero() && (f.Proof == nil || !f.ClockSet && f.CertificateAt.Before(f.ProofAt)):
		return "a certificate before the verified record"
	case f.Proof != nil && !completed:
		return "a proof, and the record is not COMPLETED"
	case completed && !says(f.Record, f):
		return "the record says something that was not sent"
	}
	return ""
}

// silent: completed in the journal, and something of it is not there.
func silent(f Fact) string {
	if f.State != training.StateCompleted {
		return ""
	}
	switch {
	case f.Record.Status != training.RecordCompleted || len(f.Changes) == 0:
		return "completed, and the record is " + string(f.Record.Status)
	case f.Proof == nil:
		return "completed without a stored read-back"
	case !f.Proof.Meant.ShownBy(f.Proof.Read):
		return "the stored read-back does not show what was meant"
	case !says(f.Proof.Read, f):
		return "the stored read-back is not what was sent"
	case f.CertificateAt.IsZero():
		return "completed without a certificate"
	case f.Statements == 0:
		return "completed without a statement"
	}
	return ""
}

// says reports whether a completed record shows what was sent.
func says(r training.Record, f Fact) bool {
	return r.CompletedAt.Equal(f.CompletedAt) && (!r.TracksScore || sameNumber(r.Score, f.Score))
}

func sameNumber(a, b string) bool {
	x, xErr := strconv.ParseFloat(a, 64)
	y, yErr := strconv.ParseFloat(b, 64)
	return xErr == nil && yErr == nil && x == y
}
