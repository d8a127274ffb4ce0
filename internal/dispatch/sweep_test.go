package dispatch

import (
	"context"
	"errors"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// forgetful is a journal that is away when the first outcome is to be recorded.
type forgetful struct {
	Journal
	away error
}

func (f *forgetful) Project(ctx context.Context, tenant string, fingerprint training.Fingerprint, p journal.Projection) error {
	if away := f.away; away != nil {
		f.away = nil
		return away
	}
	return f.Journal.Project(ctx, tenant, fingerprint, p)
}

// A completion whose workflow somebody has terminated is put up for review. Where the journal is away just then the admins are told
// again, and it is one item all the same (R133).
func TestAbandonedCompletionIsOneItem_R133(t *testing.T) {
	s := newStage(t)
	receipt, err := s.journal.Append(t.Context(), journal.Delivery{
		Tenant: "acme", Source: "lms", Platform: "canonical", Body: []byte("{}"),
	}, []training.Completion{{Tenant: "acme", Source: "lms", EventID: "1", Learner: training.Learner{ID: "7"}, Course: training.Course{Code: "C-1"}}})
	require.NoError(t, err)
	f := receipt.Completions[0].Fingerprint
	claimed, err := s.journal.Claim(t.Context(), 1, time.Minute)
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	require.NoError(t, s.journal.Started(t.Context(), "acme", f))
	s.temporal.status = enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED
	away := errors.New("away")
	s.cfg.Journal = &forgetful{s.journal, away}

	require.ErrorIs(t, s.sweep(t.Context()), away)
	require.NoError(t, s.sweep(t.Context()))
	require.Len(t, s.temporal.told, 2)
	require.Equal(t, s.temporal.told[0].ID, s.temporal.told[1].ID)
	require.Equal(t, string(f)+"/workflow Terminated/the last run", s.temporal.told[0].ID)
	stored, err := s.journal.Completion(t.Context(), "acme", f)
	require.NoError(t, err)
	require.Equal(t, training.StateInReview, stored.State)

	require.NoError(t, s.sweep(t.Context()))
	require.Len(t, s.temporal.told, 2, "told already")
}
