package workflows

import (
	"context"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
)

func (w *world) LinkEnrollment(_ context.Context, ref EnrollmentRef) (LinkedEnrollment, error) {
	n := w.call(linkEnrollment)
	w.again = append(w.again, ref.Again)
	if w.link != nil {
		return w.link(n)
	}
	return LinkedEnrollment{RecordID: "TR-1", Status: training.RecordAssigned, Created: true}, nil
}

func (w *world) RecordEnrollment(_ context.Context, in RecordEnrollment) (RecordedWait, error) {
	w.call(recordEnrollment)
	decisions := w.earlier
	for _, recorded := range w.recorded {
		if recorded.Decision != nil {
			decisions++
		}
	}
	w.recorded = append(w.recorded, in)
	return RecordedWait{Decisions: decisions}, nil
}

func (w *world) WakeCompletions(_ context.Context, in WakeCompletions) error {
	w.call(wakeCompletions)
	w.woken = append(w.woken, in)
	return nil
}

// states are what the journal was told.
func (w *world) states() (all []training.EnrollmentState) {
	for _, recorded := range w.recorded {
		all = append(all, recorded.State)
	}
	return all
}

func enrolled(t *testing.T, env *testsuite.TestWorkflowEnvironment, change ...func(*EnrollmentInput)) EnrollmentResult {
	t.Helper()
	in := EnrollmentInput{
		Tenant: "acme", Source: "lms", Platform: "docebo", Course: "COMP-2026",
		Key: training.EnrollmentKey(input().Fingerprint), Policy: training.DefaultPolicy(), Steps: CurrentEnrollmentSteps,
	}
	for _, change := range change {
		change(&in)
	}
	env.ExecuteWorkflow(EnrollmentWorkflow, in)
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	var result EnrollmentResult
	require.NoError(t, env.GetWorkflowResult(&result))
	return result
}

func fails(class training.FailureClass, times int) func(int) (LinkedEnrollment, error) {
	return func(n int) (LinkedEnrollment, error) {
		if n <= times {
			return LinkedEnrollment{}, failing(class)
		}
		return LinkedEnrollment{RecordID: "TR-1", Status: training.RecordAssigned}, nil
	}
}

func TestEnrollmentIsLinked_R97_R98(t *testing.T) {
	w := &world{}
	result := enrolled(t, environment(t, w))
	require.Equal(t, EnrollmentResult{State: training.EnrollmentLinked, RecordID: "TR-1", Status: training.RecordAssigned, Created: true}, result)
	require.Equal(t, []training.EnrollmentState{training.EnrollmentLinked}, w.states())
	require.Equal(t, "TR-1", w.recorded[0].RecordID)
	require.Len(t, w.woken, 1, "what waits for the record goes on")
	require.Empty(t, w.heard())
}

// The gaps are those of a completion, and nobody hears of what a retry has mended.
func TestEnrollmentIsRetried_R123(t *testing.T) {
	w := &world{link: fails(training.FailureUnreachable, 3)}
	require.Equal(t, training.EnrollmentLinked, enrolled(t, environment(t, w)).State)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, w.gaps(linkEnrollment))
	require.Empty(t, w.heard())
}

// After the third retry, and at once where none can help, a person is asked.
func TestEnrollmentInReview_R133_R139(t *testing.T) {
	for name, test := range map[string]struct {
		class    training.FailureClass
		attempts int
	}{
		"after the third retry": {training.FailureUnreachable, 4},
		"at once":               {training.FailureEmployeeUnknown, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{link: fails(test.class, test.attempts)}
			env := environment(t, w)
			env.RegisterDelayedCallback(func() {
				require.Contains(t, details(t, env), "Needs a review")
				env.SignalWorkflow(ReviewSignal, decision(training.ActionApprove)) // no answer to this
			}, 2*time.Hour)
			env.RegisterDelayedCallback(func() {
				require.Contains(t, details(t, env), "changed nothing")
				env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
			}, 3*time.Hour)
			require.Equal(t, training.EnrollmentLinked, enrolled(t, env).State)
			require.Equal(t, []training.EnrollmentState{training.EnrollmentInReview, training.EnrollmentRunning, training.EnrollmentLinked}, w.states())
			require.Len(t, w.called(linkEnrollment), test.attempts+1)
			require.Equal(t, decision(training.ActionRetry), *w.recorded[1].Decision)
			require.Equal(t, 1, w.recorded[1].Round)
			told := w.heard()
			require.Len(t, told, 1)
			require.Equal(t, test.class, told[0].Item.Class)
			require.Equal(t, "an enrollment in COMP-2026", told[0].Item.Course)
		})
	}
}

func TestEnrollmentIsClosedByUpdate_R139(t *testing.T) {
	w := &world{link: fails(training.FailureRecordAmbiguous, 9), earlier: 2}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(DecideUpdate, "1", &callback{t: t}, decision(training.ActionClose))
	}, time.Hour)
	result := enrolled(t, env)
	require.Equal(t, training.EnrollmentClosed, result.State)
	require.Equal(t, "m.keller", result.DecidedBy)
	last := w.recorded[len(w.recorded)-1]
	require.Equal(t, 3, last.Round, "the journal counts the decisions of lost runs too")
	require.Equal(t, "update", last.Via)
	require.Equal(t, training.FailureRecordAmbiguous, last.Failure.Class)
	require.Empty(t, w.woken)
}

// callback lets an update through.
type callback struct{ t *testing.T }

func (c *callback) Accept()                 {}
func (c *callback) Reject(err error)        { require.NoError(c.t, err) }
func (c *callback) Complete(_ any, e error) { require.NoError(c.t, e) }

// Nobody decides: the admins are reminded, and it ends with everything kept.
func TestEnrollmentExpiresInReview_R141(t *testing.T) {
	w := &world{link: fails(training.FailureCourseUnmapped, 9)}
	env := environment(t, w)
	began := env.Now()
	result := enrolled(t, env)
	require.Equal(t, training.EnrollmentExpiredInReview, result.State)
	require.Contains(t, result.Reason, "course_unmapped")
	require.Equal(t, 14*24*time.Hour, env.Now().Sub(began).Round(time.Hour))
	var kinds []NoticeKind
	ids := map[string]bool{}
	for _, told := range w.heard() {
		kinds, ids[told.Item.ID] = append(kinds, told.Item.Kind), true
	}
	require.Equal(t, []NoticeKind{NoticeReview, NoticeReviewReminder, NoticeReviewReminder}, kinds)
	require.Len(t, ids, 3)
}

// A record that an enrollment may still bring is looked for again before anybody is asked.
func TestMissingRecordIsAwaited_R98_R123(t *testing.T) {
	missing := training.Fail(training.FailureRecordMissing, "find record", "", "")
	missing.Awaited = true
	w := &world{check: func(n int) (RecordPlan, error) {
		if n < 4 {
			return RecordPlan{}, failureError(missing)
		}
		return RecordPlan{RecordID: "TR-1", Target: training.RecordCompleted}, nil
	}}
	require.Equal(t, training.OutcomeCompleted, carried(t, environment(t, w)).Outcome)
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, w.gaps(checkRecord))
	require.Empty(t, w.heard())
}

// While the QMS is held it is looked again at growing gaps; the schedule is whole when it answers.
// holdsEnrollment is a link that is held the given times.
// The end of the outage ends the wait at once, also where it is said while the step is still under way.
// A target that is released and held again for weeks does not fill the enrollment's history.
// What the page of a wait offers is taken, by signal and by update, and kept (law 5); anything else is refused and said.
func TestPersonRetriesAnEnrollmentThatWaits_R139(t *testing.T) {
	for name, link := range map[string]func(int) (LinkedEnrollment, error){
		"held": holdsEnrollment(2), "waits for its turn": fails(training.FailureLMSRateLimited, 8),
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{link: link, earlier: 1}
			env := environment(t, w)
			began := 22 * time.Minute // after the schedule of the LMS's
			asked := 0
			env.RegisterDelayedCallback(func() {
				require.Contains(t, details(t, env), training.ActionRetry.Example())
				asked = len(w.called(linkEnrollment))
				env.SignalWorkflow(ReviewSignal, decision(training.ActionClose))
			}, began)
			env.RegisterDelayedCallback(func() {
				require.Contains(t, details(t, env), "changed nothing")
				require.Len(t, w.called(linkEnrollment), asked)
				env.UpdateWorkflow(DecideUpdate, "1", &callback{t: t}, decision(training.ActionRetry))
			}, began+time.Minute)
			require.Equal(t, training.EnrollmentLinked, enrolled(t, env).State)
			calls := w.called(linkEnrollment)
			require.Equal(t, began+time.Minute, calls[asked].Sub(calls[0]).Round(time.Second))
			require.Equal(t, []training.EnrollmentState{training.EnrollmentRetrying, training.EnrollmentRunning, training.EnrollmentLinked}, w.states())
			require.Equal(t, decision(training.ActionRetry), *w.recorded[1].Decision)
			require.Equal(t, []any{2, "update"}, []any{w.recorded[1].Round, w.recorded[1].Via})
			require.Empty(t, w.heard())
		})
	}
}

// An enrollment that the outage has parked in review goes on by Countersign's own word.
// The record comes between the search and the review: the completion is tried again for each record once, and nobody is
// asked before that.
func TestRecordThatArrivesOnTheWayIntoTheReview_R98(t *testing.T) {
	missing := training.Fail(training.FailureRecordMissing, "find record", "", "")
	searches := func(times int) func(int) (RecordPlan, error) {
		return func(n int) (RecordPlan, error) {
			if n <= times {
				return RecordPlan{}, failureError(missing)
			}
			return RecordPlan{RecordID: "TR-7", Target: training.RecordCompleted}, nil
		}
	}
	w := &world{check: searches(1), linked: "TR-7"}
	require.Equal(t, training.OutcomeCompleted, carried(t, environment(t, w)).Outcome)
	require.Empty(t, w.heard())
	require.Len(t, w.decisions, 1)
	require.Equal(t, training.EnrollmentArrived("TR-7"), w.decisions[0].Decision)
	require.Equal(t, []any{1, viaEnrollment}, []any{w.decisions[0].Round, w.decisions[0].Via})

	// It is of no use: then a person is asked.
	w = &world{check: searches(3), linked: "TR-7"}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() {
		require.Len(t, w.called(checkRecord), 2)
		require.Len(t, w.heard(), 1)
		w.linked = "TR-8"
		env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry))
	}, time.Hour)
	require.Equal(t, training.OutcomeCompleted, carried(t, env).Outcome)
	require.Len(t, w.heard(), 1)
	require.Len(t, w.decisions, 3)

	// What a person has said by then goes first.
	w = &world{check: searches(1), linked: "TR-7"}
	env = environment(t, w)
	w.onWait = func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionClose)) }
	require.Equal(t, training.OutcomeClosed, carried(t, env).Outcome)
}

// The LMS's budget of calls is waited for, up to a day; then a person is asked. One that was begun before goes on as it was.
func TestEnrollmentWaitsForTheLMSsBudget_R15(t *testing.T) {
	w := &world{link: fails(training.FailureLMSRateLimited, 40)}
	env := environment(t, w)
	env.RegisterDelayedCallback(func() { require.Contains(t, details(t, env), "Waits for its turn") }, 25*time.Minute)
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env).State)
	require.Empty(t, w.heard())
	require.Len(t, w.called(linkEnrollment), 41)

	w = &world{link: fails(training.FailureLMSRateLimited, 1000)}
	env = environment(t, w)
	began := env.Now()
	env.RegisterDelayedCallback(func() { require.Empty(t, w.heard()) }, 23*time.Hour)
	w.onTold = func(InboxItem) {
		require.WithinDuration(t, began.Add(24*time.Hour), env.Now(), time.Hour)
		w.link = nil
	}
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, 30*time.Hour)
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env).State)
	require.Len(t, w.heard(), 1)

	w = &world{link: fails(training.FailureLMSRateLimited, 4)}
	env = environment(t, w)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, time.Hour)
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env, func(in *EnrollmentInput) { in.Steps = 0 }).State)
	require.Len(t, w.heard(), 1)
}

// What the tenant's policy has come to ignore is closed, and nobody is asked.
func TestEnrollmentThatIsNotWantedAnyMoreIsClosed_R98(t *testing.T) {
	w := &world{link: fails(training.FailureEnrollmentsOff, 1)} // a worker that has the settings of yesterday
	require.Equal(t, training.EnrollmentLinked, enrolled(t, environment(t, w)).State)

	w = &world{link: fails(training.FailureEnrollmentsOff, 9)}
	result := enrolled(t, environment(t, w))
	require.Len(t, w.called(linkEnrollment), 4)
	require.Equal(t, training.EnrollmentClosed, result.State)
	require.Contains(t, result.Reason, "policy")
	require.Equal(t, []training.EnrollmentState{training.EnrollmentClosed}, w.states())
	require.Equal(t, training.FailureEnrollmentsOff, w.recorded[0].Failure.Class)
	require.Empty(t, w.heard())
	require.Empty(t, w.woken)
}

// The queue of a budget that was taken out of the settings has no worker: what a person has retried leaves it.
func TestEnrollmentLeavesAQueueThatNobodyPolls(t *testing.T) {
	w := &world{link: func(n int) (LinkedEnrollment, error) {
		if n == 1 {
			return LinkedEnrollment{}, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, nil)
		}
		return LinkedEnrollment{RecordID: "TR-1"}, nil
	}}
	env := environment(t, w)
	var queues []string
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
		if info.ActivityType.Name == linkEnrollment {
			queues = append(queues, info.TaskQueue)
		}
	})
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(ReviewSignal, decision(training.ActionRetry)) }, time.Hour)
	require.Equal(t, training.EnrollmentLinked, enrolled(t, env, func(in *EnrollmentInput) { in.QMSQueue = "countersign/qms/acme" }).State)
	require.Len(t, queues, 2)
	require.NotEqual(t, queues[0], queues[1])
}
