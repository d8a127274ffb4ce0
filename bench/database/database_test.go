package database_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/bench/database"
	"countersign/bench/usage"
	"countersign/internal/journal"
	"countersign/internal/training"
)

// Each database is empty, is taken by the journal, and what it costs can be seen.
func TestEachDatabaseIsAnEmptyJournal(t *testing.T) {
	m := database.NewMaker(t.TempDir())
	defer func() { require.NoError(t, m.Close()) }()
	for _, kind := range []database.Kind{database.SQLite, database.Postgres} {
		t.Run(kind.String(), func(t *testing.T) {
			for range 2 {
				dsn, err := m.New(kind)
				require.NoError(t, err)
				j, err := journal.Open(t.Context(), dsn, journal.Options{})
				require.NoError(t, err)
				counts, err := j.Counts(t.Context())
				require.NoError(t, err)
				require.Zero(t, counts[training.StateQueued])
				_, err = j.Append(t.Context(), journal.Delivery{Tenant: "acme", Source: "lms", Platform: "canonical"},
					[]training.Completion{{Tenant: "acme", Source: "lms", Learner: training.Learner{ID: "7"}}})
				require.NoError(t, err)
				require.NoError(t, j.Close())
			}
			ids, err := m.Processes(kind)
			require.NoError(t, err)
			if kind == database.SQLite {
				require.Empty(t, ids)
				return
			}
			used, err := usage.CPU(ids...)
			require.NoError(t, err)
			require.Positive(t, used)
		})
	}
}
