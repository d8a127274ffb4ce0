package activities

import (
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/qms/arenav1"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/training"

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
