// Package qmstest is the conformance suite for adapters of the QMS port, whatever goes wrong on the
// way: what every QMS keeps; of one that the bridge completes (Completing), that qms.Apply and
// qms.Decide change a record exactly once; and of one that the trainee's signature completes
// (Signing), that nothing here does, and that evidence is kept exactly once. An adapter's test gives it
// a Backend of one of the two kinds and nothing else:
//
//	func TestConformance(t *testing.T) { qmstest.Run(t, newBackend) }
//
// docs/qms/README.md says how a third QMS is written.
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
	CallAttached Call = "attached"
	CallAttach   Call = "attach"
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
// every test. What every QMS has is here; it is a Completing or a Signing one besides.
type Backend interface {
	// Client has the permissions of the bridge.
	Client() qms.Client
	// AddEmployee and AddTraining put something there without counting it as a change.
	AddEmployee(employeeID string)
	AddTraining(trainingID string)
	// Assign gives the employee an open record of the training, as a person in the QMS would.
	Assign(employeeID, trainingID string) (recordID string)
	// Holds are the ids of the employee's records of the training, read past the adapter: one twice
	// where the QMS holds two that the adapter cannot tell apart.
	Holds(employeeID, trainingID string) []string
	// Spoil makes the next n calls fail; Heal ends all trouble.
	Spoil(call Call, trouble Trouble, n int)
	Heal()
	// CommitLate does what LostLate has held back.
	CommitLate()
	// Calls counts the requests that arrived.
	Calls(call Call) int
}

// Completing is a QMS whose records the bridge completes.
type Completing interface {
	Backend
	// Approver may decide as well.
	Approver() qms.Client
	// AddRecord puts a record there without counting it as a change.
	AddRecord(record training.Record)
	// Stored is what the QMS holds, read past the adapter.
	Stored(recordID string) training.Record
	// AllowExternalUpdates turns the switch "Allow external status updates".
	AllowExternalUpdates(on bool)
	// DecideInside is a person's decision in the QMS itself; it counts as a change.
	DecideInside(recordID string, action training.Action)
	// Changes counts the effective transitions of a record.
	Changes(recordID string) int
}

// Signing is a QMS whose records the trainee completes by signing. Its Client is a qms.Signing.
type Signing interface {
	Backend
	// Sign is the trainee signing everything that the record wants signed.
	Sign(recordID string)
	// Documents are the contents of the documents of this name that are kept with the training.
	Documents(trainingID, name string) [][]byte
	// Requests counts everything that arrived.
	Requests() int
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
	t.Run("every QMS", func(t *testing.T) { runEvery(t, start) })
	switch newBackend(t).(type) {
	case Completing:
		completing := func(t *testing.T) Completing { return start(t).(Completing) }
		t.Run("create", func(t *testing.T) { runCreate(t, completing) })
		t.Run("client", func(t *testing.T) { runClient(t, completing) })
		t.Run("apply", func(t *testing.T) { runApply(t, completing) })
		t.Run("trouble", func(t *testing.T) { runTrouble(t, completing) })
		t.Run("decide", func(t *testing.T) { runDecide(t, completing) })
	case Signing:
		t.Run("signing", func(t *testing.T) { runSigning(t, func(t *testing.T) Signing { return start(t).(Signing) }) })
	default:
		t.Fatal("the backend is neither qmstest.Completing nor qmstest.Signing")
	}
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
