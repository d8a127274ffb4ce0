package qms_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

func janesNew() training.NewRecord {
	return training.NewRecord{EmployeeID: "EMP1", TrainingID: "TP-1", ExternalRef: "lms:enrollment:1"}
}

func TestEnsureSettlesDoubtByOneList_R98(t *testing.T) {
	mine := newFake().record
	mine.ID, mine.ExternalRef = "TR-9", janesNew().ExternalRef
	for name, tc := range map[string]struct {
		create training.FailureClass
		listed []training.Record
		list   error
		want   training.FailureClass
		lists  int
	}{
		"no answer, and it is there":        {training.FailureUnreachable, []training.Record{newFake().record, mine}, nil, "", 1},
		"no answer, and it is not there":    {training.FailureUnreachable, nil, nil, training.FailureUnreachable, 1},
		"no answer, and another's is there": {training.FailureUnreachable, []training.Record{newFake().record}, nil, training.FailureUnreachable, 1},
		"unreadable answer":                 {training.FailureMisread, []training.Record{mine}, nil, "", 1},
		"no answer to either":               {training.FailureUnreachable, nil, failure(training.FailureRateLimited), training.FailureUnreachable, 1},
		"too many requests":                 {training.FailureRateLimited, nil, nil, training.FailureRateLimited, 0},
		"no such employee":                  {training.FailureEmployeeUnknown, nil, nil, training.FailureEmployeeUnknown, 0},
		"no such training":                  {training.FailureCourseUnmapped, nil, nil, training.FailureCourseUnmapped, 0},
		"refused":                           {training.FailureRefused, nil, nil, training.FailureRefused, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f, lists := newFake(), 0
			f.onCreate = func(training.NewRecord) (string, error) { return "", failure(tc.create) }
			f.onRecords = func() ([]training.Record, error) { lists++; return tc.listed, tc.list }
			got, err := qms.Ensure(t.Context(), f, janesNew(), atOnce())
			require.Equal(t, tc.lists, lists)
			if tc.want == "" {
				require.NoError(t, err)
				require.Equal(t, mine, got)
				return
			}
			requireClass(t, err, tc.want)
		})
	}
}

func TestEnsureProvesWhatItReturns_R98(t *testing.T) {
	shown := newFake().record
	shown.ExternalRef = janesNew().ExternalRef
	for name, tc := range map[string]struct {
		change func(*training.Record)
		want   training.FailureClass
	}{
		"as meant":                  {func(*training.Record) {}, ""},
		"another employee":          {func(r *training.Record) { r.EmployeeID = "EMP2" }, training.FailureEmployeeMismatch},
		"another training":          {func(r *training.Record) { r.TrainingID = "TP-2" }, training.FailureOtherContent},
		"the reference is not kept": {func(r *training.Record) { r.ExternalRef = "" }, training.FailureOtherContent},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.record = shown
			tc.change(&f.record)
			f.onCreate = func(training.NewRecord) (string, error) { return "TR-1", nil }
			_, err := qms.Ensure(t.Context(), f, janesNew(), atOnce())
			if tc.want == "" {
				require.NoError(t, err)
				require.Equal(t, 1, f.reads)
				return
			}
			requireClass(t, err, tc.want)
		})
	}
	f := newFake()
	f.onCreate = func(training.NewRecord) (string, error) { return "TR-1", nil }
	f.onRecord = func(int) (training.Record, error) { return training.Record{}, failure(training.FailureUnreachable) }
	_, err := qms.Ensure(t.Context(), f, janesNew(), atOnce())
	requireClass(t, err, training.FailureUnverified)
}

func TestEnsureEndsWithTheCallerAndNeedsAReference(t *testing.T) {
	f := newFake()
	f.onCreate = func(training.NewRecord) (string, error) { return "", context.Canceled }
	_, err := qms.Ensure(t.Context(), f, janesNew(), atOnce())
	require.ErrorIs(t, err, context.Canceled)
	f.onCreate = func(training.NewRecord) (string, error) { return "", failure(training.FailureUnreachable) }
	f.onRecords = func() ([]training.Record, error) { return nil, context.Canceled }
	_, err = qms.Ensure(t.Context(), f, janesNew(), atOnce())
	require.ErrorIs(t, err, context.Canceled)

	sent := len(f.requestIDs)
	for _, n := range []training.NewRecord{{TrainingID: "T", ExternalRef: "R"}, {EmployeeID: "E", ExternalRef: "R"}, {EmployeeID: "E", TrainingID: "T"}} {
		_, err = qms.Ensure(t.Context(), f, n, atOnce())
		requireClass(t, err, training.FailureDefect)
	}
	require.Len(t, f.requestIDs, sent, "nothing was sent")
}
