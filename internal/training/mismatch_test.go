package training_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

func TestEveryMismatchHasItsThreeSentences_R144(t *testing.T) {
	seen := map[training.Explanation]training.MismatchKind{}
	for _, kind := range training.MismatchKinds() {
		e := kind.Explain()
		for _, sentence := range []string{e.Happened, e.Means, e.Do} {
			require.NotEmpty(t, sentence, kind)
			require.Contains(t, ".?!", sentence[len(sentence)-1:], kind)
		}
		require.Empty(t, seen[e], "the same words as %s", kind)
		seen[e] = kind
		require.NotContains(t, kind.Title(), "_")
	}
	require.Len(t, seen, 17)
	require.Equal(t, training.MismatchUnreadable.Explain(), training.MismatchKind("of a later version").Explain())
}

func TestMismatchIsTheSameInEveryRun(t *testing.T) {
	m := training.Mismatch{Kind: training.MismatchDifferentDate, Origin: training.MismatchFromListing, Source: "lms", Fingerprint: "f"}
	same := m
	same.LMS, same.Detail, same.At, same.Carried, same.Since = "another", "words", time.Now(), true, time.Now()
	require.Equal(t, m.ID(), same.ID())
	for name, change := range map[string]func(*training.Mismatch){
		"kind":   func(m *training.Mismatch) { m.Kind = training.MismatchDifferentScore },
		"origin": func(m *training.Mismatch) { m.Origin = training.MismatchFromCompletion },
		"source": func(m *training.Mismatch) { m.Source = "portal" },
		"what":   func(m *training.Mismatch) { m.Fingerprint = "g" },
	} {
		other := m
		change(&other)
		require.NotEqual(t, m.ID(), other.ID(), name)
	}
}

func TestReconciliationTravelsInWords(t *testing.T) {
	r := training.DefaultReconciliation()
	r.Sources = []training.ReconciledSource{{ID: "lms", Platform: "docebo", Listed: true}}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(text), `"window":"48h0m0s"`)
	var back training.Reconciliation
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, r, back)
	require.Error(t, json.Unmarshal([]byte(`{"window":"long"}`), &back))

	// The input of a schedule from before the LRS was read: such a run asks it nothing.
	earlier := strings.Replace(string(text), `"statements":1,`, "", 1)
	require.NotEqual(t, string(text), earlier)
	require.NoError(t, json.Unmarshal([]byte(earlier), &back))
	require.Zero(t, back.Statements)
}

func TestReconciliationThatComparesNothingIsRefused(t *testing.T) {
	require.NoError(t, training.DefaultReconciliation().Validate())
	for name, change := range map[string]func(*training.Reconciliation){
		"all of it settles":  func(r *training.Reconciliation) { r.Settle = r.Window },
		"no reads":           func(r *training.Reconciliation) { r.PerSecond = 0 },
		"late at once":       func(r *training.Reconciliation) { r.LateAfter = 0 },
		"negative nearness":  func(r *training.Reconciliation) { r.SameWithin = -1 },
		"more than all":      func(r *training.Reconciliation) { r.Statements = 1.1 },
		"less than none":     func(r *training.Reconciliation) { r.Statements = -0.1 },
		"settles before now": func(r *training.Reconciliation) { r.Settle = -1 },
	} {
		r := training.DefaultReconciliation()
		change(&r)
		require.Error(t, r.Validate(), name)
	}
}
