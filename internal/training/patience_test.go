package training_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/training"
)

func TestPollDoublesFromFiveMinutesToFourHours_R122(t *testing.T) {
	poll := training.DefaultApproval().Poll
	var gaps []time.Duration
	for read := 1; read <= 8; read++ {
		gaps = append(gaps, poll.Gap(read))
	}
	require.Equal(t, []time.Duration{
		5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute, 160 * time.Minute,
		4 * time.Hour, 4 * time.Hour,
	}, gaps)
}

// The number that Poll's comment rests on: no continue-as-new is needed.
func TestFourteenDaysOfPollingAre88Reads(t *testing.T) {
	poll := training.DefaultApproval().Poll
	reads, waited := 0, time.Duration(0)
	for waited+poll.Gap(reads+1) <= 14*24*time.Hour {
		reads++
		waited += poll.Gap(reads)
	}
	require.Equal(t, 88, reads)
	require.Equal(t, 24*time.Hour, poll.Slow().Gap(1))
	require.Equal(t, 24*time.Hour, poll.Slow().Gap(1000))
}

func TestPollNeverShrinksNorPassesItsMaximum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := time.Duration(rapid.Int64Range(int64(10*time.Millisecond), int64(24*time.Hour)).Draw(t, "first"))
		poll := training.Poll{First: first, Maximum: first + time.Duration(rapid.Int64Range(0, int64(30*24*time.Hour)).Draw(t, "above"))}
		read := rapid.IntRange(1, 10_000).Draw(t, "read")
		require.GreaterOrEqual(t, poll.Gap(read), poll.First)
		require.LessOrEqual(t, poll.Gap(read), poll.Maximum)
		require.GreaterOrEqual(t, poll.Gap(read+1), poll.Gap(read))
		require.GreaterOrEqual(t, poll.Slow().Gap(read), poll.Gap(read))
	})
}

func TestRemindersOfAReview_R141(t *testing.T) {
	const day = 24 * time.Hour
	for wait, reminders := range map[time.Duration][]time.Duration{
		14 * day:    {7 * day, 13 * day},
		7 * day:     {84 * time.Hour, 6 * day},
		90 * day:    {45 * day, 89 * day},
		2 * day:     {day}, // half of it is one day before its end
		time.Second: {500 * time.Millisecond},
	} {
		require.Equal(t, reminders, training.Review{Wait: wait}.Reminders(), wait)
	}
	require.Equal(t, 14*day, training.DefaultReview().Wait)
}

func TestPatienceValidate(t *testing.T) {
	require.NoError(t, training.DefaultApproval().Validate())
	require.NoError(t, training.DefaultReview().Validate())
	require.ErrorContains(t, training.Review{}.Validate(), "wait")
	for problem, change := range map[string]func(*training.Approval){
		"poll.first":   func(a *training.Approval) { a.Poll.First = time.Millisecond },
		"poll.maximum": func(a *training.Approval) { a.Poll.Maximum = a.Poll.First - 1 },
		"remind":       func(a *training.Approval) { a.Remind = 0 },
		"escalate":     func(a *training.Approval) { a.Escalate = a.Remind },
	} {
		a := training.DefaultApproval()
		change(&a)
		require.ErrorContains(t, a.Validate(), "approval: "+problem)
	}
}

func TestPatienceRoundTripsAsJSONAndIsTheDefaultWhereItIsAbsent(t *testing.T) {
	policy := training.DefaultPolicy()
	policy.Approval = training.Approval{
		Poll: training.Poll{First: time.Minute, Maximum: time.Hour}, Remind: time.Hour, Escalate: 2 * time.Hour, FourEyes: true,
	}
	policy.Review = training.Review{Wait: 7 * 24 * time.Hour}
	encoded, err := json.Marshal(policy)
	require.NoError(t, err)
	var decoded training.Policy
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	require.Equal(t, policy, decoded)

	const before = `{"retry":{"initial":"1m0s","coefficient":5,"maximum":"15m0s","attempts":4},"holdFailed":true,"digestEvery":"20m0s"`
	for rest, problem := range map[string]string{
		`}`:                                      "",
		`,"approval":{},"review":{}}`:            "",
		`,"approval":{"remind":"0s"}}`:           "",
		`,"approval":{"remind":"tomorrow"}`:      "unexpected end",
		`,"approval":{"poll":{"first":"soon"}}}`: "approval",
		`,"review":{"wait":"a fortnight"}}`:      "review",
		`,"outage":{"probe":{"first":"soon"}}}`:  "outage",
	} {
		err := json.Unmarshal([]byte(before+rest), &decoded)
		if problem == "" {
			require.NoError(t, err, rest)
			expected := training.DefaultPolicy()
			expected.Outage = training.Outage{}
			require.Equal(t, expected, decoded, rest)
			continue
		}
		require.ErrorContains(t, err, problem)
	}
}

func TestSamePerson(t *testing.T) {
	for _, same := range []string{"m.keller", "M.Keller", " m.keller ", "m.keller\n"} {
		require.True(t, training.SamePerson("m.keller", same), same)
	}
	require.True(t, training.SamePerson("Marta  Keller", "marta keller"))
	require.False(t, training.SamePerson("m.keller", "m.kellers"))
	require.False(t, training.SamePerson("martakeller", "marta keller"))
}
