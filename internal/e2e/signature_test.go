package e2e

import (
	"fmt"
	"testing"
	"time"

	"countersign/internal/simulator/arenav1"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// inWorkspace gives the tenant the vendor's documented API, with one plan and the first learners as users.
func inWorkspace(t *testing.T, w *arenav1.Workspace) (at arenav1.Plan, users []arenav1.User, o option) {
	t.Helper()
	manager := arenav1.User{GUID: "UMANAGER000000000001", Email: "bridge@acme.example"}
	w.AddAccount(arenav1.Account{User: manager, ClientID: "app", ClientSecret: "qms-secret", WorkspaceID: "898001"})
	at = w.AddPlan(arenav1.Plan{Number: program, Manager: manager}, "020-00004")
	for n := range 3 {
		users = append(users, w.AddUser(arenav1.User{Email: address(n + 1)}))
	}
	url := serve(t, w.Handler())
	t.Cleanup(w.Gate.Close)
	return at, users, func(p *plan) {
		p.qms = fmt.Sprintf(`type: arena-v1
      url: %s
      cache: 0s
      workspace_id: "898001"
      oauth: {client_id: app, client_secret: env:E2E_QMS_SECRET, token_url: %q}`, url+"/v1", url+"/oauth2/token")
		p.employeeID = "email"
		p.retry += ", missing_record: create, signing: {poll: {first: 1s, maximum: 2s}}"
	}
}

// The whole product on a QMS that it cannot complete: the trainee is enrolled, the completion outlives a
// kill of everything while it waits, and ends when the trainee has signed.
func TestTraineeSignsInTheQMS(t *testing.T) {
	w := arenav1.New(arenav1.Options{})
	plan, users, workspace := inWorkspace(t, w)
	s := newSystem(t, onDisk(t.TempDir()), workspace)
	j := s.journal()
	signed, closed := s.complete(1), s.complete(2)
	s.becomes(j, signed, training.StateWaitingSignature)
	s.becomes(j, closed, training.StateWaitingSignature)
	require.Len(t, w.Roster(plan.GUID), 2)
	require.Len(t, w.Files(plan.GUID), 2, "the reports")

	require.NoError(t, s.worker.Kill())
	require.NoError(t, s.temporal.Kill())
	require.NoError(t, s.temporal.Start(t.Context()))
	s.startWorker()
	require.NoError(t, w.Sign(plan.GUID, users[0].GUID, ""))
	s.becomes(j, signed, training.StateCompleted)
	require.NoError(t, s.update(closed, decision(training.ActionClose)))
	s.becomes(j, closed, training.StateClosed)

	require.Len(t, w.Roster(plan.GUID), 2, "nobody twice")
	require.Len(t, w.Files(plan.GUID), 3, "and one certificate")
	require.Len(t, s.lrs.Statements(), 1)
	require.Zero(t, w.Calls(arenav1.EndpointUnknown))
	effect, err := j.Effect(t.Context(), tenant, signed, training.EffectRecord)
	require.NoError(t, err)
	require.Contains(t, string(effect.Bytes), users[0].GUID)
	require.WithinDuration(t, time.Now(), effect.CreatedAt, patience)
	s.record("signed", signed)
	s.record("closed-while-unsigned", closed)
}

// The trainee signed this course's plan long ago: a person lets the signature count.
func TestOldSignatureCountsByADecision(t *testing.T) {
	w := arenav1.New(arenav1.Options{})
	plan, users, workspace := inWorkspace(t, w)
	w.SetClockOffset(-2 * 365 * 24 * time.Hour)
	require.NoError(t, w.Enroll(plan.GUID, users[2].GUID))
	require.NoError(t, w.Sign(plan.GUID, users[2].GUID, ""))
	w.SetClockOffset(0)
	s := newSystem(t, workspace)
	j := s.journal()
	f := s.complete(3)
	s.becomes(j, f, training.StateInReview)
	stored, err := j.Completion(t.Context(), tenant, f)
	require.NoError(t, err)
	require.Equal(t, training.FailureSignedBefore, stored.FailureClass)
	d := decision(training.ActionUseRecord)
	d.RecordID = stored.RecordID
	require.NoError(t, s.update(f, d))
	s.becomes(j, f, training.StateCompleted)
	s.record("signed-before", f)
}
