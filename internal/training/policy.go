package training

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Policy is what a tenant decides about its completions. It travels in the workflow's input,
// so that a change of settings never changes a completion under way.
type Policy struct {
	Retry Retry
	// HoldFailed puts a finished but failed course up for review instead of writing it
	// (C12); false completes the record all the same.
	HoldFailed bool
	// DigestEvery is how long the AdminInbox gathers failures after the first notice.
	DigestEvery time.Duration
	// DigestLongest is what the gaps between the digests of one cause grow to; below DigestEvery they
	// do not grow.
	DigestLongest time.Duration
	// MissingRecord says what becomes of a completion whose learner has no training record.
	MissingRecord MissingRecord
	// Enrollments says what becomes of the enrollments that an LMS reports.
	Enrollments Enrollments
	// Approval and Review say how long the completion waits for people.
	Approval Approval
	Review   Review
	// Outage says what is done when the QMS does not answer.
	Outage Outage
	// Signing is nil for a QMS that the bridge completes. Else the trainee's own signature does, and
	// this says how it is waited for. The QMS's type decides, not the tenant.
	Signing *Signing
}

// MissingRecord is what a tenant wants where the QMS has no training record of the employee for
// the training, in any state. Whatever is not MissingCreate is a review: a word that this version
// does not know must not write anything.
type MissingRecord string

const (
	// MissingReview puts the completion up for review. The default.
	MissingReview MissingRecord = "review"
	// MissingCreate creates the record, repeatably (R98), and completes it.
	MissingCreate MissingRecord = "create"
)

// Retry is a retry schedule in Temporal's own terms: the n-th gap is
// Initial × Coefficient^(n−1), at most Maximum.
type Retry struct {
	Initial     time.Duration
	Coefficient float64
	Maximum     time.Duration
	// Attempts counts the first one too: 4 means three retries.
	Attempts int
	// Jitter lengthens each gap by a random share of up to this (0 to 1) (R129). It is 0
	// by default: the gaps are exactly the seed's.
	Jitter float64
}

// DefaultPolicy is what the seed asks for: retries after 1, 5 and 15 minutes (R123), a failed
// course held (C12); and no record is made without being asked for.
func DefaultPolicy() Policy {
	return Policy{
		Retry:       Retry{Initial: time.Minute, Coefficient: 5, Maximum: 15 * time.Minute, Attempts: 4},
		HoldFailed:  true,
		DigestEvery: 20 * time.Minute, DigestLongest: 6 * time.Hour,

		MissingRecord: MissingReview,
		Enrollments:   EnrollmentsIgnore,
		Approval:      DefaultApproval(),
		Review:        DefaultReview(),
		Outage:        DefaultOutage(),
	}
}

// Gap is the wait after the given failed attempt (counted from 1), without jitter.
func (r Retry) Gap(attempt int) time.Duration {
	gap := float64(r.Initial) * math.Pow(r.Coefficient, float64(attempt-1))
	return time.Duration(min(gap, float64(r.Maximum)))
}

// AfterFirst is what is left of the schedule once the first attempt was made elsewhere (as a
// local activity): the wait before the second attempt, and the schedule from there on. It needs
// at least two Attempts: what is left of one is 0, which Temporal reads as "for ever".
func (r Retry) AfterFirst() (wait time.Duration, rest Retry) {
	rest = r
	rest.Initial = r.Gap(2)
	rest.Attempts--
	return r.Gap(1), rest
}

// Validate reports a schedule that Temporal would refuse or that would never end.
func (r Retry) Validate() error {
	switch {
	case r.Initial < 10*time.Millisecond:
		return errors.New("retry: initial must be at least 10ms")
	case r.Coefficient < 1 || r.Coefficient > 100 || math.IsNaN(r.Coefficient):
		return errors.New("retry: coefficient must lie in 1 to 100")
	case r.Maximum < r.Initial:
		return errors.New("retry: maximum must not be below initial")
	case r.Attempts < 1 || r.Attempts > 100:
		return errors.New("retry: attempts must lie in 1 to 100")
	case r.Jitter < 0 || r.Jitter > 1 || math.IsNaN(r.Jitter):
		return errors.New("retry: jitter must lie in 0 to 1")
	}
	return nil
}

// As JSON, where operators read it in the Temporal Web UI, durations are words: "1m0s".
type policyJSON struct {
	Retry       retryJSON `json:"retry"`
	HoldFailed  bool      `json:"holdFailed"`
	DigestEvery string    `json:"digestEvery"`
	// DigestLongest is absent in what was recorded before there was a choice: the default.
	DigestLongest string `json:"digestLongest,omitempty"`
	// MissingRecord is absent in what was recorded before there was a choice: review.
	MissingRecord MissingRecord `json:"missingRecord,omitempty"`
	// Enrollments is absent in what was recorded before there was a choice: ignore.
	Enrollments Enrollments `json:"enrollments,omitempty"`
	// Approval and Review are absent in what was recorded before there was a choice: the defaults.
	Approval *approvalJSON `json:"approval,omitempty"`
	Review   *reviewJSON   `json:"review,omitempty"`
	// Outage is absent in what was recorded before there was a choice: no hold is known then.
	Outage *outageJSON `json:"outage,omitempty"`
	// Signing is absent in what was recorded before there was such a QMS, and where there is none.
	Signing *signingJSON `json:"signing,omitempty"`
}

type retryJSON struct {
	Initial     string  `json:"initial"`
	Coefficient float64 `json:"coefficient"`
	Maximum     string  `json:"maximum"`
	Attempts    int     `json:"attempts"`
	Jitter      float64 `json:"jitter,omitempty"`
}

func (r Retry) words() retryJSON {
	return retryJSON{r.Initial.String(), r.Coefficient, r.Maximum.String(), r.Attempts, r.Jitter}
}

func (w retryJSON) retry() (Retry, error) {
	initial, initialErr := time.ParseDuration(w.Initial)
	maximum, maximumErr := time.ParseDuration(w.Maximum)
	if err := errors.Join(initialErr, maximumErr); err != nil {
		return Retry{}, fmt.Errorf("retry: %w", err)
	}
	return Retry{initial, w.Coefficient, maximum, w.Attempts, w.Jitter}, nil
}

// MarshalJSON writes durations as words.
func (r Retry) MarshalJSON() ([]byte, error) { return json.Marshal(r.words()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Retry) UnmarshalJSON(data []byte) error {
	var words retryJSON
	err := json.Unmarshal(data, &words)
	if err == nil {
		*r, err = words.retry()
	}
	return err
}

// MarshalJSON writes durations as words.
func (p Policy) MarshalJSON() ([]byte, error) {
	return json.Marshal(policyJSON{
		p.Retry.words(), p.HoldFailed, p.DigestEvery.String(), p.DigestLongest.String(), p.MissingRecord, p.Enrollments,
		p.Approval.words(), p.Review.words(), p.Outage.words(), p.Signing.words(),
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Policy) UnmarshalJSON(data []byte) error {
	var words policyJSON
	if err := json.Unmarshal(data, &words); err != nil {
		return err
	}
	retry, err := words.Retry.retry()
	if err != nil {
		return err
	}
	digest, err := time.ParseDuration(words.DigestEvery)
	if err != nil {
		return fmt.Errorf("digestEvery: %w", err)
	}
	longest := DefaultPolicy().DigestLongest
	if words.DigestLongest != "" {
		if longest, err = time.ParseDuration(words.DigestLongest); err != nil {
			return fmt.Errorf("digestLongest: %w", err)
		}
	}
	approval, approvalErr := words.Approval.approval()
	review, reviewErr := words.Review.review()
	outage, outageErr := words.Outage.outage()
	signing, signingErr := words.Signing.signing()
	if err := errors.Join(approvalErr, reviewErr, outageErr, signingErr); err != nil {
		return err
	}
	*p = Policy{
		retry, words.HoldFailed, digest, longest, cmp.Or(words.MissingRecord, MissingReview), cmp.Or(words.Enrollments, EnrollmentsIgnore),
		approval, review, outage, signing,
	}
	return nil
}
