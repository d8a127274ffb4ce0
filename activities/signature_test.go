package activities

import (
	"encoding/json"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/qms/arenav1"
	simulated "countersign/internal/simulator/arenav1"
	"countersign/internal/simulator/fault"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// Enrolled, the report kept, waited, signed, proved, certified and stated, the certificate kept.
func TestTraineeSignsAndTheCompletionEnds(t *testing.T) {
	d := newHouse(t).desk(t)
	d.onWait = func() {
		d.env.RegisterDelayedCallback(func() {
			stored, err := d.journal.Completion(t.Context(), "acme", d.fingerprint)
			require.NoError(t, err)
			require.Equal(t, training.StateWaitingSignature, stored.State)
			for _, kind := range []training.EffectKind{training.EffectRecord, training.EffectCertificate, training.EffectStatement} {
				_, err := d.effect(kind)
				require.ErrorIs(t, err, journal.ErrNotFound, kind)
			}
			require.Len(t, d.files(), 1, "the report")
			require.NoError(t, d.sim.Sign(d.plan.GUID, d.trainee.GUID, "020-00004"))
		}, time.Hour)
		d.env.RegisterDelayedCallback(d.sign, 30*time.Hour)
	}
	result := d.run()
	require.Equal(t, training.OutcomeCompleted, result.Outcome)
	require.Equal(t, training.RecordCompleted, result.Status)
	require.Regexp(t, `^TRP-000012@[0-9a-f]{16}$`, result.RecordID)
	require.Empty(t, d.reviews)
	d.requireOnce()
	require.NotNil(t, d.sim.Roster(d.plan.GUID)[0].DueDate)

	effect, err := d.effect(training.EffectRecord)
	require.NoError(t, err)
	var proof signatureProof
	require.NoError(t, json.Unmarshal(effect.Bytes, &proof))
	require.Equal(t, d.completion.CompletedAt, proof.Meant.CompletedAt)
	require.Equal(t, result.RecordID, proof.Read.ID)
	require.Len(t, proof.Signatures, 2)
	for _, s := range proof.Signatures {
		require.Equal(t, d.trainee.GUID, s.UserID)
		require.Equal(t, "A", s.Revision)
		require.True(t, s.SignedAt.After(d.completion.CompletedAt))
	}
	require.Equal(t, proof.Signatures[1].RecordID, effect.ID, "the signature that completed it")
	require.Equal(t, proof.Read.CompletedAt, proof.Signatures[1].SignedAt)

	stored, err := d.journal.Completion(t.Context(), "acme", d.fingerprint)
	require.NoError(t, err)
	require.Equal(t, training.StateCompleted, stored.State)
	for _, kind := range []training.EffectKind{training.EffectEvidence, training.EffectCertificate, training.EffectStatement} {
		effect, err := d.effect(kind)
		require.NoError(t, err)
		require.False(t, effect.DeliveredAt.IsZero(), "%s has reached the other side", kind)
	}
}

// Whatever goes wrong, at every call, twice in a row: one roster entry, one file of each name, one proof.
func TestTroubleOnTheWayToASignatureDoublesNothing(t *testing.T) {
	h := newLightHouse(t)
	for _, endpoint := range simulated.Endpoints() {
		if endpoint == simulated.EndpointToken || endpoint == simulated.EndpointUnknown {
			continue // not on this way
		}
		for name, trouble := range map[string]fault.Fault{
			"unsent": fault.DropBefore(2), "lost": fault.DropAfter(2), "lost late": fault.LateCommitLost(-time.Second, 2),
			"503": fault.Status(503, 2), "503 after": fault.CommitThenStatus(503, 2), "429": fault.RateLimited("120", 2),
			"garbled": fault.Malformed(2), "cut off": fault.Truncated(2), "401": fault.Status(401, 2),
		} {
			t.Run(string(endpoint)+" "+name, func(t *testing.T) {
				d := h.desk(t)
				d.sim.Fault(endpoint, trouble)
				result := d.run()
				require.Equal(t, training.OutcomeCompleted, result.Outcome, "reviews: %v", d.reviews)
				d.requireOnce()
			})
		}
	}
}

// A signature from before the course was finished belongs to an earlier training, as far as can be seen. A
// person may let it count; else nothing is claimed.
func TestSignatureOlderThanTheCompletion(t *testing.T) {
	for _, action := range []training.Action{training.ActionUseRecord, training.ActionClose} {
		d := newHouse(t).desk(t)
		require.NoError(t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID))
		d.sim.SetClockOffset(-30 * 24 * time.Hour)
		d.sign()
		d.sim.SetClockOffset(0)
		d.onReview = func(class training.FailureClass) training.Action {
			require.Equal(t, training.FailureSignedBefore, class)
			return action
		}
		result := d.run()
		_, err := d.effect(training.EffectRecord)
		if action == training.ActionClose {
			require.Equal(t, training.OutcomeClosed, result.Outcome)
			require.ErrorIs(t, err, journal.ErrNotFound)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, training.OutcomeCompleted, result.Outcome)
		require.Len(t, d.reviews, 1)
		d.requireOnce()
	}
}

// What was proved stays proved: while the certificate cannot be kept the trainee leaves the plan, and the item
// gets a revision that is to be signed anew. Nobody is enrolled again, and nothing is waited for again.
func TestProvedIsNotWaitedForAgain(t *testing.T) {
	d := newHouse(t).desk(t)
	d.onWait = func() {
		d.onWait = func() { d.t.Error("waits again") }
		d.env.RegisterDelayedCallback(func() {
			d.sign()
			d.sim.Fault(simulated.EndpointUpload, fault.Status(403, fault.Forever))
		}, time.Hour)
	}
	asked := 0
	d.onReview = func(class training.FailureClass) training.Action {
		require.Equal(t, training.FailureCredentials, class)
		require.NoError(t, d.sim.Remove(d.plan.GUID, d.trainee.GUID))
		require.NoError(t, d.sim.Revise(d.plan.GUID, "020-00004", "B", true))
		d.sim.ClearFaults()
		asked = d.sim.Calls(simulated.EndpointRecords)
		return training.ActionRetry
	}
	require.Equal(t, training.OutcomeCompleted, d.run().Outcome)
	require.Len(t, d.reviews, 1)
	require.Empty(t, d.sim.Roster(d.plan.GUID), "whoever was taken off stays off")
	require.Equal(t, asked, d.sim.Calls(simulated.EndpointRecords))
	require.Len(t, d.files(), 2)
	d.requireNothingCompleted()
}

// What a completion costs of the workspace's day, counted at the other side; docs/qms/arena-v1.md has the table.
func TestCostOfACompletion(t *testing.T) {
	for name, tc := range map[string]struct {
		enrolled bool
		signs    time.Duration
		want     int
	}{
		"enrolled, signed within a minute":       {true, time.Minute, 15},
		"enrolled, signed after 20 hours":        {true, 20 * time.Hour, 29},
		"enrolled, signed after two weeks":       {true, 14 * 24 * time.Hour, 106},
		"enrolled by us, signed within a minute": {false, time.Minute, 22},
		"enrolled by us, signed after 20 hours":  {false, 20 * time.Hour, 36},
	} {
		t.Run(name, func(t *testing.T) {
			d := newHouse(t).desk(t)
			d.tenant.QMS = d.client(func(cfg *arenav1.Config) { cfg.CacheFor = 10 * time.Minute })
			if tc.enrolled {
				require.NoError(t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID))
			}
			d.onWait = func() { d.env.RegisterDelayedCallback(d.sign, tc.signs) }
			require.Equal(t, training.OutcomeCompleted, d.run().Outcome)
			require.Empty(t, d.reviews)
			require.Equal(t, tc.want, d.sim.Calls(fault.Any))
			d.requireOnce()
		})
	}
}

// A few minutes before is two clocks, not an earlier training.
func TestSignatureWithinGraceCounts(t *testing.T) {
	d := newHouse(t).desk(t)
	require.NoError(t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID))
	d.sim.SetClockOffset(-10 * time.Minute)
	d.sign()
	d.sim.SetClockOffset(0)
	require.Equal(t, training.OutcomeCompleted, d.run().Outcome)
	require.Empty(t, d.reviews)
}

// One signature never proves two completions (law 2).
func TestOneSignatureProvesOneCompletion(t *testing.T) {
	d := newHouse(t).desk(t)
	require.Equal(t, training.OutcomeCompleted, d.run().Outcome)

	d2 := d.again()
	d2.completion.Learner.ID = "the same person, known by another id"
	d2.onReview = func(class training.FailureClass) training.Action {
		require.Equal(t, training.FailureCompletedElse, class)
		return training.ActionClose
	}
	require.Equal(t, training.OutcomeClosed, d2.run().Outcome)
	_, err := d2.effect(training.EffectCertificate)
	require.ErrorIs(t, err, journal.ErrNotFound)
}

// What only a person in Arena can mend is put before one, who mends it; then it goes on.
func TestWhatAPersonMendsInTheQMS(t *testing.T) {
	for name, tc := range map[string]struct {
		arrange, mend func(*desk)
		want          training.FailureClass
	}{
		"not enrolled, and policy enrolls nobody": {
			func(d *desk) { d.policy.MissingRecord = training.MissingReview },
			func(d *desk) { require.NoError(d.t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID)) }, training.FailureRecordMissing},
		"the bridge does not manage the plan": {
			func(d *desk) {
				d.plan = d.sim.AddPlan(simulated.Plan{Number: "TRP-OTHERS", Manager: d.trainee}, "020-00004")
				d.tenant.Training = func(string, training.Course) (string, bool, bool) { return "TRP-OTHERS", false, true }
			},
			func(d *desk) { require.NoError(d.t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID)) }, training.FailureEnrollForbidden},
		"closed when it begins": {
			func(d *desk) { require.NoError(d.t, d.sim.SetStatus(d.plan.GUID, simulated.Closed)) },
			func(d *desk) { require.NoError(d.t, d.sim.SetStatus(d.plan.GUID, simulated.Open)) }, training.FailureTrainingClosed},
		"closed while it waits": {
			func(d *desk) {
				d.onWait = func() {
					require.NoError(d.t, d.sim.SetStatus(d.plan.GUID, simulated.Closed))
					d.onWait = nil
				}
			},
			func(d *desk) { require.NoError(d.t, d.sim.SetStatus(d.plan.GUID, simulated.Open)) }, training.FailureTrainingClosed},
		"taken off the plan while it waits": {
			func(d *desk) {
				d.policy.MissingRecord = training.MissingReview
				require.NoError(d.t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID))
				d.onWait = func() {
					require.NoError(d.t, d.sim.Remove(d.plan.GUID, d.trainee.GUID))
					d.onWait = nil
				}
			},
			func(d *desk) { require.NoError(d.t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID)) }, training.FailureRecordMissing},
	} {
		t.Run(name, func(t *testing.T) {
			d := newHouse(t).desk(t)
			tc.arrange(d)
			d.onReview = func(class training.FailureClass) training.Action {
				require.Equal(t, tc.want, class)
				tc.mend(d)
				return training.ActionRetry
			}
			require.Equal(t, training.OutcomeCompleted, d.run().Outcome)
			require.Equal(t, []training.FailureClass{tc.want}, d.reviews)
			d.requireOnce()
		})
	}
}

// The day's budget is spent while it waits: the poll waits for the next day, and nobody is bothered.
func TestSpentBudgetIsWaitedOut(t *testing.T) {
	d := newHouse(t).desk(t)
	d.onWait = func() {
		d.sim.Spend(0)
		d.env.RegisterDelayedCallback(d.sign, time.Hour)
	}
	require.Equal(t, training.OutcomeCompleted, d.run().Outcome)
	require.Empty(t, d.reviews)
	d.requireOnce()
	require.Equal(t, 9, d.env.Now().UTC().Day())
}

// A name that no font has letters for: neither document can be drawn, and a person may go without both.
func TestReportThatCannotBeDrawn(t *testing.T) {
	d := newHouse(t).desk(t)
	d.completion.Learner.FirstName = "\U00010330\U0001033f\U00010344" // Gothic
	skip := map[training.FailureClass]training.Action{
		training.FailureEvidence: training.ActionSkipEvidence, training.FailureCertificate: training.ActionSkipCertificate,
	}
	d.onReview = func(class training.FailureClass) training.Action { return skip[class] }
	result := d.run()
	require.Equal(t, training.OutcomeCompleted, result.Outcome)
	require.Equal(t, []training.FailureClass{training.FailureEvidence, training.FailureCertificate}, d.reviews)
	require.Equal(t, []training.EffectKind{training.EffectEvidence, training.EffectCertificate}, result.Skipped)
	require.Empty(t, d.files())
	d.requireNothingCompleted()
}

// A completion that was started for a QMS that the bridge completes meets one that it does not: it is
// refused before anything is written, and a person decides. And the other way round.
func TestQMSOfTheOtherKind(t *testing.T) {
	d := newHouse(t).desk(t)
	require.NoError(t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID))
	d.policy.Signing = nil
	d.completion.Learner.Email = d.trainee.Email
	d.onReview = func(class training.FailureClass) training.Action {
		require.Equal(t, training.FailureSignatureNeeded, class)
		return training.ActionClose
	}
	require.Equal(t, training.OutcomeClosed, d.run().Outcome)
	d.requireNothingCompleted()
	require.Empty(t, d.files())

	w := newWorld(t)
	w.assigned()
	_, failure := run[workflows.RecordPlan](w, "EnrollTrainee", workflows.CheckRecord{Ref: w.journaled(completion())})
	require.Equal(t, training.FailureDefect, failure.Class)
	require.Equal(t, "the tenant's QMS is not completed by signatures any more", failure.Detail)
}

func TestRehearsalOfASignature_R190_R192(t *testing.T) {
	d := newHouse(t).desk(t)
	rehearse := func() Rehearsal { return Rehearse(t.Context(), d.journal, d.tenant, d.policy, d.completion) }
	documents := []string{
		"A report of the completion, which says that it is no certificate, would be kept with the training.",
		"The completion would wait until the trainee has signed in the QMS. Nobody else can, and nothing is completed for them.",
		"A certificate would be issued once the record is signed.",
		"An xAPI statement would be put into the LRS once the record is signed.",
	}
	r := rehearse()
	require.Empty(t, r.Problems)
	require.Equal(t, append([]string{"The employee would be enrolled in the training, and the enrollment read back."}, documents...), r.WouldDo)
	d.policy.MissingRecord = training.MissingReview
	require.Equal(t, []training.FailureClass{training.FailureRecordMissing}, classes(rehearse()))

	require.NoError(t, d.sim.Enroll(d.plan.GUID, d.trainee.GUID))
	require.Regexp(t, `^Enrollment TRP-000012@[0-9a-f]{16} would be used\.$`, rehearse().WouldDo[0])
	d.sign()
	require.Contains(t, rehearse().WouldDo[0], "is signed already")
	require.Len(t, d.sim.Roster(d.plan.GUID), 1)
	require.Empty(t, d.files(), "a rehearsal writes nothing")
	d.requireNothingCompleted()
}

// The record is held against the proof, not against the day on which the course was finished; and whoever
// trained on a new revision has signed again, which is no difference.
// What somebody signed and no LMS reported is found; what a completion of ours proves, or is on its way to, is not.
// An enrollment that the LMS reports puts the trainee on the plan's roster, once, and its link is no orphan.
func TestReportedEnrollmentIsOneRosterEntry_R97_R98(t *testing.T) {
	w, d := newWorld(t), newHouse(t).desk(t)
	w.tenant = d.tenant
	w.tenant.Policy.Enrollments = training.EnrollmentsCreate
	e := enrollment()
	e.Learner.Email = d.completion.Learner.Email
	ref := w.enrolled(e)
	first, failure := w.link(ref)
	require.Empty(t, failure)
	require.True(t, first.Created)
	require.Equal(t, training.RecordAssigned, first.Status)
	for range 2 {
		again, failure := w.link(ref)
		require.Empty(t, failure)
		require.Equal(t, first.RecordID, again.RecordID)
	}
	require.Len(t, d.sim.Roster(d.plan.GUID), 1)
	r := &reconciliation{
		a: New(Config{Journal: w.journal}), runs: w.journal, tenant: w.tenant,
		run: journal.Reconciliation{Tenant: "acme"}, pace: limiter(training.DefaultReconciliation()),
	}
	orphans, err := r.link(t.Context(), first.RecordID)
	require.NoError(t, err)
	require.Empty(t, orphans, "the LMS writes the address in another case")
}
