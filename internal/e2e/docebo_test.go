package e2e

import (
	"fmt"
	"testing"
	"time"

	"countersign/internal/journal"
	arenasim "countersign/internal/simulator/arena"
	lmsapisim "countersign/internal/simulator/lmsapi"
	"countersign/internal/simulator/sender"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// asDocebo adds a source of Docebo's, whose REST API is at url, and a daily reconciliation.
func asDocebo(url string) option {
	return func(p *plan) {
		reconciles(p)
		p.courses = fmt.Sprintf(`, {id: "5541", source: docebo, training: %s}`, program)
		p.sources = fmt.Sprintf(`      - id: docebo
        platform: docebo
        auth: {basic: {username: docebo, secrets: [env:E2E_DOCEBO_SECRET]}}
        api: {url: %s, client_id: countersign, client_secret: env:E2E_DOCEBO_API, external_id_field: Employee number}
`, url)
	}
}

// docebo is a Docebo: it sends each event once, and lists what it holds.
type docebo struct {
	*system
	api *lmsapisim.LMS
	// finishes are what it has to tell, records the open training records that wait for it.
	finishes []sender.Finish
	records  []string
}

// newDocebo has n learners finish a course, spread over an hour that ended half an hour ago.
func newDocebo(t *testing.T, n int) *docebo {
	t.Helper()
	api, err := lmsapisim.New(lmsapisim.Options{Platform: "docebo"})
	require.NoError(t, err)
	t.Cleanup(api.Close)
	d := &docebo{system: newSystem(t, asDocebo(serve(t, api.Handler()))), api: api}
	api.AddCourse(lmsapisim.Course{ID: "5541", Title: "Annual Compliance Training 2026"})
	began := time.Now().Add(-90 * time.Minute).UTC().Truncate(time.Second)
	for i := range n {
		f := sender.Finish{
			Learner: sender.Learner{ID: 20000 + i, Username: fmt.Sprintf("learner-%d", i), ExternalID: fmt.Sprintf("HR-%d", i), First: "Jordan", Last: "Lee"},
			Course:  sender.Course{ID: 5541, Title: "Annual Compliance Training 2026"},
			At:      began.Add(time.Duration(i) * time.Hour / time.Duration(n)),
		}
		d.finishes = append(d.finishes, f)
		d.records = append(d.records, d.learner(i))
		api.AddLearner(lmsapisim.Learner{
			ID: fmt.Sprint(f.Learner.ID), Username: f.Learner.Username, Email: f.Learner.Username + "@acme.example",
			ExternalID: f.Learner.ExternalID, FirstName: "Jordan", LastName: "Lee",
		})
		api.AddEnrollment(lmsapisim.Enrollment{
			ID: fmt.Sprint(70000 + i), LearnerID: fmt.Sprint(f.Learner.ID), CourseID: "5541", CompletedAt: f.At, Score: "91.5", Max: "100",
		})
	}
	return d
}

// send sends events from..to-1, each as Docebo does: once.
func (d *docebo) send(from, to int) (delivered int) {
	d.t.Helper()
	profile := sender.Docebo()
	lms, err := sender.New(sender.Options{
		Profile: profile, URL: d.url + "/webhooks/lms/acme/docebo", Patience: patience,
		Credential: profile.Credential(sender.Account{Secret: d.env["E2E_DOCEBO_SECRET"]}),
	})
	require.NoError(d.t, err)
	for _, f := range d.finishes[from:to] {
		outcome := lms.Send(d.t.Context(), profile.Posts(sender.Site{Domain: "acme.docebosaas.com"}, f)[0])
		require.Equal(d.t, 1, outcome.Attempts, "Docebo does not try again")
		if outcome.Delivered {
			delivered++
		} else {
			require.True(d.t, outcome.GaveUp)
		}
	}
	return delivered
}

// The ingress is down for most of an hour of a platform's events that sends each once. Nobody would ever hear of
// them; the next reconciliation carries every one, exactly once, counted at the other side.
func TestOutageOfAnHourIsMadeGoodByReconciliation_R131_R143_R145(t *testing.T) {
	const n, down, up = 60, 10, 50
	d := newDocebo(t, n)
	j := d.journal()
	require.Equal(t, down, d.send(0, down))
	require.NoError(t, d.starter.Kill())
	require.Zero(t, d.send(down, up), "the connection is refused, and the events are gone")
	d.startStarter()
	require.Equal(t, n-up, d.send(up, n))
	completed := func(want int) {
		d.eventually(func() bool {
			counts, err := j.Counts(t.Context())
			return err == nil && counts[training.StateCompleted] == want
		}, "%d end", want)
	}
	completed(n - up + down)
	require.Len(t, d.lrs.Statements(), n-up+down, "forty are lost")

	d.trigger()
	run := d.ended(j, 1)
	counts, err := j.MismatchCounts(t.Context(), tenant, run.Run)
	require.NoError(t, err)
	require.Equal(t, up-down, counts[training.MismatchMissingInQMS].Started)
	require.Len(t, counts, 1, "and nothing else disagrees")
	completed(n)

	out, err := d.starterCommand("reconcile", "-tenant", tenant)
	require.NoError(t, err, out)
	require.Contains(t, out, "no mismatches")
	require.Equal(t, n, d.qms.Calls(arenasim.EndpointComplete), "each record was written once")
	all, err := j.Received(t.Context(), tenant, run.From, journal.Place{}, 1000)
	require.NoError(t, err)
	fingerprints := make([]training.Fingerprint, len(all))
	for i, stored := range all {
		fingerprints[i] = stored.Fingerprint
	}
	require.Len(t, fingerprints, n)
	d.requireOneEffectOfEachKind(d.records, fingerprints)

	// The events come after all, late: they are known.
	require.Equal(t, n, d.send(0, n))
	counted, err := j.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[training.State]int{training.StateCompleted: n}, counted)
	d.record("reconciliation-of-an-outage", training.Fingerprint(reconciliationID))
}
