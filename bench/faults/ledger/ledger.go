// Package ledger is the load generator's own memory of what it sent and what it was told: one
// JSON object per line, flushed to the disk before each send and after each answer, so that
// the judgement does not rest on the memory of any process, our own included.
package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"countersign/internal/training"
)

// Kind says what a line is about.
type Kind string

// The kinds of lines.
const (
	// Sending is written before a request leaves.
	Sending Kind = "sending"
	// Answered is written after an answer has arrived; Status is its HTTP status.
	Answered Kind = "answered"
	// Silence is written after a request that brought no answer: whether it was taken is unknown.
	Silence Kind = "silence"
)

// Entry is one line.
type Entry struct {
	Kind Kind `json:"kind"`
	// Send numbers the request, from 1; a repetition has a number of its own.
	Send int `json:"send"`
	// Delivery and Key say what was sent; Key is -1 for a delivery that is no completion.
	Delivery int `json:"delivery"`
	Key      int `json:"key"`
	// Status, Verdict, DeliveryID and Fingerprints are what the answer said.
	Status       int                    `json:"status,omitempty"`
	Verdict      string                 `json:"verdict,omitempty"`
	DeliveryID   string                 `json:"deliveryId,omitempty"`
	Fingerprints []training.Fingerprint `json:"fingerprints,omitempty"`
	// Took is the time from the request to its answer, or to the end of waiting for one.
	Took time.Duration `json:"took,omitempty"`
}

// Ledger is an open ledger. It is safe for concurrent use; callers share a flush.
type Ledger struct {
	mu      sync.Mutex
	flushed *sync.Cond
	file    *os.File
	written int // entries in the file
	durable int // of them flushed
	busy    bool
	err     error // the first failure; nothing is written after it
}

// Create makes a new ledger file; one that exists is an error, for it is somebody's evidence.
func Create(path string) (*Ledger, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create ledger: %w", err)
	}
	l := &Ledger{file: file}
	l.flushed = sync.NewCond(&l.mu)
	return l, nil
}

// Write appends an entry and returns when it is on the disk.
func (l *Ledger) Write(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		l.err = fmt.Errorf("write ledger: %w", err)
		return l.err
	}
	l.written++
	return l.flush(l.written)
}

// flush returns when the first n entries are on the disk. One caller flushes for all that have
// written by then.
func (l *Ledger) flush(n int) error {
	for l.durable < n && l.err == nil {
		if l.busy {
			l.flushed.Wait()
			continue
		}
		l.busy = true
		upTo := l.written
		l.mu.Unlock()
		err := l.file.Sync()
		l.mu.Lock()
		l.busy = false
		if err != nil {
			l.err = fmt.Errorf("flush ledger: %w", err)
		} else {
			l.durable = upTo
		}
		l.flushed.Broadcast()
	}
	return l.err
}

// Close closes the file.
func (l *Ledger) Close() error { return l.file.Close() }

// Read reads a ledger. A last line without its end, from a process that was killed while
// writing, is left out: what it would have said was not done yet.
func Read(path string) ([]Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	var entries []Entry
	for line := range bytes.Lines(data) {
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read ledger, line %d: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Summary is what the ledger says about all sends.
type Summary struct {
	// Sent counts the requests; each was Acked (2xx), Refused (4xx, 5xx) or is Indeterminate:
	// no answer came, or none is noted.
	Sent, Acked, Refused, Indeterminate int
	// Rejected are those of Refused that the sender must not repeat: 4xx other than 408 and 429.
	Rejected int
	// Delivered is the last acknowledgement of each delivery that has one.
	Delivered map[int]Entry
	// Turned is the status of each delivery whose last answer was a rejection.
	Turned map[int]int
	// Latencies are those of the acknowledgements.
	Latencies []time.Duration
}

// ErrTornLedger is returned by Sum for a ledger in which an answer has no send.
var ErrTornLedger = errors.New("the ledger has an answer without a send")

// Sum adds up a ledger.
func Sum(entries []Entry) (Summary, error) {
	s := Summary{Delivered: map[int]Entry{}, Turned: map[int]int{}}
	open := map[int]bool{}
	for _, e := range entries {
		if e.Kind == Sending {
			s.Sent++
			open[e.Send] = true
			continue
		}
		if !open[e.Send] {
			return s, fmt.Errorf("%w: send %d", ErrTornLedger, e.Send)
		}
		delete(open, e.Send)
		switch {
		case e.Kind == Silence:
			s.Indeterminate++
		case e.Status >= 200 && e.Status < 300:
			s.Acked++
			s.Latencies = append(s.Latencies, e.Took)
			s.Delivered[e.Delivery] = e
		default:
			s.Refused++
			if e.Status < 500 && e.Status != 408 && e.Status != 429 {
				s.Rejected++
				s.Turned[e.Delivery] = e.Status
			}
		}
	}
	s.Indeterminate += len(open)
	return s, nil
}
