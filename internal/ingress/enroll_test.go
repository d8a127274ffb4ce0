package ingress_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms/lmstest"
	"countersign/internal/training"
)

// wanted makes the tenant want enrollments.
func wanted(d *door, _ *ingress.Config, _ *http.Server) { d.sources.sources[0].Enrollments = true }

func TestEnrollmentIsKeptWhereTheTenantWantsIt_R98(t *testing.T) {
	d := open(t, wanted)
	answer := d.post(string(lmstest.Sample(t, "testdata", "enrollment-created").Body)).json(t)
	require.Equal(t, "accepted", answer["verdict"])
	require.Empty(t, answer["completions"])
	require.Equal(t, journal.VerdictAccepted, d.journal.next(t).Verdict)
	require.Len(t, d.journal.enrolled, 1)
	e := d.journal.enrolled[0]
	require.Equal(t, []string{"acme", "main", "10291", "5541"}, []string{e.Tenant, e.Source, e.Learner.ID, e.Course.ID})
	require.Equal(t, []any{map[string]any{"enrollment": string(e.Key()), "status": "accepted"}}, answer["enrollments"])
	require.Contains(t, d.logs.String(), string(e.Key()))
	require.NotContains(t, d.logs.String(), "HR-4829", "nobody's name is in the log (law 7)")
}

// Without the policy everything is as it was: nothing is kept but the delivery, and nobody is asked about what is wrong with it.
func TestEnrollmentIsIgnoredByDefault_R79(t *testing.T) {
	d := open(t)
	for _, body := range []string{
		string(lmstest.Sample(t, "testdata", "enrollment-created").Body),
		`{"event":"enrollment.created","payload":{}}`,
	} {
		answer := d.post(body).json(t)
		require.Equal(t, "ignored", answer["verdict"])
		require.Empty(t, answer["problems"])
		require.NotContains(t, answer, "enrollments")
		kept := d.journal.next(t)
		require.Equal(t, journal.VerdictIgnored, kept.Verdict)
		require.Equal(t, "an enrollment, which the tenant's policy ignores", kept.Reason)
	}
	require.Empty(t, d.journal.enrolled)
}

func TestEnrollmentThatCannotBeReadIsPutUpForReview(t *testing.T) {
	d := open(t, wanted)
	answer := d.post(`{"event":"enrollment.created","payload":{"user":{"id":7},"course":{"id":1}}}`).json(t)
	require.Equal(t, "unmapped", answer["verdict"])
	require.Equal(t, "incomplete enrollment: no enrollment date", d.journal.next(t).Reason)
}

// In test mode, and in a rehearsal, it is shown and not kept.
func TestEnrollmentInTestModeAndRehearsal_R190_R192(t *testing.T) {
	body := string(lmstest.Sample(t, "testdata", "enrollment-created").Body)
	d := open(t, wanted, func(d *door, _ *ingress.Config, _ *http.Server) { d.sources.sources[0].TestMode = true })
	answer := d.post(body).json(t)
	require.Equal(t, "test", answer["verdict"])
	require.Len(t, answer["enrollments"], 1)
	require.Empty(t, d.journal.enrolled)

	d = open(t, wanted)
	rehearsed := d.send(http.MethodPost, path+"/test", strings.NewReader(body), "Content-Type", "application/json", "X-Hub-Signature-256", sign(secret, []byte(body))).json(t)
	require.Equal(t, "accepted", rehearsed["wouldBe"])
	shown := rehearsed["enrollments"].([]any)[0].(map[string]any)
	require.Equal(t, "2026-04-01T08:00:00Z", shown["enrolledAt"])
	_, err := training.ParseEnrollmentKey(shown["enrollment"].(string))
	require.NoError(t, err)
	require.Contains(t, rehearsed["wouldDo"].([]any)[0], "found or created")
	require.Empty(t, d.journal.enrolled)
}
