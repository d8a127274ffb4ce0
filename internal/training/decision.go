package training

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Action is what a person decided about a waiting completion.
type Action string

// The actions. Approval waits take the first two, reviews the last two.
const (
	ActionApprove Action = "approve"
	ActionReject  Action = "reject"
	ActionRetry   Action = "retry"
	ActionClose   Action = "close"
)

// ApprovalActions are the actions a completion in WAITING_APPROVAL takes.
func ApprovalActions() []Action { return []Action{ActionApprove, ActionReject} }

// ReviewActions are the actions a completion in IN_REVIEW takes.
func ReviewActions() []Action { return []Action{ActionRetry, ActionClose} }

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
}

// ErrDecision is wrapped by every error of Decision.Validate.
var ErrDecision = errors.New("decision not accepted")

// Validate reports why the decision cannot be taken where only the given actions are allowed.
func (d Decision) Validate(allowed []Action) error {
	switch {
	case !slices.Contains(allowed, d.Action):
		words := make([]string, len(allowed))
		for i, a := range allowed {
			words[i] = fmt.Sprintf("%q", a)
		}
		return fmt.Errorf("%w: action must be %s", ErrDecision, strings.Join(words, " or "))
	case strings.TrimSpace(d.By) == "":
		return fmt.Errorf("%w: by must name the person who decides", ErrDecision)
	case strings.TrimSpace(d.Reason) == "":
		return fmt.Errorf("%w: reason must say why", ErrDecision)
	}
	return nil
}
