package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// free is a source of free JSON whose administrator wrote the mapping, but looked for the learner in the wrong place.
const free = `tenants:
  - id: acme
    name: Acme Medical
    admins: [training@acme.example]
    qms: {url: "https://arena.acme.example", client_id: svc-countersign, client_secret: env:CHECK_QMS_SECRET}
    sources:
      - id: lms
        platform: generic
        auth: {bearer: {secrets: [env:CHECK_LMS_SECRET]}}
        mapping:
          version: one
          fields:
            learner.externalId: $.employee
            course.id: $.course
            completedAt: $.at
`

// mended looks in the right place, and says so in its version.
func mended(yaml string) string {
	return strings.NewReplacer("version: one", "version: two", "$.employee", "$.staffNo").Replace(yaml)
}

const fromFree = `{"staffNo":"HR-4829","course":"COMP-2026","at":"2026-04-08T14:30:00Z"}`

// deliver stores what the source's LMS sends, as the ingress would.
func (s running) deliver(t *testing.T, body string) journal.Receipt {
	t.Helper()
	sources, err := newSources(s.Tenants, verifiers{})
	require.NoError(t, err)
	source, ok := sources.Source("acme", "lms")
	require.True(t, ok)
	result := ingress.Read(source, lms.Request{Method: "POST", Body: []byte(body)}, 0)
	receipt, err := s.Journal.Append(t.Context(), journal.Delivery{
		Tenant: "acme", Source: "lms", Platform: source.Platform, Method: "POST", Path: "/webhooks/lms/acme/lms",
		Verdict: result.Verdict, Reason: result.Reason, Body: []byte(body),
	}, result.Completions)
	require.NoError(t, err)
	return receipt
}

func (s running) count(t *testing.T) map[training.State]int {
	t.Helper()
	counts, err := s.Journal.Counts(t.Context())
	require.NoError(t, err)
	return counts
}

// reconfigure changes the file under the journal that is there.
func reconfigure(t *testing.T, yaml string) {
	t.Helper()
	require.NoError(t, os.WriteFile(os.Getenv("COUNTERSIGN_TENANTS"), []byte(yaml), 0o600))
}

func TestUnmappedDeliveriesAreReplayedAfterTheMappingIsMended_R142_R206(t *testing.T) {
	s := start(t, free)
	first := s.deliver(t, fromFree)
	require.Equal(t, journal.VerdictUnmapped, first.Verdict)
	s.deliver(t, strings.Replace(fromFree, "HR-4829", "HR-4830", 1))
	s.deliver(t, `{"nothing":"of use"}`)

	out, err := command(t, "replay", "-unmapped", "acme")
	require.NoError(t, err)
	require.Contains(t, out, "0 of 3 deliveries understood")
	require.Contains(t, out, "learner.externalId", "the reason names what is missing")
	require.Empty(t, s.count(t))

	reconfigure(t, mended(free))
	out, err = command(t, "replay", "-delivery", first.DeliveryID, "acme")
	require.NoError(t, err)
	require.Contains(t, out, first.DeliveryID+": accepted as delivery ")
	require.Equal(t, map[training.State]int{training.StateQueued: 1}, s.count(t))

	out, err = command(t, "replay", "-unmapped", "-source", "lms", "acme")
	require.NoError(t, err)
	require.Contains(t, out, "1 of 2 deliveries understood", "the one replayed by itself is not read again")
	require.Equal(t, map[training.State]int{training.StateQueued: 2}, s.count(t))

	// Once more: nothing doubles (law 2).
	out, err = command(t, "replay", "-delivery", first.DeliveryID, "acme")
	require.NoError(t, err)
	require.Contains(t, out, ": duplicate as delivery ")
	require.Equal(t, map[training.State]int{training.StateQueued: 2}, s.count(t))
}

// Of a batch what can be understood is carried on, and the rest stays in sight.
func TestReplayOfABatchKeepsWhatIsStillUnmapped(t *testing.T) {
	s := start(t, free)
	batch := s.deliver(t, `[`+fromFree+`,{"staffNo":"HR-1","at":"2026-04-08T14:30:00Z"}]`)
	require.Equal(t, journal.VerdictUnmapped, batch.Verdict)
	reconfigure(t, mended(free))
	for range 2 {
		out, err := command(t, "replay", "-unmapped", "acme")
		require.NoError(t, err)
		require.Contains(t, out, "0 of 1 deliveries understood")
		require.Equal(t, map[training.State]int{training.StateQueued: 1}, s.count(t))
	}
	open, err := s.Journal.Unmapped(t.Context(), "acme", "", "", 10)
	require.NoError(t, err)
	require.Len(t, open, 1, "one entry, however often it is replayed")
}

func TestReplayRefuses(t *testing.T) {
	s := start(t, free)
	d := s.deliver(t, fromFree)
	_, err := command(t, "replay", "-delivery", d.DeliveryID, "globex")
	require.ErrorIs(t, err, journal.ErrNotFound, "another tenant's")
	_, err = command(t, "replay", "-delivery", d.DeliveryID, "acme")
	require.ErrorContains(t, err, "still unmapped")
	reconfigure(t, strings.Replace(mended(free), "platform: generic", "platform: generic\n        mode: test", 1))
	_, err = command(t, "replay", "-delivery", d.DeliveryID, "acme")
	require.ErrorContains(t, err, "test mode")
	reconfigure(t, strings.Replace(free, "id: lms", "id: other", 1))
	_, err = command(t, "replay", "-unmapped", "acme")
	require.ErrorContains(t, err, "no source acme/lms")
}

// Deliveries of a source that is gone keep nobody else's unread.
func TestReplayOfAllGoesOn(t *testing.T) {
	s := start(t, free)
	gone := journal.Delivery{Tenant: "acme", Source: "gone", Platform: "generic", Verdict: journal.VerdictUnmapped, Body: []byte("{}")}
	_, err := s.Journal.Append(t.Context(), gone, nil)
	require.NoError(t, err)
	s.deliver(t, fromFree)
	reconfigure(t, mended(free))
	out, err := command(t, "replay", "-unmapped", "acme")
	require.ErrorContains(t, err, "no source acme/gone")
	require.Contains(t, out, "1 of 2 deliveries understood")
}

func TestExplainShowsFieldStepsAndOutput_R15_R61(t *testing.T) {
	s := start(t, strings.Replace(mended(free), "learner.externalId: $.staffNo",
		"learner.externalId: {path: $.staffNo, transform: 'concat:EMP-{value}'}", 1))
	file := filepath.Join(t.TempDir(), "delivery.json")
	require.NoError(t, os.WriteFile(file, []byte(fromFree), 0o600))
	out, err := command(t, "explain", "acme", "lms", file)
	require.NoError(t, err)
	require.Contains(t, out, "verdict: accepted")
	require.Regexp(t, `learner\.externalId +staffNo +"HR-4829"  concat:EMP-\{value\} → "EMP-HR-4829"`, out)
	require.Contains(t, out, "mapping generic/two")

	var said bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"explain", "-json", "acme", "lms", "-"}, strings.NewReader(`{"course":"C"}`), &said, &said))
	require.Contains(t, said.String(), `"verdict": "unmapped"`)
	require.Contains(t, said.String(), `"target": "learner.externalId"`)

	d := s.deliver(t, fromFree)
	out, err = command(t, "explain", "-delivery", d.DeliveryID, "acme")
	require.NoError(t, err)
	require.Contains(t, out, "staffNo")
	require.NotContains(t, out, "looked up")
	_, err = s.Journal.PutEnrichment(t.Context(), "acme", d.Completions[0].Fingerprint, []byte(`{"course":{"code":"COMP-2026"}}`), nil)
	require.NoError(t, err)
	out, err = command(t, "explain", "-delivery", d.DeliveryID, "acme")
	require.NoError(t, err)
	require.Regexp(t, `looked up at 20\d\d-.*Z: {"course":{"code":"COMP-2026"}}`, out)
	require.Equal(t, map[training.State]int{training.StateQueued: 1}, s.count(t), "explaining writes nothing")
	_, err = command(t, "explain", "acme", "other", file)
	require.ErrorContains(t, err, "no source acme/other")
}

func TestTestModeKeepsAndCarriesNothingOn_R41_R192(t *testing.T) {
	s := start(t, strings.Replace(mended(free), "auth: {bearer: {secrets: [env:CHECK_LMS_SECRET]}}", "mode: test\n        auth: none", 1))
	out, err := command(t, "send", "-to", s.url, "acme", "lms")
	require.NoError(t, err)
	require.Equal(t, "test", verdict(t, out))
	require.Empty(t, s.count(t))
}
