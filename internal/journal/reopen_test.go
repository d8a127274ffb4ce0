package journal_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

func replay(fp training.Fingerprint) journal.DecisionEntry {
	return journal.DecisionEntry{Tenant: "acme", Fingerprint: fp, Via: "command", Decision: training.Decision{
		Action: training.ActionReplay, By: "m.keller", Reason: "the record was assigned after all",
	}}
}

// What ended without its effect goes on by a replay, which is kept as a decision; what has an effect never does.
func TestOnlyWhatEndedWithoutEffectIsReopened_R142(t *testing.T) {
	for state, reopens := range map[training.State]bool{
		training.StateClosed:          true,
		training.StateExpiredInReview: true,
		training.StateCompleted:       false,
		training.StateRejected:        false,
		training.StateRunning:         false,
		training.StateInReview:        false,
		training.StateQueued:          false,
	} {
		t.Run(string(state), func(t *testing.T) {
			each(t, func(t *testing.T, dsn string) {
				ctx := context.Background()
				j := open(t, dsn, journal.Options{})
				fp := add(t, j, "acme", 0, 1)[0]
				bring(t, j, fp, state)
				closing := journal.DecisionEntry{Tenant: "acme", Fingerprint: fp, Round: 1, Via: "signal",
					Decision: training.Decision{Action: training.ActionClose, By: "m.keller", Reason: "left the company"}}
				require.NoError(t, j.AddDecision(ctx, closing))

				err := j.Reopen(ctx, replay(fp))
				decisions, listed := j.Decisions(ctx, "acme", fp)
				require.NoError(t, listed)
				stored, read := j.Completion(ctx, "acme", fp)
				require.NoError(t, read)
				counts, counted := j.Counts(ctx)
				require.NoError(t, counted)
				if !reopens {
					require.ErrorIs(t, err, journal.ErrNotReplayable)
					require.Len(t, decisions, 1)
					require.Equal(t, state, stored.State)
					require.Equal(t, map[training.State]int{state: 1}, counts)
					return
				}
				require.NoError(t, err)
				require.Equal(t, training.StateRunning, stored.State)
				require.Equal(t, map[training.State]int{training.StateRunning: 1}, counts, "it is no end any more")
				require.Equal(t, 2, decisions[1].Round)
				require.Equal(t, replay(fp).Decision, decisions[1].Decision)

				// It may end anew, also with its effect, and then it is counted once.
				require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: training.StateCompleted}))
				require.ErrorIs(t, j.Reopen(ctx, replay(fp)), journal.ErrNotReplayable)
				counts, counted = j.Counts(ctx)
				require.NoError(t, counted)
				require.Equal(t, map[training.State]int{training.StateCompleted: 1}, counts)
			})
		})
	}
}

// Of many replays at once one wins: two workflows of one completion could double its effects (law 2).
func TestReopenAtOnceReopensOnce_R142(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		fp := add(t, j, "acme", 0, 1)[0]
		bring(t, j, fp, training.StateClosed)
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = j.Reopen(ctx, replay(fp)) })
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			require.ErrorIs(t, err, journal.ErrNotReplayable)
		}
		require.Equal(t, 1, won)
		decisions, err := j.Decisions(ctx, "acme", fp)
		require.NoError(t, err)
		require.Len(t, decisions, 1)
	})
}

func TestReopenRefuses(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		fp := add(t, j, "acme", 0, 1)[0]
		bring(t, j, fp, training.StateClosed)
		nobody := replay(fp)
		nobody.Decision.By = ""
		require.ErrorIs(t, j.Reopen(ctx, nobody), training.ErrDecision)
		other := replay(fp)
		other.Decision.Action = training.ActionRetry
		require.ErrorIs(t, j.Reopen(ctx, other), training.ErrDecision)
		foreign := replay(fp)
		foreign.Tenant = "globex"
		require.ErrorIs(t, j.Reopen(ctx, foreign), journal.ErrNotFound)
		stored, err := j.Completion(ctx, "acme", fp)
		require.NoError(t, err)
		require.Equal(t, training.StateClosed, stored.State)
	})
}

// The latest decision of its kind counts, for this completion only.
func TestDecisionsOverrideWhatTheEventSays_R142(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		fp, other := add(t, j, "acme", 0, 1)[0], add(t, j, "acme", 1, 2)[0]
		decide := func(round int, d training.Decision) {
			d.By, d.Reason = "m.keller", "seen"
			e := journal.DecisionEntry{Tenant: "acme", Fingerprint: fp, Round: round, Decision: d}
			require.NoError(t, j.AddDecision(ctx, e))
			require.NoError(t, j.AddDecision(ctx, e), "an activity may be tried again")
		}
		override := func(fp training.Fingerprint) journal.Override {
			stored, err := j.Completion(ctx, "acme", fp)
			require.NoError(t, err)
			return stored.Override
		}
		require.Zero(t, override(fp))
		decide(1, training.Decision{Action: training.ActionUseRecord, RecordID: "TR-9"})
		decide(2, training.Decision{Action: training.ActionUseRecord, RecordID: "TR-10"})
		decide(3, training.Decision{Action: training.ActionUseEmployee, EmployeeID: "HR-2"})
		decide(4, training.Decision{Action: training.ActionRetry})
		require.Equal(t, journal.Override{RecordID: "TR-10", EmployeeID: "HR-2"}, override(fp))
		decide(5, training.Decision{Action: training.ActionSubmit})
		decide(6, training.Decision{Action: training.ActionApprove, Meaning: "approval"})
		require.Equal(t, journal.Override{RecordID: "TR-10", EmployeeID: "HR-2", Submit: true}, override(fp))
		require.Zero(t, override(other))

		decisions, err := j.Decisions(ctx, "acme", fp)
		require.NoError(t, err)
		require.Equal(t, "TR-10", decisions[1].Decision.RecordID)
		require.Equal(t, "approval", decisions[5].Decision.Meaning)
		bad := journal.DecisionEntry{Tenant: "acme", Fingerprint: fp, Round: 7, Decision: training.Decision{RecordID: "\x00"}}
		require.ErrorIs(t, j.AddDecision(ctx, bad), journal.ErrUnstorable)
	})
}
