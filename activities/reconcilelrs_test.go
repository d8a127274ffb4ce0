package activities

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/internal/journal"
	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/fault"
	lrssim "countersign/internal/simulator/lrs"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/time/rate"
)

// newReading is a world in which what was delivered just now is read back already.
func newReading(t *testing.T) *comparing {
	c := newComparing(t)
	c.rules.Settle = 0
	return c
}

// delivered carries the completion of the n-th learner, an employee of their own, to its end, has the LMS list it, and
// returns its statement.
func (c *comparing) delivered(n int) (statement journal.Effect, record string) {
	c.t.Helper()
	of := finishedBy(n)
	of.Learner.ExternalID = fmt.Sprint("HR-", n)
	c.qms.AddUser(arenasim.User{EmployeeID: of.Learner.ExternalID, Active: true})
	ref, record := c.ended(of)
	c.lms.all = append(c.lms.all, of)
	statement, err := c.journal.Effect(c.t.Context(), "acme", ref.Fingerprint, training.EffectStatement)
	require.NoError(c.t, err)
	require.NotZero(c.t, statement.DeliveredAt)
	return statement, record
}

// aMonthLater is a window with nothing in it.
func aMonthLater(in *workflows.BeginReconciliation) {
	in.From, in.To = in.From.AddDate(0, 1, 0), in.To.AddDate(0, 1, 0)
}

// The LRS was restored from an old backup: the statement that it has taken is gone. The report says so, once as news and
// then for as long as it stands, however far the window has moved on, and nothing is sent again by itself.
func TestStatementThatTheLRSLostIsFoundUntilItIsMended_R143_R144_R148(t *testing.T) {
	c := newReading(t)
	lost, _ := c.delivered(1)
	c.delivered(2)
	_, found := c.reconcile()
	require.Empty(t, found, "all four agree")
	require.Equal(t, 2, c.lrs.Calls(lrssim.EndpointGet), "a request for each")

	require.True(t, c.lrs.Lose(lost.ID))
	report, found := c.reconcile()
	require.Equal(t, []string{"missing_in_lrs:statement"}, kinds(found))
	require.Equal(t, lost.Fingerprint, found[0].Fingerprint)
	require.Equal(t, "statement "+lost.ID, found[0].Detail)
	require.Equal(t, 1, report.New)
	require.Contains(t, report.Words(), "1 missing in the LRS, 1 of them new")

	report, again := c.reconcile(aMonthLater)
	require.Equal(t, []string{"missing_in_lrs:statement"}, kinds(again))
	require.Equal(t, found[0].Since, again[0].Since)
	require.False(t, again[0].Carried, "it was looked at again")
	require.Zero(t, report.New)
	require.Equal(t, 1, c.lrs.Sends(lost.ID))

	require.NoError(t, c.tenant.LRS.Put(t.Context(), lost.ID, lost.Bytes), "the administrator restores it")
	_, found = c.reconcile(aMonthLater)
	require.Empty(t, found, "mended")
}

func TestStatementThatSomebodyVoidedIsFound_R143_R148(t *testing.T) {
	c := newReading(t)
	statement, _ := c.delivered(1)
	require.NoError(t, c.tenant.LRS.Put(t.Context(), "0d6b0fca-3c0a-4a6e-9f3a-0d6f1e5b7a10", fmt.Appendf(nil, `{
		"actor": {"mbox": "mailto:admin@lrs.example"}, "verb": {"id": "http://adlnet.gov/expapi/verbs/voided"},
		"object": {"objectType": "StatementRef", "id": %q}}`, statement.ID)))
	_, found := c.reconcile()
	require.Equal(t, []string{"voided_in_lrs:statement"}, kinds(found))
}

// What the LRS shows is held against the bytes that were sent, as a 409 is: names and definitions do not count.
func TestStatementThatSaysSomethingElseIsFound_R143_R148_R153(t *testing.T) {
	for part, change := range map[string][]string{
		"actor":     {`"name":"1001"`, `"name":"1002"`},
		"verb":      {"verbs/completed", "verbs/passed"},
		"object":    {"courses/5541", "courses/5542"},
		"result":    {`"raw":91.5`, `"raw":19.5`},
		"timestamp": {"2026-04-08T14:30:00", "2026-04-08T14:30:01"},
		"":          {"Annual Compliance Training 2026", "Annual Compliance"},
	} {
		t.Run(part, func(t *testing.T) {
			c := newReading(t)
			statement, _ := c.delivered(1)
			changed := strings.NewReplacer(change...).Replace(string(statement.Bytes))
			require.NotEqual(t, string(statement.Bytes), changed)
			require.NoError(t, c.lrs.Replace(statement.ID, []byte(changed)))
			_, found := c.reconcile()
			if part == "" {
				require.Empty(t, found)
				return
			}
			require.Equal(t, []string{"different_in_lrs:statement"}, kinds(found))
			require.Equal(t, "statement "+statement.ID+", another "+part, found[0].Detail)
		})
	}
}

// An LRS that does not answer, refuses us, or is no LRS, proves nothing: its part is given up with its failure, everything
// else is compared, and what the last run has found there is kept for the next.
func TestLRSThatDoesNotAnswerProvesNothing_R143_R144(t *testing.T) {
	for name, tc := range map[string]struct {
		fault fault.Fault
		want  string
	}{
		"away":            {fault.Status(http.StatusServiceUnavailable, 1000), "unreachable: read statement back"},
		"refuses us":      {fault.Status(http.StatusForbidden, 1000), "credentials: read statement back"},
		"is another site": {fault.Status(http.StatusNotFound, 1000), "statement_refused: read a statement: 404 Not Found"},
		"is a page":       {fault.Fault{Answer: fault.AnswerMalformed, Times: 1000}, "misread: read a statement"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newReading(t)
			lost, _ := c.delivered(1)
			_, record := c.delivered(2)
			require.True(t, c.lrs.Lose(lost.ID))
			_, found := c.reconcile()
			require.Equal(t, []string{"missing_in_lrs:statement"}, kinds(found))

			changed, ok := c.qms.Record(record)
			require.True(t, ok)
			changed.Status = training.RecordInProgress
			c.qms.AddRecord(changed)
			c.lrs.Fault(lrssim.EndpointGet, tc.fault)
			report, away := c.reconcile()
			require.Equal(t, []string{"lrs"}, report.GivenUp)
			require.Equal(t, []string{"different_status:completion", "missing_in_lrs:statement"}, kinds(away))
			still := away[slices.IndexFunc(away, func(m training.Mismatch) bool { return m.Origin == training.MismatchFromStatement })]
			require.True(t, still.Carried)
			require.Equal(t, found[0].Since, still.Since)
			part, err := c.journal.ReconciliationPart(t.Context(), "acme", report.Run, "lrs")
			require.NoError(t, err)
			require.Contains(t, part.Failure, tc.want)

			c.lrs.ClearFaults()
			_, found = c.reconcile()
			require.Equal(t, []string{"different_status:completion", "missing_in_lrs:statement"}, kinds(found))
			require.NotContains(t, found, still, "looked at")
		})
	}
}

// One answer that is no statement, from an LRS that answers everything else, is this statement's trouble alone.
func TestStatementThatCannotBeReadIsSaid(t *testing.T) {
	c := newReading(t)
	statement, _ := c.delivered(1)
	c.delivered(2)
	require.NoError(t, c.lrs.Replace(statement.ID, []byte(`{"verb":{}}`)))
	report, found := c.reconcile()
	require.Empty(t, report.GivenUp)
	require.Equal(t, []string{"unreadable:statement"}, kinds(found))
	require.Equal(t, statement.Fingerprint, found[0].Fingerprint)
	require.Equal(t, "statement "+statement.ID+" cannot be compared: the LRS's statement: no statement", found[0].Detail)
}

// Nothing is asked of the LRS that was not delivered, was delivered a moment ago, or that the settings do not want asked.
// What stands is carried over while they do not, and ends with the tenant's LRS.
func TestLRSIsAskedForNothingElse(t *testing.T) {
	c := newReading(t)
	lost, _ := c.delivered(1)
	require.True(t, c.lrs.Lose(lost.ID))
	open := c.journaled(finishedBy(2))
	_, err := c.journal.PutEffect(t.Context(), journal.Effect{
		Tenant: "acme", Fingerprint: open.Fingerprint, Kind: training.EffectStatement, ID: "1", ContentType: "application/json", Bytes: []byte("{}"),
	})
	require.NoError(t, err)
	c.lms.all = append(c.lms.all, finishedBy(2))

	c.rules.Settle = time.Minute
	_, found := c.reconcile()
	require.Empty(t, found, "an LRS need not show it yet")
	c.rules.Settle, c.rules.Statements = 0, 0
	_, found = c.reconcile()
	require.Empty(t, found, "switched off")
	require.Zero(t, c.lrs.Calls(lrssim.EndpointGet))

	c.rules.Statements = 1
	_, found = c.reconcile()
	require.Equal(t, []string{"missing_in_lrs:statement"}, kinds(found))
	asked := c.lrs.Calls(lrssim.EndpointGet)
	c.rules.Statements = 0
	_, found = c.reconcile()
	require.Equal(t, []string{"missing_in_lrs:statement"}, kinds(found))
	require.True(t, found[0].Carried)
	c.tenant.LRS = nil
	_, found = c.reconcile()
	require.Empty(t, found)
	require.Equal(t, asked, c.lrs.Calls(lrssim.EndpointGet))
}

// A file is compared with what it names, at the LRS too.
func TestFileReadsTheStatementsThatItNames_R128(t *testing.T) {
	c := newReading(t)
	c.delivered(1)
	c.delivered(2)
	of := finishedBy(1)
	upload := c.uploaded("learner_id,course_id,completed_at\n" + of.Learner.ID + "," + of.Course.ID + ",2026-04-08T14:30:00Z\n")
	_, found := c.reconcile(upload)
	require.Empty(t, found)
	require.Equal(t, 1, c.lrs.Calls(lrssim.EndpointGet))
}

// Requests keep to the rate, those that a missing statement costs besides too; and a page that takes too long is committed as
// far as it has come.
func TestReadsOfTheLRSKeepToTheRateAndThePage_R147(t *testing.T) {
	c := newReading(t)
	for n := range 6 {
		lost, _ := c.delivered(n)
		require.True(t, c.lrs.Lose(lost.ID))
	}
	begun, err := c.journal.BeginReconciliation(t.Context(), journal.Reconciliation{Tenant: "acme", Run: "slow", From: time.Unix(0, 0), To: time.Now()})
	require.NoError(t, err)
	r := &reconciliation{
		a: New(Config{Journal: c.journal}), runs: c.journal, tenant: c.tenant, run: begun, log: slog.New(slog.DiscardHandler),
		in:   workflows.ReconcilePart{Tenant: "acme", Run: "slow", Part: partLRS, Settings: training.Reconciliation{PerSecond: 0.05, Statements: 1}},
		pace: rate.NewLimiter(40, 1),
	}
	var looked []int
	cursor, began := "", time.Now()
	for done := false; !done; {
		found, err := r.statements(t.Context(), cursor)
		require.NoError(t, err)
		require.LessOrEqual(t, found.looked, r.size())
		require.Len(t, found.mismatches, found.looked)
		if found.looked > 0 {
			looked = append(looked, found.looked)
		}
		cursor, done = found.next, found.done
	}
	require.Equal(t, []int{3, 3}, looked, "a page at a time")
	require.GreaterOrEqual(t, time.Since(began), 11*25*time.Millisecond, "twelve at forty a second")

	r.late = time.Now().Add(-time.Second)
	found, err := r.statements(t.Context(), "journal ")
	require.NoError(t, err)
	require.Equal(t, 1, found.looked, "one at least")
	require.False(t, found.done)
}

// A share is drawn anew in each run, and the same in every attempt of one.
func TestShareOfTheStatementsIsDrawn(t *testing.T) {
	var first, second, both int
	for n := range 2000 {
		f := finishedBy(n).Fingerprint()
		a, b := drawn("run-1", f, 0.25), drawn("run-2", f, 0.25)
		require.Equal(t, a, drawn("run-1", f, 0.25))
		require.True(t, drawn("run-1", f, 1))
		require.False(t, drawn("run-1", f, 0))
		for count, is := range map[*int]bool{&first: a, &second: b, &both: a && b} {
			if is {
				*count++
			}
		}
	}
	require.InDelta(t, 500, first, 100)
	require.InDelta(t, 500, second, 100)
	require.InDelta(t, 125, both, 60)
}

// An LRS that says "tomorrow" would keep the next run from beginning; one that says "in an hour" is waited for.
func TestLRSIsNotWaitedForUntilTomorrow(t *testing.T) {
	for wait, final := range map[time.Duration]bool{time.Hour: false, 24 * time.Hour: true} {
		err := comparison(t.Context(), slog.New(slog.DiscardHandler), partLRS, 1, &training.Failure{Class: training.FailureRateLimited, RetryAfter: wait})
		failed, ok := errors.AsType[*temporal.ApplicationError](err)
		require.True(t, ok)
		require.Equal(t, final, failed.NonRetryable())
	}
}

// A QMS that is away is none of the LRS's trouble.
func TestStatementsAreReadWithoutTheQMS_R143(t *testing.T) {
	c := newReading(t)
	lost, _ := c.delivered(1)
	require.True(t, c.lrs.Lose(lost.ID))
	c.qms.Fault(arenasim.EndpointRecord, fault.Status(http.StatusUnauthorized, 1000))
	report, found := c.reconcile()
	require.Equal(t, []string{"listed"}, report.GivenUp)
	require.Equal(t, []string{"missing_in_lrs:statement"}, kinds(found))
}
