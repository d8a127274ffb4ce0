package training_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/training"
)

func gaps(r training.Retry) (all []time.Duration) {
	for attempt := 1; attempt < r.Attempts; attempt++ {
		all = append(all, r.Gap(attempt))
	}
	return all
}

func TestDefaultRetriesAfterOneFiveAndFifteenMinutes_R123(t *testing.T) {
	policy := training.DefaultPolicy()
	require.NoError(t, policy.Retry.Validate())
	require.Equal(t, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, gaps(policy.Retry))
	require.Zero(t, policy.Retry.Jitter, "the gaps are exactly the seed's")
	require.True(t, policy.HoldFailed, "C12")
	require.Equal(t, 20*time.Minute, policy.DigestEvery)
	require.Equal(t, 6*time.Hour, policy.DigestLongest)
	require.Equal(t, training.MissingReview, policy.MissingRecord, "no record is made without being asked for")
}

func TestRetryAfterTheFirstAttemptKeepsTheGaps_R123(t *testing.T) {
	wait, rest := training.DefaultPolicy().Retry.AfterFirst()
	require.Equal(t, time.Minute, wait)
	require.Equal(t, training.Retry{Initial: 5 * time.Minute, Coefficient: 5, Maximum: 15 * time.Minute, Attempts: 3}, rest)
	require.NoError(t, rest.Validate())
	require.Equal(t, []time.Duration{5 * time.Minute, 15 * time.Minute}, gaps(rest))
}

func TestRetryAfterFirstKeepsEveryScheduleThatIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := training.Retry{
			Initial:     time.Duration(rapid.IntRange(10, 600_000).Draw(t, "initial in ms")) * time.Millisecond,
			Coefficient: float64(rapid.IntRange(1, 100).Draw(t, "coefficient")),
			Attempts:    rapid.IntRange(2, 100).Draw(t, "attempts"),
			Jitter:      rapid.Float64Range(0, 1).Draw(t, "jitter"),
		}
		r.Maximum = r.Initial * time.Duration(rapid.IntRange(1, 1000).Draw(t, "maximum in initials"))
		require.NoError(t, r.Validate())

		for i, gap := range gaps(r) {
			require.GreaterOrEqual(t, gap, r.Initial, "gap %d", i+1)
			require.LessOrEqual(t, gap, r.Maximum, "gap %d", i+1)
		}
		wait, rest := r.AfterFirst()
		require.NoError(t, rest.Validate())
		require.Equal(t, gaps(r), append([]time.Duration{wait}, gaps(rest)...))
		require.Equal(t, r.Jitter, rest.Jitter)
	})
}

func TestRetryValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*training.Retry)
		problem string // "" if valid
	}{
		"the default":                {func(*training.Retry) {}, ""},
		"one attempt":                {func(r *training.Retry) { r.Attempts = 1 }, ""},
		"always the same gap":        {func(r *training.Retry) { r.Coefficient, r.Maximum = 1, r.Initial }, ""},
		"the shortest gap":           {func(r *training.Retry) { r.Initial = 10 * time.Millisecond }, ""},
		"full jitter":                {func(r *training.Retry) { r.Jitter = 1 }, ""},
		"no gap":                     {func(r *training.Retry) { r.Initial = 0 }, "initial"},
		"a gap that burns":           {func(r *training.Retry) { r.Initial = 9 * time.Millisecond }, "initial"},
		"backwards":                  {func(r *training.Retry) { r.Initial = -time.Minute }, "initial"},
		"shrinking gaps":             {func(r *training.Retry) { r.Coefficient = 0.99 }, "coefficient"},
		"no coefficient":             {func(r *training.Retry) { r.Coefficient = 0 }, "coefficient"},
		"exploding gaps":             {func(r *training.Retry) { r.Coefficient = 101 }, "coefficient"},
		"coefficient not a number":   {func(r *training.Retry) { r.Coefficient = math.NaN() }, "coefficient"},
		"coefficient infinite":       {func(r *training.Retry) { r.Coefficient = math.Inf(1) }, "coefficient"},
		"maximum below initial":      {func(r *training.Retry) { r.Maximum = r.Initial - 1 }, "maximum"},
		"for ever, as Temporal says": {func(r *training.Retry) { r.Attempts = 0 }, "attempts"},
		"less than none":             {func(r *training.Retry) { r.Attempts = -1 }, "attempts"},
		"practically for ever":       {func(r *training.Retry) { r.Attempts = 101 }, "attempts"},
		"jitter backwards":           {func(r *training.Retry) { r.Jitter = -0.1 }, "jitter"},
		"jitter over one":            {func(r *training.Retry) { r.Jitter = 1.1 }, "jitter"},
		"jitter not a number":        {func(r *training.Retry) { r.Jitter = math.NaN() }, "jitter"},
	} {
		t.Run(name, func(t *testing.T) {
			r := training.DefaultPolicy().Retry
			test.change(&r)
			if test.problem == "" {
				require.NoError(t, r.Validate())
				return
			}
			require.ErrorContains(t, r.Validate(), "retry: "+test.problem)
		})
	}
}

// The policy travels in the workflow's input: what comes out is what went in.
func TestPolicyRoundTripsAsJSON(t *testing.T) {
	policy := training.DefaultPolicy()
	policy.Retry.Jitter = 0.25
	policy.MissingRecord = training.MissingCreate
	encoded, err := json.Marshal(policy)
	require.NoError(t, err)
	var decoded training.Policy
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	require.Equal(t, policy, decoded)
}

// A completion that was started before there was a choice has the default, and a word of a
// version to come is kept and never read as leave to write.
func TestPolicyOfAnOlderHistory_R98(t *testing.T) {
	const old = `{"retry":{"initial":"1m0s","coefficient":5,"maximum":"15m0s","attempts":4},"holdFailed":true,"digestEvery":"20m0s"%s}`
	for extra, want := range map[string]training.MissingRecord{
		``:                             training.MissingReview,
		`,"missingRecord":""`:          training.MissingReview,
		`,"missingRecord":"review"`:    training.MissingReview,
		`,"missingRecord":"create"`:    training.MissingCreate,
		`,"missingRecord":"ask_a_bot"`: "ask_a_bot",
	} {
		var policy training.Policy
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, old, extra), &policy))
		expected := training.DefaultPolicy()
		expected.MissingRecord = want
		expected.Outage = training.Outage{} // it knows no hold
		require.Equal(t, expected, policy)
	}
}
