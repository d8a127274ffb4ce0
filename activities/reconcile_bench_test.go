package activities

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/lmsapi"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// endless lists n completions, made when they are asked for, and watches what lives meanwhile.
type endless struct {
	n, size int
	most    uint64
}

func (e *endless) Lookup(context.Context, training.Completion) (lmsapi.Details, error) {
	return lmsapi.Details{}, nil
}

func (e *endless) Check(context.Context) error { return nil }

func (e *endless) Completions(_ context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	start, _ := strconv.Atoi(cursor)
	var page lmsapi.Page
	for n := start; n < min(start+e.size, e.n); n++ {
		page.Completions = append(page.Completions, training.Completion{
			Learner: training.Learner{ID: fmt.Sprint(n), Username: fmt.Sprint("learner-", n)}, Course: training.Course{ID: "5541", Title: "Annual Compliance"},
			CompletedAt: w.From.Add(time.Duration(n) * time.Millisecond), Precision: training.PrecisionMillisecond,
		})
	}
	if start+e.size < e.n {
		page.Next = strconv.Itoa(start + e.size)
	}
	if start/e.size%10 == 0 {
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		e.most = max(e.most, memory.HeapAlloc)
	}
	return page, nil
}

// compareListing has n listed completions compared, in dry run, and returns the most memory that lived at once.
func compareListing(tb testing.TB, n int) uint64 {
	tb.Helper()
	j, err := journal.Open(tb.Context(), "sqlite:"+filepath.Join(tb.TempDir(), "journal.db"), journal.Options{})
	require.NoError(tb, err)
	defer func() { require.NoError(tb, j.Close()) }()
	lms := &endless{n: n, size: 200}
	begun, err := j.BeginReconciliation(tb.Context(), journal.Reconciliation{
		Tenant: "acme", Run: "r", DryRun: true, From: time.Unix(1_775_000_000, 0), To: time.Unix(1_775_200_000, 0),
	})
	require.NoError(tb, err)
	r := &reconciliation{
		a: New(Config{Journal: j}), runs: j, run: begun, log: slog.New(slog.DiscardHandler),
		tenant: Tenant{LMS: func(string) lmsapi.Client { return lms }},
		in:     workflows.ReconcilePart{Tenant: "acme", Run: "r", Part: "lms/lms", Settings: training.DefaultReconciliation()},
	}
	for done := false; !done; {
		part, err := j.ReconciliationPart(tb.Context(), "acme", "r", "lms/lms")
		require.NoError(tb, err)
		found, err := r.compare(tb.Context(), part.Cursor)
		require.NoError(tb, err)
		require.NoError(tb, r.commit(tb.Context(), part.Cursor, found))
		done = found.done
	}
	counts, err := j.MismatchCounts(tb.Context(), "acme", "r")
	require.NoError(tb, err)
	require.Equal(tb, n, counts[training.MismatchMissingInQMS].N)
	return lms.most
}

// However long the listing, a page of it is in memory: ten times the rows are no quarter of a megabyte more. What
// other tests have left running allocates too, now and then; a listing that is kept is more every time.
func TestListingIsComparedInBoundedMemory_R143_R147(t *testing.T) {
	compareListing(t, 200) // what is made once is none of a listing's
	for range 5 {
		if few, many := compareListing(t, 400), compareListing(t, 2_000); many < few+256<<10 {
			return
		}
	}
	t.Error("a longer listing takes more memory")
}

func BenchmarkReconcile100000(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(float64(compareListing(b, 100_000))/(1<<20), "MiB-live")
	}
}
