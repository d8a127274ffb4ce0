package training

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Signing is how a tenant waits for a trainee's signature, where nothing else completes a training
// record (21 CFR 11.100, 11.200): the bridge cannot sign, and never says that somebody has who has not.
type Signing struct {
	// Poll says how often the record is read to notice the signature.
	Poll Poll
	// Remind is when the training admins hear that it is missing, Escalate when somebody else does; both
	// count from the beginning of the wait.
	Remind, Escalate time.Duration
	// Grace is how far a signature may lie before the completion and still be about it: two clocks
	// differ. An older one belongs to an earlier training.
	Grace time.Duration
	// Patient has the record read once a day from Escalate on. Inputs from before there was such a choice have it not.
	Patient bool
	// Evidence has the report, and later the certificate, kept with the training in the QMS.
	Evidence bool
}

// widestZone is what a calendar day may begin before it begins in UTC: the island furthest east.
const widestZone = 14 * time.Hour

// Earliest is the first instant at which a signature can be about c.
func (s Signing) Earliest(c Completion) time.Time {
	at := c.CompletedAt.Add(-s.Grace)
	if c.Precision == PrecisionDay {
		at = at.Add(-widestZone)
	}
	return at
}

// Signature is one signature as the QMS shows it: who has signed which revision of what, and when. What
// is zero, the QMS does not show.
type Signature struct {
	// RecordID is the QMS's own record of it.
	RecordID string `json:"recordId"`
	// UserID is the QMS's own id of the trainee.
	UserID string `json:"userId"`
	// Item is the number of the controlled item that was trained on, Revision its revision then.
	Item     string    `json:"item"`
	Revision string    `json:"revision,omitempty"`
	SignedAt time.Time `json:"signedAt,omitzero"`
}

// LastSigned is the signature that completed what the given ones are all signatures of: the latest, of
// equals the one with the smallest record id. ok is false if there is none or one is missing.
func LastSigned(all []Signature) (last Signature, ok bool) {
	for _, s := range all {
		if s.SignedAt.IsZero() {
			return Signature{}, false
		}
		later := cmp.Or(s.SignedAt.Compare(last.SignedAt), cmp.Compare(last.RecordID, s.RecordID)) > 0
		if last.RecordID == "" || later {
			last = s
		}
	}
	return last, last.RecordID != ""
}

// DefaultSigning reads after 15, 30, 60, 120 and 240 minutes, then every 6 hours, and after three days once a day,
// because such a QMS has a budget of calls per day. It reminds after a day and escalates after three.
func DefaultSigning() Signing {
	return Signing{
		Poll:   Poll{First: 15 * time.Minute, Maximum: 6 * time.Hour},
		Remind: 24 * time.Hour, Escalate: 72 * time.Hour,
		Grace: 10 * time.Minute, Patient: true, Evidence: true,
	}
}

// Validate reports a wait under which a workflow would spin or wait in the wrong order; nil is none.
func (s *Signing) Validate() error {
	switch {
	case s == nil:
		return nil
	case s.Poll.First < 10*time.Millisecond:
		return errors.New("signing: poll.first must be at least 10ms")
	case s.Poll.Maximum < s.Poll.First:
		return errors.New("signing: poll.maximum must not be below poll.first")
	case s.Remind <= 0:
		return errors.New("signing: remind must be above 0")
	case s.Escalate <= s.Remind:
		return errors.New("signing: escalate must come after remind")
	case s.Grace < 0:
		return errors.New("signing: grace must not be below 0")
	}
	return nil
}

// As JSON, durations are words here too.
type signingJSON struct {
	First    string `json:"pollFirst"`
	Maximum  string `json:"pollMaximum"`
	Remind   string `json:"remind"`
	Escalate string `json:"escalate"`
	Grace    string `json:"grace"`
	Evidence bool   `json:"evidence"`
	Patient  bool   `json:"patient,omitempty"`
}

func (s *Signing) words() *signingJSON {
	if s == nil {
		return nil
	}
	return &signingJSON{
		First: s.Poll.First.String(), Maximum: s.Poll.Maximum.String(),
		Remind: s.Remind.String(), Escalate: s.Escalate.String(), Grace: s.Grace.String(), Evidence: s.Evidence, Patient: s.Patient,
	}
}

func (w *signingJSON) signing() (*Signing, error) {
	if w == nil {
		return nil, nil
	}
	var errs []error
	parse := func(text string) time.Duration {
		d, err := time.ParseDuration(text)
		errs = append(errs, err)
		return d
	}
	s := &Signing{
		Poll: Poll{parse(w.First), parse(w.Maximum)}, Remind: parse(w.Remind), Escalate: parse(w.Escalate),
		Grace: parse(w.Grace), Evidence: w.Evidence, Patient: w.Patient,
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return s, nil
}
