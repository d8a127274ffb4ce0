package journal

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDealEvensOutWhatIsInFlight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tenants := make([]tenantShare, rapid.IntRange(1, 12).Draw(t, "tenants"))
		for i := range tenants {
			tenants[i].inFlight = rapid.IntRange(0, 20).Draw(t, "in flight")
			tenants[i].oldest = rapid.Int64Range(0, 5).Draw(t, "oldest")
		}
		free := rapid.IntRange(0, 40).Draw(t, "free")

		slots := deal(free, tenants)

		dealt, after := 0, make([]int, len(tenants))
		for i, n := range slots {
			require.GreaterOrEqual(t, n, 0)
			dealt += n
			after[i] = tenants[i].inFlight + n
		}
		require.Equal(t, free, dealt, "every slot is dealt")
		for i := range tenants {
			if slots[i] == 0 {
				continue
			}
			for k := range tenants {
				// Whoever got a slot had, before its last one, no more than anybody has now.
				require.LessOrEqual(t, after[i]-1, after[k])
				if after[i]-1 == after[k] {
					require.LessOrEqual(t, tenants[i].oldest, tenants[k].oldest, "among equals, the longest waiting")
				}
			}
		}
	})
}

// A claim must stay cheap while 100,000 are queued: every statement of it has to use the index made
// for it. PostgreSQL's plans depend on statistics; BenchmarkClaim covers it.
func TestClaimReadsByIndexOnly(t *testing.T) {
	j, err := Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	for _, test := range []struct {
		query string
		steps []string // in any order
	}{
		{queuedTenants, []string{
			"SEARCH completions USING COVERING INDEX completions_queued",
			"SEARCH c USING COVERING INDEX completions_queued (tenant>?)",
			"SEARCH c USING COVERING INDEX completions_queued (tenant=?)"}},
		{lookQueued, []string{
			"SEARCH completions USING INDEX completions_started (state=?)",
			"SEARCH completions USING COVERING INDEX completions_queued"}},
		{inFlightCounts, []string{"SEARCH completions USING INDEX completions_started (state=?)"}},
		{endLapsed, []string{"SEARCH completions USING INDEX completions_started (state=?)"}},
		{takeOldest, []string{
			"SEARCH completions USING COVERING INDEX completions_queued (tenant=?)",
			"SEARCH completions USING INDEX sqlite_autoindex_completions_1 (tenant=? AND fingerprint=?)"}},
		{staleIn, []string{"SEARCH completions USING INDEX completions_started (state=? AND updated_at<?)"}},
		{countStates, []string{"SCAN completions USING COVERING INDEX completions_started", "SCAN completions USING COVERING INDEX completions_queued"}},
	} {
		steps := plan(t, j, test.query)
		require.Subset(t, steps, test.steps)
		require.NotContains(t, steps, "USE TEMP B-TREE FOR ORDER BY")
	}
}

// A page of a walk must cost a page, however many are queued before or behind it.
func TestArrivalsAreReadByIndex(t *testing.T) {
	j, err := Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	for query, others := range map[string]string{selectReceived: "completions_received", selectOpen: "completions_started_of"} {
		const from = " (tenant=? AND (received_at,fingerprint)>(?,?) AND received_at<?)"
		require.Subset(t, plan(t, j, query), []string{
			"SEARCH completions USING COVERING INDEX completions_queued" + from,
			"SEARCH completions USING INDEX " + others + from,
			"SEARCH c USING INDEX sqlite_autoindex_completions_1 (tenant=? AND fingerprint=?)",
		})
	}
}

// plan is how SQLite answers a query.
func plan(t *testing.T, j *Journal, query string) []string {
	t.Helper()
	steps, err := list(t.Context(), j, j.write, func(row scanner) (string, error) {
		var id, parent, unused int
		var detail string
		err := row.Scan(&id, &parent, &unused, &detail)
		return detail, err
	}, `EXPLAIN QUERY PLAN `+query, make([]any, strings.Count(query, "?"))...)
	require.NoError(t, err)
	return steps
}
