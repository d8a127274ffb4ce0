package training

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Action is what a person decided about a waiting completion.
type Action string

// The actions. Approval waits take the first two, reviews the others but the last; ReviewActions
// says which of them.
const (
	ActionApprove Action = "approve"
	ActionReject  Action = "reject"

	// ActionRetry carries on from the start. It may also be sent while the next attempt is waited for.
	ActionRetry Action = "retry"
	// ActionUseRecord carries on with the training record that the decision names.
	ActionUseRecord Action = "use_record"
	// ActionUseEmployee carries on with the employee id that the decision names.
	ActionUseEmployee Action = "use_employee"
	// ActionSubmit carries on, and submits the record for approval instead of completing it.
	ActionSubmit Action = "submit"
	// ActionSkipCertificate and ActionSkipStatement carry on without that document.
	ActionSkipCertificate Action = "skip_certificate"
	ActionSkipStatement   Action = "skip_statement"
	// ActionSkipEvidence carries on without keeping a document with the training in the QMS.
	ActionSkipEvidence Action = "skip_evidence"
	// ActionClose ends the completion without a (further) effect.
	ActionClose Action = "close"

	// ActionReplay starts a completion again that was closed or has expired in review (R142). It is
	// no answer to a wait: an operator takes it with the starter's command.
	ActionReplay Action = "replay"

	// ActionPause and ActionResume are no answers to a wait either: they are about a target, of which
	// nothing is asked until it is resumed.
	ActionPause  Action = "pause"
	ActionResume Action = "resume"
)

// ByCountersign signs what no person has decided: that a completion which an outage has parked is
// tried again.
const ByCountersign = "Countersign"

// Decision is what a named person did about a waiting completion, and why (law 5).
// As JSON in the Temporal Web UI:
//
//	{"action":"approve","by":"m.keller","reason":"practical test seen"}
type Decision struct {
	// Action is required. It is a word and not a flag, because a misspelt flag reads as "no".
	Action Action `json:"action"`
	// By names the person: a staff id or account name.
	By string `json:"by"`
	// Reason is kept with the record for the auditor.
	Reason string `json:"reason"`
	// Meaning says what the signature means (21 CFR 11.50); it belongs to an approval or a rejection,
	// and Signed fills it in.
	Meaning string `json:"meaning,omitempty"`
	// RecordID is the training record of ActionUseRecord.
	RecordID string `json:"recordId,omitempty"`
	// EmployeeID is the QMS's employee id of ActionUseEmployee.
	EmployeeID string `json:"employeeId,omitempty"`
}

// ApprovalActions are the actions a completion in WAITING_APPROVAL takes.
func ApprovalActions() []Action { return []Action{ActionApprove, ActionReject} }

// Signed is d with the meaning of its signature filled in where the person has left it open.
func (d Decision) Signed() Decision {
	switch d.Action {
	case ActionApprove:
		d.Meaning = cmp.Or(strings.TrimSpace(d.Meaning), "approval")
	case ActionReject:
		d.Meaning = cmp.Or(strings.TrimSpace(d.Meaning), "rejection")
	}
	return d
}

// Example is d as a person may paste it, with stand-ins for what they must say themselves.
func (a Action) Example() string {
	extra := ""
	switch a {
	case ActionUseRecord:
		extra = `, "recordId": "id of the training record"`
	case ActionUseEmployee:
		extra = `, "employeeId": "id of the employee in the QMS"`
	}
	return fmt.Sprintf(`{"action": %q, "by": "your staff id", "reason": "why"%s}`, a, extra)
}

// ErrDecision is wrapped by every error of Decision.Validate.
var ErrDecision = errors.New("decision not accepted")

// longestText bounds each text of a decision in bytes: all of it enters Temporal, the journal and
// the QMS's comment.
const longestText = 1000

// Validate reports why the decision cannot be taken where only the given actions are allowed. A field
// that does not belong to the action is a mistake and not ignored: who names a record and means to
// retry would otherwise believe that the record was used.
func (d Decision) Validate(allowed []Action) error {
	if !slices.Contains(allowed, d.Action) {
		words := make([]string, len(allowed))
		for i, a := range allowed {
			words[i] = fmt.Sprintf("%q", a)
		}
		return fmt.Errorf("%w: action must be %s", ErrDecision, strings.Join(words, " or "))
	}
	for _, field := range []struct {
		name, value, missing string
		wanted, optional     bool
	}{
		{"by", d.By, "by must name the person who decides", true, false},
		{"reason", d.Reason, "reason must say why", true, false},
		{"meaning", d.Meaning, "", d.Action == ActionApprove || d.Action == ActionReject, true},
		{"recordId", d.RecordID, "recordId must name the training record to use", d.Action == ActionUseRecord, false},
		{"employeeId", d.EmployeeID, "employeeId must name the employee to use", d.Action == ActionUseEmployee, false},
	} {
		switch blank := strings.TrimSpace(field.value) == ""; {
		case blank && field.wanted && !field.optional:
			return fmt.Errorf("%w: %s", ErrDecision, field.missing)
		case field.value != "" && !field.wanted:
			return fmt.Errorf("%w: %s does not belong to the action %q", ErrDecision, field.name, d.Action)
		case len(field.value) > longestText:
			return fmt.Errorf("%w: %s is longer than %d bytes", ErrDecision, field.name, longestText)
		}
	}
	if strings.ContainsFunc(d.RecordID+d.EmployeeID, isControl) {
		return fmt.Errorf("%w: an id contains a control character", ErrDecision)
	}
	return nil
}
