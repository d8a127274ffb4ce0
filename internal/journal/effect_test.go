package journal_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

func TestFirstEffectWinsForEver_R92(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		fp := add(t, j, "acme", 0, 1)[0]
		_, err := j.Effect(ctx, "acme", fp, training.EffectCertificate)
		require.ErrorIs(t, err, journal.ErrNotFound)
		require.ErrorIs(t, j.MarkDelivered(ctx, "acme", fp, training.EffectCertificate), journal.ErrNotFound)

		body := []byte("%PDF\x00\xff")
		digest := sha256.Sum256(body)
		want := journal.Effect{Tenant: "acme", Fingerprint: fp, Kind: training.EffectCertificate, ID: "C-1",
			ContentType: "application/pdf", Bytes: body, SHA256: hex.EncodeToString(digest[:]), CreatedAt: clock.Now()}
		given := want
		given.SHA256, given.CreatedAt = "not this", time.Time{}
		got, err := j.PutEffect(ctx, given)
		require.NoError(t, err)
		require.Equal(t, want, got)

		clock.Advance(time.Hour)
		other := given
		other.ID, other.Bytes = "C-2", []byte("another document")
		got, err = j.PutEffect(ctx, other)
		require.NoError(t, err)
		require.Equal(t, want, got, "what was first is what is handed out")

		want.DeliveredAt = clock.Now()
		require.NoError(t, j.MarkDelivered(ctx, "acme", fp, training.EffectCertificate))
		clock.Advance(time.Hour)
		require.NoError(t, j.MarkDelivered(ctx, "acme", fp, training.EffectCertificate))
		got, err = j.Effect(ctx, "acme", fp, training.EffectCertificate)
		require.NoError(t, err)
		require.Equal(t, want, got, "delivered when it was first delivered")

		_, err = j.PutEffect(ctx, journal.Effect{Tenant: "globex", Fingerprint: fp, Kind: training.EffectStatement})
		require.ErrorIs(t, err, journal.ErrNotFound, "another tenant")
		got, err = j.PutEffect(ctx, journal.Effect{Tenant: "acme", Fingerprint: fp, Kind: training.EffectStatement})
		require.NoError(t, err)
		require.Empty(t, got.Bytes)
	})
}

func TestConcurrentEffectsAreOne_R92(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		journals := []*journal.Journal{open(t, dsn, journal.Options{}), open(t, dsn, journal.Options{})}
		fp := add(t, journals[0], "acme", 0, 1)[0]
		const writers = 16
		got, errs := make([]journal.Effect, writers), make([]error, writers)
		var group sync.WaitGroup
		for n := range writers {
			group.Go(func() {
				got[n], errs[n] = journals[n%2].PutEffect(context.Background(), journal.Effect{
					Tenant: "acme", Fingerprint: fp, Kind: training.EffectStatement, Bytes: []byte{byte(n)}})
			})
		}
		group.Wait()
		for n := range writers {
			require.NoError(t, errs[n])
			require.Equal(t, got[0], got[n])
		}
	})
}

// A workflow that was reset in Temporal counts the rounds from where it was reset to: what is decided then is kept beside
// what was decided before, once, however often it is written.
func TestDecisionOfAResetWorkflowIsKeptToo_R139(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		j := open(t, dsn, journal.Options{})
		fp, key := add(t, j, "acme", 0, 1)[0], enrol(t, j, "acme", 0, 1)[0]
		decided := func(by string) training.Decision {
			return training.Decision{Action: training.ActionRetry, By: by, Reason: "QMS was down"}
		}
		for range 2 {
			for _, by := range []string{"m.keller", "a.roth", "j.lim"} {
				d := decided(by)
				require.NoError(t, j.AddDecision(ctx, journal.DecisionEntry{Tenant: "acme", Fingerprint: fp, Round: 1, Decision: d}))
				n, err := j.ProjectEnrollment(ctx, "acme", key, journal.EnrollmentProjection{State: training.EnrollmentRunning, Decision: &d, Round: 1})
				require.NoError(t, err)
				require.LessOrEqual(t, n, 3)
			}
		}
		found, err := j.Decisions(ctx, "acme", fp)
		require.NoError(t, err)
		require.Len(t, found, 3)
		for i, by := range []string{"m.keller", "a.roth", "j.lim"} {
			require.Equal(t, decided(by), found[i].Decision)
			require.Equal(t, i+1, found[i].Round)
		}
		n, err := j.ProjectEnrollment(ctx, "acme", key, journal.EnrollmentProjection{State: training.EnrollmentRunning})
		require.NoError(t, err)
		require.Equal(t, 3, n)
	})
}

func TestDecisionsAreKept(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		fp := add(t, j, "acme", 0, 1)[0]
		retry := journal.DecisionEntry{Tenant: "acme", Fingerprint: fp, Round: 2, Via: "update", At: clock.Now(),
			Decision: training.Decision{Action: training.ActionRetry, By: "m.keller", Reason: "QMS was down"}}
		first := retry
		first.Round, first.Via = 1, "signal"

		require.NoError(t, j.AddDecision(ctx, retry))
		require.NoError(t, j.AddDecision(ctx, first))
		again := retry
		again.At = again.At.Add(time.Second)
		require.NoError(t, j.AddDecision(ctx, again), "the same once more")
		other := retry
		other.Decision.Action = training.ActionClose
		other.Tenant = "globex"
		require.ErrorIs(t, j.AddDecision(ctx, other), journal.ErrNotFound)

		found, err := j.Decisions(ctx, "acme", fp)
		require.NoError(t, err)
		require.Equal(t, []journal.DecisionEntry{first, retry}, found)
		found, err = j.Decisions(ctx, "globex", fp)
		require.NoError(t, err)
		require.Empty(t, found)
	})
}

func TestLinks_R97(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		link := func(tenant, enrollment, learner, record string) journal.Link {
			return journal.Link{Tenant: tenant, Source: "lms", EnrollmentID: enrollment, LearnerKey: learner,
				CourseKey: "id:c1", EmployeeID: "007", RecordID: record}
		}
		for _, l := range []journal.Link{
			link("acme", "E1", "id:u1", "TR-old"), link("acme", "E1", "id:u1", "TR-1"), // replaced
			link("acme", "E2", "id:u2", "TR-2a"), link("acme", "E3", "id:u2", "TR-2b"), // two years
			link("acme", "", "id:u3", "TR-old"), link("acme", "", "id:u3", "TR-3"), // replaced
			link("acme", "E4", "id:u3", "TR-4"),
			link("globex", "E1", "id:u1", "TR-globex"),
		} {
			require.NoError(t, j.PutLink(ctx, l))
		}
		for _, test := range []struct{ name, tenant, enrollment, learner, record string }{
			{"by enrollment", "acme", "E1", "", "TR-1"},
			{"by enrollment, whoever the learner", "acme", "E2", "id:u1", "TR-2a"},
			{"tenants never meet", "globex", "E1", "id:u1", "TR-globex"},
			{"another tenant's enrollment", "globex", "E2", "id:u2", ""},
			{"without enrollment, the only one", "acme", "", "id:u1", "TR-1"},
			{"without enrollment, not by guessing", "acme", "", "id:u2", ""},
			{"without enrollment, the one without", "acme", "", "id:u3", "TR-3"},
			{"new enrollment, the one without", "acme", "E9", "id:u3", "TR-3"},
			{"new enrollment is not last year's", "acme", "E9", "id:u1", ""},
		} {
			t.Run(test.name, func(t *testing.T) {
				l, err := j.FindLink(ctx, test.tenant, "lms", test.enrollment, test.learner, "id:c1")
				if test.record == "" {
					require.ErrorIs(t, err, journal.ErrNotFound)
					return
				}
				require.NoError(t, err)
				require.Equal(t, test.record, l.RecordID)
				require.Equal(t, "007", l.EmployeeID)
			})
		}
		_, err := j.FindLink(ctx, "acme", "other", "E1", "id:u1", "id:c1")
		require.ErrorIs(t, err, journal.ErrNotFound, "another source")
		require.Error(t, j.PutLink(ctx, link("acme", "", "", "TR-9")), "nobody could find it")
		require.ErrorIs(t, j.PutLink(ctx, link("acme", "E\x00", "", "TR-9")), journal.ErrUnstorable)
	})
}

func TestUnmappedDeliveriesAreAnnouncedOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		var ids []string
		for _, verdict := range []journal.Verdict{journal.VerdictUnmapped, journal.VerdictRejected,
			journal.VerdictUnmapped, journal.VerdictTest, journal.VerdictUnmapped} {
			d := delivery("acme")
			d.Verdict, d.Reason = verdict, "no course id"
			_, err := j.Append(ctx, d, nil)
			require.NoError(t, err)
			clock.Advance(time.Second)
			if verdict == journal.VerdictUnmapped {
				ids = append(ids, d.ID)
			}
		}
		unannounced := func(limit int) []string {
			found, err := j.Unannounced(ctx, limit)
			require.NoError(t, err)
			var ids []string
			for _, d := range found {
				require.Nil(t, d.Body)
				require.Equal(t, "no course id", d.Reason)
				ids = append(ids, d.ID)
			}
			return ids
		}
		require.Equal(t, ids, unannounced(10))
		require.Equal(t, ids[:2], unannounced(2))
		require.NoError(t, j.Announced(ctx, "acme", ids[0]))
		require.NoError(t, j.Announced(ctx, "globex", ids[1]), "not theirs")
		require.Equal(t, ids[1:], unannounced(10))
	})
}

// The proof of a record belongs to one completion (law 2), in whatever order two of them come.
func TestReadBackOfARecordProvesOneCompletion(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx := context.Background()
		j := open(t, dsn, journal.Options{})
		put := func(tenant string, f training.Fingerprint, kind training.EffectKind) error {
			_, err := j.PutEffect(ctx, journal.Effect{Tenant: tenant, Fingerprint: f, Kind: kind, ID: "TR-1", Bytes: []byte(f)})
			return err
		}
		var prints []training.Fingerprint
		for n, tenant := range []string{"acme", "acme", "globex"} {
			c := completion(tenant, n)
			receipt, err := j.Append(ctx, delivery(tenant), []training.Completion{c})
			require.NoError(t, err)
			prints = append(prints, receipt.Completions[0].Fingerprint)
		}
		require.NoError(t, put("acme", prints[0], training.EffectRecord))
		require.NoError(t, put("acme", prints[0], training.EffectRecord), "again is the same")
		require.ErrorIs(t, put("acme", prints[1], training.EffectRecord), journal.ErrConflict)
		require.ErrorIs(t, put("acme", completion("acme", 7).Fingerprint(), training.EffectRecord), journal.ErrNotFound)
		require.NoError(t, put("acme", prints[1], training.EffectCertificate), "only read-backs are held to one record")
		require.NoError(t, put("globex", prints[2], training.EffectRecord), "another tenant's record may be called the same")
	})
}
