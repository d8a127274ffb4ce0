package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countersign/internal/journal"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

const reconciliationID = "reconciliation/" + tenant

// reconciles adds a daily reconciliation.
func reconciles(p *plan) {
	p.tenant = "    reconciliation: {daily: \"03:00\", time_zone: Europe/Berlin, settle: 0s, per_second: 200}\n"
}

// trigger runs the schedule as somebody does in the Temporal Web UI.
func (s *system) trigger() {
	s.t.Helper()
	s.eventually(func() bool {
		return s.client.ScheduleClient().GetHandle(s.t.Context(), reconciliationID).Trigger(s.t.Context(), client.ScheduleTriggerOptions{}) == nil
	}, "the schedule is there")
}

// ended waits until n runs have ended, their workflow too, which excludes the next one, and returns the latest.
func (s *system) ended(j *journal.Journal, n int) journal.Reconciliation {
	s.t.Helper()
	var runs []journal.Reconciliation
	s.eventually(func() bool {
		var err error
		runs, err = j.Reconciliations(s.t.Context(), tenant, 100)
		return err == nil && len(runs) == n && !runs[0].EndedAt.IsZero()
	}, "%d reconciliations end", n)
	require.NoError(s.t, s.client.GetWorkflow(s.t.Context(), reconciliationID, "").Get(s.t.Context(), nil))
	return runs[0]
}

// The starter keeps the schedule that the settings ask for; it runs when somebody triggers it, excludes a run on
// demand, finds what was changed in the QMS, and goes when the settings no longer want it.
func TestScheduledReconciliationThroughTheWholeSystem_R143_R144(t *testing.T) {
	s := newSystem(t, reconciles)
	j := s.journal()
	record := s.learner(1)
	f := s.complete(1)
	s.becomes(j, f, training.StateCompleted)

	s.trigger()
	first := s.ended(j, 1)
	described, err := s.client.ScheduleClient().GetHandle(t.Context(), reconciliationID).Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "Europe/Berlin", described.Schedule.Spec.TimeZoneName)
	s.eventually(func() bool {
		described, err = s.client.ScheduleClient().GetHandle(t.Context(), reconciliationID).Describe(t.Context())
		return err == nil && len(described.Info.RecentActions) == 1 && len(described.Info.RunningWorkflows) == 0
	}, "the scheduled workflow ends")
	s.record("scheduled-reconciliation", training.Fingerprint(described.Info.RecentActions[0].StartWorkflowResult.WorkflowID))
	counts, err := j.MismatchCounts(t.Context(), tenant, first.Run)
	require.NoError(t, err)
	require.Empty(t, counts)

	changed, ok := s.qms.Record(record)
	require.True(t, ok)
	changed.Status = training.RecordInProgress
	s.qms.AddRecord(changed)
	out, err := s.starterCommand("reconcile", "-tenant", tenant)
	require.NoError(t, err, out)
	require.Contains(t, out, "1 different status, 1 of them new")
	s.ended(j, 2)
	mails, err := s.mail.Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Contains(t, mails[0].Text, "1 different status")

	file := filepath.Join(s.dir, "report.html")
	out, err = s.starterCommand("reconcile", "report", "-tenant", tenant, "-format", "html", "-o", file)
	require.NoError(t, err, out)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), record)
	require.Contains(t, string(page), training.MismatchDifferentStatus.Explain().Happened)
	out, err = s.starterCommand("reconcile", "list", "-tenant", tenant)
	require.NoError(t, err, out)
	require.Contains(t, out, first.Run)

	settings := s.env["COUNTERSIGN_TENANTS"]
	yaml, err := os.ReadFile(settings)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(settings, []byte(strings.Replace(string(yaml), `daily: "03:00", `, "", 1)), 0o600))
	require.NoError(t, s.starter.Kill())
	s.startStarter()
	s.eventually(func() bool {
		_, err := s.client.ScheduleClient().GetHandle(t.Context(), reconciliationID).Describe(t.Context())
		var gone *serviceerror.NotFound
		return errors.As(err, &gone)
	}, "the schedule is removed")
	s.record("reconciliation", training.Fingerprint(reconciliationID))
}

// The LRS has lost a statement that it had taken: a run finds it, the training admins hear of it, and the report shows it.
func TestStatementLostAtTheLRSIsFoundThroughTheWholeSystem_R143_R144_R148(t *testing.T) {
	s := newSystem(t, reconciles)
	j := s.journal()
	s.learner(1)
	f := s.complete(1)
	s.becomes(j, f, training.StateCompleted)
	effect, err := j.Effect(t.Context(), tenant, f, training.EffectStatement)
	require.NoError(t, err)
	require.True(t, s.lrs.Lose(effect.ID))

	out, err := s.starterCommand("reconcile", "-tenant", tenant)
	require.NoError(t, err, out)
	require.Contains(t, out, "1 missing in the LRS, 1 of them new")
	s.ended(j, 1)
	s.record("reconciliation-of-statements", training.Fingerprint(reconciliationID))
	mails, err := s.mail.Wait(t.Context(), 1)
	require.NoError(t, err)
	require.Contains(t, mails[0].Text, "1 missing in the LRS")
	for _, format := range []string{"text", "html", "csv"} {
		out, err := s.starterCommand("reconcile", "report", "-tenant", tenant, "-format", format)
		require.NoError(t, err, out)
		require.Contains(t, out, "statement "+effect.ID, format)
	}
	require.Empty(t, s.lrs.Statements(), "nothing is sent again by itself")
}
