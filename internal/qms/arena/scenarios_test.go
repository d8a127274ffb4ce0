package arena_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/qms/arena"
	simulated "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// The acceptance scenarios of the contract's §11, as far as they concern the adapter and
// qms.Apply; 16 (alert after four attempts) is the workflow's, 19 and 21 are in token_test.go.

// at makes a world with Jane's open record.
func at(t *testing.T, change func(*training.Record)) *world {
	t.Helper()
	w := newWorld(t)
	w.AddEmployee("EMP12345")
	w.AddEmployee("EMP67890")
	r := training.Record{ID: "TR-000123", EmployeeID: "EMP12345", TrainingID: "TP-0042", Status: training.RecordInProgress, TracksScore: true}
	if change != nil {
		change(&r)
	}
	w.AddRecord(r)
	return w
}

func (w *world) apply(t *testing.T, write training.Write) (training.Record, error) {
	t.Helper()
	return qms.Apply(t.Context(), w.client, write, qms.ApplyOptions{
		Sleep: func(ctx context.Context, d time.Duration) error { w.clock.Advance(d); return ctx.Err() },
	})
}

func (w *world) requireOneChange(t *testing.T, to training.RecordStatus) {
	t.Helper()
	changes := w.sim.Changes("TR-000123")
	require.Len(t, changes, 1)
	require.Equal(t, to, changes[0].To)
	require.Equal(t, "svc-bridge", changes[0].Actor)
}

func TestCompletionWithScore_R184(t *testing.T) {
	w := at(t, nil)
	got, err := w.apply(t, completion())
	require.NoError(t, err)
	require.Equal(t, training.RecordCompleted, got.Status)
	require.Equal(t, "95", got.Score)
	require.True(t, got.CompletedAt.Equal(completion().CompletedAt))
	w.requireOneChange(t, training.RecordCompleted)
}

func TestCompletionWithoutScore_R185(t *testing.T) {
	w := at(t, func(r *training.Record) { r.TracksScore = false })
	write := completion()
	write.Score = ""
	got, err := w.apply(t, write)
	require.NoError(t, err)
	require.Empty(t, got.Score)
	w.requireOneChange(t, training.RecordCompleted)
}

func TestUnknownEmployee_R186(t *testing.T) {
	w := at(t, func(r *training.Record) { r.EmployeeID = "EMP-GONE" })
	f := requireFailure(t, w.client.Employee(t.Context(), "EMP-GONE"), training.FailureEmployeeUnknown)
	require.Equal(t, "404 EMPLOYEE_NOT_FOUND", f.Detail)
	write := completion()
	write.EmployeeID = "EMP-GONE"
	_, err := w.apply(t, write)
	f = requireFailure(t, err, training.FailureEmployeeUnknown)
	require.Equal(t, "404 EMPLOYEE_NOT_FOUND", f.Detail)
	require.Empty(t, w.sim.Changes("TR-000123"))
}

func TestAlreadyCompleted_R187(t *testing.T) {
	w := at(t, func(r *training.Record) {
		r.Status, r.CompletedAt, r.Score = training.RecordCompleted, completion().CompletedAt.Add(-time.Hour), "80"
	})
	f := requireFailure(t, w.client.Complete(t.Context(), completion(), "r"), training.FailureCompletedElse)
	require.Equal(t, "409 ALREADY_COMPLETED", f.Detail)
	_, err := w.apply(t, completion())
	requireFailure(t, err, training.FailureCompletedElse)
	require.Empty(t, w.sim.Changes("TR-000123"))
}

func TestExpiredToken_R188(t *testing.T) {
	w := at(t, nil)
	w.ask(t)
	w.sim.ExpireTokens() // the record is read with it, refused, and read with a fresh one
	_, err := w.apply(t, completion())
	require.NoError(t, err)
	require.Equal(t, 2, w.tokenCalls())
	w.requireOneChange(t, training.RecordCompleted)
}

// The token may just as well run out between reading and writing.
func TestTokenThatEndsBeforeTheWrite_R188(t *testing.T) {
	w := at(t, nil)
	w.sim.Fault(simulated.EndpointComplete, fault.Status(401, 1))
	_, err := w.apply(t, completion())
	require.NoError(t, err)
	require.Equal(t, 2, w.tokenCalls())
	require.Equal(t, 2, w.sim.Calls(simulated.EndpointComplete))
	w.requireOneChange(t, training.RecordCompleted)
}

// 6: what is missing is not sent, because it would be accepted and ignored.
func TestMissingCompletionDate_R106(t *testing.T) {
	w := at(t, nil)
	write := completion()
	write.CompletedAt = time.Time{}
	_, err := w.apply(t, write)
	requireFailure(t, err, training.FailureIncomplete)
	require.Zero(t, w.sim.Calls(simulated.EndpointComplete))
}

// 7.
func TestApprovalNeededButCompletedSent_R122(t *testing.T) {
	w := at(t, func(r *training.Record) { r.ApprovalRequired = true })
	require.NoError(t, w.client.Complete(t.Context(), completion(), "r"), "answered 200")
	_, err := w.apply(t, completion())
	requireFailure(t, err, training.FailureApprovalNeeded)
	require.Empty(t, w.sim.Changes("TR-000123"))
}

// 8 and 9.
func TestSubmittedAndDecidedInTheQMS_R120(t *testing.T) {
	for decision, want := range map[string]training.RecordStatus{
		simulated.Approve: training.RecordCompleted, simulated.Reject: training.RecordInProgress,
	} {
		w := at(t, func(r *training.Record) { r.ApprovalRequired = true })
		write := completion()
		write.Status = training.RecordPendingApproval
		got, err := w.apply(t, write)
		require.NoError(t, err)
		require.Equal(t, training.RecordPendingApproval, got.Status)
		w.requireOneChange(t, training.RecordPendingApproval)

		require.NoError(t, w.sim.Decide("TR-000123", decision, "m.keller", "seen"))
		got, err = w.client.Record(t.Context(), "TR-000123")
		require.NoError(t, err)
		require.Equal(t, want, got.Status)
		require.Equal(t, want == training.RecordCompleted, write.ShownBy(got))
	}
}

// 10.
func TestExpiredAndCancelledRecords_R108(t *testing.T) {
	for status, want := range map[training.RecordStatus]training.FailureClass{
		training.RecordExpired: training.FailureRecordExpired, training.RecordCancelled: training.FailureRecordCancelled,
	} {
		w := at(t, func(r *training.Record) { r.Status = status })
		requireFailure(t, w.client.Complete(t.Context(), completion(), "r"), want)
		_, err := w.apply(t, completion())
		requireFailure(t, err, want)
		require.Empty(t, w.sim.Changes("TR-000123"))
	}
}

// 11: switched off, silently or said.
func TestExternalUpdatesOff_R109(t *testing.T) {
	for _, answer := range []string{simulated.Silent, simulated.Answer403} {
		w := at(t, nil)
		require.NoError(t, w.sim.SetSwitches(simulated.Switches{ExternalUpdatesOff: true, ExternalUpdatesOffAnswer: answer}))
		_, err := w.apply(t, completion())
		requireFailure(t, err, training.FailureUpdatesOff)
		require.Empty(t, w.sim.Changes("TR-000123"))
	}
}

// 12.
func TestLockedRecord_R111(t *testing.T) {
	w := at(t, func(r *training.Record) { r.Locked = true })
	_, err := w.apply(t, completion())
	requireFailure(t, err, training.FailureRecordLocked)
	require.NoError(t, w.sim.Lock("TR-000123", false))
	_, err = w.apply(t, completion())
	require.NoError(t, err)
	w.requireOneChange(t, training.RecordCompleted)
}

// 13, in both readings of the contract.
func TestMissingScope_R113_R118(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		w := at(t, nil)
		require.NoError(t, w.sim.SetSwitches(simulated.Switches{ScopeErrorStatus: status}))
		w.sim.AddAccount(simulated.Account{ClientID: "svc-poor", ClientSecret: "s", Scopes: []string{simulated.ScopeWrite}})
		w.client = w.connect(func(cfg *arena.Config) { cfg.ClientID, cfg.ClientSecret = "svc-poor", "s" })
		_, err := w.apply(t, completion())
		f := requireFailure(t, err, training.FailureCredentials)
		require.Contains(t, f.Detail, "SCOPE_MISSING")
		require.LessOrEqual(t, w.tokenCalls(), 2)
		require.Empty(t, w.sim.Changes("TR-000123"))
	}
}

// 14, and its sister: done, and then answered with a 5xx.
func TestDoneButNotSaid(t *testing.T) {
	for name, trouble := range map[string]fault.Fault{
		"answer lost": fault.DropAfter(1), "503 after the commit": fault.CommitThenStatus(503, 1),
	} {
		t.Run(name, func(t *testing.T) {
			w := at(t, nil)
			w.sim.Fault(simulated.EndpointComplete, trouble)
			for range 3 {
				_, err := w.apply(t, completion())
				require.NoError(t, err)
			}
			w.requireOneChange(t, training.RecordCompleted)
			require.Equal(t, 1, w.sim.Calls(simulated.EndpointComplete))
		})
	}
}

// 15: three attempts fail, the fourth one is the retry schedule's last.
func TestUnavailableThreeTimes_R123(t *testing.T) {
	w := at(t, nil)
	w.sim.Fault(simulated.EndpointComplete, fault.Status(503, 3))
	for range 3 {
		_, err := w.apply(t, completion())
		requireFailure(t, err, training.FailureUnreachable)
	}
	_, err := w.apply(t, completion())
	require.NoError(t, err)
	w.requireOneChange(t, training.RecordCompleted)
}

// 17.
func TestRateLimitedWithRetryAfter(t *testing.T) {
	w := at(t, nil)
	w.sim.Fault(simulated.EndpointComplete, fault.RateLimited("300", 1))
	_, err := w.apply(t, completion())
	require.Equal(t, 5*time.Minute, requireFailure(t, err, training.FailureRateLimited).RetryAfter)
	require.Empty(t, w.sim.Changes("TR-000123"))
}

// 18: a base URL that leads past the API.
func TestOldPath_R95(t *testing.T) {
	w := at(t, nil)
	c := w.connect(func(cfg *arena.Config) { cfg.BaseURL += "/training" })
	requireFailure(t, c.Complete(t.Context(), completion(), "r"), training.FailureRefused)
}

// 20: found out before writing, and answered with 422 all the same.
func TestOwnerMismatch(t *testing.T) {
	w := at(t, func(r *training.Record) { r.EmployeeID = "EMP67890" })
	f := requireFailure(t, w.client.Complete(t.Context(), completion(), "r"), training.FailureEmployeeMismatch)
	require.Equal(t, "422 EMPLOYEE_MISMATCH", f.Detail)
	_, err := w.apply(t, completion())
	requireFailure(t, err, training.FailureEmployeeMismatch)
	require.Empty(t, w.sim.Changes("TR-000123"))
}
