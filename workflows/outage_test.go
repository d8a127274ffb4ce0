package workflows

import (
	"fmt"
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

// target is a world's target: a row as the journal keeps it, and what waits because of it.
// heldSince is a target that has failed a minute before the workflow begins.
// An outage is one incident and one all-clear, however often it is looked at and whatever waits for it.
func TestOutageHealsItself_R133(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.target = target{row: heldSince(env), waiting: waiting(25), answers: func(n int) bool { return n == 5 }}
	start := env.Now()
	watched(t, env, outageOfAcme())

	var gaps []time.Duration
	for i, at := range w.target.probes[1:] {
		gaps = append(gaps, at.Sub(w.target.probes[i]).Round(time.Second))
	}
	require.Equal(t, []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second}, gaps, "growing")
	require.Len(t, w.told, 2)
	opened, over := w.told[0].Item, w.told[1].Item
	require.Equal(t, InboxItem{
		ID: "acme/qms/1/outage", Kind: NoticeOutage, Cause: training.TargetQMS, Course: "all courses", Class: training.FailureUnreachable,
		Detail: "unreachable: 503, since 2026-04-08 14:29:00 UTC", DigestEvery: 20 * time.Minute,
	}, opened)
	require.Equal(t, NoticeAllClear, over.Kind)
	require.Equal(t, training.TargetQMS, over.Cause)
	require.Regexp(t, `^the qms answers again after 3m\d+s; 25 completions went on by themselves$`, over.Detail)

	// Oldest first, ten at once and two a second over all.
	require.Len(t, w.target.resumed, 25)
	released := start.Add(150 * time.Second)
	for i, f := range w.target.waiting {
		require.WithinDuration(t, released.Add(time.Duration(i/10)*5*time.Second), w.target.resumed[f], time.Second, i)
	}
	for _, page := range w.target.pages {
		require.Equal(t, start.Add(-time.Minute-parkedLead).UTC(), page.ParkedSince.UTC(), "what was parked before is another's")
		require.Contains(t, page.Reason, "acme/qms/1")
	}
}

// Enrollments go on behind the completions, at the same pace, and are counted by themselves.
func TestEnrollmentsGoOnWhenTheOutageIsOver_R98_R133(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.target = target{row: heldSince(env), waiting: waiting(15), enrollments: 20, answers: func(n int) bool { return n == 2 }}
	watched(t, env, outageOfAcme())
	require.Zero(t, w.target.enrollments)
	require.Equal(t, []time.Duration{5 * time.Second, 5 * time.Second, 5 * time.Second}, w.gaps(resumeWaiting)[:3])
	require.Equal(t, training.EnrollmentKey("e"), w.target.pages[2].After.Enrollment)
	require.Regexp(t, `; 15 completions and 20 enrollments went on by themselves$`, w.told[1].Item.Detail)
}

// What is over at the first look is told to nobody.
func TestBlipIsNoIncident_R133(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.target = target{row: heldSince(env), waiting: waiting(3)}
	watched(t, env, outageOfAcme())
	require.Empty(t, w.told)
	require.Len(t, w.target.resumed, 3)
	require.Empty(t, w.target.row.Incident)
}

// A target that takes reads and no writes answers every probe: it is the same incident until it is really over.
func TestTargetThatFailsAgainIsTheSameIncident(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.target = target{row: heldSince(env), waiting: waiting(12)}
	w.target.onResume = func(page int) {
		if page == 2 || page == 4 {
			w.target.row.State = training.TargetHeld
		}
	}
	watched(t, env, outageOfAcme())
	require.Len(t, w.told, 2, "one incident, one all-clear")
	require.Len(t, w.target.probes, 3)
	require.Greater(t, w.target.probes[2].Sub(w.target.probes[1]), w.target.probes[1].Sub(w.target.probes[0]), "ever more patient")
}

// The next incident begins before the workflow of the last one has ended: each has a notice and an all-clear of its own.
func TestNextIncidentIsAnother(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.target = target{row: heldSince(env), answers: func(n int) bool { return n == 2 || n == 5 }}
	w.target.onSettled = func(n int) {
		if n == 1 {
			w.target.row = heldSince(env)
			w.target.row.Incident, w.target.row.Class, w.target.row.BeganAt = "acme/qms/2", training.FailureCredentials, env.Now()
		}
	}
	watched(t, env, outageOfAcme())
	var told []string
	for _, in := range w.told {
		told = append(told, fmt.Sprint(in.Item.ID, " ", in.Item.Class))
	}
	require.Equal(t, []string{"acme/qms/1/outage unreachable", "acme/qms/1/all_clear unreachable",
		"acme/qms/2/outage credentials", "acme/qms/2/all_clear credentials"}, told)
}

// A write that hangs for half a minute fails after the target was released: that is no next incident, or every
// such round would begin with a probe at once and end with an all-clear.
func TestWriteThatFailsLateIsTheSameIncident(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	row := heldSince(env)
	w.target = target{row: row, waiting: waiting(1)}
	w.target.onResume = func(page int) {
		if page == 1 {
			env.RegisterDelayedCallback(func() {
				if w.target.row.Incident == "" {
					row.Incident = "acme/qms/2"
				}
				w.target.row = row
			}, 30*time.Second)
		}
	}
	watched(t, env, outageOfAcme())
	require.Len(t, w.told, 2, "one incident, one all-clear")
}

// A spent budget is not looked at before it is free again.
func TestSpentBudgetIsLeftAloneUntilItsReset(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	row := heldSince(env)
	row.Class, row.Until = training.FailureRateLimited, env.Now().Add(6*time.Hour)
	w.target = target{row: row}
	env.RegisterDelayedCallback(func() {
		require.Contains(t, details(t, env), "until 2026-04-08 20:30:00 UTC")
	}, time.Hour)
	watched(t, env, outageOfAcme())
	require.Len(t, w.target.probes, 1)
	require.WithinDuration(t, row.Until, w.target.probes[0], time.Second)
	require.Len(t, w.told, 2)
	require.Less(t, w.target.looks, 20, "nothing spins")
}

// The starter's command has resumed it while Temporal was away: that is seen long before the budget's reset.
func TestSpentBudgetThatAPersonResumesUnheard(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	row := heldSince(env)
	row.Class, row.Until = training.FailureRateLimited, env.Now().Add(23*time.Hour)
	w.target = target{row: row, waiting: waiting(1)}
	start := env.Now()
	env.RegisterDelayedCallback(func() { w.target.row.State = training.TargetAnswering }, time.Minute)
	watched(t, env, outageOfAcme())
	require.Empty(t, w.target.probes)
	require.Less(t, env.Now().Sub(start), time.Hour)
	require.Len(t, w.target.resumed, 1)
}

// A person pauses a target, named and with a reason; nothing is asked of it until a person resumes it.
func TestTargetIsPausedByAPerson(t *testing.T) {
	person := func(by string) training.Decision { return training.Decision{By: by, Reason: "QMS migration"} }
	for name, say := range map[string]func(*testsuite.TestWorkflowEnvironment, string){
		"signal": func(env *testsuite.TestWorkflowEnvironment, name string) {
			env.SignalWorkflow(name, person("m.keller"))
		},
		"update": func(env *testsuite.TestWorkflowEnvironment, name string) {
			env.UpdateWorkflow(name, name, &testsuite.TestUpdateCallback{
				OnReject: func(err error) { t.Error(err) }, OnAccept: func() {}, OnComplete: func(any, error) {},
			}, person("m.keller"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			env := environment(t, w)
			w.target = target{row: heldSince(env), answers: func(int) bool { return false }, waiting: waiting(1)}
			env.RegisterDelayedCallback(func() { say(env, PauseSignal) }, time.Minute)
			var probed int
			env.RegisterDelayedCallback(func() {
				probed = len(w.target.probes)
				text := details(t, env)
				require.Contains(t, text, "paused by m.keller: QMS migration")
				require.Contains(t, text, pauseExample)
			}, 2*time.Minute)
			env.RegisterDelayedCallback(func() {
				require.Len(t, w.target.probes, probed, "nothing is asked")
				say(env, ResumeSignal)
			}, 48*time.Hour)
			watched(t, env, outageOfAcme())
			require.Equal(t, []training.Action{training.ActionPause, training.ActionResume},
				[]training.Action{w.target.changes[0].Action, w.target.changes[1].Action})
			require.Equal(t, "m.keller", w.target.changes[0].By)
			require.Len(t, w.target.resumed, 1)
			require.Len(t, w.told, 3, "held, paused, over")
			require.Equal(t, "paused by m.keller: QMS migration", w.told[1].Item.Detail)
			require.Contains(t, w.told[2].Item.Detail, "was resumed after 48h")
		})
	}
}

// The Temporal Web UI starts it with a pause where nothing is the matter.
func TestTargetIsPausedFromTheWebUI(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.target.row.State = training.TargetAnswering
	env.RegisterDelayedCallback(func() {
		require.Equal(t, training.TargetPaused, w.target.row.State)
		env.SignalWorkflow(ResumeSignal, map[string]string{"by": "m.keller", "reason": "done"})
	}, time.Hour)
	watched(t, env, Outage{TargetRef: TargetRef{Tenant: "acme"}, Pause: &training.Decision{By: "m.keller", Reason: "QMS migration"}})
	require.Empty(t, w.target.probes)
	require.Len(t, w.told, 2)
	require.Regexp(t, `^acme/qms/2026`, w.told[0].Item.ID)

	env = environment(t, w)
	env.ExecuteWorkflow(OutageWorkflow, Outage{TargetRef: TargetRef{Tenant: "acme"}, Pause: &training.Decision{Reason: "nobody says so"}})
	require.ErrorContains(t, env.GetWorkflowError(), "by must name the person")

	for _, misspelt := range []TargetRef{{Tenant: "acme", Target: "QMS"}, {Target: training.TargetQMS}} {
		w = &world{}
		env = environment(t, w)
		env.ExecuteWorkflow(OutageWorkflow, Outage{TargetRef: misspelt, Pause: &training.Decision{By: "m.keller", Reason: "QMS migration"}})
		require.ErrorContains(t, env.GetWorkflowError(), `target be "qms"`)
		require.Empty(t, w.target.changes)
	}
}

// Whoever is not named, or misspells a field, changes nothing and is told so.
func TestPauseThatIsRefused(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.target = target{row: heldSince(env), answers: func(n int) bool { return n == 6 }}
	var refusal error
	env.RegisterDelayedCallback(func() {
		env.SignalWorkflow(PauseSignal, map[string]string{"by": "m.keller"})
		env.UpdateWorkflow(PauseSignal, "1", &testsuite.TestUpdateCallback{
			OnReject: func(err error) { refusal = err }, OnAccept: func() {}, OnComplete: func(any, error) {},
		}, map[string]string{"by": "m.keller", "raeson": "QMS migration"})
	}, time.Minute)
	env.RegisterDelayedCallback(func() {
		require.ErrorContains(t, refusal, "raeson")
		require.Contains(t, details(t, env), "reason must say why")
	}, 2*time.Minute)
	watched(t, env, outageOfAcme())
	require.Empty(t, w.target.changes)
}

// The starter's command has changed the journal: the signal says so, and nothing waits for the next look.
func TestOutageHearsThatTheJournalHasChanged(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	row := heldSince(env)
	row.State, row.By, row.Reason = training.TargetPaused, "m.keller", "QMS migration"
	w.target = target{row: row}
	start := env.Now()
	env.RegisterDelayedCallback(func() {
		w.target.row.State = training.TargetAnswering
		env.SignalWorkflow(ChangedSignal, nil)
	}, 5*time.Minute)
	watched(t, env, outageOfAcme())
	require.Less(t, env.Now().Sub(start), 8*time.Minute)
}

// A resumption of 50,000 goes on in further runs, where it was, without telling anybody anew.
func TestOutageContinuesAsNew(t *testing.T) {
	w := &world{}
	env := environment(t, w)
	w.target = target{row: heldSince(env), waiting: waiting(100), answers: func(n int) bool { return n == 2 }}
	w.target.onResume = func(page int) { env.SetContinueAsNewSuggested(page == 3) }
	env.ExecuteWorkflow(OutageWorkflow, outageOfAcme())
	var next *workflowContinueAsNew
	require.ErrorAs(t, env.GetWorkflowError(), &next)
	var in Outage
	require.NoError(t, dataConverter().FromPayloads(next.Input, &in))
	require.Equal(t, 30, in.Resumed)
	require.Equal(t, w.target.waiting[29], in.Round.After.Fingerprint)
	require.True(t, in.ToldHeld)

	second := &world{target: w.target}
	second.target.onResume = nil
	env = environment(t, second)
	watched(t, env, in)
	require.Len(t, second.target.resumed, 100)
	require.Len(t, second.told, 1)
	require.Contains(t, second.told[0].Item.Detail, "100 completions went on")
}
