package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/notify"
	"countersign/internal/training"
)

// A reconciliation is one line of numbers with what to do, and no completion that would need a decision.
func TestReconciliationIsSaidAsOne_R144(t *testing.T) {
	n := single()
	n.Kind = notify.KindReconciliation
	n.Failures = []notify.Item{{CourseLabel: "reconciliation run r-1", Detail: "2 missing in the QMS (2 started)",
		Explanation: training.Explanation{Happened: "They do not agree.", Means: "Nothing doubles.", Do: "Read the report."}}}
	subject, text := mailed(t, n)
	require.Contains(t, subject, "The comparison of LMS, journal, QMS and LRS has found mismatches")
	require.Contains(t, text, "2 missing in the QMS (2 started)")
	require.Contains(t, text, "Read the report.")
	require.NotContains(t, text, "defect")
	n.Failures = append(n.Failures, n.Failures[0])
	_, text = mailed(t, n)
	require.Contains(t, text, "2 comparisons of LMS, journal, QMS and LRS have found mismatches.")
}
