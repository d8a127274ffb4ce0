package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/notify"
	"countersign/internal/training"
)

func TestOutageAndItsEndNameTheSystem(t *testing.T) {
	qms, lrs := notify.Item{Target: "the QMS", Class: training.FailureUnreachable}, notify.Item{Target: "the LRS", Class: training.FailureCredentials, Count: 12}
	again := notify.Item{Target: "the QMS", Count: 4812}
	decided := notify.Item{Class: training.FailureRecordMissing, Count: 3}
	for name, tc := range map[string]struct {
		kind             notify.Kind
		items            []notify.Item
		subject, opening string
	}{
		"outage": {notify.KindOutage, []notify.Item{qms}, "Outage. Nothing is asked of the QMS", "Outage. Nothing is asked of the QMS."},
		"two outages": {notify.KindOutage, []notify.Item{qms, lrs}, "Outage. Nothing is asked of the LRS and the QMS",
			"Outage. Nothing is asked of the LRS and the QMS; completions waiting: 12."},
		"its end": {notify.KindClear, []notify.Item{again}, "All clear. The QMS is asked again", "All clear. The QMS is asked again; completions going on: 4812."},
		"and others": {notify.KindClear, []notify.Item{again, decided}, "All clear. The QMS is asked again",
			"All clear. The QMS is asked again; completions going on: 4812. Completions that no longer wait: 3 × record missing."},
	} {
		t.Run(name, func(t *testing.T) {
			n := single()
			n.Kind, n.Failures = tc.kind, tc.items
			subject, text := mailed(t, n)
			require.Equal(t, "Acme Medical Devices: "+tc.subject, subject)
			require.Contains(t, text, tc.opening+"\n")
			require.Contains(t, text, "What to do:")
			require.Contains(t, text, "Look here:")
			require.NotContains(t, text, "a course")
		})
	}
}

func TestDigestNamesTheSystemAndHowManyWaitInAll(t *testing.T) {
	n := single()
	n.Failures = []notify.Item{
		{Class: training.FailureUnreachable, Target: "the LRS", CourseLabel: "GDPR", Waiting: 300},
		{Class: training.FailureUnreachable, Target: "the LRS", Count: 19, Waiting: 300},
		{Class: training.FailureUnreachable, Target: "the QMS", CourseLabel: "GDPR"},
	}
	_, text := mailed(t, n)
	require.Contains(t, text, "need a decision: 20 × unreachable (the LRS), 300 wait in all, 1 × unreachable (the QMS).")
	require.Contains(t, text, "and 19 more")
}
