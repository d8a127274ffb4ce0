package journal

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/postgrestest"
	"countersign/internal/training"
)

// Dispatch asks after every commit: where nothing can be claimed, that must cost neither the writer's turn nor the
// lock of the claims. Here somebody holds both all the while.
func TestClaimOfNothingWaitsForNobody(t *testing.T) {
	for name, dsn := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(t.TempDir(), "journal.db") },
		"postgres": func() string { return postgrestest.Start(t) },
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			j, err := Open(t.Context(), dsn(), Options{Now: func() time.Time { return now }})
			require.NoError(t, err)
			defer func() { require.NoError(t, j.Close()) }()
			waits := func(want bool, limit int, why string) {
				patience := time.Minute // it is over at once
				if want {
					patience = 50 * time.Millisecond
				}
				require.NoError(t, j.inTx(t.Context(), func(tx *sql.Tx) error {
					require.NoError(t, j.dialect.lockClaims(t.Context(), tx))
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					claimed, err := j.Claim(ctx, limit, time.Minute)
					require.Empty(t, claimed)
					require.Equal(t, want, err != nil, "%s: %v", why, err)
					return nil
				}))
			}
			claim := func(limit, want int) {
				claimed, err := j.Claim(t.Context(), limit, time.Minute)
				require.NoError(t, err)
				require.Len(t, claimed, want)
			}
			waits(false, 8, "nothing is queued")
			for _, learner := range []string{"u1", "u2"} {
				d := Delivery{Tenant: "acme", Source: "lms", Verdict: VerdictAccepted}
				_, err := j.Append(t.Context(), d, []training.Completion{{Tenant: "acme", Source: "lms", Learner: training.Learner{ID: learner}}})
				require.NoError(t, err)
			}
			waits(true, 1, "one is queued and a slot is free")
			claim(1, 1)
			waits(false, 1, "the slot is taken")
			waits(true, 2, "another slot is free")
			claim(2, 1)
			waits(false, 8, "both have begun")
			now = now.Add(time.Minute)
			waits(true, 1, "the leases are over, though as many are STARTING as may be")
			claim(1, 1)
			claim(2, 1)
		})
	}
}
