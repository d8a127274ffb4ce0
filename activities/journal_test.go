package activities

import (
	"testing"

	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// The journal was restored from a backup while the workflow was under way: its steps are done, and
// what they stored is gone. COMPLETED needs its proof (law 3); without it the sweep has the
// completion carried again.
func TestCompletedIsNotRecordedWithoutItsProof_R106(t *testing.T) {
	w := newWorld(t)
	ref := w.journaled(completion())
	ended := workflows.RecordOutcome{Ref: ref, Outcome: training.OutcomeCompleted, RecordID: "TR-000001"}
	for _, kind := range []training.EffectKind{training.EffectRecord, training.EffectCertificate} {
		_, failure := run[struct{}](w, "RecordOutcome", ended)
		require.Empty(t, failure)
		require.Equal(t, training.StateRunning, w.stored(ref).State, "%s is missing", kind)
		_, err := w.journal.PutEffect(t.Context(), journal.Effect{
			Tenant: ref.Tenant, Fingerprint: ref.Fingerprint, Kind: kind, ID: "1", ContentType: "application/json", Bytes: []byte("{}"),
		})
		require.NoError(t, err)
	}
	_, failure := run[struct{}](w, "RecordOutcome", ended)
	require.Empty(t, failure)
	require.Equal(t, training.StateCompleted, w.stored(ref).State)
}
