package doctor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/settings"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

func TestWhatIsHeldOrPausedIsSaid(t *testing.T) {
	tenant := settings.Tenant{ID: "acme"}
	target := journal.Target{Tenant: "acme", Name: training.TargetQMS, Since: noon.Add(-time.Hour), Class: training.FailureUnreachable, By: "Jane Doe", Reason: "Jane's words"}
	state := func(s training.TargetState) journal.Target {
		held := target
		held.State = s
		return held
	}
	held := state(training.TargetHeld)
	held.Until = noon.Add(time.Hour)
	others := []journal.Target{{Tenant: "globex", Name: training.TargetQMS, State: training.TargetPaused}}
	for _, test := range []struct {
		name    string
		journal Journal
		want    Level
		says    string
		asked   bool
	}{
		{"nothing", store{targets: others}, OK, "neither held nor paused", true},
		{"over", store{targets: append(others, state(training.TargetAnswering))}, OK, "neither", true},
		{"held", store{targets: append(others, state(training.TargetHeld))}, Warning, "held since 2026-04-08 11:00 UTC (unreachable): completions wait until it answers", true},
		{"held until", store{targets: []journal.Target{held}}, Warning, "until 2026-04-08 13:00 UTC", true},
		{"paused", store{targets: append(others, state(training.TargetPaused))}, Warning, "paused the QMS on 2026-04-08 11:00 UTC", false},
		{"unknown", store{err: errors.New("no such table")}, Note, "could not be read", true},
		{"no journal", nil, Note, "could not be read", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, nil)
			b.check.standing = Installation{Journal: test.journal}.standing(tenant, Options{Now: atNoon})
			found := b.check.run(t.Context())
			f := the(t, found, "qms.target")
			require.Equal(t, test.want, f.Level)
			require.Contains(t, f.Text, test.says)
			require.NotContains(t, fmt.Sprint(found), "Jane")
			require.Equal(t, test.asked, b.qms.Calls(fault.Any) > 0, "a pause goes for everybody")
		})
	}
}

func TestLittleIsAskedWhenLittleIsLeft(t *testing.T) {
	for _, test := range []struct {
		used  int
		since time.Duration
		want  Level
		asked int
	}{
		{0, time.Hour, OK, 4}, {880, time.Hour, OK, 4}, {980, time.Hour, Warning, 2}, {999, time.Hour, Warning, 0}, {1200, time.Hour, Warning, 0},
		{1000, 30 * time.Hour, OK, 4}, // yesterday's
	} {
		b := newBench(t, nil)
		uses := []journal.BudgetUse{{Tenant: "globex", Target: training.TargetQMS, Period: noon, Used: 1000}, {Tenant: "acme", Target: training.TargetQMS, Period: noon.Add(-test.since), Used: test.used}}
		b.check.budget = settings.Budget{PerDay: 1000}
		b.check.standing = Installation{Journal: store{uses: uses}}.standing(settings.Tenant{ID: "acme"}, Options{Now: atNoon})
		b.check.courses = []mappedCourse{{training: "TP-1"}}
		b.check.employees = func(context.Context) (learners, error) {
			return learners{ids: []string{"EMP-0001", "EMP-0002", "EMP-0003", "EMP-0004"}}, nil
		}
		found := b.check.run(t.Context())
		require.Equal(t, test.want, the(t, found, "qms.calls").Level, test)
		require.Equal(t, test.asked, b.qms.Calls("user"), test)
		if test.asked == 0 {
			require.Equal(t, Note, the(t, found, "qms.courses").Level)
			require.Equal(t, Note, the(t, found, "qms.employees").Level)
		}
	}
}
