// Package qmstest is the conformance suite for adapters of the QMS port: what qms.Client
// promises, and that qms.Apply and qms.Decide change a record exactly once through it, whatever
// goes wrong on the way. An adapter's test gives it a Backend and nothing else:
//
//	func TestConformance(t *testing.T) { qmstest.Run(t, newBackend) }
package qmstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

// Call is one method of the port, as the other side sees it arrive.
type Call string

// The calls a backend can count and spoil.
const (
	CallEmployee Call = "employee"
	CallRecord   Call = "record"
	CallRecords  Call = "records"
	CallCreate   Call = "create"
	CallComplete Call = "complete"
	CallDecide   Call = "decide"
	CallConfig   Call = "config"
)

// Trouble is one way in which the other side can spoil a call.
type Trouble string

// The troubles.
const (
	Unsent      Trouble = "unsent"       // the connection breaks, nothing is done
	Lost        Trouble = "lost"         // done, and the connection breaks
	LostLate    Trouble = "lost late"    // the connection breaks, and CommitLate does it
	Broken      Trouble = "503"          // 503, nothing is done
	BrokenAfter Trouble = "503 after"    // done, and answered 503
	Limited     Trouble = "429"          // 429 with Retry-After: 120, nothing is done
	Garbled     Trouble = "garbled"      // done, and answered with something that is no JSON
	CutOff      Trouble = "cut off"      // done, and the answer breaks off in its middle
	Silent      Trouble = "silent"       // answered like a success, nothing is done
	Refused     Trouble = "401 for ever" // 401 to this call whatever the token, until Heal
)

// Backend is a QMS in the hands of a test, with an adapter that leads to it. It is fresh for
// every test.
type Backend interface {
	// Client has the permissions of the bridge; Approver may decide as well.
	Client() qms.Client
	Approver() qms.Client
	// AddEmployee, AddTraining and AddRecord put something there without counting it as a change.
	AddEmployee(employeeID string)
	AddTraining(trainingID string)
	AddRecord(record training.Record)
	// Stored is what the QMS holds, read past the adapter.
	Stored(recordID string) training.Record
	// AllowExternalUpdates turns the switch "Allow external status updates".
	AllowExternalUpdates(on bool)
	// DecideInside is a person's decision in the QMS itself; it counts as a change.
	DecideInside(recordID string, action training.Action)
	// Spoil makes the next n calls fail; Heal ends all trouble.
	Spoil(call Call, trouble Trouble, n int)
	Heal()
	// CommitLate does what LostLate has held back.
	CommitLate()
	// Changes counts the effective transitions of a record, Calls the requests that arrived.
	Changes(recordID string) int
	Calls(call Call) int
}

const (
	recordID   = "TR-000123"
	trainingID = "TP-0042"
	jane       = "EMP12345"
	john       = "EMP67890"
)

// finished is when Jane finished, with milliseconds that a QMS may keep or cut off.
var finished = time.Date(2026, 4, 8, 14, 30, 0, 250e6, time.UTC)

// Run checks an adapter.
func Run(t *testing.T, newBackend func(t *testing.T) Backend) {
	start := func(t *testing.T) Backend {
		t.Helper()
		b := newBackend(t)
		b.AddEmployee(jane)
		b.AddEmployee(john)
		return b
	}
	t.Run("create", func(t *testing.T) { runCreate(t, start) })
	t.Run("client", func(t *testing.T) { runClient(t, start) })
	t.Run("apply", func(t *testing.T) { runApply(t, start) })
	t.Run("trouble", func(t *testing.T) { runTrouble(t, start) })
	t.Run("decide", func(t *testing.T) { runDecide(t, start) })
}

// open is Jane's record, waiting for her.
func open() training.Record {
	return training.Record{ID: recordID, EmployeeID: jane, TrainingID: trainingID, Status: training.RecordInProgress, TracksScore: true}
}

func write() training.Write {
	return training.Write{RecordID: recordID, EmployeeID: jane, Status: training.RecordCompleted, CompletedAt: finished, Score: "91.5"}
}

func submission() training.Write {
	w := write()
	w.Status = training.RecordPendingApproval
	return w
}

// patient reads back as often as production does, without its waits.
func patient() qms.ApplyOptions {
	return qms.ApplyOptions{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

func requireClass(t *testing.T, err error, want training.FailureClass) *training.Failure {
	t.Helper()
	var f *training.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, want, f.Class, err)
	require.NotContains(t, err.Error(), jane, "an error names no person")
	return f
}
