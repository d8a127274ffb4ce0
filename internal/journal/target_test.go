package journal_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

func person(action training.Action) training.Decision {
	return training.Decision{Action: action, By: "m.keller", Reason: "QMS migration"}
}

func hold(incident string) journal.Target {
	return journal.Target{
		Tenant: "acme", Name: training.TargetQMS, Incident: incident, BeganAt: time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC),
		Class: training.FailureUnreachable, Detail: "503", Example: "f00d",
	}
}

// The first one to see an outage opens it, of all workers at once.
func TestTargetIsHeldOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock, ctx := newClock(), t.Context()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		unheard, err := j.Target(ctx, "acme", training.TargetQMS)
		require.NoError(t, err)
		require.Equal(t, training.TargetAnswering, unheard.State)

		var won atomic.Int32
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				held, err := j.Hold(ctx, hold("acme/qms/1"))
				if err != nil {
					t.Error(err)
				}
				if held {
					won.Add(1)
				}
			})
		}
		workers.Wait()
		require.EqualValues(t, 1, won.Load())
		target, err := j.Target(ctx, "acme", training.TargetQMS)
		require.NoError(t, err)
		want := hold("acme/qms/1")
		want.State, want.Since = training.TargetHeld, clock.Now()
		require.Equal(t, want, target)
		incidents, err := j.Incidents(ctx)
		require.NoError(t, err)
		require.Equal(t, map[journal.Target]int{{Tenant: "acme", Name: training.TargetQMS}: 1}, incidents)
		changes, err := j.TargetChanges(ctx, "acme", training.TargetQMS)
		require.NoError(t, err)
		require.Len(t, changes, 1)
	})
}

// A target that fails again before the incident is settled is the same incident; afterwards it is another.
func TestIncidentLastsUntilItIsSettled(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock, ctx := newClock(), t.Context()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		incident := func() string {
			target, err := j.Target(ctx, "acme", training.TargetQMS)
			require.NoError(t, err)
			return target.Incident
		}
		again := hold("acme/qms/2")
		again.BeganAt = clock.Now()
		_, err := j.Hold(ctx, hold("acme/qms/1"))
		require.NoError(t, err)
		settled, err := j.Settle(ctx, "acme", training.TargetQMS)
		require.NoError(t, err)
		require.False(t, settled, "it is held")
		require.NoError(t, j.Answers(ctx, "acme", training.TargetQMS))
		held, err := j.Hold(ctx, again)
		require.NoError(t, err)
		require.True(t, held)
		require.Equal(t, "acme/qms/1", incident())
		target, err := j.Target(ctx, "acme", training.TargetQMS)
		require.NoError(t, err)
		require.Equal(t, hold("").BeganAt, target.BeganAt)

		require.NoError(t, j.Answers(ctx, "acme", training.TargetQMS))
		settled, err = j.Settle(ctx, "acme", training.TargetQMS)
		require.NoError(t, err)
		require.True(t, settled)
		require.Empty(t, incident())
		_, err = j.Hold(ctx, again)
		require.NoError(t, err)
		require.Equal(t, "acme/qms/2", incident())
	})
}

// A person pauses and resumes, by name and with a reason (law 5); a probe never resumes what is paused.
func TestPersonPausesAndResumesATarget(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock, ctx := newClock(), t.Context()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		nameless := person(training.ActionPause)
		nameless.By = " "
		_, err := j.Pause(ctx, "acme", training.TargetQMS, "acme/qms/1", nameless)
		require.ErrorIs(t, err, training.ErrDecision)

		resumed, err := j.Resume(ctx, "acme", training.TargetQMS, person(training.ActionResume))
		require.NoError(t, err)
		require.False(t, resumed, "nothing was the matter")
		for _, first := range []bool{true, false} {
			paused, err := j.Pause(ctx, "acme", training.TargetQMS, "acme/qms/1", person(training.ActionPause))
			require.NoError(t, err)
			require.Equal(t, first, paused)
		}
		held, err := j.Hold(ctx, hold("acme/qms/2"))
		require.NoError(t, err)
		require.False(t, held)
		require.NoError(t, j.Answers(ctx, "acme", training.TargetQMS))
		all, err := j.Targets(ctx)
		require.NoError(t, err)
		require.Equal(t, []journal.Target{{
			Tenant: "acme", Name: training.TargetQMS, State: training.TargetPaused, Since: clock.Now(), BeganAt: clock.Now(),
			Incident: "acme/qms/1", By: "m.keller", Reason: "QMS migration",
		}}, all)
		resumed, err = j.Resume(ctx, "acme", training.TargetQMS, person(training.ActionResume))
		require.NoError(t, err)
		require.True(t, resumed)
		changes, err := j.TargetChanges(ctx, "acme", training.TargetQMS)
		require.NoError(t, err)
		require.Len(t, changes, 2)
		for i, state := range []training.TargetState{training.TargetPaused, training.TargetAnswering} {
			require.Equal(t, journal.TargetChange{State: state, At: clock.Now(), Incident: "acme/qms/1", By: "m.keller", Reason: "QMS migration"}, changes[i])
		}
	})
}

// What is received for a held tenant is taken and stays queued; others are not slowed.
func TestNothingIsClaimedForAHeldTenant_R8(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j, ctx := open(t, dsn, journal.Options{}), t.Context()
		add(t, j, "acme", 0, 5)
		add(t, j, "globex", 0, 3)
		_, err := j.Hold(ctx, hold("acme/qms/1"))
		require.NoError(t, err)
		claimed, err := j.Claim(ctx, 100, time.Minute)
		require.NoError(t, err)
		require.Len(t, claimed, 3)
		for _, c := range claimed {
			require.Equal(t, "globex", c.Tenant)
		}
		add(t, j, "acme", 5, 6)
		require.NoError(t, j.Answers(ctx, "acme", training.TargetQMS))
		claimed, err = j.Claim(ctx, 100, time.Minute)
		require.NoError(t, err)
		require.Len(t, claimed, 6)
	})
}

// Only what waits because of this target goes on when it answers again, oldest first, page by page.
func TestWaitingForATarget(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock, ctx := newClock(), t.Context()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		project := func(n int, p journal.Projection) training.Fingerprint {
			clock.Advance(time.Second)
			f := add(t, j, "acme", n, n+1)[0]
			require.NoError(t, j.Project(ctx, "acme", f, p))
			return f
		}
		failed := func(state training.State, class training.FailureClass, target string) journal.Projection {
			return journal.Projection{State: state, FailureClass: class, FailureTarget: target}
		}
		n := 0
		next := func(p journal.Projection) training.Fingerprint { n++; return project(n, p) }

		next(failed(training.StateInReview, training.FailureUnreachable, training.TargetQMS)) // before the incident
		clock.Advance(time.Hour)
		began := clock.Now()
		var want []training.Fingerprint
		for _, class := range []training.FailureClass{training.FailureUnreachable, training.FailureRateLimited, training.FailureCredentials, training.FailureUnverified} {
			require.True(t, class.Outage())
			want = append(want, next(failed(training.StateInReview, class, training.TargetQMS)))
		}
		want = append(want, next(failed(training.StateRetrying, training.FailureHeld, training.TargetQMS)))
		// Another cause, another system, another state, another tenant.
		next(failed(training.StateInReview, training.FailureEmployeeUnknown, training.TargetQMS))
		next(failed(training.StateInReview, training.FailureUnreachable, ""))
		next(failed(training.StateRetrying, training.FailureUnreachable, training.TargetQMS))
		next(journal.Projection{State: training.StateRunning})
		add(t, j, "globex", 0, 1)

		var got []training.Fingerprint
		var after journal.Waiting
		for {
			page, err := j.WaitingFor(ctx, "acme", training.TargetQMS, began, after, 2)
			require.NoError(t, err)
			for _, w := range page {
				got = append(got, w.Fingerprint)
				require.Equal(t, w.Fingerprint == want[4], w.Held)
				require.False(t, w.FailedAt.Before(began))
			}
			if len(page) < 2 {
				break
			}
			after = page[1]
		}
		require.Equal(t, want, got)

		// A sweep's touch does not make an older failure a new one, and one that has gone on waits no more.
		clock.Advance(time.Hour)
		require.NoError(t, j.Touch(ctx, "acme", want[0]))
		page, err := j.WaitingFor(ctx, "acme", training.TargetQMS, began.Add(time.Hour), journal.Waiting{}, 10)
		require.NoError(t, err)
		require.Len(t, page, 1, "the one that is held")
		require.NoError(t, j.Project(ctx, "acme", want[4], journal.Projection{State: training.StateRunning}))
		page, err = j.WaitingFor(ctx, "acme", training.TargetQMS, began.Add(time.Hour), journal.Waiting{}, 10)
		require.NoError(t, err)
		require.Empty(t, page)
	})
}

// A budget is never overspent, however many take from it at once.
func TestBudgetIsNeverOverspent(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		ctx := context.Background()
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		var spent atomic.Int64
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for {
					n, err := j.Spend(ctx, "acme", training.TargetQMS, day, 100, 7)
					if err != nil {
						t.Error(err)
					}
					if n == 0 {
						return
					}
					spent.Add(int64(n))
				}
			})
		}
		workers.Wait()
		require.EqualValues(t, 100, spent.Load())
		n, err := j.Spend(ctx, "acme", training.TargetQMS, day.AddDate(0, 0, 1), 100, 7)
		require.NoError(t, err)
		require.Equal(t, 7, n, "the next day has its own")
		n, err = j.Spend(ctx, "acme", training.TargetQMS, day, 90, 7)
		require.NoError(t, err)
		require.Zero(t, n, "a budget that was cut")
		uses, err := j.BudgetUses(ctx)
		require.NoError(t, err)
		require.Equal(t, []journal.BudgetUse{{Tenant: "acme", Target: training.TargetQMS, Period: day.AddDate(0, 0, 1), Used: 7}}, uses)
	})
}
