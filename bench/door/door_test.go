package door_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/bench/door"
	"countersign/bench/load"
	"countersign/internal/training"
)

// What is compared takes the same deliveries, and each does what its name says.
func TestAllDoorsTakeTheSameDeliveries(t *testing.T) {
	dir := t.TempDir()
	client := load.NewClient()
	defer client.Close()
	deliveries := load.Deliveries(0, 100, load.Course)

	bare, err := door.Bare(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, bare.Close()) }()
	committing, store, err := door.Committing(t.Context(), "sqlite:"+filepath.Join(dir, "stub.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, committing.Close()) }()
	ingress, journal, err := door.Ingress(t.Context(), "sqlite:"+filepath.Join(dir, "journal.db"), dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, ingress.Close()) }()

	for _, url := range []string{bare.URL, committing.URL, ingress.URL} {
		result, err := client.Burst(t.Context(), url, deliveries)
		require.NoError(t, err)
		require.Len(t, result.Latencies, len(deliveries))
	}
	appends, _ := store.Stats()
	require.EqualValues(t, len(deliveries), appends)
	counts, err := journal.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, len(deliveries), counts[training.StateQueued], "each is a completion of its own")
}

func TestWhatCannotBeOpenedIsAnError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	_, _, err := door.Committing(t.Context(), "sqlite:"+filepath.Join(missing, "stub.db"))
	require.Error(t, err)
	_, _, err = door.Ingress(t.Context(), "sqlite:"+filepath.Join(missing, "journal.db"), t.TempDir())
	require.Error(t, err)
	_, _, err = door.Ingress(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), missing)
	require.Error(t, err)
}
