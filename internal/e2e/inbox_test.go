package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"countersign/internal/dispatch"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
)

// postman takes an inbox's notices. The first one is on its way until it is let go.
type postman struct {
	workflows.Activities
	letGo chan struct{}

	mu        sync.Mutex
	delivered map[string]int
	told      int
	runs      map[string]bool
}

func (p *postman) SendNotice(ctx context.Context, in workflows.SendNotice) (workflows.NoticeSent, error) {
	alive := time.NewTicker(workflows.HeartbeatEvery)
	defer alive.Stop()
	for going := false; !going; {
		select {
		case <-p.letGo:
			going = true
		case <-alive.C:
			activity.RecordHeartbeat(ctx)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delivered[in.ID]++
	p.runs[activity.GetInfo(ctx).WorkflowExecution.RunID] = true
	for _, group := range in.Groups {
		p.told += group.Count
	}
	return workflows.NoticeSent{}, nil
}

func (p *postman) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told
}

// A real server lets a history grow so far and no further: the inbox goes on in another run while signals stream in
// and its first notice is on its way, and tells everything once.
func TestInboxTakesAnOutageOnARealServer_R133(t *testing.T) {
	const all = 12_000
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{
		ExistingPath: binaries.temporal.Path, LogLevel: "error",
		ClientOptions:    &client.Options{Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))},
		SearchAttributes: temporal.NewSearchAttributes(workflows.TenantAttribute.ValueSet("")),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	p := &postman{letGo: make(chan struct{}), delivered: map[string]int{}, runs: map[string]bool{}}
	w := worker.New(server.Client(), workflows.TaskQueue, worker.Options{})
	workflows.Register(w, p)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)

	inbox := dispatch.Inbox{Temporal: server.Client(), TaskQueue: workflows.TaskQueue}
	next := make(chan int)
	errs := make([]error, all)
	var senders sync.WaitGroup
	for range 32 {
		senders.Go(func() {
			for i := range next {
				item := workflows.TellAdmins{Tenant: tenant, Item: workflows.InboxItem{
					ID: fmt.Sprintf("%064d/run/1", i), Class: training.FailureUnreachable, Cause: workflows.CauseQMS,
					DigestEvery: 2 * time.Second, DigestLongest: 4 * time.Second,
				}}
				// A run that is full takes nothing until the next one has begun; whoever tells tries until it is told.
				if errs[i] = inbox.Tell(t.Context(), item); errs[i] != nil {
					assert.Eventually(t, func() bool { errs[i] = inbox.Tell(t.Context(), item); return errs[i] == nil }, patience, 50*time.Millisecond)
				}
			}
		})
	}
	for i := range all {
		if i == all/2 {
			close(p.letGo)
		}
		next <- i
	}
	close(next)
	senders.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return p.count() >= all }, patience, 50*time.Millisecond)

	p.mu.Lock()
	defer p.mu.Unlock()
	require.Equal(t, all, p.told)
	for id, times := range p.delivered {
		require.Equal(t, 1, times, "notice %s", id)
	}
	require.Less(t, len(p.delivered), 60, "few notices")
	described, err := server.Client().DescribeWorkflowExecution(t.Context(), workflows.InboxID(tenant), "")
	require.NoError(t, err)
	require.NotEqual(t, described.GetWorkflowExecutionInfo().GetFirstRunId(), described.GetWorkflowExecutionInfo().GetExecution().GetRunId(),
		"it went on in another run")
}
