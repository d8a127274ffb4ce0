package journal_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

// enrollment is the n-th enrollment of a tenant.
func enrollment(tenant string, n int) training.Enrollment {
	c := completion(tenant, n)
	return training.Enrollment{
		Tenant: tenant, Source: c.Source, Platform: c.Platform, EnrollmentID: c.EnrollmentID,
		Learner: c.Learner, Course: c.Course, EnrolledAt: c.CompletedAt.Add(-24 * time.Hour),
	}
}

func enrol(t testing.TB, j *journal.Journal, tenant string, from, to int) (keys []training.EnrollmentKey) {
	t.Helper()
	for n := from; n < to; n++ {
		r, err := j.Append(t.Context(), delivery(tenant), nil, enrollment(tenant, n))
		require.NoError(t, err)
		require.Equal(t, journal.VerdictAccepted, r.Verdict)
		keys = append(keys, r.Enrollments[0].Key)
	}
	return keys
}

func TestEnrollmentsComeWithTheirDelivery_R87_R98(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		c, e := completion("acme", 1), enrollment("acme", 2)
		first, err := j.Append(t.Context(), delivery("acme"), []training.Completion{c}, e, e)
		require.NoError(t, err)
		require.Equal(t, journal.VerdictAccepted, first.Verdict)
		require.Equal(t, []journal.EnrollmentReceipt{{Key: e.Key()}, {Key: e.Key(), Duplicate: true}}, first.Enrollments)
		again, err := j.Append(t.Context(), delivery("acme"), nil, e)
		require.NoError(t, err)
		require.Equal(t, journal.VerdictDuplicate, again.Verdict)
		other, err := j.Append(t.Context(), delivery("globex"), nil, enrollment("globex", 2))
		require.NoError(t, err)
		require.Equal(t, journal.VerdictAccepted, other.Verdict)

		stored, err := j.Enrollment(t.Context(), "acme", e.Key())
		require.NoError(t, err)
		require.Equal(t, e, stored.Enrollment)
		require.Equal(t, training.EnrollmentQueued, stored.State)
		require.Equal(t, first.DeliveryID, stored.DeliveryID)
		_, err = j.Enrollment(t.Context(), "globex", e.Key())
		require.ErrorIs(t, err, journal.ErrNotFound)

		strange := enrollment("globex", 3)
		_, err = j.Append(t.Context(), delivery("acme"), nil, strange)
		require.ErrorContains(t, err, "another tenant")
		strange = enrollment("acme", 3)
		strange.Learner.FirstName = "\xff"
		_, err = j.Append(t.Context(), delivery("acme"), nil, strange)
		require.ErrorIs(t, err, journal.ErrUnstorable)
	})
}

func TestEnrollmentsAreClaimedFairly(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		var keys []training.EnrollmentKey // of acme, as they were claimed
		claim := func(limit int) (tenants map[string]int) {
			claimed, err := j.ClaimEnrollments(t.Context(), limit, time.Minute)
			require.NoError(t, err)
			tenants = map[string]int{}
			for _, c := range claimed {
				require.NotEmpty(t, c.CourseLabel)
				tenants[c.Tenant]++
				if c.Tenant == "acme" {
					keys = append(keys, c.Key)
				}
			}
			return tenants
		}
		require.Empty(t, claim(10))
		enrol(t, j, "acme", 0, 10)
		enrol(t, j, "globex", 0, 1)
		require.Equal(t, map[string]int{"acme": 3, "globex": 1}, claim(4))
		require.Empty(t, claim(4), "the slots are taken")

		require.NoError(t, j.EnrollmentStarted(t.Context(), "acme", keys[0]))
		require.NoError(t, j.ReleaseEnrollment(t.Context(), "acme", keys[1]))
		require.Equal(t, map[string]int{"acme": 1}, claim(4))
		clock.Advance(2 * time.Minute)
		require.Equal(t, map[string]int{"acme": 3, "globex": 1}, claim(5), "leases ran out, but the started one holds its slot")
		_, err := j.ProjectEnrollment(t.Context(), "acme", keys[0], journal.EnrollmentProjection{State: training.EnrollmentRetrying})
		require.NoError(t, err)
		require.Equal(t, map[string]int{"acme": 1}, claim(5), "one that waits holds none")
	})
}

func TestEnrollmentIsClaimedOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		enrol(t, j, "acme", 0, 40)
		seen := make(chan training.EnrollmentKey, 100)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 5 {
					claimed, err := j.ClaimEnrollments(t.Context(), 1000, time.Minute)
					if err != nil {
						t.Error(err)
					}
					for _, c := range claimed {
						seen <- c.Key
					}
				}
			})
		}
		group.Wait()
		close(seen)
		once := map[training.EnrollmentKey]bool{}
		for key := range seen {
			require.False(t, once[key])
			once[key] = true
		}
		require.Len(t, once, 40)
	})
}

func TestEnrollmentIsProjected_R139(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		key := enrol(t, j, "acme", 0, 1)[0]
		project := func(p journal.EnrollmentProjection) (int, error) {
			return j.ProjectEnrollment(t.Context(), "acme", key, p)
		}
		retry := training.Decision{Action: training.ActionRetry, By: "m.keller", Reason: "is back"}
		n, err := project(journal.EnrollmentProjection{
			State: training.EnrollmentInReview, FailureClass: training.FailureUnreachable, FailureDetail: "503\x00",
		})
		require.NoError(t, err)
		require.Zero(t, n)
		for range 2 {
			n, err = project(journal.EnrollmentProjection{State: training.EnrollmentRunning, Decision: &retry, Round: 1, Via: "signal"})
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}

		stale, err := j.StaleEnrollments(t.Context(), started(), clock.Now().Add(time.Second), 10)
		require.NoError(t, err)
		require.Len(t, stale, 1)
		require.NoError(t, j.RequeueEnrollment(t.Context(), "acme", key, stale[0].UpdatedAt.Add(-time.Second)))
		require.NoError(t, j.TouchEnrollment(t.Context(), "acme", key))
		stale, err = j.StaleEnrollments(t.Context(), started(), clock.Now(), 10)
		require.NoError(t, err)
		require.Empty(t, stale)

		_, err = project(journal.EnrollmentProjection{State: training.EnrollmentLinked, RecordID: "TR-1"})
		require.NoError(t, err)
		_, err = project(journal.EnrollmentProjection{State: training.EnrollmentInReview})
		require.NoError(t, err)
		require.NoError(t, j.RequeueEnrollment(t.Context(), "acme", key, clock.Now()))
		stored, err := j.Enrollment(t.Context(), "acme", key)
		require.NoError(t, err)
		require.Equal(t, training.EnrollmentLinked, stored.State, "what has ended stays")
		require.Equal(t, "TR-1", stored.RecordID)
		require.Empty(t, stored.FailureClass)
		_, err = project(journal.EnrollmentProjection{State: training.EnrollmentQueued})
		require.Error(t, err)
		_, err = j.ProjectEnrollment(t.Context(), "globex", key, journal.EnrollmentProjection{State: training.EnrollmentClosed})
		require.ErrorIs(t, err, journal.ErrNotFound)
	})
}

// started are the states that a sweep asks after.
func started() []training.EnrollmentState {
	return []training.EnrollmentState{training.EnrollmentRunning, training.EnrollmentRetrying, training.EnrollmentInReview}
}

// However many wait for people, the sweep comes to those that hold a slot.
func TestStaleEnrollmentsAreListedByState(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		keys := enrol(t, j, "acme", 0, 4)
		project := func(key training.EnrollmentKey, state training.EnrollmentState) {
			_, err := j.ProjectEnrollment(t.Context(), "acme", key, journal.EnrollmentProjection{State: state})
			require.NoError(t, err)
			clock.Advance(time.Second)
		}
		project(keys[0], training.EnrollmentInReview)
		project(keys[1], training.EnrollmentRunning)
		project(keys[2], training.EnrollmentLinked)
		for _, test := range []struct {
			states []training.EnrollmentState
			want   []training.EnrollmentKey
		}{
			{started(), []training.EnrollmentKey{keys[0], keys[1]}},
			{[]training.EnrollmentState{training.EnrollmentRunning}, []training.EnrollmentKey{keys[1]}},
			{[]training.EnrollmentState{training.EnrollmentQueued, training.EnrollmentLinked}, nil},
			{nil, nil},
		} {
			stale, err := j.StaleEnrollments(t.Context(), test.states, clock.Now(), 10)
			require.NoError(t, err)
			var found []training.EnrollmentKey
			for _, c := range stale {
				found = append(found, c.Key)
			}
			require.Equal(t, test.want, found)
		}

		counts, err := j.OpenEnrollments(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[training.EnrollmentState]int{
			training.EnrollmentInReview: 1, training.EnrollmentRunning: 1, training.EnrollmentQueued: 1,
		}, counts)
	})
}

// While a tenant's QMS is held or paused nothing of it is started; what is queued goes on afterwards.
func TestEnrollmentsOfAHeldTenantStayQueued(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		enrol(t, j, "acme", 0, 3)
		enrol(t, j, "globex", 0, 1)
		by := training.Decision{Action: training.ActionPause, By: "ops", Reason: "upgrade"}
		_, err := j.Pause(t.Context(), "acme", training.TargetQMS, "acme/qms/1", by)
		require.NoError(t, err)
		claimed, err := j.ClaimEnrollments(t.Context(), 8, time.Minute)
		require.NoError(t, err)
		require.Len(t, claimed, 1)
		require.Equal(t, "globex", claimed[0].Tenant)
		by.Action = training.ActionResume
		_, err = j.Resume(t.Context(), "acme", training.TargetQMS, by)
		require.NoError(t, err)
		claimed, err = j.ClaimEnrollments(t.Context(), 8, time.Minute)
		require.NoError(t, err)
		require.Len(t, claimed, 3)
	})
}

// All slots are taken by a tenant whose enrollments wait behind its budget: another one's goes on all the same (law 6).
func TestEnrollmentsOfOneTenantNeverBlockAnother(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		claim := func() map[string]int {
			claimed, err := j.ClaimEnrollments(t.Context(), 4, time.Minute)
			require.NoError(t, err)
			tenants := map[string]int{}
			for _, c := range claimed {
				tenants[c.Tenant]++
			}
			return tenants
		}
		enrol(t, j, "acme", 0, 9)
		require.Equal(t, map[string]int{"acme": 4}, claim())
		enrol(t, j, "globex", 0, 3)
		enrol(t, j, "initech", 0, 3)
		require.Equal(t, map[string]int{"globex": 1, "initech": 1}, claim())
		require.Empty(t, claim())
	})
}

func TestLostEnrollmentIsQueuedAgain(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		enrol(t, j, "acme", 0, 1)
		claimed, err := j.ClaimEnrollments(t.Context(), 1, time.Minute)
		require.NoError(t, err)
		require.NoError(t, j.EnrollmentStarted(t.Context(), "acme", claimed[0].Key))
		stale, err := j.StaleEnrollments(t.Context(), started(), time.Now().Add(time.Minute), 10)
		require.NoError(t, err)
		require.NoError(t, j.RequeueEnrollment(t.Context(), "acme", stale[0].Key, stale[0].UpdatedAt))
		claimed, err = j.ClaimEnrollments(t.Context(), 1, time.Minute)
		require.NoError(t, err)
		require.Len(t, claimed, 1)
	})
}

// Whoever is first says under which reference; a spent one is replaced once.
func TestReferenceIsReservedOnce_R98(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		reserve := func(training, ref string, spent ...string) string {
			got, err := j.ReserveRef(t.Context(), "acme", "HR-1", training, ref, spent)
			require.NoError(t, err)
			return got
		}
		require.Equal(t, "a", reserve("TP-1", "a"))
		require.Equal(t, "a", reserve("TP-1", "b"))
		require.Equal(t, "b", reserve("TP-2", "b"))
		require.Equal(t, "a", reserve("TP-1", "b", "x", ""))
		require.Equal(t, "b", reserve("TP-1", "b", "a"))
		require.Equal(t, "b", reserve("TP-1", "c", "a"), "another was faster to replace it")
		require.Equal(t, "b", reserve("TP-1", "b", "b"), "one's own is never spent")

		got := make(chan string, 8)
		for i := range cap(got) {
			go func() {
				ref, err := j.ReserveRef(t.Context(), "acme", "HR-1", "TP-3", fmt.Sprint("r", i), nil)
				if err != nil {
					t.Error(err)
				}
				got <- ref
			}()
		}
		first := <-got
		for range cap(got) - 1 {
			require.Equal(t, first, <-got)
		}
	})
}

func TestCompletionsAwaitingTheirRecord(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		fps := add(t, j, "acme", 0, 4)
		_, err := j.Claim(t.Context(), 10, time.Minute)
		require.NoError(t, err)
		review := func(fp training.Fingerprint, class training.FailureClass) {
			require.NoError(t, j.Project(t.Context(), "acme", fp, journal.Projection{State: training.StateInReview, FailureClass: class}))
		}
		review(fps[0], training.FailureRecordMissing)
		review(fps[1], training.FailureRecordMissing)
		review(fps[2], training.FailureUnreachable)
		for n, want := range [][]training.Fingerprint{{fps[0]}, {fps[1]}, nil, nil} {
			c := completion("acme", n)
			got, err := j.AwaitingRecord(t.Context(), "acme", "lms", c.Learner, c.Course)
			require.NoError(t, err)
			require.Equal(t, want, got, n)
			got, err = j.AwaitingRecord(t.Context(), "acme", "other", c.Learner, c.Course)
			require.NoError(t, err)
			require.Empty(t, got)
		}
	})
}
