package qmstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

func runDecide(t *testing.T, start func(*testing.T) Completing) {
	decision := func(action training.Action) training.Decision {
		return training.Decision{Action: action, By: "m.keller", Reason: "practical test seen"}
	}
	// submitted is a backend where Jane's completion waits for approval, after one change.
	submitted := func(t *testing.T) Completing {
		b := start(t)
		r := open()
		r.ApprovalRequired = true
		b.AddRecord(r)
		got, err := qms.Apply(t.Context(), b.Client(), submission(), patient())
		require.NoError(t, err)
		require.Equal(t, training.RecordPendingApproval, got.Status)
		return b
	}
	reached := map[training.Action]training.RecordStatus{
		training.ActionApprove: training.RecordCompleted,
		training.ActionReject:  training.RecordInProgress,
	}
	for action, want := range reached {
		t.Run(string(action), func(t *testing.T) {
			b := submitted(t)
			for range 2 { // the second time it is found done
				got, err := qms.Decide(t.Context(), b.Approver(), submission(), decision(action), patient())
				require.NoError(t, err)
				require.Equal(t, want, got.Status)
			}
			require.Equal(t, 2, b.Changes(recordID))
			require.Equal(t, 1, b.Calls(CallDecide))
		})
		t.Run(string(action)+" without the permission", func(t *testing.T) {
			b := submitted(t)
			_, err := qms.Decide(t.Context(), b.Client(), submission(), decision(action), patient())
			requireClass(t, err, training.FailureApprovalForbidden)
			require.Equal(t, 1, b.Changes(recordID))
		})
		t.Run(string(action)+" made in the QMS before", func(t *testing.T) {
			b := submitted(t)
			b.DecideInside(recordID, action)
			_, err := qms.Decide(t.Context(), b.Client(), submission(), decision(action), patient())
			require.NoError(t, err)
			require.Zero(t, b.Calls(CallDecide))
		})
		for _, trouble := range []Trouble{Unsent, Lost, LostLate, Broken, BrokenAfter, Limited, Garbled, CutOff, Refused} {
			t.Run(string(action)+" "+string(trouble), func(t *testing.T) {
				b := submitted(t)
				b.Spoil(CallDecide, trouble, 2)
				if _, err := qms.Decide(t.Context(), b.Approver(), submission(), decision(action), patient()); err != nil {
					var f *training.Failure
					require.ErrorAs(t, err, &f)
					require.True(t, f.Class.Transient(), "attempt ended with %v", err)
				}
				b.CommitLate()
				b.Heal()
				got, err := qms.Decide(t.Context(), b.Approver(), submission(), decision(action), patient())
				require.NoError(t, err)
				require.Equal(t, want, got.Status)
				require.Equal(t, 2, b.Changes(recordID))
			})
		}
	}
	t.Run("the opposite was decided in the QMS", func(t *testing.T) {
		for inside, ours := range map[training.Action]training.Action{
			training.ActionApprove: training.ActionReject,
			training.ActionReject:  training.ActionApprove,
		} {
			b := submitted(t)
			b.DecideInside(recordID, inside)
			_, err := qms.Decide(t.Context(), b.Approver(), submission(), decision(ours), patient())
			requireClass(t, err, training.FailureOtherContent)
			require.Zero(t, b.Calls(CallDecide))
		}
	})
	t.Run("another submission is not decided on", func(t *testing.T) {
		b := submitted(t)
		other := submission()
		other.CompletedAt = finished.Add(time.Hour)
		_, err := qms.Decide(t.Context(), b.Approver(), other, decision(training.ActionApprove), patient())
		requireClass(t, err, training.FailureOtherContent)
		require.Zero(t, b.Calls(CallDecide))
	})
	t.Run("a 200 that did nothing", func(t *testing.T) {
		b := submitted(t)
		b.Spoil(CallDecide, Silent, 1)
		_, err := qms.Decide(t.Context(), b.Approver(), submission(), decision(training.ActionApprove), patient())
		requireClass(t, err, training.FailureUnchanged)
	})
	t.Run("a decision without a name", func(t *testing.T) {
		b := submitted(t)
		_, err := qms.Decide(t.Context(), b.Approver(), submission(), training.Decision{Action: training.ActionApprove, Reason: "x"}, patient())
		requireClass(t, err, training.FailureDefect)
		require.Zero(t, b.Calls(CallDecide))
	})
}
