package arenav1_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/qms/arenav1"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
)

// keep has a document kept in the way of an activity: as often as it takes.
func (w *world) keep(c *arenav1.Client, recordID, name string) {
	w.t.Helper()
	d := qms.Document{Name: name, Title: "Report", ContentType: "application/pdf", Bytes: []byte("%PDF-1.4 " + name)}
	for range 3 {
		err := qms.Keep(w.t.Context(), c, recordID, d, qms.ApplyOptions{ReadBack: []time.Duration{0}})
		if err == nil {
			return
		}
		var failure *training.Failure
		require.ErrorAs(w.t, err, &failure)
		require.True(w.t, failure.Class.Transient(), err)
		w.clock.Advance(time.Minute)
	}
	w.t.Fatal("not kept")
}

// twice is every page of what stands twice.
func (w *world) twice(c *arenav1.Client) (all []qms.Twice) {
	w.t.Helper()
	for cursor := ""; ; {
		page, next, err := c.Twice(w.t.Context(), cursor)
		require.NoError(w.t, err)
		all = append(all, page...)
		if cursor = next; next == "" {
			return all
		}
	}
}

// An upload whose answer was lost, and that is carried out after it was sent again, stands there twice. Keep cannot know;
// who looks later is told both files.
func TestLostUploadThatIsCarriedOutLateIsSeen_R143(t *testing.T) {
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) {
		cfg.Trainings = []string{"TRP-000012", "TRP-000012/020-00004", "TRP-000011", "TRP-NONE"}
	})
	other := w.sim.AddPlan(simulated.Plan{Number: "TRP-000011", Manager: manager}, "020-00009")
	require.NoError(t, w.sim.Enroll(other.GUID, jane))
	require.NoError(t, w.sim.Enroll(w.plan.GUID, jane))
	records, err := c.Records(t.Context(), jane, "TRP-000012")
	require.NoError(t, err)
	require.Len(t, records, 1)
	others, err := c.Records(t.Context(), jane, "TRP-000011")
	require.NoError(t, err)
	require.Len(t, others, 1)

	w.sim.Fault(simulated.EndpointUpload, fault.LateCommitLost(-time.Second, 1))
	w.keep(c, records[0].ID, "EV-0000-0000-0000-0001.pdf")
	w.keep(c, records[0].ID, "EV-0000-0000-0000-0002.pdf")
	w.keep(c, others[0].ID, "EV-0000-0000-0000-0001.pdf") // the same name elsewhere is no second one
	require.Empty(t, w.twice(c))
	w.sim.CommitLate()
	files := w.sim.Files(w.plan.GUID)
	require.Len(t, files, 3)
	first, late := files[0], files[2]
	require.Equal(t, first.Name, late.Name)
	require.Equal(t, first.Bytes, late.Bytes)

	before := w.sim.Calls(simulated.EndpointFiles)
	require.Equal(t, []qms.Twice{{TrainingID: "TRP-000012", Name: first.Name, Files: []string{first.GUID, late.GUID}}}, w.twice(c))
	require.Equal(t, before+2, w.sim.Calls(simulated.EndpointFiles), "each plan once, whatever of it is a training")

	require.NoError(t, w.sim.RemoveFile(w.plan.GUID, late.GUID))
	require.Empty(t, w.twice(c))
	w.sim.Fault(simulated.EndpointFiles, fault.Status(503, 1))
	_, _, err = c.Twice(t.Context(), "")
	requireClass(t, err, training.FailureUnreachable)
}

// A long list of files is read to its end.
func TestTwiceAmongManyFiles(t *testing.T) {
	w := at(t)
	c := w.connect(func(cfg *arenav1.Config) { cfg.Trainings = []string{"TRP-000012"} })
	require.NoError(t, w.sim.Enroll(w.plan.GUID, jane))
	records, err := c.Records(t.Context(), jane, "TRP-000012")
	require.NoError(t, err)
	attach := func(name string) {
		require.NoError(t, c.Attach(t.Context(), records[0].ID, qms.Document{Name: name, ContentType: "application/pdf", Bytes: []byte("%PDF")}, "r"))
	}
	for n := range 420 {
		attach(fmt.Sprintf("CS-0000-0000-0000-%04d.pdf", n))
	}
	require.Empty(t, w.twice(c))
	attach("CS-0000-0000-0000-0000.pdf")
	attach("CS-0000-0000-0000-0007.pdf")
	all := w.twice(c)
	require.Len(t, all, 2)
	require.Equal(t, "CS-0000-0000-0000-0000.pdf", all[0].Name)
	require.Equal(t, "CS-0000-0000-0000-0007.pdf", all[1].Name)
}
