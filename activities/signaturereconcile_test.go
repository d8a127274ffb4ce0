package activities

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"countersign/internal/certificate"
	"countersign/internal/journal"
	"countersign/internal/qms/arenav1"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

func TestReconcilingWhatWasSigned(t *testing.T) {
	h := newHouse(t)
	d := h.desk(t)
	require.Equal(t, training.OutcomeCompleted, d.run().Outcome)
	r := &reconciliation{
		a: New(Config{Journal: h.journal}), runs: h.journal.(Runs), tenant: d.tenant,
		run: journal.Reconciliation{Tenant: "acme"}, pace: limiter(training.DefaultReconciliation()),
	}
	examined := func() []string {
		stored, err := h.journal.Completion(t.Context(), "acme", d.fingerprint)
		require.NoError(t, err)
		found, err := r.examine(t.Context(), stored)
		require.NoError(t, err)
		return kinds(found)
	}
	require.Empty(t, examined(), "signed two hours after the course was finished")
	require.NoError(t, d.sim.Revise(d.plan.GUID, "020-00004", "B", true))
	d.sim.SetClockOffset(48 * time.Hour) // what the client had read is old by now
	d.tenant.QMS = d.client()
	r.tenant = d.tenant
	require.Equal(t, []string{"different_status:completion"}, examined())
	d.sign()
	require.Empty(t, examined())
	d.requireNothingCompleted()
}

func TestSignedAndReportedByNobody_R143(t *testing.T) {
	h := newHouse(t)
	d := h.desk(t)
	d.tenant.QMS = d.client(func(cfg *arenav1.Config) { cfg.Trainings = []string{"TRP-NONE", "TRP-000012"} })
	d.tenant.MappedTraining = func(string) bool { return true }
	r := &reconciliation{
		a: New(Config{Journal: h.journal}), runs: h.journal.(Runs), tenant: d.tenant, pace: limiter(training.DefaultReconciliation()),
		run: journal.Reconciliation{Tenant: "acme", From: d.env.Now().Add(-time.Hour), To: d.env.Now().Add(48 * time.Hour)},
	}
	found := func() (all []training.Mismatch) {
		for cursor := ""; ; {
			p, err := r.records(t.Context(), cursor)
			require.NoError(t, err)
			all = append(all, p.mismatches...)
			if cursor = p.next; p.done {
				return all
			}
		}
	}
	require.Empty(t, found())
	require.Equal(t, training.OutcomeCompleted, d.run().Outcome)
	require.Empty(t, found(), "proved by us, under the signature's id")

	other := d.sim.AddUser(simulated.User{Email: "robin@acme.example"})
	require.NoError(t, d.sim.Enroll(d.plan.GUID, other.GUID))
	require.NoError(t, d.sim.Sign(d.plan.GUID, other.GUID, "020-00004"))
	require.Empty(t, found(), "a part is signed")
	require.NoError(t, d.sim.Sign(d.plan.GUID, other.GUID, "020-00005"))
	all := found()
	require.Equal(t, []string{"missing_in_lms:record"}, kinds(all))
	again, err := r.record(t.Context(), all[0])
	require.NoError(t, err)
	require.Len(t, again, 1, "looked at again by the record's id")
	d.requireNothingCompleted()
}

// The report of a completion whose upload was lost and carried out late stands twice with the training. A run says so and
// names both files, once a day and not as news, until a person has removed one; other people's files are theirs.
func TestDocumentThatStandsTwiceIsReported_R143_R144(t *testing.T) {
	h := newHouse(t)
	d := h.desk(t)
	d.tenant.QMS = d.client(func(cfg *arenav1.Config) { cfg.Trainings = []string{"TRP-000012", "TRP-NONE"} })
	d.sim.Fault(simulated.EndpointUpload, fault.LateCommitLost(-time.Second, 1))
	require.Equal(t, training.OutcomeCompleted, d.run().Outcome)
	a := New(Config{
		Journal: h.journal, Runs: h.journal.(Runs), Log: slog.New(slog.DiscardHandler),
		Tenant: func(string) (Tenant, bool) { return d.tenant, true },
	})
	run := func(name string) []training.Mismatch {
		plan, err := a.BeginReconciliation(t.Context(), workflows.BeginReconciliation{
			Tenant: "acme", Run: name, From: time.Unix(0, 0), To: time.Unix(1, 0), Settings: training.DefaultReconciliation(),
		})
		require.NoError(t, err)
		require.Contains(t, plan.Parts, "documents")
		for _, part := range plan.Parts {
			if part != partDocuments && part != partStanding {
				continue
			}
			in := workflows.ReconcilePart{Tenant: "acme", Run: name, Part: part, Settings: training.DefaultReconciliation()}
			progress, err := a.reconcilePart(t.Context(), in, slog.New(slog.DiscardHandler), new(atomic.Int64))
			require.NoError(t, err)
			require.True(t, progress.Done)
		}
		_, err = a.EndReconciliation(t.Context(), workflows.EndReconciliation{Tenant: "acme", Run: name})
		require.NoError(t, err)
		found, err := h.journal.(Runs).Mismatches(t.Context(), "acme", name, "", journal.MismatchPlace{}, 100)
		require.NoError(t, err)
		return found
	}
	require.Empty(t, run("run-1"))

	d.sim.CommitLate()
	files := d.sim.Files(d.plan.GUID)
	require.Len(t, files, 3, "the report, the certificate, and the report again")
	first, late := files[0], files[2]
	require.Equal(t, first.Name, late.Name)
	found := run("run-2")
	require.Len(t, found, 1)
	require.Equal(t, training.MismatchDocumentTwice, found[0].Kind)
	require.Equal(t, "TRP-000012", found[0].Course)
	require.Equal(t, first.Name+": files "+first.GUID+", "+late.GUID, found[0].Detail)
	require.Equal(t, certificate.ReportNumber(d.fingerprint)+".pdf", first.Name)

	again := run("run-3")
	require.Len(t, again, 1)
	require.False(t, again[0].Carried, "it was looked at")
	require.Equal(t, found[0].Since, again[0].Since)

	require.NoError(t, d.sim.RemoveFile(d.plan.GUID, late.GUID))
	require.Empty(t, run("run-4"))
	d.requireNothingCompleted()
}
