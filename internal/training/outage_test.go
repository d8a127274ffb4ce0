package training_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

func TestOutageValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*training.Outage)
		problem string // "" if valid
	}{
		"the default":       {func(*training.Outage) {}, ""},
		"an older history":  {func(o *training.Outage) { *o = training.Outage{} }, ""},
		"no hold":           {func(o *training.Outage) { o.Hold = false }, ""},
		"the first failure": {func(o *training.Outage) { o.Failures = 1 }, ""},
		"no failure":        {func(o *training.Outage) { o.Failures = 0 }, "failures"},
		"a spinning probe":  {func(o *training.Outage) { o.Probe.First = time.Millisecond }, "probe.first"},
		"shrinking gaps":    {func(o *training.Outage) { o.Probe.Maximum = time.Second }, "probe.maximum"},
		"never goes on":     {func(o *training.Outage) { o.ResumePerSecond = 0 }, "resume_per_second"},
		"not a number":      {func(o *training.Outage) { o.ResumePerSecond = math.NaN() }, "resume_per_second"},
		"all at once":       {func(o *training.Outage) { o.ResumePerSecond = math.Inf(1) }, "resume_per_second"},
	} {
		t.Run(name, func(t *testing.T) {
			o := training.DefaultOutage()
			test.change(&o)
			if test.problem == "" {
				require.NoError(t, o.Validate())
				return
			}
			require.ErrorContains(t, o.Validate(), "outage: "+test.problem)
		})
	}
}

// What an outage may have parked is what a retry can mend: nothing that a person has to look at goes on by itself.
func TestOnlyWhatARetryMendsIsAnOutage(t *testing.T) {
	for _, class := range constants[training.FailureClass](t, "FailureClass") {
		if class.Outage() {
			require.True(t, class.Transient(), class)
		}
	}
	require.False(t, training.FailureMisread.Outage(), "a login page is an answer")
	require.False(t, training.FailureHeld.Outage())
}

func TestTargetHolds(t *testing.T) {
	holds := map[training.TargetState]bool{training.TargetAnswering: false, training.TargetHeld: true, training.TargetPaused: true}
	require.ElementsMatch(t, constants[training.TargetState](t, "TargetState"), keys(holds))
	for state, want := range holds {
		require.Equal(t, want, state.Holds(), state)
	}
}
