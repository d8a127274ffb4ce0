package journal_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// What goes on when a target answers again: what is held, and what it has parked in review, oldest first, page by page.
func TestEnrollmentsWaitingForATarget(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock, ctx := newClock(), t.Context()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		n := 0
		next := func(state training.EnrollmentState, class training.FailureClass, target string) training.EnrollmentKey {
			clock.Advance(time.Second)
			key := enrol(t, j, "acme", n, n+1)[0]
			n++
			_, err := j.ProjectEnrollment(ctx, "acme", key, journal.EnrollmentProjection{State: state, FailureClass: class, FailureTarget: target})
			require.NoError(t, err)
			return key
		}
		next(training.EnrollmentInReview, training.FailureUnreachable, training.TargetQMS) // before the incident
		clock.Advance(time.Hour)
		began := clock.Now()
		want := []training.EnrollmentKey{
			next(training.EnrollmentRetrying, training.FailureHeld, training.TargetQMS),
			next(training.EnrollmentInReview, training.FailureUnreachable, training.TargetQMS),
			next(training.EnrollmentRetrying, training.FailureHeld, training.TargetQMS),
		}
		next(training.EnrollmentInReview, training.FailureEmployeeUnknown, "")
		next(training.EnrollmentRetrying, training.FailureUnreachable, training.TargetQMS) // its own schedule
		next(training.EnrollmentLinked, "", "")
		enrol(t, j, "globex", 0, 1)

		var got []training.EnrollmentKey
		var after journal.Waiting
		for {
			page, err := j.WaitingEnrollments(ctx, "acme", training.TargetQMS, began, after, 2)
			require.NoError(t, err)
			for _, w := range page {
				require.Empty(t, w.Fingerprint)
				require.Equal(t, w.Enrollment != want[1], w.Held)
				require.False(t, w.FailedAt.Before(began))
				got = append(got, w.Enrollment)
			}
			if len(page) < 2 {
				break
			}
			after = page[1]
		}
		require.Equal(t, want, got)

		failed := after.FailedAt
		clock.Advance(time.Hour)
		require.NoError(t, j.TouchEnrollment(ctx, "acme", want[1]))
		_, err := j.ProjectEnrollment(ctx, "acme", want[0], journal.EnrollmentProjection{State: training.EnrollmentRunning})
		require.NoError(t, err)
		page, err := j.WaitingEnrollments(ctx, "acme", training.TargetQMS, began, journal.Waiting{}, 9)
		require.NoError(t, err)
		require.Len(t, page, 2, "one that goes on waits no more")
		require.Equal(t, want[1], page[0].Enrollment)
		require.Equal(t, failed, page[0].FailedAt, "a sweep's touch does not make an older failure a new one")
		held, err := j.WaitingFor(ctx, "acme", training.TargetQMS, began, journal.Waiting{}, 9)
		require.NoError(t, err)
		require.Empty(t, held, "no completions")
	})
}

func again() training.Decision {
	return training.Decision{Action: training.ActionReplay, By: "m.keller", Reason: "the employee exists now"}
}

// What ended without a record is begun again by a replay, which is kept as a decision; what is linked never is.
func TestOnlyEnrollmentsWithoutARecordAreReopened_R142(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		j := open(t, dsn, journal.Options{})
		for n, state := range []training.EnrollmentState{
			training.EnrollmentClosed, training.EnrollmentExpiredInReview, training.EnrollmentLinked, training.EnrollmentRunning, training.EnrollmentInReview,
		} {
			key := enrol(t, j, "acme", n, n+1)[0]
			if state == training.EnrollmentClosed {
				claimed, err := j.ClaimEnrollments(ctx, 9, time.Minute)
				require.NoError(t, err)
				require.Len(t, claimed, 1)
				require.False(t, claimed[0].Replayed)
			}
			closing := training.Decision{Action: training.ActionClose, By: "m.keller", Reason: "left the company"}
			_, err := j.ProjectEnrollment(ctx, "acme", key, journal.EnrollmentProjection{State: state, Decision: &closing, Round: 1, Via: "signal"})
			require.NoError(t, err)

			require.ErrorIs(t, j.ReopenEnrollment(ctx, "globex", key, again(), "command"), journal.ErrNotFound)
			nobody := again()
			nobody.By = ""
			require.ErrorIs(t, j.ReopenEnrollment(ctx, "acme", key, nobody, "command"), training.ErrDecision)
			require.ErrorIs(t, j.ReopenEnrollment(ctx, "acme", key, closing, "command"), training.ErrDecision)

			err = j.ReopenEnrollment(ctx, "acme", key, again(), "command")
			stored, read := j.Enrollment(ctx, "acme", key)
			require.NoError(t, read)
			require.Equal(t, state == training.EnrollmentClosed || state == training.EnrollmentExpiredInReview, state.Replayable())
			if !state.Replayable() {
				require.ErrorIs(t, err, journal.ErrNotReplayable)
				require.Equal(t, state, stored.State)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, training.EnrollmentQueued, stored.State)
			claimed, err := j.ClaimEnrollments(ctx, 9, time.Minute)
			require.NoError(t, err)
			require.Len(t, claimed, 1)
			require.Equal(t, key, claimed[0].Key)
			require.True(t, claimed[0].Replayed)
			decisions, err := j.ProjectEnrollment(ctx, "acme", key, journal.EnrollmentProjection{State: training.EnrollmentLinked, RecordID: "TR-1"})
			require.NoError(t, err)
			require.Equal(t, 2, decisions)
			require.ErrorIs(t, j.ReopenEnrollment(ctx, "acme", key, again(), "command"), journal.ErrNotReplayable)
		}
	})
}

func TestReopenEnrollmentAtOnceReopensOnce_R142(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		key := enrol(t, j, "acme", 0, 1)[0]
		_, err := j.ProjectEnrollment(t.Context(), "acme", key, journal.EnrollmentProjection{State: training.EnrollmentClosed})
		require.NoError(t, err)
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = j.ReopenEnrollment(t.Context(), "acme", key, again(), "command") })
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			require.ErrorIs(t, err, journal.ErrNotReplayable)
		}
		require.Equal(t, 1, won)
	})
}

// However many wait, none of them is left out.
func TestMoreThanAPageAwaitTheirRecord(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		last := completion("acme", 0)
		var all []training.Completion
		for n := range 1100 {
			c := completion("acme", n)
			c.Learner, c.Course, c.CompletedAt = last.Learner, last.Course, c.CompletedAt.Add(time.Duration(n)*time.Minute)
			all = append(all, c)
		}
		_, err := j.Append(t.Context(), delivery("acme"), all)
		require.NoError(t, err)
		for _, c := range all {
			require.NoError(t, j.Project(t.Context(), "acme", c.Fingerprint(), journal.Projection{State: training.StateInReview, FailureClass: training.FailureRecordMissing}))
		}
		got, err := j.AwaitingRecord(t.Context(), "acme", "lms", last.Learner, last.Course)
		require.NoError(t, err)
		require.Len(t, got, 1100)
		once := map[training.Fingerprint]bool{}
		for _, f := range got {
			once[f] = true
		}
		require.Len(t, once, 1100)
	})
}

// A link of last year's enrollment is no news to a completion of today; one of another learner never is.
func TestLinkedSinceTheCompletionCame_R97(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock, ctx := newClock(), t.Context()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		c := completion("acme", 0)
		link := func(n int, enrollment, record string) {
			clock.Advance(time.Hour)
			l := completion("acme", n)
			require.NoError(t, j.PutLink(ctx, journal.Link{Tenant: "acme", Source: "lms", EnrollmentID: enrollment,
				LearnerKey: l.Learner.Key(), CourseKey: l.Course.Key(), EmployeeID: "HR-1", RecordID: record}))
		}
		since := func() string {
			record, err := j.LinkedSince(ctx, "acme", c.Fingerprint())
			require.NoError(t, err)
			return record
		}
		link(0, "old", "TR-1")
		clock.Advance(time.Hour)
		d := delivery("acme")
		d.ReceivedAt = clock.Now()
		_, err := j.Append(ctx, d, []training.Completion{c})
		require.NoError(t, err)
		link(1, "other", "TR-2")
		require.Empty(t, since())
		link(0, "new", "TR-3")
		require.Equal(t, "TR-3", since())
		link(0, "", "TR-4")
		require.Equal(t, "TR-4", since(), "the latest")
		require.NoError(t, j.Project(ctx, "acme", c.Fingerprint(), journal.Projection{State: training.StateRunning, RecordID: "TR-4"}))
		require.Equal(t, "TR-3", since(), "what it belongs to already is no news")
		_, err = j.LinkedSince(ctx, "globex", c.Fingerprint())
		require.ErrorIs(t, err, journal.ErrNotFound)
	})
}
