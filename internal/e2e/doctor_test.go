package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"countersign/internal/simulator/fault"
	"countersign/internal/stack"
	"countersign/internal/stack/build"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
)

// diagnosis is what of the doctor's report is asked for here.
type diagnosis struct {
	Verdict  string `json:"verdict"`
	Findings []struct{ Check, Level, Text string }
}

func (s *system) doctor(change ...string) (d diagnosis, exit int) {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), filepath.Join(binaries.product, build.Executable("starter")), "doctor", "-json")
	command.Env = append(stack.Environment(s.env), change...)
	var out bytes.Buffer
	command.Stdout = &out
	err := command.Run()
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		exit = failed.ExitCode()
	} else {
		require.NoError(s.t, err)
	}
	require.NoError(s.t, json.Unmarshal(out.Bytes(), &d), out.String())
	for _, hidden := range []string{secret, "qms-secret", "lrs-secret", "Jordan", "HR-220"} {
		require.NotContains(s.t, out.String(), hidden)
	}
	return d, exit
}

func (d diagnosis) of(level string) (checks []string) {
	for _, f := range d.Findings {
		if f.Level == level {
			checks = append(checks, f.Check)
		}
	}
	return checks
}

// TestDoctorFindsARunningSystemWell asks a real Temporal too, and proves that nobody notices it was there.
func TestDoctorFindsARunningSystemWell_R220(t *testing.T) {
	s := newSystem(t)
	s.learner(220)
	f := s.complete(220)
	s.eventually(func() bool {
		_, err := s.client.DescribeWorkflowExecution(t.Context(), string(f), "")
		return err == nil
	}, "%s is started", f)
	j := s.journal()
	require.NoError(t, s.client.GetWorkflow(t.Context(), string(f), "").Get(t.Context(), nil))
	require.Equal(t, training.StateCompleted, state(s, j, f))
	type traces struct {
		writes, changes, statements, mails int
		events                             int64
		counts                             map[training.State]int
		workflows                          int64
	}
	seen := func() (now traces) {
		for _, endpoint := range []fault.Endpoint{"complete", "create", "approval"} {
			now.writes += s.qms.Calls(endpoint)
		}
		for _, record := range s.qms.Records() {
			now.changes += len(s.qms.Changes(record.ID))
		}
		now.statements, now.mails = len(s.lrs.Statements()), len(s.mail.Messages())
		described, err := s.client.DescribeWorkflowExecution(t.Context(), string(f), "")
		require.NoError(t, err)
		now.events = described.GetWorkflowExecutionInfo().GetHistoryLength()
		counted, err := s.client.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{})
		require.NoError(t, err)
		now.workflows = counted.GetCount()
		now.counts, err = j.Counts(t.Context())
		require.NoError(t, err)
		return now
	}
	// Temporal lists what has ended a moment after it has.
	s.eventually(func() bool { return seen().workflows > 0 }, "the completion is listed")
	before := seen()

	d, exit := s.doctor()
	require.Zero(t, exit, d)
	require.Empty(t, d.of("error"))
	for _, check := range []string{"temporal.retention", "temporal.attributes", "temporal.workers", "journal.schema", "qms.employees", "lrs.credentials", "mail.server", "listen.http", "sources.traffic"} {
		require.Contains(t, d.of("ok"), check)
	}
	require.Equal(t, before, seen())

	d, exit = s.doctor("COUNTERSIGN_TASK_QUEUE=another")
	require.Equal(t, 1, exit)
	require.Equal(t, []string{"temporal.workers"}, d.of("error"))
	d, exit = s.doctor("TEMPORAL_NAMESPACE=another")
	require.Equal(t, 1, exit)
	require.Equal(t, []string{"temporal.namespace"}, d.of("error"))
	require.Contains(t, d.Findings[len(d.Findings)-1].Check, "sources.", "the rest was examined")
}
