package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"
)

// recordHistories makes the tests write the histories that package workflows replays. Use it on
// the code that is deployed, never on a change to be tested.
var recordHistories = flag.Bool("record", false, "write the histories for the replay test")

func decision(action training.Action) training.Decision {
	return training.Decision{Action: action, By: "m.keller", Reason: "practical test seen"}
}

// decide sends a decision as a person does in the Temporal Web UI.
func (s *system) decide(f training.Fingerprint, signal string, action training.Action) {
	s.t.Helper()
	require.NoError(s.t, s.client.SignalWorkflow(s.t.Context(), string(f), "", signal, decision(action)))
}

// update sends a decision as the console does.
func (s *system) update(f training.Fingerprint, d training.Decision) error {
	handle, err := s.client.UpdateWorkflow(s.t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: string(f), UpdateName: workflows.DecideUpdate, Args: []any{d}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(s.t.Context(), nil)
}

// record counts the events of a workflow, checks that no personal data is in them (law 7), and
// writes them down with -record.
func (s *system) record(name string, f training.Fingerprint) (events int) {
	s.t.Helper()
	return record(s.t, s.client, name, string(f))
}

func record(t *testing.T, temporal client.Client, name, workflowID string) (events int) {
	t.Helper()
	var history historypb.History
	all := temporal.GetWorkflowHistory(t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		event, err := all.Next()
		require.NoError(t, err)
		history.Events = append(history.Events, event)
	}
	raw, err := protojson.Marshal(&history)
	require.NoError(t, err)
	for _, personal := range []string{"Jordan", "jordan.lee", "HR-1", "91.5", secret} {
		require.NotContains(t, string(raw), personal)
	}
	requireNoPersonalPayloads(t, &history)
	if *recordHistories {
		var indented []byte
		var value any
		require.NoError(t, json.Unmarshal(raw, &value))
		indented, err = json.MarshalIndent(value, "", " ")
		require.NoError(t, err)
		// One that is there was recorded by the code of its time, and stays.
		file := filepath.Join("..", "..", "workflows", "testdata", "histories", name+".json")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			require.NoError(t, os.WriteFile(file, indented, 0o644))
		}
	}
	return len(history.Events)
}

// requireNoPersonalPayloads looks into the payloads, which are base64 in the JSON form.
func requireNoPersonalPayloads(t *testing.T, history *historypb.History) {
	t.Helper()
	for _, event := range history.GetEvents() {
		text := event.String()
		for _, personal := range []string{"Jordan", "jordan.lee", `HR-1\"`, "91.5"} {
			require.NotContains(t, text, personal, event.GetEventType())
		}
	}
}
