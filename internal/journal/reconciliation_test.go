package journal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

func begin(t *testing.T, j *journal.Journal, run string, change ...func(*journal.Reconciliation)) journal.Reconciliation {
	t.Helper()
	r := journal.Reconciliation{Tenant: "acme", Run: run, From: time.Unix(1000, 0).UTC(), To: time.Unix(2000, 0).UTC()}
	for _, f := range change {
		f(&r)
	}
	stored, err := j.BeginReconciliation(context.Background(), r)
	require.NoError(t, err)
	return stored
}

func mismatch(n int) training.Mismatch {
	return training.Mismatch{
		Kind: training.MismatchDifferentDate, Origin: training.MismatchFromListing, Source: "lms",
		Fingerprint: training.Fingerprint(fmt.Sprintf("f%03d", n)), Course: "GDPR", LMS: "a", QMS: "b", Detail: "d", At: time.Unix(1500, 0).UTC(),
	}
}

func pageOf(run, cursor, next string, all ...training.Mismatch) journal.ReconciliationPage {
	return journal.ReconciliationPage{Tenant: "acme", Run: run, Part: "journal", Cursor: cursor, Next: next, Looked: 10, Mismatches: all,
		Seen: []training.Fingerprint{"seen" + training.Fingerprint(cursor)}}
}

// A page is committed with its cursor or not at all, and by one of two workers that both have it.
func TestPageIsCommittedOnce_R143(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		begin(t, j, "r1")
		part, err := j.ReconciliationPart(ctx, "acme", "r1", "journal")
		require.NoError(t, err)
		require.Equal(t, journal.ReconciliationPart{Part: "journal"}, part)

		first := pageOf("r1", "", "c1", mismatch(1))
		require.NoError(t, j.CommitReconciliationPage(ctx, first))
		require.NoError(t, j.CommitReconciliationPage(ctx, first), "by the worker that was thought dead")
		require.NoError(t, j.CommitReconciliationPage(ctx, pageOf("r1", "c0", "c9", mismatch(9))), "of another place")
		last := pageOf("r1", "c1", "c2", mismatch(2))
		last.Done = true
		require.NoError(t, j.CommitReconciliationPage(ctx, last))
		require.NoError(t, j.CommitReconciliationPage(ctx, pageOf("r1", "c2", "c3", mismatch(3))), "of a part that is done")
		require.NoError(t, j.GiveUpReconciliationPart(ctx, "acme", "r1", "journal", "too late"))
		require.NoError(t, j.GiveUpReconciliationPart(ctx, "acme", "r1", "lms/x", "503"))

		parts, err := j.ReconciliationParts(ctx, "acme", "r1")
		require.NoError(t, err)
		require.Equal(t, []journal.ReconciliationPart{
			{Part: "journal", Cursor: "c2", Done: true, Pages: 2, Looked: 20},
			{Part: "lms/x", Done: true, Failure: "503"},
		}, parts)
		found, err := j.Mismatches(ctx, "acme", "r1", "", journal.MismatchPlace{}, 10)
		require.NoError(t, err)
		require.Len(t, found, 2)
		seen, err := j.ReconciliationSeen(ctx, "acme", "r1", []training.Fingerprint{"seen", "seenc1", "seenc0", "other"})
		require.NoError(t, err)
		require.Equal(t, map[training.Fingerprint]bool{"seen": true, "seenc1": true}, seen)

		walked, err := j.ReconciliationSeenPage(ctx, "acme", "r1", "seen", 10)
		require.NoError(t, err)
		require.Equal(t, []training.Fingerprint{"seenc1"}, walked)

		require.NoError(t, j.EndReconciliation(ctx, "acme", "r1"))
		seen, err = j.ReconciliationSeen(ctx, "acme", "r1", []training.Fingerprint{"seen"})
		require.NoError(t, err)
		require.Empty(t, seen, "forgotten with the end")
	})
}

// The report says since when a mismatch stands, over all runs, and one that was mended begins anew.
func TestMismatchStandsSinceItWasFirstFound_R144(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		start := clock.Now()
		runs := []struct {
			run      string
			dry      bool
			finds    []int
			previous string
		}{
			{"r1", false, []int{1, 2}, ""}, {"r2", true, []int{5}, "r1"}, {"r3", false, []int{1}, "r1"}, {"r4", false, []int{1, 2}, "r3"},
		}
		for _, run := range runs {
			stored := begin(t, j, run.run, func(r *journal.Reconciliation) { r.DryRun = run.dry })
			require.Equal(t, run.previous, stored.Previous, run.run)
			require.Equal(t, stored, begin(t, j, run.run), "begun again")
			for _, n := range run.finds {
				require.NoError(t, j.PutMismatches(ctx, "acme", run.run, []training.Mismatch{mismatch(n)}))
			}
			require.NoError(t, j.EndReconciliation(ctx, "acme", run.run))
			clock.Advance(24 * time.Hour)
		}
		found, err := j.Mismatches(ctx, "acme", "r4", training.MismatchDifferentDate, journal.MismatchPlace{}, 10)
		require.NoError(t, err)
		since := map[training.Fingerprint]time.Time{}
		for _, m := range found {
			since[m.Fingerprint] = m.Since
		}
		require.Equal(t, map[training.Fingerprint]time.Time{"f001": start, "f002": start.Add(72 * time.Hour)}, since)
		counts, err := j.MismatchCounts(ctx, "acme", "r4")
		require.NoError(t, err)
		require.Equal(t, journal.MismatchCount{Kind: training.MismatchDifferentDate, N: 2, New: 1}, counts[training.MismatchDifferentDate])

		all, err := j.Reconciliations(ctx, "acme", 2)
		require.NoError(t, err)
		require.Equal(t, []string{"r4", "r3"}, []string{all[0].Run, all[1].Run})
		latest, err := j.Reconciliation(ctx, "acme", "")
		require.NoError(t, err)
		require.Equal(t, "r4", latest.Run)
		_, err = j.Reconciliation(ctx, "globex", "r4")
		require.ErrorIs(t, err, journal.ErrNotFound, "tenants never meet")
	})
}

// What is found again is not carried over any more; what is only carried changes nothing of what was found.
func TestFoundBeatsCarried(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		begin(t, j, "r1")
		carried, found := mismatch(1), mismatch(1)
		carried.Carried, carried.LMS = true, "old"
		found.Started = true
		for _, m := range []training.Mismatch{carried, found, carried} {
			require.NoError(t, j.PutMismatches(ctx, "acme", "r1", []training.Mismatch{m}))
		}
		all, err := j.Mismatches(ctx, "acme", "r1", "", journal.MismatchPlace{}, 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		all[0].Since = time.Time{}
		require.Equal(t, found, all[0])
	})
}

func TestMismatchesComeInPages(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		begin(t, j, "r1")
		for n := range 25 {
			require.NoError(t, j.PutMismatches(ctx, "acme", "r1", []training.Mismatch{mismatch(n)}))
		}
		seen := map[string]bool{}
		for after := (journal.MismatchPlace{}); ; {
			page, err := j.Mismatches(ctx, "acme", "r1", "", after, 7)
			require.NoError(t, err)
			for _, m := range page {
				require.False(t, seen[m.ID()])
				seen[m.ID()] = true
				after = journal.MismatchPlace{Kind: m.Kind, ID: m.ID()}
			}
			if len(page) < 7 {
				break
			}
		}
		require.Len(t, seen, 25)
	})
}

func TestCompletionsAreWalkedInOrderOfArrival(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		early := add(t, j, "acme", 0, 2)
		clock.Advance(time.Hour)
		from := clock.Now()
		late := add(t, j, "acme", 2, 7) // all at one instant: the fingerprint decides
		add(t, j, "globex", 0, 3)
		claimed, err := j.Claim(ctx, 4, time.Hour) // what is queued and what is not are walked as one
		require.NoError(t, err)
		require.Len(t, claimed, 4)
		require.NoError(t, j.Project(ctx, "acme", late[0], journal.Projection{State: training.StateCompleted}))

		var walked []training.Fingerprint
		for after := (journal.Place{}); ; {
			page, err := j.Received(ctx, "acme", from, after, 2)
			require.NoError(t, err)
			for _, s := range page {
				walked = append(walked, s.Fingerprint)
				after = journal.Place{ReceivedAt: s.ReceivedAt, Fingerprint: s.Fingerprint}
			}
			if len(page) < 2 {
				break
			}
		}
		require.ElementsMatch(t, late, walked)

		require.NoError(t, j.Project(ctx, "acme", early[0], journal.Projection{State: training.StateClosed}))
		opened, err := j.OpenBefore(ctx, "acme", from, journal.Place{}, 100)
		require.NoError(t, err)
		require.Len(t, opened, 1)
		require.Equal(t, early[1], opened[0].Fingerprint)
		opened, err = j.OpenBefore(ctx, "acme", clock.Now().Add(time.Hour), journal.Place{}, 4)
		require.NoError(t, err)
		require.Len(t, opened, 4)
		rest, err := j.OpenBefore(ctx, "acme", clock.Now().Add(time.Hour),
			journal.Place{ReceivedAt: opened[3].ReceivedAt, Fingerprint: opened[3].Fingerprint}, 100)
		require.NoError(t, err)
		require.Len(t, rest, 1)
	})
}

// A person is found by any id, as soon as the index was brought up; and nobody of another tenant or source.
func TestPersonIsFoundByAnyID(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		c := completion("acme", 1)
		c.Learner = training.Learner{ID: "42", Email: "Jane@acme.example", ExternalID: "HR-1", Username: "jane"}
		r, err := j.Append(ctx, delivery("acme"), []training.Completion{c})
		require.NoError(t, err)
		add(t, j, "acme", 2, 9)
		index := func() {
			for after, more := (journal.Place{}), true; more; {
				after, more, err = j.IndexPeople(ctx, "acme", after, 3)
				require.NoError(t, err)
			}
		}
		of := func(tenant, source string, l training.Learner) (found []training.Fingerprint) {
			all, err := j.FindOfPerson(ctx, tenant, source, l, "", 10)
			require.NoError(t, err)
			for _, s := range all {
				found = append(found, s.Fingerprint)
			}
			return found
		}
		require.Empty(t, of("acme", "lms", training.Learner{ID: "42"}))
		index()
		want := []training.Fingerprint{r.Completions[0].Fingerprint}
		for _, l := range []training.Learner{{ID: "42"}, {Email: "jane@ACME.example"}, {ExternalID: "HR-1"}, {Username: "jane"}, c.Learner} {
			require.Equal(t, want, of("acme", "lms", l))
		}
		require.Empty(t, of("acme", "lms", training.Learner{ID: "jane"}), "an id of another kind")
		require.Empty(t, of("acme", "other", training.Learner{ID: "42"}))
		require.Empty(t, of("globex", "lms", training.Learner{ID: "42"}))
		require.Empty(t, of("acme", "lms", training.Learner{}))

		clock.Advance(time.Hour)
		late := completion("acme", 1)
		late.Learner.ID, late.CompletedAt = "42", late.CompletedAt.AddDate(1, 0, 0)
		_, err = j.Append(ctx, delivery("acme"), []training.Completion{late})
		require.NoError(t, err)
		index()
		both := of("acme", "lms", training.Learner{ID: "42"})
		require.Len(t, both, 2, "what has arrived since")
		behind, err := j.FindOfPerson(ctx, "acme", "lms", training.Learner{ID: "42"}, both[0], 1)
		require.NoError(t, err)
		require.Len(t, behind, 1)
		for range 2 {
			require.NoError(t, j.IndexPerson(ctx, "acme", "lms", both[0], training.Learner{ExternalID: "looked-up"}))
		}
		require.Equal(t, both[:1], of("acme", "lms", training.Learner{ExternalID: "looked-up"}))
		require.Equal(t, both[1], behind[0].Fingerprint, "page by page")
	})
}

// Only what was compared whole, by a run before and over a window that is no shorter, counts as listed.
func TestListedUntil_R143(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		to := clock.Now().Truncate(time.Hour)
		listed := func(run string, day int, window time.Duration, dry bool) journal.Reconciliation {
			clock.Advance(time.Hour)
			end := to.AddDate(0, 0, day)
			r, err := j.BeginReconciliation(ctx, journal.Reconciliation{Tenant: "acme", Run: run, From: end.Add(-window), To: end, DryRun: dry})
			require.NoError(t, err)
			return r
		}
		done := func(run string) {
			require.NoError(t, j.CommitReconciliationPage(ctx, journal.ReconciliationPage{Tenant: "acme", Run: run, Part: "lms/lms", Done: true}))
		}
		const window = 48 * time.Hour
		listed("whole", 1, window, false)
		done("whole")
		listed("short", 2, time.Hour, false)
		done("short")
		listed("dry", 3, window, true)
		done("dry")
		listed("failed", 4, window, false)
		require.NoError(t, j.GiveUpReconciliationPart(ctx, "acme", "failed", "lms/lms", "unreachable"))
		now := listed("now", 5, window, false)
		done("now")
		until, err := j.ListedUntil(ctx, "acme", "lms/lms", now.StartedAt, window)
		require.NoError(t, err)
		require.True(t, until.Equal(to.AddDate(0, 0, 1)), until)
		for _, other := range [][2]string{{"acme", "lms/other"}, {"globex", "lms/lms"}} {
			until, err = j.ListedUntil(ctx, other[0], other[1], now.StartedAt, window)
			require.NoError(t, err)
			require.Zero(t, until)
		}
	})
}

func TestEffectsAndLinksForReconciliation(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		fp := add(t, j, "acme", 0, 1)[0]
		_, err := j.PutEffect(ctx, journal.Effect{Tenant: "acme", Fingerprint: fp, Kind: training.EffectRecord, ID: "TR-1", Bytes: []byte("{}")})
		require.NoError(t, err)
		_, err = j.PutEffect(ctx, journal.Effect{Tenant: "acme", Fingerprint: fp, Kind: training.EffectStatement, ID: "S-1"})
		require.NoError(t, err)
		require.NoError(t, j.MarkDelivered(ctx, "acme", fp, training.EffectStatement))
		heads, err := j.EffectHeads(ctx, "acme", fp)
		require.NoError(t, err)
		require.Len(t, heads, 2)
		require.True(t, heads[training.EffectRecord].DeliveredAt.IsZero())
		require.Equal(t, clock.Now(), heads[training.EffectStatement].DeliveredAt)
		require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: training.StateRunning, RecordID: "TR-1"}))
		for tenant, want := range map[string]bool{"acme": true, "globex": false} {
			carried, err := j.Carried(ctx, tenant, []string{"TR-0", "TR-1"})
			require.NoError(t, err)
			require.Equal(t, want, carried["TR-1"])
			require.False(t, carried["TR-0"])
		}
		require.NoError(t, j.Project(ctx, "acme", fp, journal.Projection{State: training.StateCompleted}))
		carried, err := j.Carried(ctx, "acme", []string{"TR-1"})
		require.NoError(t, err)
		require.Empty(t, carried, "it has arrived")
		owner, err := j.ProvedBy(ctx, "acme", "TR-1")
		require.NoError(t, err)
		require.Equal(t, fp, owner)
		_, err = j.ProvedBy(ctx, "globex", "TR-1")
		require.ErrorIs(t, err, journal.ErrNotFound)

		for n := range 5 {
			require.NoError(t, j.PutLink(ctx, journal.Link{Tenant: "acme", Source: "lms", EnrollmentID: fmt.Sprint("E", n), RecordID: fmt.Sprint("TR-", n/2)}))
		}
		from := clock.Now()
		clock.Advance(time.Minute)
		var walked int
		for after := (journal.LinkPlace{}); ; {
			links, places, err := j.LinksUpdated(ctx, "acme", from, clock.Now(), after, 2)
			require.NoError(t, err)
			walked += len(links)
			if len(links) < 2 {
				break
			}
			after = places[len(places)-1]
		}
		require.Equal(t, 5, walked)
		to, err := j.LinksTo(ctx, "acme", "TR-1")
		require.NoError(t, err)
		require.Len(t, to, 2)
	})
}
