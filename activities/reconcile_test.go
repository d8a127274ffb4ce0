package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"countersign/internal/journal"
	"countersign/internal/lmsapi"
	"countersign/internal/training"
	"countersign/workflows"

	"github.com/stretchr/testify/require"
)

// listing is an LMS that lists completions, size at a time.
type listing struct {
	all        []training.Completion
	unreadable []string
	size       int
	// asked are the cursors that it was asked with.
	asked []string
	// fails are the cursors at which it fails once.
	fails map[string]error
}

func (l *listing) Lookup(context.Context, training.Completion) (lmsapi.Details, error) {
	return lmsapi.Details{}, nil
}

func (l *listing) Check(context.Context) error { return nil }

func (l *listing) Completions(_ context.Context, w lmsapi.Window, cursor string) (lmsapi.Page, error) {
	l.asked = append(l.asked, cursor)
	if err := l.fails[cursor]; err != nil {
		delete(l.fails, cursor)
		return lmsapi.Page{}, err
	}
	start := 0
	if cursor != "" {
		var err error
		if start, err = strconv.Atoi(cursor); err != nil {
			return lmsapi.Page{}, training.Fail(training.FailureRefused, "list completions", "", "cursor")
		}
	}
	var page lmsapi.Page
	end := min(start+l.size, len(l.all))
	for _, c := range l.all[start:end] {
		c.Tenant, c.Source, c.Platform = "", "", "" // the caller's to fill
		if w.Holds(c.CompletedAt) {
			page.Completions = append(page.Completions, c)
		}
	}
	if end < len(l.all) {
		page.Next = strconv.Itoa(end)
	} else {
		page.Unreadable = l.unreadable
	}
	return page, nil
}

// comparing is a world with an LMS that lists.
type comparing struct {
	*world
	lms   *listing
	rules training.Reconciliation
	runs  int
}

func newComparing(t *testing.T) *comparing {
	c := &comparing{world: newWorld(t), lms: &listing{size: 2}, rules: training.DefaultReconciliation()}
	c.rules.PerSecond = 1000
	c.rules.Sources = []training.ReconciledSource{{ID: "lms", Platform: "canonical", Listed: true}}
	c.tenant.LMS = func(source string) lmsapi.Client {
		if source != "lms" {
			return nil
		}
		return c.lms
	}
	c.tenant.MappedTraining = func(id string) bool { return id == program }
	return c
}

// days is the window of completion()'s day and the ones around it.
func days(in *workflows.BeginReconciliation) {
	in.From = time.Date(2026, 4, 7, 0, 0, 0, 0, time.UTC)
	in.To = time.Date(2026, 4, 10, 0, 0, 0, 0, time.UTC)
}

// reconcile runs all parts to the end, as the workflow does, and returns the report and what it found.
func (c *comparing) reconcile(change ...func(*workflows.BeginReconciliation)) (workflows.ReconciliationReport, []training.Mismatch) {
	c.t.Helper()
	c.runs++
	in := workflows.BeginReconciliation{Tenant: "acme", Run: fmt.Sprint("run-", c.runs), Settings: c.rules}
	days(&in)
	for _, f := range change {
		f(&in)
	}
	plan, _ := run[workflows.ReconciliationPlan](c.world, "BeginReconciliation", in)
	for _, part := range plan.Parts {
		for attempt := 1; ; attempt++ {
			progress, failure := run[workflows.PartProgress](c.world, "ReconcilePart", workflows.ReconcilePart{
				Tenant: "acme", Run: in.Run, Part: part, Settings: c.rules,
			})
			if failure.Class != "" {
				if failure.Class.Transient() && attempt < 10 {
					continue // as Temporal does
				}
				_, _ = run[struct{}](c.world, "GiveUpPart", workflows.GiveUpPart{Tenant: "acme", Run: in.Run, Part: part, Failure: &failure})
				break
			}
			if progress.Done {
				break
			}
			attempt = 0 // the next is an activity of its own
		}
	}
	report, _ := run[workflows.ReconciliationReport](c.world, "EndReconciliation", workflows.EndReconciliation{Tenant: "acme", Run: in.Run})
	found, err := c.journal.Mismatches(c.t.Context(), "acme", in.Run, "", journal.MismatchPlace{}, 10_000)
	require.NoError(c.t, err)
	return report, found
}

// kinds are the mismatches as "kind:origin", sorted.
func kinds(found []training.Mismatch) []string {
	all := []string{}
	for _, m := range found {
		all = append(all, string(m.Kind)+":"+string(m.Origin))
	}
	slices.Sort(all)
	return all
}

// finishedBy is the n-th learner's completion.
func finishedBy(n int) training.Completion {
	c := completion()
	c.Learner.ID = fmt.Sprint(1000 + n)
	return c
}

// What the LMS lists and we do not have is put on its way once, by the way of every delivery, and what it
// lists with another date is asked about and never a second completion.
func TestMissingCompletionIsStartedOnce_R88_R131_R143_R145(t *testing.T) {
	c := newComparing(t)
	exact := c.journaled(finishedBy(1))
	near := finishedBy(2)
	c.journaled(near)
	near.CompletedAt = near.CompletedAt.Add(7 * time.Second)
	missing := finishedBy(3)
	c.lms.all = []training.Completion{finishedBy(1), near, missing}

	report, found := c.reconcile()
	require.Equal(t, []string{"different_date:listing", "missing_in_qms:listing"}, kinds(found))
	require.Equal(t, 1, report.Started)
	require.Equal(t, 2, report.New)
	stored, err := c.journal.Completion(t.Context(), "acme", missing.Fingerprint())
	require.NoError(t, err)
	require.Equal(t, training.StateQueued, stored.State, "dispatch starts it")
	require.Equal(t, "canonical", stored.Completion.Platform)
	delivery, err := c.journal.Delivery(t.Context(), "acme", stored.DeliveryID)
	require.NoError(t, err)
	require.Equal(t, "RECONCILIATION", delivery.Method)
	require.Equal(t, journal.VerdictAccepted, delivery.Verdict)
	var body training.Completion
	require.NoError(t, json.Unmarshal(delivery.Body, &body))
	require.Equal(t, missing.Fingerprint(), body.Fingerprint())

	counts, err := c.journal.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[training.State]int{training.StateRunning: 2, training.StateQueued: 1}, counts, "three, not four")
	require.NotEqual(t, exact.Fingerprint, missing.Fingerprint())

	report, again := c.reconcile()
	require.Equal(t, []string{"different_date:listing"}, kinds(again))
	require.Zero(t, report.Started)
	require.Zero(t, report.New)
	require.Equal(t, since(found, training.MismatchDifferentDate), again[0].Since, "it says since when")
}

func since(all []training.Mismatch, kind training.MismatchKind) time.Time {
	return all[slices.IndexFunc(all, func(m training.Mismatch) bool { return m.Kind == kind })].Since
}

// The event stated when it was noticed, and the LMS was asked since when it is finished: the listing says the same,
// so the sides agree, and ids that only the LMS knows are ids of the learner too (R15).
func TestLookedUpInstantCountsLikeTheEvents_R15_R143(t *testing.T) {
	c := newComparing(t)
	ref := c.journaled(finishedBy(1))
	listed := finishedBy(1)
	listed.CompletedAt = listed.CompletedAt.Add(-5 * time.Hour)
	document, err := json.Marshal(lmsapi.Details{CompletedAt: listed.CompletedAt, Precision: training.PrecisionMillisecond})
	require.NoError(t, err)
	c.lms.all = []training.Completion{listed}
	_, found := c.reconcile()
	require.Equal(t, []string{"different_date:listing"}, kinds(found), "as long as nothing was looked up")
	_, err = c.journal.PutEnrichment(t.Context(), "acme", ref.Fingerprint, document, nil)
	require.NoError(t, err)
	_, found = c.reconcile()
	require.Empty(t, found)
}

// One completion that stands twice in a listing, a little apart, is one.
func TestListingThatRepeatsItselfStartsOnce(t *testing.T) {
	c := newComparing(t)
	twice := finishedBy(1)
	twice.CompletedAt = twice.CompletedAt.Add(3 * time.Second)
	later := finishedBy(1)
	later.CompletedAt = later.CompletedAt.Add(9 * time.Second)
	c.lms.all = []training.Completion{finishedBy(1), twice, later} // the third on another page
	report, found := c.reconcile()
	require.Equal(t, 1, report.Started)
	require.Equal(t, []string{"different_date:listing", "missing_in_qms:listing"}, kinds(found))
}

// No run could read the listing for longer than the window: the next one goes on where the last one ended. A window
// that somebody has chosen stays.
func TestListingGoesOnAfterAnOutageLongerThanTheWindow_R88_R143(t *testing.T) {
	c := newComparing(t)
	end := time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC)
	until := func(to time.Time, back time.Duration) func(*workflows.BeginReconciliation) {
		return func(in *workflows.BeginReconciliation) { in.From, in.To = to.Add(-back), to }
	}
	c.reconcile(until(end, c.rules.Window))
	c.lms.all = []training.Completion{finishedBy(1)} // half a day later, and nobody asks for nine days
	later := end.AddDate(0, 0, 10)
	report, _ := c.reconcile(until(later, time.Hour))
	require.Zero(t, report.Started)
	report, _ = c.reconcile(until(later, c.rules.Window))
	require.Equal(t, 1, report.Started)
}

// The address of a shop floor is many people's: a row that names nothing else is not started again because its
// completion stands behind hundreds of theirs.
func TestSharedAddressHidesNoCompletion_R88(t *testing.T) {
	c := newComparing(t)
	floor := func(n int) training.Completion {
		f := completion()
		f.Learner = training.Learner{Email: "floor@acme.example"}
		f.Course = training.Course{ID: fmt.Sprint("course-", n)}
		return f
	}
	var all []training.Completion
	for n := range 2*personPage + 1 {
		all = append(all, floor(n))
	}
	_, err := c.journal.Append(t.Context(), journal.Delivery{Tenant: "acme", Source: "lms", Verdict: journal.VerdictAccepted}, all)
	require.NoError(t, err)
	slices.SortFunc(all, func(a, b training.Completion) int {
		return strings.Compare(string(a.Fingerprint()), string(b.Fingerprint()))
	})
	for _, n := range []int{0, personPage, 2 * personPage} {
		near := all[n]
		near.CompletedAt = near.CompletedAt.Add(2 * time.Second)
		c.lms.all = append(c.lms.all, near)
	}
	report, found := c.reconcile()
	require.Zero(t, report.Started)
	require.Equal(t, 3, report.Mismatches[training.MismatchDifferentDate])
	require.Zero(t, report.Mismatches[training.MismatchMissingInQMS], kinds(found))
}

// A worker that is killed between two pages goes on at the cursor, and the report counts right.
func TestListingGoesOnAtItsCursor_R143(t *testing.T) {
	c := newComparing(t)
	for n := range 7 {
		c.lms.all = append(c.lms.all, finishedBy(n))
	}
	c.lms.fails = map[string]error{"4": training.Fail(training.FailureUnreachable, "list completions", "", "503")}
	report, _ := c.reconcile()
	require.Equal(t, []string{"", "2", "4", "4", "6"}, c.lms.asked)
	require.Equal(t, 7, report.Started)
	require.Equal(t, 7, report.Looked, "each row once: what came in meanwhile is the next run's")
}

// A worker dies after it has put some of a page on their way and before the page is committed: its
// successor finds them known, and the report still says that this run has started them.
func TestPageThatDiedHalfwayIsCountedRight_R143(t *testing.T) {
	c := newComparing(t)
	c.lms.all = []training.Completion{finishedBy(1), finishedBy(2)}
	c.runs = 7
	in := workflows.BeginReconciliation{Tenant: "acme", Run: "run-8", Settings: c.rules}
	days(&in)
	_, _ = run[workflows.ReconciliationPlan](c.world, "BeginReconciliation", in)
	dying := &reconciliation{
		a: New(Config{Journal: c.journal}), runs: c.journal, log: slog.New(slog.DiscardHandler), tenant: c.tenant,
		run: journal.Reconciliation{Tenant: "acme", Run: "run-8", From: in.From, To: in.To},
		in:  workflows.ReconcilePart{Settings: c.rules},
	}
	_, err := dying.listing(t.Context(), "lms", "")
	require.NoError(t, err)

	report, found := c.reconcile()
	require.Equal(t, 2, report.Started)
	require.Equal(t, []string{"missing_in_qms:listing", "missing_in_qms:listing"}, kinds(found))
}

func TestDryRunStartsNothing(t *testing.T) {
	c := newComparing(t)
	c.lms.all = []training.Completion{finishedBy(1)}
	report, found := c.reconcile(func(in *workflows.BeginReconciliation) { in.DryRun = true })
	require.Zero(t, report.Started)
	require.Equal(t, []string{"missing_in_qms:listing"}, kinds(found))
	counts, err := c.journal.Counts(t.Context())
	require.NoError(t, err)
	require.Empty(t, counts)
}

func TestWhatTheLMSDoesNotListOrCannotBeRead_R144(t *testing.T) {
	c := newComparing(t)
	c.journaled(finishedBy(1))
	c.lms.all = []training.Completion{finishedBy(2)}
	c.lms.all[0].Course = training.Course{}
	c.lms.unreadable = []string{"row lacks id_user"}
	_, found := c.reconcile()
	require.Equal(t, []string{"missing_in_lms:listing", "unreadable:listing", "unreadable:listing"}, kinds(found))
}

// An LMS that refuses is no proof that it has nothing: nothing is missing there then.
func TestListingThatFailsProvesNothing(t *testing.T) {
	c := newComparing(t)
	c.journaled(finishedBy(1))
	c.lms.fails = map[string]error{"": training.Fail(training.FailureRefused, "list completions", "", "403")}
	report, found := c.reconcile()
	require.Empty(t, found)
	require.Equal(t, []string{"lms/lms"}, report.GivenUp)
}

func (c *comparing) uploaded(body string) func(*workflows.BeginReconciliation) {
	c.t.Helper()
	receipt, err := c.journal.Append(c.t.Context(), journal.Delivery{
		Tenant: "acme", Source: "lms", Platform: "canonical", Method: "IMPORT", Verdict: journal.VerdictIgnored, Body: []byte(body),
	}, nil)
	require.NoError(c.t, err)
	return func(in *workflows.BeginReconciliation) { in.Upload = receipt.DeliveryID }
}

// A file stands for an LMS without a listing: what is in it and not here is put on its way, the same file
// again does nothing, and what is known by another id of the same learner is known.
func TestUploadedFile_R128_R132_R143(t *testing.T) {
	c := newComparing(t)
	event := finishedBy(1)
	event.Learner.Email = "jordan.lee@example.com"
	c.journaled(event)
	var file strings.Builder
	file.WriteString("\ufefflearner_id;email;external_id;course_id;completed_at;score;max_score\n")
	file.WriteString(";Jordan.Lee@example.com;;5541;2026-04-08T14:30:00Z;;\n") // the event's own
	for n := range 250 {
		fmt.Fprintf(&file, "%d;;HR-1;5541;2026-04-08T10:00:00Z;9;10\n", 5000+n)
	}
	file.WriteString("1;;;5541;08.04.2026;;\n")
	upload := c.uploaded(file.String())
	report, found := c.reconcile(upload)
	require.Equal(t, 250, report.Started)
	bad := found[slices.IndexFunc(found, func(m training.Mismatch) bool { return m.Kind == training.MismatchUnreadable })]
	require.Contains(t, bad.Detail, "line 253: completed_at")
	require.Len(t, found, 251)
	counts, err := c.journal.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, 250, counts[training.StateQueued])

	report, _ = c.reconcile(upload)
	require.Zero(t, report.Started, "the same file again")
	require.Empty(t, c.lms.asked, "the LMS is not asked for a file")
}
