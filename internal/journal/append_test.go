package journal_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

func TestAppendKeepsDeliveryAndCompletion(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		d, c := delivery("acme"), completion("acme", 1)
		d.Body = []byte("\x00\xff exactly as received \n")
		d.ReceivedAt = time.Date(2026, 3, 1, 13, 0, 0, 987654000, time.FixedZone("CET", 3600))

		r, err := j.Append(ctx, d, []training.Completion{c})
		require.NoError(t, err)
		require.Equal(t, journal.Receipt{DeliveryID: d.ID, Verdict: journal.VerdictAccepted,
			Completions: []journal.ReceiptItem{{Fingerprint: c.Fingerprint()}}}, r)

		stored, err := j.Delivery(ctx, "acme", d.ID)
		require.NoError(t, err)
		d.ReceivedAt = d.ReceivedAt.UTC()
		require.Equal(t, d, stored)

		s, err := j.Completion(ctx, "acme", c.Fingerprint())
		require.NoError(t, err)
		require.Equal(t, c, s.Completion)
		require.Equal(t, c.Fingerprint(), s.Fingerprint)
		require.Equal(t, d.ID, s.DeliveryID)
		require.Equal(t, d.ReceivedAt, s.ReceivedAt)
		require.Equal(t, training.StateQueued, s.State)
	})
}

func TestTenantsNeverMeet(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		d, c := delivery("acme"), completion("acme", 1)
		_, err := j.Append(ctx, d, []training.Completion{c})
		require.NoError(t, err)

		_, err = j.Delivery(ctx, "globex", d.ID)
		require.ErrorIs(t, err, journal.ErrNotFound)
		_, err = j.Completion(ctx, "globex", c.Fingerprint())
		require.ErrorIs(t, err, journal.ErrNotFound)
		_, err = j.Append(ctx, delivery("globex"), []training.Completion{c})
		require.ErrorContains(t, err, "another tenant")
	})
}

func TestKnownCompletionIsDuplicate_R87_R88_R91(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		first, again := completion("acme", 1), completion("acme", 1)
		later := completion("acme", 1)
		later.CompletedAt = later.CompletedAt.AddDate(1, 0, 0)

		for _, step := range []struct {
			name      string
			given     journal.Verdict
			cs        []training.Completion
			verdict   journal.Verdict
			duplicate []bool
		}{
			{"new", journal.VerdictAccepted, []training.Completion{first}, journal.VerdictAccepted, []bool{false}},
			{"known", journal.VerdictAccepted, []training.Completion{again}, journal.VerdictDuplicate, []bool{true}},
			{"twice in one delivery", "", []training.Completion{later, again, later}, journal.VerdictAccepted, []bool{false, true, true}},
			{"partly understood", journal.VerdictUnmapped, []training.Completion{again}, journal.VerdictUnmapped, []bool{true}},
			{"none", journal.VerdictIgnored, nil, journal.VerdictIgnored, nil},
		} {
			d := delivery("acme")
			d.Verdict = step.given
			r, err := j.Append(ctx, d, step.cs)
			require.NoError(t, err, step.name)
			require.Equal(t, step.verdict, r.Verdict, step.name)
			var duplicate []bool
			for _, item := range r.Completions {
				duplicate = append(duplicate, item.Duplicate)
			}
			require.Equal(t, step.duplicate, duplicate, step.name)
			stored, err := j.Delivery(ctx, "acme", d.ID)
			require.NoError(t, err, step.name)
			require.Equal(t, step.verdict, stored.Verdict, step.name)
		}
		counts, err := j.Counts(ctx)
		require.NoError(t, err)
		require.Equal(t, map[training.State]int{training.StateQueued: 2}, counts)
	})
}

func TestConcurrentAppendsTakeEachCompletionOnce_R87(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		// Two journals stand for two processes on one database.
		journals := []*journal.Journal{
			open(t, dsn, journal.Options{MaxBatch: 16, Committers: 2}), open(t, dsn, journal.Options{MaxBatch: 16}),
		}
		const appenders, rounds, distinct = 64, 5, 40
		var (
			group sync.WaitGroup
			mu    sync.Mutex
			fresh = map[training.Fingerprint]int{}
			seen  = map[training.Fingerprint]int{}
			errs  []error
		)
		for a := range appenders {
			group.Go(func() {
				for round := range rounds {
					// Overlapping, and in a different order for everyone.
					cs := []training.Completion{completion("acme", (a*7+round)%distinct), completion("acme", (a*3+round*5)%distinct)}
					r, err := journals[a%2].Append(context.Background(), delivery("acme"), cs)
					mu.Lock()
					errs = append(errs, err)
					for _, item := range r.Completions {
						seen[item.Fingerprint]++
						if !item.Duplicate {
							fresh[item.Fingerprint]++
						}
					}
					mu.Unlock()
				}
			})
		}
		group.Wait()
		require.NoError(t, errors.Join(errs...))
		require.NotEmpty(t, seen)
		require.Len(t, fresh, len(seen))
		for fp, n := range fresh {
			require.Equal(t, 1, n, "new exactly once: %s", fp)
		}
		var appends, commits uint64
		for _, j := range journals {
			appends += j.Stats().Appends
			commits += j.Stats().Commits
		}
		require.EqualValues(t, appenders*rounds, appends)
		require.Less(t, commits, appends, "appends share commits")
	})
}

func TestLargeDeliveryIsOneTransaction(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		var cs []training.Completion
		for n := range 1201 { // more than one INSERT takes
			cs = append(cs, completion("acme", n))
		}
		r, err := j.Append(context.Background(), delivery("acme"), cs)
		require.NoError(t, err)
		require.Len(t, r.Completions, 1201)
		require.EqualValues(t, 1, j.Stats().Commits)
		counts, err := j.Counts(context.Background())
		require.NoError(t, err)
		require.Equal(t, 1201, counts[training.StateQueued])
	})
}

func TestPoisonFailsAlone(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		known := delivery("acme")
		_, err := j.Append(ctx, known, nil)
		require.NoError(t, err)

		type attempt struct {
			d      journal.Delivery
			c      training.Completion
			poison bool
		}
		var attempts []attempt
		for n := range 60 {
			a := attempt{d: delivery("acme"), c: completion("acme", n), poison: n%10 == 0}
			switch n {
			case 0, 10, 20: // only the database can tell: an id that is taken
				a.d.ID = known.ID
			case 30:
				a.c.Learner.LastName = "NUL\x00"
			case 40:
				a.c.Course.Code = "\xff\xfe"
			case 50:
				a.c.EventID = "broken\xc3"
			}
			attempts = append(attempts, a)
		}
		errs := make([]error, len(attempts))
		var group sync.WaitGroup
		for i, a := range attempts {
			group.Go(func() { _, errs[i] = j.Append(ctx, a.d, []training.Completion{a.c}) })
		}
		group.Wait()
		for i, a := range attempts {
			_, err := j.Completion(ctx, "acme", a.c.Fingerprint())
			if a.poison {
				require.Error(t, errs[i], i)
				require.ErrorIs(t, err, journal.ErrNotFound, i)
				continue
			}
			require.NoError(t, errs[i], i)
			require.NoError(t, err, i)
		}
		require.ErrorIs(t, errs[30], journal.ErrUnstorable)
	})
}

func TestOddRequestIsStillStored(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		d := delivery("acme")
		d.Body, d.Path, d.Reason, d.Verdict = nil, "/a\x00b", "\xff", journal.VerdictRejected
		d.Header.Set("X-Odd", "\xff\x00")
		_, err := j.Append(context.Background(), d, nil)
		require.NoError(t, err)
		stored, err := j.Delivery(context.Background(), "acme", d.ID)
		require.NoError(t, err)
		require.Equal(t, "/a\uFFFDb", stored.Path)
		require.Equal(t, "\uFFFD", stored.Reason)
		require.Empty(t, stored.Body)
	})
}

func TestAppendRefusesUnknownVerdict(t *testing.T) {
	j := open(t, sqliteDSN(t), journal.Options{})
	d := delivery("acme")
	d.Verdict = "perhaps"
	_, err := j.Append(context.Background(), d, nil)
	require.ErrorContains(t, err, "perhaps")
}

func TestAppendWithoutPatienceIsAbsorbedLater(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		c := completion("acme", 1)
		_, err := j.Append(ctx, delivery("acme"), []training.Completion{c})
		if err != nil { // the commit may still have won the race
			require.ErrorIs(t, err, context.Canceled)
		}
		_, err = j.Append(context.Background(), delivery("acme"), []training.Completion{c})
		require.NoError(t, err)
		require.Equal(t, training.StateQueued, state(t, j, "acme", c.Fingerprint()))
	})
}

func TestCloseAnswersEveryAppend(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{MaxBatch: 4})
		const appenders = 100
		errs := make([]error, appenders)
		started := make(chan struct{}, appenders)
		var group sync.WaitGroup
		for n := range appenders {
			group.Go(func() {
				started <- struct{}{}
				_, errs[n] = j.Append(context.Background(), delivery("acme"), []training.Completion{completion("acme", n)})
			})
		}
		for range appenders / 2 {
			<-started
		}
		require.NoError(t, j.Close())
		group.Wait()

		reopened := open(t, dsn, journal.Options{})
		for n, err := range errs {
			_, found := reopened.Completion(context.Background(), "acme", completion("acme", n).Fingerprint())
			if err == nil {
				require.NoError(t, found, n)
			} else {
				require.ErrorIs(t, err, journal.ErrClosed)
				require.ErrorIs(t, found, journal.ErrNotFound, n)
			}
		}
		_, err := j.Append(context.Background(), delivery("acme"), nil)
		require.ErrorIs(t, err, journal.ErrClosed)
	})
}

func TestWakeAfterSomethingNew(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		woken := func() bool {
			select {
			case <-j.Wake():
				return true
			default:
				return false
			}
		}
		add(t, j, "acme", 0, 1)
		require.True(t, woken())
		_, err := j.Append(context.Background(), delivery("acme"), []training.Completion{completion("acme", 0)})
		require.NoError(t, err)
		require.False(t, woken(), "nothing new")
	})
}
