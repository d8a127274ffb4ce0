package training_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/training"
)

// The number that DefaultSigning's comment rests on.
func TestFourteenDaysOfWaitingForASignatureAre59Reads(t *testing.T) {
	poll := training.DefaultSigning().Poll
	reads, waited := 0, time.Duration(0)
	for waited+poll.Gap(reads+1) <= 14*24*time.Hour {
		reads++
		waited += poll.Gap(reads)
	}
	require.Equal(t, 59, reads)
}

func TestSigningTravelsInThePolicy(t *testing.T) {
	policy := training.DefaultPolicy()
	without, err := json.Marshal(policy)
	require.NoError(t, err)
	require.NotContains(t, string(without), "signing", "a QMS that the bridge completes has none")

	signing := training.DefaultSigning()
	signing.Grace, signing.Evidence = 90*time.Second, false
	policy.Signing = &signing
	encoded, err := json.Marshal(policy)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"grace":"1m30s"`, "for people to read")
	var decoded training.Policy
	require.NoError(t, json.Unmarshal(encoded, &decoded))
	require.Equal(t, policy, decoded)

	require.NoError(t, json.Unmarshal(without, &decoded))
	require.Nil(t, decoded.Signing, "an old policy completes as it did")
	require.ErrorContains(t, json.Unmarshal([]byte(`{"retry":{"initial":"1m","maximum":"2m"},"digestEvery":"1m","signing":{}}`), &decoded), "signing")
}

func TestSigningValidate(t *testing.T) {
	require.NoError(t, (*training.Signing)(nil).Validate())
	standard := training.DefaultSigning()
	require.NoError(t, standard.Validate())
	for problem, change := range map[string]func(*training.Signing){
		"poll.first must be at least 10ms":          func(s *training.Signing) { s.Poll.First = 0 },
		"poll.maximum must not be below poll.first": func(s *training.Signing) { s.Poll.Maximum = time.Minute },
		"remind must be above 0":                    func(s *training.Signing) { s.Remind = 0 },
		"escalate must come after remind":           func(s *training.Signing) { s.Escalate = s.Remind },
		"grace must not be below 0":                 func(s *training.Signing) { s.Grace = -1 },
	} {
		s := training.DefaultSigning()
		change(&s)
		require.ErrorContains(t, s.Validate(), problem)
	}
}

// A signature is about a completion if it does not lie before it: by more than two clocks differ, or, of
// a day, before that day has begun anywhere.
func TestEarliestSignature(t *testing.T) {
	c := training.Completion{CompletedAt: time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC), Precision: training.PrecisionMillisecond}
	require.Equal(t, time.Date(2026, 4, 8, 14, 20, 0, 0, time.UTC), training.DefaultSigning().Earliest(c))
	c = training.Completion{CompletedAt: time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), Precision: training.PrecisionDay}
	require.Equal(t, time.Date(2026, 4, 7, 10, 0, 0, 0, time.UTC), training.Signing{}.Earliest(c), "8 April on Kiritimati")
}

// Which signature is the last does not depend on the order in which the QMS lists them.
func TestLastSigned(t *testing.T) {
	_, ok := training.LastSigned(nil)
	require.False(t, ok)
	at := time.Date(2026, 4, 8, 15, 0, 0, 0, time.UTC)
	_, ok = training.LastSigned([]training.Signature{{RecordID: "A", SignedAt: at}, {RecordID: "B"}})
	require.False(t, ok, "one is missing")

	rapid.Check(t, func(t *rapid.T) {
		all := []training.Signature{
			{RecordID: "A", SignedAt: at}, {RecordID: "B", SignedAt: at.Add(time.Hour)}, {RecordID: "C", SignedAt: at.Add(time.Hour)},
		}
		last, ok := training.LastSigned(rapid.Permutation(all).Draw(t, "listed"))
		if !ok || last.RecordID != "B" {
			t.Fatalf("last signed is %q", last.RecordID)
		}
	})
}
