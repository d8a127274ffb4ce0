package arena

import (
	"encoding/json"
	"net/http"
	"time"

	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// completion is the body of POST …/complete; a nil field was absent, null or empty.
type completion struct {
	employeeID  *string
	completedAt *time.Time
	status      *training.RecordStatus
	score       *float64
}

// horizon is how far in the future a completion date may lie: time zones, and clocks that
// disagree, but not next month.
const horizon = 24 * time.Hour

// decodeCompletion reads the body; what is there must make sense, what is not there is
// silent cause 1 and decided later.
func decodeCompletion(body []byte, now time.Time) (completion, problem) {
	var c completion
	// A map, because encoding/json matches struct fields without regard to case.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return c, errMalformed
	}
	var date, status *string
	for name, target := range map[string]any{"employeeId": &c.employeeID, "completionDate": &date, "status": &status, "score": &c.score} {
		if raw, ok := fields[name]; ok && json.Unmarshal(raw, target) != nil {
			return c, errMalformed
		}
	}
	if c.employeeID != nil && *c.employeeID == "" {
		c.employeeID = nil
	}
	if date != nil && *date != "" {
		at, err := time.Parse(time.RFC3339, *date)
		if err != nil || at.After(now.Add(horizon)) {
			return c, errBadDate
		}
		at = at.UTC()
		c.completedAt = &at
	}
	if status != nil && *status != "" {
		s := training.RecordStatus(*status)
		if s != training.RecordCompleted && s != training.RecordPendingApproval {
			return c, errBadStatus
		}
		c.status = &s
	}
	if c.score != nil && (*c.score < 0 || *c.score > 100) {
		return c, errMalformed
	}
	return c, problem{}
}

// verdict is what a completion comes to: an error, a silent 200 or a change.
type verdict struct {
	problem problem
	record  Record
}

type ack struct {
	Accepted  bool   `json:"accepted"`
	RequestID string `json:"requestId"`
}

// completeRecord is POST /training/records/{id}/complete (contract §3 to §5).
func (a *Arena) completeRecord(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
	body, p := decodeCompletion(x.Body, a.clock.Now())
	if p != (problem{}) {
		p.write(w, x, "")
		return
	}
	id, subject, requestID := r.PathValue("id"), x.Subject, x.RequestID
	v := fault.Attempt(x, func(commit bool) (verdict, bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.complete(id, body, Change{Actor: subject, RequestID: requestID}, commit)
	})
	switch {
	case v.problem != problem{}:
		v.problem.write(w, x, "")
	case a.Switches().CompleteResponse == ResponseRecord:
		writeJSON(w, http.StatusOK, v.record)
	default:
		writeJSON(w, http.StatusOK, ack{true, x.RequestID})
	}
}

// complete decides in the precedence of contract §5: record lookup, state, employee, owner,
// the five silent causes, apply. It reports whether the record changes. a.mu is held.
func (a *Arena) complete(id string, c completion, by Change, commit bool) (verdict, bool) {
	record, ok := a.records[id]
	if !ok {
		return verdict{problem: errNoRecord}, false
	}
	now := a.view(record)
	if p := transition(now, c.status); p != (problem{}) {
		return verdict{problem: p}, false
	}
	if c.employeeID != nil {
		if _, known := a.employee(*c.employeeID); !known {
			return verdict{problem: errNoEmployee}, false
		}
		if *c.employeeID != record.EmployeeID {
			return verdict{problem: errMismatch}, false
		}
	}
	if p, stop := a.silentCause(now, c); stop {
		return verdict{problem: p, record: now}, false
	}
	if !commit {
		return verdict{record: now}, true
	}
	kept := a.switches.kept(*c.completedAt)
	record.CompletionDate = &kept
	if now.TracksScore {
		record.Score = c.score
	}
	a.move(record, *c.status, by)
	return verdict{record: a.view(record)}, true
}

// transition is the table of contract §4 as far as it answers 409.
func transition(record Record, sent *training.RecordStatus) problem {
	switch record.Status {
	case training.RecordCompleted:
		return errCompleted
	case training.RecordExpired:
		return errExpired
	case training.RecordCancelled:
		return errCancelled
	case training.RecordPendingApproval:
		return errPending
	}
	if sent != nil && *sent == training.RecordPendingApproval && !record.ApprovalRequired {
		return errTransition
	}
	return problem{}
}

// silentCause walks the five causes of contract §5. stop says that nothing changes; the
// problem is zero when the caller is not even told.
func (a *Arena) silentCause(record Record, c completion) (p problem, stop bool) {
	loud := func(on bool, p problem) (problem, bool) {
		if on {
			return p, true
		}
		return problem{}, true
	}
	switch {
	case c.employeeID == nil || c.completedAt == nil || c.status == nil,
		record.TracksScore && c.score == nil:
		return loud(a.switches.MissingField == Answer400, errMalformed)
	case record.ApprovalRequired && *c.status == training.RecordCompleted:
		return problem{}, true
	case record.Locked:
		return problem{}, true
	case a.switches.ExternalUpdatesOff:
		return loud(a.switches.ExternalUpdatesOffAnswer == Answer403, errUpdatesOff)
	}
	return problem{}, false
}
