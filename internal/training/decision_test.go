package training_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

// Law 5: a decision is one of the allowed words, by a named person, with a reason.
func TestDecisionValidate(t *testing.T) {
	approval, review := training.ApprovalActions(), []training.Action{training.ActionRetry, training.ActionClose}
	every := constants[training.Action](t, "Action")
	with := func(action training.Action, change func(*training.Decision)) training.Decision {
		d := decision(action)
		change(&d)
		return d
	}
	for name, test := range map[string]struct {
		decision training.Decision
		allowed  []training.Action
		problem  string // "" if accepted
	}{
		"approve":            {decision("approve"), approval, ""},
		"reject":             {decision("reject"), approval, ""},
		"retry":              {decision("retry"), review, ""},
		"close":              {decision("close"), review, ""},
		"retry an approval":  {decision("retry"), approval, `action must be "approve" or "reject"`},
		"close an approval":  {decision("close"), approval, `action must be "approve" or "reject"`},
		"approve a review":   {decision("approve"), review, `action must be "retry" or "close"`},
		"reject a review":    {decision("reject"), review, `action must be "retry" or "close"`},
		"nothing is awaited": {decision("approve"), nil, "action must be"},
		"no action":          {decision(""), approval, "action must be"},
		"misspelt":           {decision("aprove"), approval, "action must be"},
		"other letters":      {decision("Approve"), approval, "action must be"},
		"white space":        {decision("approve "), approval, "action must be"},
		"a flag":             {decision("true"), approval, "action must be"},
		"nobody":             {training.Decision{Action: "approve", Reason: "seen"}, approval, "by must name the person"},
		"blank person":       {training.Decision{Action: "approve", By: " \t\n", Reason: "seen"}, approval, "by must name the person"},
		"no reason":          {training.Decision{Action: "approve", By: "m.keller"}, approval, "reason must say why"},
		"blank reason":       {training.Decision{Action: "approve", By: "m.keller", Reason: "\u00a0 "}, approval, "reason must say why"},
		"meaning":            {with("approve", func(d *training.Decision) { d.Meaning = "I have seen the practical test" }), approval, ""},
		"meaning of a retry": {with("retry", func(d *training.Decision) { d.Meaning = "x" }), review,
			`meaning does not belong to the action "retry"`},
		"record":                  {with("use_record", func(d *training.Decision) { d.RecordID = "TR-9" }), every, ""},
		"no record":               {decision("use_record"), every, "recordId must name"},
		"blank record":            {with("use_record", func(d *training.Decision) { d.RecordID = " " }), every, "recordId must name"},
		"record of a retry":       {with("retry", func(d *training.Decision) { d.RecordID = "TR-9" }), every, "recordId does not belong"},
		"blank record of a retry": {with("retry", func(d *training.Decision) { d.RecordID = " " }), every, "recordId does not belong"},
		"employee":                {with("use_employee", func(d *training.Decision) { d.EmployeeID = "HR-2" }), every, ""},
		"no employee":             {decision("use_employee"), every, "employeeId must name"},
		"record for an employee":  {with("use_employee", func(d *training.Decision) { d.RecordID = "TR-9" }), every, "recordId does not belong"},
		"control character":       {with("use_record", func(d *training.Decision) { d.RecordID = "TR\n9" }), every, "control character"},
		"too long": {with("close", func(d *training.Decision) { d.Reason = strings.Repeat("x", 1001) }), every,
			"reason is longer than 1000 bytes"},
		"nothing": {training.Decision{}, approval, "action must be"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.decision.Validate(test.allowed)
			if test.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, training.ErrDecision)
			require.ErrorContains(t, err, test.problem)
		})
	}
}

func decision(action training.Action) training.Decision {
	return training.Decision{Action: action, By: "m.keller", Reason: "practical test seen"}
}

func TestEveryActionEndsExactlyOneKindOfWait(t *testing.T) {
	review := map[training.Action]bool{}
	for _, class := range constants[training.FailureClass](t, "FailureClass") {
		for _, failed := range constants[training.EffectKind](t, "EffectKind") {
			for _, action := range training.ReviewActions(training.Reviewed{Class: class, Failed: failed}) {
				review[action] = true
			}
		}
	}
	all := append(training.ApprovalActions(), keys(review)...)
	require.ElementsMatch(t, constants[training.Action](t, "Action"), append(all, training.ActionReplay, training.ActionPause, training.ActionResume))
}

// An example is to be pasted: it is JSON, and only the stand-ins are to be replaced.
func TestExamplesAreAccepted(t *testing.T) {
	for _, action := range constants[training.Action](t, "Action") {
		var d training.Decision
		require.NoError(t, json.Unmarshal([]byte(action.Example()), &d), action)
		require.NoError(t, d.Validate([]training.Action{action}), action)
	}
}

// 21 CFR 11.50: a signature has a meaning, also where nobody has typed one.
func TestSignatureHasAMeaning_R120(t *testing.T) {
	meant := decision(training.ActionReject)
	meant.Meaning = "review"
	require.Equal(t, "review", meant.Signed().Meaning)
	require.Equal(t, "approval", decision(training.ActionApprove).Signed().Meaning)
	require.Equal(t, "rejection", decision(training.ActionReject).Signed().Meaning)
	require.Empty(t, decision(training.ActionRetry).Signed().Meaning)
}

// What an operator types into the Temporal Web UI, as Decision's comment shows it.
func TestDecisionFromTheTemporalWebUI(t *testing.T) {
	var d training.Decision
	require.NoError(t, json.Unmarshal([]byte(`{"action":"approve","by":"m.keller","reason":"practical test seen"}`), &d))
	require.Equal(t, decision(training.ActionApprove), d)
}
