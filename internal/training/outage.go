package training

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// TargetQMS names a tenant's QMS where the tenant's targets are told apart.
const TargetQMS = "qms"

// TargetState says whether anything is asked of a target.
//
//	            outage, or its budget is spent
//	ANSWERING ─────────────────────────────────► HELD ─┐ pause
//	   ▲  ▲  ▲        it answers again            │    ▼
//	   │  │  └────────────────────────────────────┘  PAUSED
//	   │  └──────────── resume, by a person ───────────┘ ▲
//	   └──────────────────── pause, by a person ─────────┘
//
// In HELD and PAUSED no completion of the tenant is started, and one under way waits before its next
// step at the target, without using up an attempt. Deliveries are taken all the same.
type TargetState string

// The states of a target.
const (
	TargetAnswering TargetState = "ANSWERING"
	TargetHeld      TargetState = "HELD"
	TargetPaused    TargetState = "PAUSED"
)

// Holds reports whether nothing is asked of the target now.
func (s TargetState) Holds() bool { return s == TargetHeld || s == TargetPaused }

// Outage is what a tenant does when its QMS does not answer. Its zero value belongs to completions that
// were started before there was a choice: they know no hold.
type Outage struct {
	// Hold stops asking when Failures distinct completions in a row have come to nothing. false leaves
	// every completion to its own retries and to review. A pause by hand holds in both cases.
	Hold     bool
	Failures int
	// Probe says how often a held target is looked at. The first look is at once.
	Probe Poll
	// ResumePerSecond is how fast what was held or parked goes on afterwards, oldest first.
	ResumePerSecond float64
}

// DefaultOutage holds after five completions in a row, looks after 10, 20, 40 seconds and so on up to
// every 5 minutes, and lets two completions a second go on.
func DefaultOutage() Outage {
	return Outage{
		Hold: true, Failures: 5,
		Probe: Poll{First: 10 * time.Second, Maximum: 5 * time.Minute}, ResumePerSecond: 2,
	}
}

// Known is false for a completion that was started before there was a choice.
func (o Outage) Known() bool { return o != Outage{} }

// Validate reports an outage policy under which a workflow would spin or never go on.
func (o Outage) Validate() error {
	switch {
	case !o.Known():
		return nil
	case o.Failures < 1:
		return errors.New("outage: failures must be above 0")
	case o.Probe.First < 10*time.Millisecond:
		return errors.New("outage: probe.first must be at least 10ms")
	case o.Probe.Maximum < o.Probe.First:
		return errors.New("outage: probe.maximum must not be below probe.first")
	case !(o.ResumePerSecond >= 0.01) || math.IsInf(o.ResumePerSecond, 0):
		return errors.New("outage: resume_per_second must be at least 0.01")
	}
	return nil
}

// Outage reports whether a failure of this class may be the target's own state, so that what was parked
// with it goes on when the target answers again.
func (c FailureClass) Outage() bool {
	switch c {
	case FailureUnreachable, FailureRateLimited, FailureCredentials, FailureUnverified:
		return true
	default:
		return false
	}
}

// outageJSON is absent in what was recorded before there was a choice.
type outageJSON struct {
	Hold     bool `json:"hold"`
	Failures int  `json:"failures"`
	Probe    struct {
		First   string `json:"first"`
		Maximum string `json:"maximum"`
	} `json:"probe"`
	ResumePerSecond float64 `json:"resumePerSecond"`
}

func (o Outage) words() *outageJSON {
	if !o.Known() {
		return nil
	}
	w := &outageJSON{Hold: o.Hold, Failures: o.Failures, ResumePerSecond: o.ResumePerSecond}
	w.Probe.First, w.Probe.Maximum = o.Probe.First.String(), o.Probe.Maximum.String()
	return w
}

func (w *outageJSON) outage() (Outage, error) {
	if w == nil {
		return Outage{}, nil
	}
	first, firstErr := time.ParseDuration(cmp.Or(w.Probe.First, "0s"))
	maximum, maximumErr := time.ParseDuration(cmp.Or(w.Probe.Maximum, "0s"))
	if err := errors.Join(firstErr, maximumErr); err != nil {
		return Outage{}, fmt.Errorf("outage: %w", err)
	}
	return Outage{w.Hold, w.Failures, Poll{first, maximum}, w.ResumePerSecond}, nil
}

// MarshalJSON writes durations as words.
func (o Outage) MarshalJSON() ([]byte, error) { return json.Marshal(o.words()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Outage) UnmarshalJSON(data []byte) error {
	var words *outageJSON
	err := json.Unmarshal(data, &words)
	if err == nil {
		*o, err = words.outage()
	}
	return err
}
