package journal_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// bring moves a queued completion to a state.
func bring(t *testing.T, j *journal.Journal, fp training.Fingerprint, to training.State) {
	t.Helper()
	ctx := context.Background()
	switch to {
	case training.StateQueued:
		return
	case training.StateStarting:
		require.Equal(t, []training.Fingerprint{fp}, claim(t, j, 1, time.Hour))
		return
	default:
		require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: to}))
	}
}

func TestMoves(t *testing.T) {
	const (
		queued, starting, running = training.StateQueued, training.StateStarting, training.StateRunning
		retrying, waiting, review = training.StateRetrying, training.StateWaitingApproval, training.StateInReview
		signature                 = training.StateWaitingSignature
		completed, rejected       = training.StateCompleted, training.StateRejected
		closed, expired           = training.StateClosed, training.StateExpiredInReview
	)
	from := []training.State{queued, starting, running, retrying, waiting, signature, review, completed, rejected, closed, expired}
	type move func(j *journal.Journal, fp training.Fingerprint) error
	ctx := context.Background()
	project := func(s training.State) move {
		return func(j *journal.Journal, fp training.Fingerprint) error {
			return j.Project(ctx, "acme", fp, journal.Projection{State: s})
		}
	}
	for _, test := range []struct {
		name string
		move move
		to   []training.State // in the order of from
	}{
		{"Started", func(j *journal.Journal, fp training.Fingerprint) error { return j.Started(ctx, "acme", fp) },
			[]training.State{queued, running, running, retrying, waiting, signature, review, completed, rejected, closed, expired}},
		{"Release", func(j *journal.Journal, fp training.Fingerprint) error { return j.Release(ctx, "acme", fp) },
			[]training.State{queued, queued, running, retrying, waiting, signature, review, completed, rejected, closed, expired}},
		{"Requeue", func(j *journal.Journal, fp training.Fingerprint) error { return requeue(ctx, j, fp) },
			[]training.State{queued, starting, queued, queued, queued, queued, queued, completed, rejected, closed, expired}},
		{"Touch", func(j *journal.Journal, fp training.Fingerprint) error { return j.Touch(ctx, "acme", fp) }, from},
		{"Project RETRYING", project(retrying),
			[]training.State{retrying, retrying, retrying, retrying, retrying, retrying, retrying, completed, rejected, closed, expired}},
		{"Project COMPLETED", project(completed),
			[]training.State{completed, completed, completed, completed, completed, completed, completed, completed, rejected, closed, expired}},
	} {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(t *testing.T, dsn string) {
				j := open(t, dsn, journal.Options{})
				for i, start := range from {
					fp := add(t, j, "acme", i, i+1)[0]
					bring(t, j, fp, start)
					require.Equal(t, start, state(t, j, "acme", fp))
					require.NoError(t, test.move(j, fp))
					require.Equal(t, test.to[i], state(t, j, "acme", fp), "from %s", start)
					// Out of the way of the next one's claim.
					require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: closed}))
				}
			})
		})
	}
}

func TestProjectionIsKept(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		fp := add(t, j, "acme", 0, 1)[0]
		read := func() journal.Stored {
			s, err := j.Completion(ctx, "acme", fp)
			require.NoError(t, err)
			return s
		}
		clock.Advance(time.Second)
		require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: training.StateInReview,
			FailureClass: training.FailureUnchanged, FailureDetail: "200\x00 and unchanged", RecordID: "TR-1"}))
		s := read()
		require.Equal(t, training.FailureUnchanged, s.FailureClass)
		require.Equal(t, "200\uFFFD and unchanged", s.FailureDetail)
		require.Equal(t, "TR-1", s.RecordID)
		require.Equal(t, clock.Now(), s.UpdatedAt)

		require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: training.StateCompleted}))
		s = read()
		require.Empty(t, s.FailureClass, "a failure that is over is cleared")
		require.Empty(t, s.FailureDetail)
		require.Equal(t, "TR-1", s.RecordID, "the record stays known")

		require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: training.StateClosed, RecordID: "TR-2"}))
		require.Equal(t, s, read(), "an outcome is final")

		require.ErrorIs(t, j.Project(ctx, "globex", fp, journal.Projection{State: training.StateRunning}), journal.ErrNotFound)
		require.ErrorIs(t, j.Project(ctx, "acme", fp, journal.Projection{State: training.StateRunning, RecordID: "\x00"}), journal.ErrUnstorable)
		for _, s := range []training.State{training.StateQueued, training.StateStarting, "LOST", ""} {
			require.Error(t, j.Project(ctx, "acme", fp, journal.Projection{State: s}), s)
		}
	})
}

// requeue gives back what the sweep has just read.
func requeue(ctx context.Context, j *journal.Journal, fp training.Fingerprint) error {
	stored, err := j.Completion(ctx, "acme", fp)
	if err != nil {
		return err
	}
	return j.Requeue(ctx, "acme", fp, stored.UpdatedAt)
}

func TestRequeueWakesDispatch(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		fp := add(t, j, "acme", 0, 1)[0]
		<-j.Wake()
		require.NoError(t, requeue(ctx, j, fp)) // it is QUEUED already: nothing happens
		require.Empty(t, j.Wake())
		require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: training.StateRunning}))
		require.NoError(t, j.Requeue(ctx, "acme", fp, time.Now().Add(-time.Hour)), "somebody else has seen to it")
		require.Empty(t, j.Wake())
		require.NoError(t, requeue(ctx, j, fp))
		<-j.Wake()
		require.Equal(t, []training.Fingerprint{fp}, claim(t, j, 1, time.Minute))
	})
}

// What was updated while a clock was an hour ahead is asked after at once, and not in an hour.
func TestWhatAClockAheadHasUpdatedIsStale(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		f := add(t, j, "acme", 0, 1)[0]
		key := enrol(t, j, "acme", 0, 1)[0]
		stale := func() (all []training.Fingerprint, enrollments int) {
			found, err := j.Stale(t.Context(), nil, clock.Now().Add(-time.Minute), 10)
			require.NoError(t, err)
			for _, u := range found {
				all = append(all, u.Fingerprint)
			}
			open, err := j.StaleEnrollments(t.Context(), []training.EnrollmentState{training.EnrollmentRunning}, clock.Now().Add(-time.Minute), 10)
			require.NoError(t, err)
			return all, len(open)
		}
		clock.Advance(time.Hour)
		require.NoError(t, j.Project(t.Context(), "acme", f, journal.Projection{State: training.StateRunning}))
		_, err := j.ProjectEnrollment(t.Context(), "acme", key, journal.EnrollmentProjection{State: training.EnrollmentRunning})
		require.NoError(t, err)
		clock.Advance(-4 * time.Minute)
		all, enrollments := stale()
		require.Empty(t, all, "clocks differ by a little")
		require.Zero(t, enrollments)
		clock.Advance(-56 * time.Minute)
		all, enrollments = stale()
		require.Equal(t, []training.Fingerprint{f}, all)
		require.Equal(t, 1, enrollments)
		require.NoError(t, j.Touch(t.Context(), "acme", f))
		all, _ = stale()
		require.Empty(t, all, "asked after, and dated rightly")
	})
}

func TestStaleGoesRound(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		fps := add(t, j, "acme", 0, 7)
		for i, s := range []training.State{training.StateInReview, training.StateRunning, training.StateRetrying,
			training.StateWaitingApproval, training.StateCompleted, training.StateRunning} { // the seventh stays QUEUED
			clock.Advance(time.Minute)
			require.NoError(t, j.Project(ctx, "acme", fps[i], journal.Projection{State: s}))
		}
		before := clock.Now() // the sixth is not older than this
		stale := func(limit int, states ...training.State) []training.Fingerprint {
			found, err := j.Stale(ctx, states, before, limit)
			require.NoError(t, err)
			var fps []training.Fingerprint
			for _, c := range found {
				require.Equal(t, "acme", c.Tenant)
				fps = append(fps, c.Fingerprint)
			}
			return fps
		}
		require.Equal(t, fps[:4], stale(10))
		require.Equal(t, fps[:2], stale(2))
		require.Equal(t, fps[1:3], stale(10, training.StateRunning, training.StateRetrying))
		clock.Advance(time.Second)
		require.NoError(t, j.Touch(ctx, "acme", fps[0]))
		require.Equal(t, fps[1:3], stale(2))
		require.Empty(t, stale(-1))
		_, err := j.Stale(ctx, []training.State{training.StateQueued}, before, 1)
		require.ErrorContains(t, err, "QUEUED")
	})
}

func TestCountsFollowEveryMove(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		empty, err := j.Counts(ctx)
		require.NoError(t, err)
		require.Empty(t, empty)
		fps := add(t, j, "acme", 0, 6)
		add(t, j, "globex", 0, 1)
		for i, s := range []training.State{training.StateCompleted, training.StateCompleted, training.StateClosed, training.StateInReview} {
			for range 2 { // the second time must not count again
				require.NoError(t, j.Project(ctx, "acme", fps[i], journal.Projection{State: s}))
			}
		}
		counts, err := j.Counts(ctx)
		require.NoError(t, err)
		require.Equal(t, map[training.State]int{training.StateQueued: 3, training.StateCompleted: 2,
			training.StateClosed: 1, training.StateInReview: 1}, counts)
	})
}
