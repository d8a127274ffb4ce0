package activities

import (
	"context"
	"testing"

	"countersign/internal/journal"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// rehearse rehearses c in w, and holds that nothing anywhere was written by it (R192).
func (w *world) rehearse(c training.Completion) Rehearsal {
	w.t.Helper()
	before := w.qms.Records()
	r := Rehearse(w.t.Context(), w.journal, w.tenant, training.DefaultPolicy(), c)
	require.Equal(w.t, before, w.qms.Records(), "a rehearsal writes nothing")
	return r
}

func status(s training.RecordStatus) func(*arenasim.Record) {
	return func(r *arenasim.Record) { r.Status = s }
}

func classes(r Rehearsal) (all []training.FailureClass) {
	for _, problem := range r.Problems {
		all = append(all, problem.Class)
	}
	return all
}

func TestRehearsalSaysWhatWouldBeDone_R190_R192(t *testing.T) {
	w := newWorld(t)
	record := w.assigned()
	for range 3 { // repeatable
		r := w.rehearse(completion())
		require.Empty(t, r.Problems)
		require.Equal(t, []string{
			"Training record " + record + ", now ASSIGNED, would be set to COMPLETED and read back.",
			"A certificate would be issued once the record is COMPLETED.",
			"An xAPI statement would be put into the LRS once the record is COMPLETED.",
		}, r.WouldDo)
	}
	_, err := w.journal.Completion(t.Context(), "acme", completion().Fingerprint())
	require.ErrorIs(t, err, journal.ErrNotFound)
}

func TestRehearsalOfAnApproval_R120(t *testing.T) {
	w := newWorld(t)
	w.assigned(status(training.RecordInProgress))
	c := completion()
	c.Course.Code = "APPROVED"
	r := w.rehearse(c)
	require.Empty(t, r.Problems)
	require.Contains(t, r.WouldDo[0], "PENDING_APPROVAL")
}

func TestRehearsalNamesWhatWouldStopTheCompletion_R186_R187(t *testing.T) {
	failed := false
	for name, test := range map[string]struct {
		prepare func(*world)
		change  func(*training.Completion)
		want    []training.FailureClass
	}{
		"unknown employee": {change: func(c *training.Completion) { c.Learner.ExternalID = "HR-404" },
			want: []training.FailureClass{training.FailureEmployeeUnknown}},
		"no employee id": {change: func(c *training.Completion) { c.Learner.ExternalID = "" },
			want: []training.FailureClass{training.FailureIncomplete}},
		"course not mapped": {change: func(c *training.Completion) { c.Course.Code = "UNMAPPED" },
			want: []training.FailureClass{training.FailureCourseUnmapped}},
		"no record": {want: []training.FailureClass{training.FailureRecordMissing}},
		"completed already": {prepare: func(w *world) { w.assigned(status(training.RecordCompleted)) },
			want: []training.FailureClass{training.FailureCompletedElse}},
		"two records": {prepare: func(w *world) { w.assigned(); w.assigned() },
			want: []training.FailureClass{training.FailureRecordAmbiguous}},
		"failed, and more": {change: func(c *training.Completion) { c.Score.Passed = &failed },
			want: []training.FailureClass{training.FailureNotPassed, training.FailureRecordMissing}},
		"external updates off": {prepare: func(w *world) {
			w.assigned()
			require.NoError(w.t, w.qms.SetSwitches(arenasim.Switches{ExternalUpdatesOff: true}))
		}, want: []training.FailureClass{training.FailureUpdatesOff}},
	} {
		t.Run(name, func(t *testing.T) {
			w, c := newWorld(t), completion()
			if test.prepare != nil {
				test.prepare(w)
			}
			if test.change != nil {
				test.change(&c)
			}
			require.Equal(t, test.want, classes(w.rehearse(c)))
		})
	}
}

func TestRehearsalWhereMissingRecordsAreCreated_R98(t *testing.T) {
	w := newWorld(t)
	policy := training.DefaultPolicy()
	policy.MissingRecord = training.MissingCreate
	r := Rehearse(t.Context(), w.journal, w.tenant, policy, completion())
	require.Empty(t, r.Problems)
	require.Contains(t, r.WouldDo[0], "would be created")
	require.Empty(t, w.qms.Records(), "and was not")
}

func TestRehearsalOfAKnownCompletion_R93(t *testing.T) {
	w := newWorld(t)
	w.journaled(completion())
	r := w.rehearse(completion())
	require.Empty(t, r.Problems)
	require.Len(t, r.WouldDo, 1)
	require.Contains(t, r.WouldDo[0], "nothing would be done a second time")
}

func TestRehearsalEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := Rehearse(ctx, w.journal, w.tenant, training.DefaultPolicy(), completion())
	require.NotEmpty(t, r.Problems)
	for _, class := range classes(r) {
		require.Equal(t, training.FailureUnreachable, class)
	}
}
