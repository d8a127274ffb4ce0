package mapping

import (
	"encoding/json"

	"countersign/internal/lms/strictjson"
)

// Trace is how a delivery was read: input field, steps, output. It holds personal data and goes to the person
// who asked for it, never into a log. The zero Trace is ready for use.
type Trace struct {
	// Events are in the order in which the adapter read them.
	Events []*TracedEvent `json:"events"`
}

// TracedEvent is one event of the delivery.
type TracedEvent struct {
	// Event counts from 0.
	Event int           `json:"event"`
	Reads []*TracedRead `json:"reads"`
}

// TracedRead is how one target was read.
type TracedRead struct {
	// Target is "completionWhen" for the condition.
	Target Target `json:"target"`
	// Path is where it was read; "" for a constant.
	Path string `json:"path,omitempty"`
	// Input is the value that was found there, null for nothing.
	Input json.RawMessage `json:"input"`
	Steps []TracedStep    `json:"steps,omitempty"`
	// Output is what the completion got; null for nothing.
	Output json.RawMessage `json:"output"`
	// Error says why there is no output. It holds no value.
	Error string `json:"error,omitempty"`
	// Notes say what was decided on the way, e.g. about a local time that exists twice.
	Notes []string `json:"notes,omitempty"`
}

// TracedStep is one transform of a chain.
type TracedStep struct {
	// Step is the transform as written, without its backslashes; "parse:<pattern>" for the reading of a local date.
	Step   string          `json:"step"`
	Output json.RawMessage `json:"output"`
}

// begin opens the next event.
func (t *Trace) begin() *TracedEvent {
	event := &TracedEvent{Event: len(t.Events), Reads: []*TracedRead{}}
	t.Events = append(t.Events, event)
	return event
}

// read is the entry for a target: one per target and event, the last reading counts.
func (e *TracedEvent) read(target Target) *TracedRead {
	fresh := &TracedRead{Target: target, Input: json.RawMessage("null"), Output: json.RawMessage("null")}
	for _, entry := range e.Reads {
		if entry.Target == target {
			*entry = *fresh
			return entry
		}
	}
	e.Reads = append(e.Reads, fresh)
	return fresh
}

// step notes the result of a step. Nothing happens on a nil entry, which is how a plain mapping reads.
func (r *TracedRead) step(step string, output strictjson.Value) {
	if r != nil {
		r.Steps = append(r.Steps, TracedStep{Step: step, Output: output.JSON()})
	}
}

func (r *TracedRead) fail(err error) {
	if r != nil && err != nil {
		r.Error, r.Output = err.Error(), json.RawMessage("null")
	}
}
