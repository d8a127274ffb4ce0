package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Endpoint names one call of a simulated system, e.g. "complete". It is what faults are
// scripted for and what raw calls are counted by.
type Endpoint string

// Any stands for every endpoint in a script: the whole system is down.
const Any Endpoint = "*"

// Forever as Times makes a fault stay until it is cleared.
const Forever = -1

// Apply says whether and when a faulty request takes effect.
type Apply string

// When a request takes effect. The zero value is chosen by Answer: a status or a dropped
// connection means never, every other answer means at once.
const (
	ApplyNever Apply = "never"
	ApplyNow   Apply = "now"
	// ApplyLate commits Delay after the answer: a read-back in between sees the old state.
	ApplyLate Apply = "late"
)

// Answer says what the caller gets to see.
type Answer string

// What the caller gets. The zero value is AnswerStatus when Status is set, else AnswerNormal.
const (
	AnswerNormal    Answer = "normal"
	AnswerStatus    Answer = "status"
	AnswerDrop      Answer = "drop"      // the connection closes without one byte of an answer
	AnswerMalformed Answer = "malformed" // the normal status with a body that is no JSON
	AnswerTruncated Answer = "truncated" // the connection closes in the middle of the body
	AnswerHuge      Answer = "huge"      // the normal status with Size bytes of JSON
)

// Fault is one way to misbehave: when the request takes effect and what is answered are set
// independently. Faults of one endpoint are used up in the order in which they were scripted.
//
// Note for readers of counters: Go's HTTP client silently repeats a GET whose reused
// connection was closed without an answer, so one dropped read may be two raw calls.
type Fault struct {
	// Times is how many requests are hit; 0 means one, Forever all.
	Times int
	// Key limits the fault to requests about one thing, e.g. a training record id; "" is any.
	Key string
	// Latency is waited before anything else; negative waits until the caller gives up.
	Latency time.Duration
	Apply   Apply
	// Delay is the time from answer to commit with ApplyLate; negative waits for CommitLate.
	Delay  time.Duration
	Answer Answer
	// Status is the HTTP status of AnswerStatus.
	Status int
	// RetryAfter is sent as it stands with AnswerStatus, "" sends none.
	RetryAfter string
	// Size is the length of AnswerHuge in bytes; 0 means 64 MiB.
	Size int64
}

// Status answers code to n requests and does nothing else.
func Status(code, n int) Fault { return Fault{Answer: AnswerStatus, Status: code, Times: n} }

// RateLimited answers 429 to n requests; retryAfter "" leaves the header out.
func RateLimited(retryAfter string, n int) Fault {
	return Fault{Answer: AnswerStatus, Status: http.StatusTooManyRequests, RetryAfter: retryAfter, Times: n}
}

// Slow answers properly, after a wait; a negative wait never answers.
func Slow(wait time.Duration, n int) Fault {
	return Fault{Answer: AnswerNormal, Latency: wait, Times: n}
}

// DropBefore closes the connection; the request has no effect.
func DropBefore(n int) Fault { return Fault{Answer: AnswerDrop, Apply: ApplyNever, Times: n} }

// DropAfter applies the request and closes the connection: the answer is lost.
func DropAfter(n int) Fault { return Fault{Answer: AnswerDrop, Apply: ApplyNow, Times: n} }

// CommitThenStatus applies the request and answers code: a 5xx that did happen.
func CommitThenStatus(code, n int) Fault {
	return Fault{Answer: AnswerStatus, Apply: ApplyNow, Status: code, Times: n}
}

// LateCommit answers success and applies the request only after delay; a negative delay
// waits for CommitLate.
func LateCommit(delay time.Duration, n int) Fault {
	return Fault{Answer: AnswerNormal, Apply: ApplyLate, Delay: delay, Times: n}
}

// LateCommitLost drops the connection and applies the request only after delay.
func LateCommitLost(delay time.Duration, n int) Fault {
	return Fault{Answer: AnswerDrop, Apply: ApplyLate, Delay: delay, Times: n}
}

// Silent answers success and changes nothing.
func Silent(n int) Fault { return Fault{Answer: AnswerNormal, Apply: ApplyNever, Times: n} }

// Malformed applies the request and answers something that is no JSON.
func Malformed(n int) Fault { return Fault{Answer: AnswerMalformed, Times: n} }

// Truncated applies the request and cuts the answer off.
func Truncated(n int) Fault { return Fault{Answer: AnswerTruncated, Times: n} }

// Huge applies the request and answers size bytes; 0 means 64 MiB.
func Huge(size int64, n int) Fault { return Fault{Answer: AnswerHuge, Size: size, Times: n} }

// Normal fills in what the zero values mean.
func (f Fault) Normal() Fault {
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Answer == "" {
		f.Answer = AnswerNormal
		if f.Status != 0 {
			f.Answer = AnswerStatus
		}
	}
	if f.Answer == AnswerStatus && f.Status == 0 {
		f.Status = http.StatusServiceUnavailable
	}
	if f.Apply == "" {
		f.Apply = ApplyNow
		if f.Answer == AnswerStatus || f.Answer == AnswerDrop {
			f.Apply = ApplyNever
		}
	}
	if f.Size == 0 {
		f.Size = 64 << 20
	}
	return f
}

// Validate reports what makes a scripted fault meaningless.
func (f Fault) Validate() error {
	f = f.Normal()
	switch f.Answer {
	case AnswerNormal, AnswerStatus, AnswerDrop, AnswerMalformed, AnswerTruncated, AnswerHuge:
	default:
		return fmt.Errorf("fault: unknown answer %q", f.Answer)
	}
	switch f.Apply {
	case ApplyNever, ApplyNow, ApplyLate:
	default:
		return fmt.Errorf("fault: unknown apply %q", f.Apply)
	}
	switch {
	case f.Answer == AnswerStatus && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("fault: status %d outside 200 to 599", f.Status)
	case f.Times < Forever:
		return errors.New("fault: times must be -1 (forever), 0 (once) or more")
	case f.Size < 0:
		return errors.New("fault: size must not be negative")
	}
	return nil
}

// wire is a Fault as JSON: durations in milliseconds.
type wire struct {
	Times      int    `json:"times"`
	Key        string `json:"key,omitempty"`
	LatencyMS  int64  `json:"latencyMs,omitempty"`
	Apply      Apply  `json:"apply,omitempty"`
	DelayMS    int64  `json:"delayMs,omitempty"`
	Answer     Answer `json:"answer,omitempty"`
	Status     int    `json:"status,omitempty"`
	RetryAfter string `json:"retryAfter,omitempty"`
	Size       int64  `json:"size,omitempty"`
}

// MarshalJSON writes durations in milliseconds as latencyMs and delayMs.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{Times: f.Times, Key: f.Key, LatencyMS: f.Latency.Milliseconds(), Apply: f.Apply,
		DelayMS: f.Delay.Milliseconds(), Answer: f.Answer, Status: f.Status, RetryAfter: f.RetryAfter, Size: f.Size})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*f = Fault{Times: w.Times, Key: w.Key, Latency: time.Duration(w.LatencyMS) * time.Millisecond, Apply: w.Apply,
		Delay: time.Duration(w.DelayMS) * time.Millisecond, Answer: w.Answer, Status: w.Status, RetryAfter: w.RetryAfter, Size: w.Size}
	return nil
}
