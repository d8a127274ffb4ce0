package arena_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	simulated "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

func TestKnownEmployeeIsRememberedForFiveMinutes_R114(t *testing.T) {
	w := newWorld(t)
	w.AddEmployee("EMP12345")
	check := func(calls int) {
		t.Helper()
		require.NoError(t, w.client.Employee(t.Context(), "EMP12345"))
		require.Equal(t, calls, w.sim.Calls(simulated.EndpointUser))
	}
	check(1)
	w.clock.Advance(5*time.Minute - time.Millisecond)
	check(1)
	w.clock.Advance(time.Millisecond)
	check(2)
	requireFailure(t, w.client.Employee(t.Context(), "emp12345"), training.FailureEmployeeUnknown) // exactly this id (R100)
	requireFailure(t, w.connect(nil).Employee(t.Context(), "EMP1"), training.FailureEmployeeUnknown)
}

// Only a yes is remembered: a no may be mended at any moment, and a failure says nothing.
func TestUnknownEmployeeIsAskedForAgain_R114(t *testing.T) {
	w := newWorld(t)
	requireFailure(t, w.client.Employee(t.Context(), "EMP12345"), training.FailureEmployeeUnknown)
	w.AddEmployee("EMP12345")
	w.sim.Fault(simulated.EndpointUser, fault.Status(503, 1))
	requireFailure(t, w.client.Employee(t.Context(), "EMP12345"), training.FailureUnreachable)
	require.NoError(t, w.client.Employee(t.Context(), "EMP12345"))
}

// Who has left since is found out by the completion, and is asked for from then on.
func TestEmployeeWhoLeftIsForgotten_R186(t *testing.T) {
	w := newWorld(t)
	w.AddEmployee("EMP12345")
	require.NoError(t, w.client.Employee(t.Context(), "EMP12345"))
	w.sim.Reset()
	w.AddRecord(training.Record{ID: "TR-000123", EmployeeID: "EMP12345", TrainingID: "TP-0042", Status: training.RecordAssigned})
	requireFailure(t, w.client.Complete(t.Context(), completion(), "r"), training.FailureEmployeeUnknown)
	requireFailure(t, w.client.Employee(t.Context(), "EMP12345"), training.FailureEmployeeUnknown)
}

func TestMemoryOfEmployeesIsBounded(t *testing.T) {
	calls := 0
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		answer(w, http.StatusOK, `{"employeeId":`+strconv.Quote(r.URL.Path[len("/api/v1/users/"):])+`}`)
	})
	c := s.client(t, nil)
	for i := range 10_001 {
		require.NoError(t, c.Employee(t.Context(), strconv.Itoa(i)))
	}
	require.NoError(t, c.Employee(t.Context(), "10000"))
	require.Equal(t, 10_001, calls, "the last one is known")
	require.NoError(t, c.Employee(t.Context(), "0"))
	require.Equal(t, 10_002, calls, "the first one was forgotten")
}
