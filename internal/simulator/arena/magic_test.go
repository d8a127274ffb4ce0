package arena_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/simulator/arena"
	"countersign/internal/training"
)

func newMagicRig(t *testing.T) *rig {
	t.Helper()
	c := newClock()
	return startRig(t, c, arena.New(arena.Options{Now: c.Now, AutoProvision: true}))
}

// find asks for the records of the employee and the training and returns the one made.
func (r *rig) find(employeeID, trainingID string) arena.Record {
	r.t.Helper()
	page := r.list("employeeId=" + employeeID + "&trainingId=" + trainingID)
	require.Len(r.t, page.Results, 1)
	return page.Results[0]
}

func TestMagicProvisioning(t *testing.T) {
	r := newMagicRig(t)
	status, _ := r.do("GET", "/api/v1/users/HR-4829", "")
	require.Equal(t, 200, status)
	record := r.find("HR-4829", "GDPR-2026")
	require.Equal(t, training.RecordAssigned, record.Status)
	require.Equal(t, record.ID, r.find("HR-4829", "GDPR-2026").ID, "asking twice makes one")

	status, _ = r.complete(record.ID, completion(t, "COMPLETED", map[string]any{"employeeId": "HR-4829"}))
	require.Equal(t, 200, status)
	require.Equal(t, training.RecordCompleted, r.find("HR-4829", "GDPR-2026").Status, "and never a second one")

	for _, nobody := range []string{"HR-404", "X-1"} {
		status, _ = r.do("GET", "/api/v1/users/"+nobody, "")
		require.Equal(t, 404, status)
		require.Empty(t, r.list("employeeId="+nobody+"&trainingId=GDPR-2026").Results)
	}
}

func TestMagicIsOffByDefault(t *testing.T) {
	r := newRig(t)
	status, _ := r.do("GET", "/api/v1/users/HR-4829", "")
	require.Equal(t, 404, status)
	require.Empty(t, r.list("employeeId="+employee+"&trainingId=NEW").Results)
}

func TestMagicEnds(t *testing.T) {
	r := newMagicRig(t)
	both := r.find("EMP1", "GMP-7-SCORED-APPROVAL")
	require.True(t, both.TracksScore)
	require.True(t, both.ApprovalRequired)
	require.True(t, r.find("EMP1", "A-LOCKED").Locked)
	require.Equal(t, training.RecordExpired, r.find("EMP1", "A-EXPIRED").Status)
	require.Equal(t, training.RecordCancelled, r.find("EMP1-CANCELLED", "A").Status)

	body := completion(t, "COMPLETED", map[string]any{"employeeId": "EMP1"})
	silent := r.find("EMP1", "A-SILENT").ID
	for range 3 {
		status, _ := r.complete(silent, body)
		require.Equal(t, 200, status)
	}
	require.Empty(t, r.sim.Changes(silent))

	down := r.find("EMP1", "A-503").ID
	for range 3 {
		status, _ := r.complete(down, body)
		require.Equal(t, 503, status)
		status, _ = r.do("GET", "/api/v1/training/records/"+down, "")
		require.Equal(t, 503, status)
	}

	lost := r.find("EMP1", "A-LOST").ID
	_, err := r.send("POST", "/api/v1/training/records/"+lost+"/complete", body)
	require.Error(t, err)
	require.Len(t, r.sim.Changes(lost), 1)
	status, answer := r.complete(lost, body)
	require.Equal(t, 409, status)
	require.Equal(t, "ALREADY_COMPLETED", reason(t, answer))
}
