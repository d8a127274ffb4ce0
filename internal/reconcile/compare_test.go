package reconcile_test

import (
	"testing"
	"time"

	"countersign/internal/reconcile"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)

func finished(at time.Time, change ...func(*training.Completion)) training.Completion {
	c := training.Completion{
		Tenant: "acme", Source: "lms", Learner: training.Learner{ID: "42", Email: "Jane@acme.example"},
		Course: training.Course{ID: "7", Code: "GDPR"}, CompletedAt: at, Precision: training.PrecisionMillisecond,
		Score: training.Score{Raw: "9", Max: "10"},
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func known(c training.Completion, also ...time.Time) reconcile.Known {
	return reconcile.Known{Fingerprint: c.Fingerprint(), Completion: c, Also: also}
}

func byDay(c *training.Completion) { c.Precision = training.PrecisionDay }

func TestMatch_R88_R91_R143(t *testing.T) {
	for name, tc := range map[string]struct {
		listed training.Completion
		known  []reconcile.Known
		want   int // index of the match, -1 for none
		kinds  []training.MismatchKind
	}{
		"the same":                         {finished(noon), []reconcile.Known{known(finished(noon))}, 0, nil},
		"nothing known":                    {finished(noon), nil, -1, nil},
		"fractions are not stated":         {finished(noon), []reconcile.Known{known(finished(noon.Add(400 * time.Millisecond)))}, 0, nil},
		"seconds apart":                    {finished(noon), []reconcile.Known{known(finished(noon.Add(7 * time.Second)))}, 0, []training.MismatchKind{training.MismatchDifferentDate}},
		"a time zone apart":                {finished(noon), []reconcile.Known{known(finished(noon.Add(-14 * time.Hour)))}, 0, []training.MismatchKind{training.MismatchDifferentDate}},
		"the instant that was looked up":   {finished(noon), []reconcile.Known{known(finished(noon.Add(time.Hour)), noon)}, 0, nil},
		"a later completion is another":    {finished(noon.AddDate(1, 0, 0)), []reconcile.Known{known(finished(noon))}, -1, nil},
		"just beyond":                      {finished(noon.Add(24*time.Hour + time.Second)), []reconcile.Known{known(finished(noon))}, -1, nil},
		"the nearest of two":               {finished(noon), []reconcile.Known{known(finished(noon.Add(3 * time.Hour))), known(finished(noon.Add(time.Minute)))}, 1, []training.MismatchKind{training.MismatchDifferentDate}},
		"an equal one before a near one":   {finished(noon), []reconcile.Known{known(finished(noon.Add(time.Second))), known(finished(noon))}, 1, nil},
		"the day is listed":                {finished(noon.Truncate(24*time.Hour), byDay), []reconcile.Known{known(finished(noon))}, 0, nil},
		"the day is known, in a far zone":  {finished(noon.Add(25 * time.Hour)), []reconcile.Known{known(finished(noon.Truncate(24*time.Hour), byDay))}, 0, nil},
		"another day":                      {finished(noon.Truncate(24*time.Hour), byDay), []reconcile.Known{known(finished(noon.Truncate(24*time.Hour).AddDate(0, 0, 1), byDay))}, 0, []training.MismatchKind{training.MismatchDifferentDate}},
		"another learner":                  {finished(noon), []reconcile.Known{known(finished(noon, func(c *training.Completion) { c.Learner.ID = "43" }))}, -1, nil},
		"another course":                   {finished(noon), []reconcile.Known{known(finished(noon, func(c *training.Completion) { c.Course.ID = "8" }))}, -1, nil},
		"a file knows the address only":    {finished(noon, func(c *training.Completion) { c.Learner = training.Learner{Email: "jane@ACME.example"} }), []reconcile.Known{known(finished(noon))}, 0, nil},
		"a file knows the code only":       {finished(noon, func(c *training.Completion) { c.Course = training.Course{Code: "GDPR"} }), []reconcile.Known{known(finished(noon))}, 0, nil},
		"nothing in common says nothing":   {finished(noon, func(c *training.Completion) { c.Learner = training.Learner{Username: "jane"} }), []reconcile.Known{known(finished(noon))}, -1, nil},
		"another score":                    {finished(noon, func(c *training.Completion) { c.Score.Raw = "8" }), []reconcile.Known{known(finished(noon))}, 0, []training.MismatchKind{training.MismatchDifferentScore}},
		"the same score on another scale":  {finished(noon, func(c *training.Completion) { c.Score = training.Score{Raw: "90", Max: "100"} }), []reconcile.Known{known(finished(noon))}, 0, nil},
		"a listing without scores is fine": {finished(noon, func(c *training.Completion) { c.Score = training.Score{} }), []reconcile.Known{known(finished(noon))}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, ok := reconcile.Match(tc.listed, tc.known, 24*time.Hour)
			require.Equal(t, tc.want >= 0, ok)
			if !ok {
				return
			}
			require.Equal(t, tc.known[tc.want].Fingerprint, found.Fingerprint)
			var kinds []training.MismatchKind
			for _, m := range reconcile.Listing(tc.listed, found) {
				require.Equal(t, found.Fingerprint, m.Fingerprint)
				kinds = append(kinds, m.Kind)
			}
			require.Equal(t, tc.kinds, kinds)
		})
	}
}

// Whatever a listing does to an instant within the tolerance, it never makes a second completion of one.
func TestNearInstantsNeverDouble_R88(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		same := time.Duration(rapid.Int64Range(1, int64(72*time.Hour)).Draw(t, "same"))
		shift := time.Duration(rapid.Int64Range(-int64(same), int64(same)).Draw(t, "shift"))
		ours := known(finished(noon))
		found, ok := reconcile.Match(finished(noon.Add(shift)), []reconcile.Known{ours}, same)
		if !ok || found.Fingerprint != ours.Fingerprint {
			t.Fatalf("%s away is not found within %s", shift, same)
		}
	})
}

func TestRecordAgainstItsProof_R143_R144(t *testing.T) {
	meant := training.Write{RecordID: "TR-1", EmployeeID: "E-1", Status: training.RecordCompleted, CompletedAt: noon, Score: "90"}
	read := training.Record{ID: "TR-1", EmployeeID: "E-1", Status: training.RecordCompleted, CompletedAt: noon, Score: "90.0", TracksScore: true}
	for name, tc := range map[string]struct {
		change func(*training.Record)
		want   []training.MismatchKind
	}{
		"as written":            {func(*training.Record) {}, nil},
		"keeps no scores":       {func(r *training.Record) { r.Score, r.TracksScore = "", false }, nil},
		"whole seconds":         {func(r *training.Record) { r.CompletedAt = noon.Truncate(time.Second) }, nil},
		"another date":          {func(r *training.Record) { r.CompletedAt = noon.AddDate(0, 0, 1) }, []training.MismatchKind{training.MismatchDifferentDate}},
		"no date":               {func(r *training.Record) { r.CompletedAt = time.Time{} }, []training.MismatchKind{training.MismatchDifferentDate}},
		"another score":         {func(r *training.Record) { r.Score = "70" }, []training.MismatchKind{training.MismatchDifferentScore}},
		"opened again":          {func(r *training.Record) { r.Status = training.RecordInProgress }, []training.MismatchKind{training.MismatchDifferentStatus}},
		"somebody else's":       {func(r *training.Record) { r.EmployeeID = "E-2" }, []training.MismatchKind{training.MismatchOtherPerson}},
		"another date and mark": {func(r *training.Record) { r.CompletedAt, r.Score = noon.AddDate(0, 0, 1), "1" }, []training.MismatchKind{training.MismatchDifferentDate, training.MismatchDifferentScore}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := read
			tc.change(&changed)
			var kinds []training.MismatchKind
			for _, m := range reconcile.Record(known(finished(noon)), meant, changed) {
				require.Equal(t, "TR-1", m.RecordID)
				kinds = append(kinds, m.Kind)
			}
			require.Equal(t, tc.want, kinds)
		})
	}
}

func TestWhatHasNotEnded_R144(t *testing.T) {
	for name, tc := range map[string]struct {
		state training.State
		class training.FailureClass
		age   time.Duration
		want  training.MismatchKind
	}{
		"on its way":                {training.StateRunning, "", time.Hour, ""},
		"on its way for too long":   {training.StateRunning, "", 25 * time.Hour, training.MismatchWaitingTooLong},
		"waits for an approval":     {training.StateWaitingApproval, "", 25 * time.Hour, training.MismatchWaitingTooLong},
		"in review, fresh":          {training.StateInReview, training.FailureRecordLocked, time.Hour, ""},
		"no mapping, said at once":  {training.StateInReview, training.FailureCourseUnmapped, time.Minute, training.MismatchNoMapping},
		"unknown person, at once":   {training.StateInReview, training.FailureEmployeeUnknown, time.Minute, training.MismatchUnknownPerson},
		"retrying with that reason": {training.StateRetrying, training.FailureEmployeeUnknown, time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := reconcile.Waiting(known(finished(noon)), tc.state, tc.class, noon, noon.Add(tc.age), 24*time.Hour)
			if tc.want == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Equal(t, tc.want, found[0].Kind)
		})
	}
}
