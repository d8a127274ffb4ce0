package activities

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"countersign/internal/training"
	"countersign/internal/xapi"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
)

// An LMS whose budget of calls lasts for one page at a time is listed to the end, however many pages there are.
func TestListingThatIsToldToWaitAtEveryPageEnds_R145_R146(t *testing.T) {
	c := newComparing(t)
	c.lms.size, c.lms.fails = 1, map[string]error{}
	const pages = 15
	for n := range pages {
		c.lms.all = append(c.lms.all, finishedBy(n))
		c.lms.fails[strconv.Itoa(n)] = &training.Failure{Class: training.FailureRateLimited, Operation: "list completions", RetryAfter: time.Millisecond}
	}
	report, found := c.reconcile(func(in *workflows.BeginReconciliation) { in.DryRun = true })
	require.Empty(t, report.GivenUp)
	require.Len(t, found, pages)
	require.Len(t, c.lms.asked, 2*pages-1)
}

// A page may cost more calls than a budget that is used up gives back in the rest that it asks for: where it is too large it is
// read in pieces. Such a rest is not all that an attempt without headway waits, or ten of them, seconds apart, would all
// end at the same call.
func TestShortRestDoesNotHurryTheNextAttempt_R145_R146(t *testing.T) {
	for rest, want := range map[time.Duration]time.Duration{4 * time.Second: 0, 29 * time.Second: 0, 31 * time.Second: 31 * time.Second, time.Hour: time.Hour} {
		c := newComparing(t)
		c.lms.fails = map[string]error{"": &training.Failure{Class: training.FailureRateLimited, Operation: "list completions", RetryAfter: rest}}
		in := workflows.BeginReconciliation{Tenant: "acme", Run: "run-1", Settings: c.rules}
		days(&in)
		_, failure := run[workflows.ReconciliationPlan](c.world, "BeginReconciliation", in)
		require.Empty(t, failure.Class)
		_, err := c.env.ExecuteActivity("ReconcilePart", workflows.ReconcilePart{Tenant: "acme", Run: "run-1", Part: "lms/lms", Settings: c.rules})
		var application *temporal.ApplicationError
		require.ErrorAs(t, err, &application)
		require.Equal(t, want, application.NextRetryDelay(), "0 is the schedule's: half a minute after the first attempt")
	}
}

// tired is an LRS that answers one question and then asks to be left alone for a moment, again and again.
type tired struct {
	LRS

	class   training.FailureClass
	rest    time.Duration
	asked   int
	until   time.Time
	early   int // questions while it was to be left alone
	between int // questions that it answers in between
}

func (l *tired) ReadBack(ctx context.Context, id string, body []byte) (xapi.Shown, error) {
	l.asked++
	if time.Now().Before(l.until) {
		l.early++
	}
	if l.asked%(l.between+1) == 0 {
		l.until = time.Now().Add(l.rest)
		return xapi.Shown{}, &training.Failure{Class: l.class, Operation: "read statement back", Key: id, RetryAfter: l.rest}
	}
	return l.LRS.ReadBack(ctx, id, body)
}

// An LRS that stops us now and then is left alone for as long as it asks, and read to the end: what was looked at before it
// stopped us counts, and an attempt that has made headway is none of the ten without any.
func TestLRSThatStopsUsNowAndThenIsReadToTheEnd_R143_R147(t *testing.T) {
	for _, class := range []training.FailureClass{training.FailureRateLimited, training.FailureUnreachable} {
		t.Run(string(class), func(t *testing.T) {
			c := newReading(t)
			const statements = 15
			for n := range statements {
				lost, _ := c.delivered(n)
				require.True(t, c.lrs.Lose(lost.ID))
			}
			lrs := &tired{LRS: c.tenant.LRS, class: class, rest: 5 * time.Millisecond, between: 1}
			c.tenant.LRS = lrs
			report, found := c.reconcile()
			require.Empty(t, report.GivenUp)
			require.Len(t, found, statements)
			require.Zero(t, lrs.early, "it was left alone")
			require.Equal(t, 2*statements, lrs.asked+1, "nothing is asked twice")
			part, err := c.journal.ReconciliationPart(t.Context(), "acme", report.Run, "lrs")
			require.NoError(t, err)
			require.Equal(t, statements, part.Looked)
		})
	}
}

// However often an LRS stops us: the attempts together ask no more a second than the settings allow.
func TestAttemptsTogetherKeepToTheRate_R146(t *testing.T) {
	c := newReading(t)
	const statements = 10
	for n := range statements {
		c.delivered(n)
	}
	lrs := &tired{LRS: c.tenant.LRS, class: training.FailureUnreachable, between: 1}
	c.tenant.LRS, c.rules.PerSecond = lrs, 50
	begun := time.Now()
	report, _ := c.reconcile()
	require.Empty(t, report.GivenUp)
	require.Equal(t, 2*statements-1, lrs.asked)
	require.GreaterOrEqual(t, time.Since(begun), 2*(statements-1)*time.Second/50)
}

// An LRS that answers nothing is asked once in an attempt, however many statements there are, and not for ever.
func TestLRSThatAnswersNothingIsAskedTenTimes_R143(t *testing.T) {
	c := newReading(t)
	for n := range 15 {
		c.delivered(n)
	}
	lrs := &tired{LRS: c.tenant.LRS, class: training.FailureUnreachable}
	c.tenant.LRS = lrs
	report, _ := c.reconcile()
	require.Equal(t, []string{"lrs"}, report.GivenUp)
	require.Equal(t, 10, lrs.asked)
}

// What asks for more than a moment's rest, or is not mended by waiting, is the attempt's failure.
func TestHeadwayIsNoReasonToWaitForLong(t *testing.T) {
	r := &reconciliation{log: slog.New(slog.DiscardHandler), in: workflows.ReconcilePart{Settings: training.Reconciliation{PerSecond: 1000}}}
	for _, tc := range []struct {
		part    string
		failure training.Failure
		goesOn  bool
	}{
		{partLRS, training.Failure{Class: training.FailureUnreachable}, true},
		{partLRS, training.Failure{Class: training.FailureRateLimited, RetryAfter: time.Millisecond}, true},
		{partLRS, training.Failure{Class: training.FailureRateLimited, RetryAfter: breather + 1}, false},
		{partLRS, training.Failure{Class: training.FailureStatementRefused}, false},
		{"lms/lms", training.Failure{Class: training.FailureLMSRateLimited, RetryAfter: breather + 1}, true},
	} {
		r.in.Part = tc.part
		err := r.goOn(t.Context(), &tc.failure)
		require.Equal(t, tc.goesOn, err == nil, tc.failure.Error())
	}
	r.in.Part = partLRS
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.goOn(ended, &training.Failure{Class: training.FailureRateLimited, RetryAfter: breather}), context.Canceled)
}
