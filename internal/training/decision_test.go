package training_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

// Law 5: a decision is one of the allowed words, by a named person, with a reason.
func TestDecisionValidate(t *testing.T) {
	approval, review := training.ApprovalActions(), training.ReviewActions()
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
		"nothing":            {training.Decision{}, approval, "action must be"},
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
	all := append(training.ApprovalActions(), training.ReviewActions()...)
	require.ElementsMatch(t, constants[training.Action](t, "Action"), all)
}

// What an operator types into the Temporal Web UI, as Decision's comment shows it.
func TestDecisionFromTheTemporalWebUI(t *testing.T) {
	var d training.Decision
	require.NoError(t, json.Unmarshal([]byte(`{"action":"approve","by":"m.keller","reason":"practical test seen"}`), &d))
	require.Equal(t, decision(training.ActionApprove), d)
}
