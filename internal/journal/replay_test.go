package journal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
)

func TestUnmappedAreListedUntilTheyAreReplayed_R142(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j, ctx := open(t, dsn, journal.Options{}), t.Context()
		appended := func(tenant, source string, verdict journal.Verdict) string {
			receipt, err := j.Append(ctx, journal.Delivery{
				Tenant: tenant, Source: source, Platform: "canonical", Verdict: verdict, Body: []byte("{}"),
			}, nil)
			require.NoError(t, err)
			return receipt.DeliveryID
		}
		listed := func(tenant, source, after string, limit int) (ids []string) {
			found, err := j.Unmapped(ctx, tenant, source, after, limit)
			require.NoError(t, err)
			for _, d := range found {
				require.Equal(t, tenant, d.Tenant)
				ids = append(ids, d.ID)
			}
			return ids
		}
		first := appended("acme", "lms", journal.VerdictUnmapped)
		second := appended("acme", "other", journal.VerdictUnmapped)
		third := appended("acme", "lms", journal.VerdictUnmapped)
		appended("acme", "lms", journal.VerdictIgnored)
		appended("globex", "lms", journal.VerdictUnmapped)

		require.Equal(t, []string{first, second, third}, listed("acme", "", "", 10))
		require.Equal(t, []string{first, third}, listed("acme", "lms", "", 10))
		require.Equal(t, []string{second}, listed("acme", "", first, 1))
		require.Empty(t, listed("acme", "", "", 0))

		require.NoError(t, j.Replayed(ctx, "globex", first, "foreign"), "another tenant's is not touched")
		require.NoError(t, j.Replayed(ctx, "acme", first, "again"))
		require.NoError(t, j.Replayed(ctx, "acme", first, "later"))
		require.Equal(t, []string{second, third}, listed("acme", "", "", 10))

		kept, err := j.Delivery(ctx, "acme", first)
		require.NoError(t, err)
		require.Equal(t, journal.VerdictUnmapped, kept.Verdict, "what became of it then stays")
	})
}
