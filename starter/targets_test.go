package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// budgeted gives the tenant of the file a budget of a day.
func budgeted(yaml string) string {
	return strings.Replace(yaml, "client_secret: env:CHECK_QMS_SECRET", "client_secret: env:CHECK_QMS_SECRET, budget: {per_day: 1000}", 1)
}

// A pause is in the journal, by name and with a reason, also while Temporal is away.
func TestPauseAndResumeByCommand(t *testing.T) {
	s := start(t, budgeted(free))
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	command := func(args ...string) (string, error) {
		var out, problems bytes.Buffer
		err := run(t.Context(), args, nil, &out, &problems)
		return out.String(), err
	}
	for _, args := range [][]string{
		{"pause"}, {"pause", "-tenant", "acme"}, {"pause", "-tenant", "acme", "-by", "m.keller"}, {"resume", "-tenant", "acme", "-reason", "done"},
		{"pause", "-tenant", "globex", "-by", "m.keller", "-reason", "QMS migration"}, {"pause", "-tenant", "acme", "-by", "m", "-reason", "r", "surplus"},
		{"targets", "acme"},
	} {
		_, err := command(args...)
		require.Error(t, err, args)
	}
	out, err := command("resume", "-tenant", "acme", "-by", "m.keller", "-reason", "not paused")
	require.NoError(t, err)
	require.Contains(t, out, "nothing changed")
	out, err = command("targets")
	require.NoError(t, err)
	require.Regexp(t, `acme\s+qms\s+ANSWERING`, out)

	out, err = command("pause", "-tenant", "acme", "-by", "m.keller", "-reason", "QMS migration")
	require.NoError(t, err)
	require.Contains(t, out, "the QMS of acme is paused")
	_, err = s.Journal.Spend(t.Context(), "acme", training.TargetQMS, time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), 1000, 5)
	require.NoError(t, err)
	out, err = command("targets")
	require.NoError(t, err)
	require.Regexp(t, `acme\s+qms\s+PAUSED\s+\S+\s+paused by m.keller: QMS migration\s+5 of 1000 since 2026-04-08T00:00:00Z`, out)

	metrics := prometheus.NewPedanticRegistry()
	require.NoError(t, metrics.Register(newTargetCollector(s.Journal, s.Tenants, slog.New(slog.DiscardHandler))))
	require.Equal(t, map[string]float64{
		"countersign_target_held HELD": 0, "countersign_target_held PAUSED": 1,
		"countersign_budget_used_calls": 5, "countersign_budget_limit_calls": 1000,
	}, gathered(t, metrics))

	_, err = command("resume", "-tenant", "acme", "-by", "a.roth", "-reason", "migrated")
	require.NoError(t, err)
	changes, err := s.Journal.TargetChanges(t.Context(), "acme", training.TargetQMS)
	require.NoError(t, err)
	require.Len(t, changes, 2)
	require.Equal(t, "a.roth", changes[1].By)
	_, err = s.Journal.Hold(t.Context(), journal.Target{Tenant: "acme", Name: training.TargetQMS, Incident: "i", BeganAt: time.Now()})
	require.NoError(t, err)
	require.Equal(t, 1.0, gathered(t, metrics)["countersign_target_incidents_total"])
}

// What was paused and has lost its settings since is resumed by command all the same: its queue stands still.
func TestResumeOfATenantWithoutSettings(t *testing.T) {
	s := start(t, free)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	resume := func() error {
		var out, problems bytes.Buffer
		return run(t.Context(), []string{"resume", "-tenant", "globex", "-by", "m.keller", "-reason", "gone"}, nil, &out, &problems)
	}
	require.ErrorContains(t, resume(), "no tenant globex")
	_, err := s.Journal.Pause(t.Context(), "globex", training.TargetQMS, "globex/qms/1", training.Decision{
		Action: training.ActionPause, By: "m.keller", Reason: "QMS migration",
	})
	require.NoError(t, err)
	require.NoError(t, resume())
	target, err := s.Journal.Target(t.Context(), "globex", training.TargetQMS)
	require.NoError(t, err)
	require.Equal(t, training.TargetAnswering, target.State)
}

// gathered are the values of the tenant's metrics, by name and state.
func gathered(t *testing.T, from prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				switch label.GetName() {
				case "state":
					name += " " + label.GetValue()
				case "tenant":
					require.Equal(t, "acme", label.GetValue())
				}
			}
			values[name] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return values
}
