package dispatch_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"countersign/internal/dispatch"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// slow is a Temporal that takes a signal when it is let.
type slow struct {
	client.Client
	underway, told atomic.Int32
	let            chan struct{}
}

func (s *slow) SignalWithStartWorkflow(context.Context, string, string, any, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	s.underway.Add(1)
	defer s.underway.Add(-1)
	<-s.let
	s.told.Add(1)
	return nil, nil
}

// telling has n tell something, and returns once all of them wait for something; heard returns when nobody does.
func telling(t *testing.T, inbox dispatch.Inbox, n int) (heard func()) {
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			if err := inbox.Tell(t.Context(), workflows.TellAdmins{Tenant: "acme"}); err != nil {
				t.Error(err)
			}
		})
	}
	synctest.Wait()
	return group.Wait
}

// Of a thousand completions that have something to tell at once, a few tell it and the others wait their turn: Temporal carries
// signals to one workflow out one after the other, and what waits there times out (R133).
func TestFewTellAtOnceAndAllAreHeard_R133(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		temporal := &slow{let: make(chan struct{})}
		inbox := dispatch.NewInbox(temporal, "countersign")
		heard := telling(t, inbox, 1000)
		require.EqualValues(t, 4, temporal.underway.Load())

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorContains(t, inbox.Tell(gone, workflows.TellAdmins{Tenant: "acme"}), "wait for a turn", "who has no time waits for none")
		close(temporal.let)
		heard()
		require.EqualValues(t, 1000, temporal.told.Load())
	})
}

// Who waits for long would only begin what times out: it says so, and the activity is tried again.
func TestWhoWaitsTooLongForATurnGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		temporal := &slow{let: make(chan struct{})}
		inbox := dispatch.NewInbox(temporal, "countersign")
		heard := telling(t, inbox, 4)
		begun := time.Now()
		require.ErrorIs(t, inbox.Tell(t.Context(), workflows.TellAdmins{Tenant: "acme"}), context.DeadlineExceeded)
		require.Equal(t, 2*time.Second, time.Since(begun))
		close(temporal.let)
		heard()
	})
}
