package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"countersign/internal/dispatch"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// slow is a Temporal that takes a signal when it is let.
type slow struct {
	client.Client
	let chan error

	mu sync.Mutex
	// begun are the signals, as "inbox name number of items".
	begun []string
	taken []workflows.InboxItem
}

func (s *slow) SignalWithStartWorkflow(
	ctx context.Context, id, name string, input any, _ client.StartWorkflowOptions, _ any, _ ...any,
) (client.WorkflowRun, error) {
	items := input.([]workflows.InboxItem)
	s.mu.Lock()
	s.begun = append(s.begun, fmt.Sprint(id, " ", name, " ", len(items)))
	s.mu.Unlock()
	select {
	case err := <-s.let:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, items...)
	return nil, nil
}

// told are the ids of what was taken.
func (s *slow) told() []string {
	var ids []string
	for _, item := range s.taken {
		ids = append(ids, item.ID)
	}
	return ids
}

// telling is somebody who tells an inbox something, within a bubble of synctest.
type telling struct {
	inbox  dispatch.Inbox
	group  sync.WaitGroup
	mu     sync.Mutex
	errors []error
}

// tell has the items from first to last told at once, and returns when all wait for something.
func (a *telling) tell(ctx context.Context, tenant string, first, last int) {
	for n := first; n <= last; n++ {
		a.group.Go(func() {
			err := a.inbox.Tell(ctx, workflows.TellAdmins{Tenant: tenant, Item: workflows.InboxItem{ID: fmt.Sprint(tenant, n)}})
			a.mu.Lock()
			defer a.mu.Unlock()
			if err != nil {
				a.errors = append(a.errors, err)
			}
		})
	}
	synctest.Wait()
}

func newTelling() (*telling, *slow) {
	temporal := &slow{let: make(chan error)}
	return &telling{inbox: dispatch.NewInbox(temporal, "countersign")}, temporal
}

// Of a thousand completions that have something to tell at once the first is told at once, and the others together: Temporal
// carries signals to one workflow out one after the other, and of a thousand most would time out (R133).
func TestWhatIsToldAtOnceIsToldTogether_R133(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, temporal := newTelling()
		a.tell(t.Context(), "acme", 1, 1)
		a.tell(t.Context(), "acme", 2, 1000)
		a.tell(t.Context(), "other", 1, 1) // waits for no other tenant's
		require.Equal(t, []string{"inbox/acme items 1", "inbox/other items 1"}, temporal.begun)
		close(temporal.let)
		a.group.Wait()
		require.Empty(t, a.errors)
		require.Equal(t, []string{
			"inbox/acme items 1", "inbox/other items 1",
			"inbox/acme items 200", "inbox/acme items 200", "inbox/acme items 200", "inbox/acme items 200", "inbox/acme items 199",
		}, temporal.begun)
		require.Len(t, temporal.told(), 1001)

		a.tell(t.Context(), "acme", 1001, 1001)
		a.group.Wait()
		require.Contains(t, temporal.told(), "acme1001", "who comes when all is told is told, too")
		require.Empty(t, a.errors)
	})
}

// Everybody whose item a signal had brought hears that it has failed, and tells it again; who comes later has another signal.
func TestAllOfABundleHearThatItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, temporal := newTelling()
		a.tell(t.Context(), "acme", 1, 1)
		a.tell(t.Context(), "acme", 2, 4)
		temporal.let <- nil
		synctest.Wait()
		a.tell(t.Context(), "acme", 5, 5)
		away := errors.New("away")
		temporal.let <- away
		synctest.Wait()
		require.Len(t, a.errors, 3)
		for _, err := range a.errors {
			require.ErrorIs(t, err, away)
			require.ErrorContains(t, err, "tell admins of acme: ")
		}
		temporal.let <- nil
		a.group.Wait()
		require.Equal(t, []string{"acme1", "acme5"}, temporal.told())
	})
}

// Who has left is not told for, and does not keep the others from being told.
func TestWhoHasLeftIsNotToldFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, temporal := newTelling()
		a.tell(t.Context(), "acme", 1, 1)
		gone, leave := context.WithCancel(t.Context())
		a.tell(gone, "acme", 2, 3)
		leave()
		synctest.Wait()
		require.Len(t, a.errors, 2)
		require.ErrorIs(t, a.errors[0], context.Canceled)
		a.tell(t.Context(), "acme", 4, 4)
		close(temporal.let)
		a.group.Wait()
		require.Equal(t, []string{"acme1", "acme4"}, temporal.told())
		require.Len(t, a.errors, 2)
	})
}

// A signal that Temporal does not answer ends, and holds up nobody for ever.
func TestSignalThatIsNotAnsweredEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTelling()
		a.tell(t.Context(), "acme", 1, 3)
		a.group.Wait()
		require.Len(t, a.errors, 3)
		require.ErrorIs(t, a.errors[0], context.DeadlineExceeded)
	})
}

// What another system has said can be of any length, and a signal cannot: no more of it goes to the inbox than that keeps.
func TestSignalOfAnInboxIsSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, temporal := newTelling()
		close(temporal.let)
		item := workflows.InboxItem{ID: "1", Course: strings.Repeat("c", 10_000), Detail: strings.Repeat("é", 100_000)}
		require.NoError(t, a.inbox.Tell(t.Context(), workflows.TellAdmins{Tenant: "acme", Item: item}))
		require.Equal(t, strings.Repeat("c", 119)+"…", temporal.taken[0].Course)
		require.Equal(t, strings.Repeat("é", 119)+"…", temporal.taken[0].Detail)
	})
}
