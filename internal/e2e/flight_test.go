package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"countersign/internal/dispatch"
	"countersign/internal/journal"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

// hands carry completions in the journal only, and count how many are under way. Those of the
// tenant "slow" wait for a person.
type hands struct {
	workflows.Activities
	journal *journal.Journal

	mu          sync.Mutex
	under, most int
	order       []string // tenants, in the order in which their completions ended
}

func (h *hands) ResolveLearner(context.Context, workflows.Ref) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.under++
	h.most = max(h.most, h.under)
	return nil
}

func (h *hands) left() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.under--
}

func (h *hands) CheckRecord(_ context.Context, in workflows.CheckRecord) (workflows.RecordPlan, error) {
	plan := workflows.RecordPlan{RecordID: "TR-1", Target: training.RecordCompleted}
	if in.Tenant == "slow" {
		plan.Target = training.RecordPendingApproval
	}
	return plan, nil
}

func (h *hands) CompleteRecord(_ context.Context, in workflows.CompleteRecord) (workflows.VerifiedRecord, error) {
	return workflows.VerifiedRecord{RecordID: in.RecordID, Status: in.Target}, nil
}

func (h *hands) IssueCertificate(context.Context, workflows.Document) (workflows.Issued, error) {
	return workflows.Issued{}, nil
}

func (h *hands) PostStatement(context.Context, workflows.Document) (workflows.Issued, error) {
	return workflows.Issued{}, nil
}

func (h *hands) RecordWait(ctx context.Context, in workflows.RecordWait) (workflows.RecordedWait, error) {
	h.left()
	return workflows.RecordedWait{}, h.journal.Project(ctx, in.Tenant, in.Fingerprint, journal.Projection{State: in.State})
}

func (h *hands) RecordOutcome(ctx context.Context, in workflows.RecordOutcome) error {
	h.left()
	h.mu.Lock()
	h.order = append(h.order, in.Tenant)
	h.mu.Unlock()
	return h.journal.Project(ctx, in.Tenant, in.Fingerprint, journal.Projection{State: in.Outcome.State()})
}

// The journal is the queue: two starters keep no more than the agreed number in flight, those that
// wait for people do not count, and a tenant with few is not behind a tenant with many.
func TestDispatchBoundsWhatIsInFlightAndIsFair(t *testing.T) {
	const inFlight, many, few, waiting = 4, 120, 5, 30
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{
		ExistingPath: binaries.temporal.Path, LogLevel: "error",
		ClientOptions:    &client.Options{Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))},
		SearchAttributes: temporal.NewSearchAttributes(workflows.TenantAttribute.ValueSet("")), // the others are registered by dispatch
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	for _, tenant := range []struct {
		id string
		n  int
	}{{"slow", waiting}, {"many", many}, {"few", few}} {
		for i := range tenant.n {
			append1(t, j, tenant.id, i)
		}
	}
	h := &hands{journal: j}
	w := worker.New(server.Client(), workflows.TaskQueue, worker.Options{})
	workflows.Register(w, h)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)

	ctx, stop := context.WithCancel(t.Context())
	var starters sync.WaitGroup
	for range 2 {
		d := dispatch.New(dispatch.Config{
			Journal: j, Temporal: server.Client(), Namespace: "default", TaskQueue: workflows.TaskQueue, InFlight: inFlight,
			Lease: time.Minute, Policy: func(string) training.Policy { return training.DefaultPolicy() }, Log: slog.New(slog.DiscardHandler),
		})
		starters.Go(func() { _ = d.Run(ctx) }) // it ends with ctx only
	}
	t.Cleanup(func() { stop(); starters.Wait() })
	require.Eventually(t, func() bool {
		counts, err := j.Counts(t.Context())
		return err == nil && counts[training.StateCompleted] == many+few && counts[training.StateWaitingApproval] == waiting
	}, patience, 50*time.Millisecond)

	require.LessOrEqual(t, h.most, inFlight)
	last := 0
	for i, tenant := range h.order {
		if tenant == "few" {
			last = i
		}
	}
	require.Less(t, last, many/2, "the few are done long before the many: %v", h.order)
}

func append1(t *testing.T, j *journal.Journal, tenant string, n int) {
	t.Helper()
	_, err := j.Append(t.Context(), journal.Delivery{
		ID: journal.NewDeliveryID(), Tenant: tenant, Source: "lms", Platform: "canonical", Verdict: journal.VerdictAccepted,
	}, []training.Completion{{
		Tenant: tenant, Source: "lms", Platform: "canonical", Learner: training.Learner{ID: fmt.Sprint(n)},
		Course:      training.Course{Code: "COMP-2026"},
		CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Precision: training.PrecisionMillisecond,
	}})
	require.NoError(t, err)
}
