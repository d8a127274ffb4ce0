package journal_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"countersign/internal/journal"
	"countersign/internal/postgrestest"
	"countersign/internal/training"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(victimVariable); path != "" {
		appendUntilKilled(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// each runs a test of the conformance suite on both databases, with a fresh one each.
func each(t *testing.T, run func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, sqliteDSN(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, postgrestest.Start(t)) })
}

func sqliteDSN(t testing.TB) string {
	// The name holds what a URI would read as something else.
	return "sqlite:" + filepath.Join(t.TempDir(), "journal #1?100%.db")
}

func open(t testing.TB, dsn string, opts journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(context.Background(), dsn, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return j
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// completion is the n-th completion of a tenant.
func completion(tenant string, n int) training.Completion {
	return training.Completion{
		Tenant: tenant, Source: "lms", Platform: "canonical", EnrollmentID: fmt.Sprint("E", n),
		Learner:     training.Learner{ID: fmt.Sprint("u", n), FirstName: "Zoë", LastName: "O'Neil"},
		Course:      training.Course{ID: "c1", Code: "GDPR-2026", Title: "GDPR"},
		CompletedAt: time.Date(2026, 2, 1, 9, 30, 0, 0, time.UTC), Precision: training.PrecisionMillisecond,
		Score: training.Score{Raw: "91.50", Max: "100"},
	}
}

func delivery(tenant string) journal.Delivery {
	return journal.Delivery{
		ID: journal.NewDeliveryID(), Tenant: tenant, Source: "lms", Platform: "canonical",
		Method: "POST", Path: "/webhooks/lms/" + tenant + "/lms", RemoteAddr: "192.0.2.1:4711",
		Header: http.Header{"Content-Type": {"application/json"}, "X-Two": {"a", "b"}},
		Body:   []byte(`{"n":1}`), Verdict: journal.VerdictAccepted,
	}
}

// add appends the completions from..to-1 of a tenant, each with a delivery of its own, one after the other.
func add(t testing.TB, j *journal.Journal, tenant string, from, to int) []training.Fingerprint {
	t.Helper()
	var all []training.Fingerprint
	for n := from; n < to; n++ {
		r, err := j.Append(context.Background(), delivery(tenant), []training.Completion{completion(tenant, n)})
		require.NoError(t, err)
		require.Equal(t, journal.VerdictAccepted, r.Verdict)
		all = append(all, r.Completions[0].Fingerprint)
	}
	return all
}

func state(t testing.TB, j *journal.Journal, tenant string, fp training.Fingerprint) training.State {
	t.Helper()
	s, err := j.Completion(context.Background(), tenant, fp)
	require.NoError(t, err)
	return s.State
}

func TestOpenTakesNoOtherDSN(t *testing.T) {
	for _, dsn := range []string{"", "sqlite:", "sqlite::memory:", "mysql://u:s3cret@host/db", "file:journal.db",
		"postgres://u:s3cret@host:notaport/db", "postgres://u:s3cret@[::1/db", "/no/such/folder/journal.db"} {
		t.Run(dsn, func(t *testing.T) {
			_, err := journal.Open(context.Background(), dsn, journal.Options{})
			require.Error(t, err)
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
}

func TestOpenTakesNoNegativeOptions(t *testing.T) {
	for _, opts := range []journal.Options{{Committers: -1}, {MaxBatch: -1}, {MaxQueued: -1}} {
		_, err := journal.Open(context.Background(), sqliteDSN(t), opts)
		require.ErrorContains(t, err, "negative")
	}
}

func TestOpenedTwiceAtOnceMigratesOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		var group sync.WaitGroup
		errs := make(chan error, 8)
		for range cap(errs) {
			group.Go(func() {
				j, err := journal.Open(context.Background(), dsn, journal.Options{})
				if err == nil {
					err = j.Close()
				}
				errs <- err
			})
		}
		group.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		add(t, open(t, dsn, journal.Options{}), "acme", 0, 1)
	})
}

func TestPingWrites(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j, err := journal.Open(context.Background(), dsn, journal.Options{})
		require.NoError(t, err)
		require.NoError(t, j.Ping(context.Background()))
		require.NoError(t, j.Close())
		require.Error(t, j.Ping(context.Background()))
		require.NoError(t, j.Close(), "closing twice")
	})
}
