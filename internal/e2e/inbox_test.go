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

// inboxServer is a real server with a worker whose notices the postman takes.
func inboxServer(t *testing.T, p *postman) client.Client {
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{
		ExistingPath: binaries.temporal.Path, LogLevel: "error",
		ClientOptions:    &client.Options{Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))},
		SearchAttributes: temporal.NewSearchAttributes(workflows.TenantAttribute.ValueSet("")),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	w := worker.New(server.Client(), workflows.TaskQueue, worker.Options{})
	workflows.Register(w, p)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return server.Client()
}

// A real server lets a history grow so far and no further: the inbox goes on in another run while signals stream in
// and its first notice is on its way, and tells everything once.
func TestInboxTakesAnOutageOnARealServer_R133(t *testing.T) {
	const all = 12_000
	p := &postman{letGo: make(chan struct{}), delivered: map[string]int{}, runs: map[string]bool{}}
	temporal := inboxServer(t, p)
	// The first 16 are processes of their own, whose signals bring one item each; the others share one, whose signals bring several.
	shared := dispatch.NewInbox(temporal, workflows.TaskQueue)
	next := make(chan int)
	errs := make([]error, all)
	var senders sync.WaitGroup
	for n := range 32 {
		inbox := shared
		if n < 16 {
			inbox = dispatch.NewInbox(temporal, workflows.TaskQueue)
		}
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
	described, err := temporal.DescribeWorkflowExecution(t.Context(), workflows.InboxID(tenant), "")
	require.NoError(t, err)
	require.NotEqual(t, described.GetWorkflowExecutionInfo().GetFirstRunId(), described.GetWorkflowExecutionInfo().GetExecution().GetRunId(),
		"it went on in another run")
}

// What several completions have to tell at once comes as one signal, and each of them is told.
func TestBundleReachesTheInbox_R133(t *testing.T) {
	p := &postman{letGo: make(chan struct{}), delivered: map[string]int{}, runs: map[string]bool{}}
	close(p.letGo)
	temporal := inboxServer(t, p)
	tell := func(signal string, input any) {
		_, err := temporal.SignalWithStartWorkflow(t.Context(), workflows.InboxID(tenant), signal, input,
			client.StartWorkflowOptions{TaskQueue: workflows.TaskQueue}, workflows.AdminInboxWorkflow, workflows.Inbox{Tenant: tenant})
		require.NoError(t, err)
	}
	told := func(n int) {
		require.Eventually(t, func() bool { return p.count() >= n }, patience, 20*time.Millisecond)
		require.Equal(t, n, p.count())
	}
	item := func(id string) workflows.InboxItem {
		return workflows.InboxItem{
			ID: id + "/run/1", Class: training.FailureUnreachable, Cause: workflows.CauseQMS, EndTold: true,
			DigestEvery: time.Second, DigestLongest: 2 * time.Second,
		}
	}
	over := func(id string) workflows.InboxItem {
		return workflows.InboxItem{Ended: item(id).ID, Class: training.FailureUnreachable, Cause: workflows.CauseQMS}
	}
	tell(workflows.InboxSignal, item("a"))
	told(1)
	tell(workflows.InboxBundleSignal, []workflows.InboxItem{item("b"), item("c"), item("a"), item("c")})
	told(3)
	tell(workflows.InboxBundleSignal, []workflows.InboxItem{over("a"), over("b"), over("c")})
	told(6) // the all-clear is of three
	record(t, temporal, "inbox-bundles", workflows.InboxID(tenant))
}
