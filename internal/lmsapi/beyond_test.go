package lmsapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"countersign/internal/lmsapi"
	"countersign/internal/training"
)

// maybe is a text, or none.
func maybe(name string) *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"", name + "-1", name + "-2"})
}

func drawLearner(t *rapid.T) training.Learner {
	return training.Learner{
		ID: maybe("id").Draw(t, "id"), Username: maybe("user").Draw(t, "username"), Email: maybe("mail").Draw(t, "email"),
		ExternalID: maybe("ext").Draw(t, "externalId"), FirstName: maybe("first").Draw(t, "first"), LastName: maybe("last").Draw(t, "last"),
	}
}

func drawScore(t *rapid.T) training.Score {
	s := training.Score{Raw: rapid.SampledFrom([]string{"", "0", "91.5"}).Draw(t, "raw")}
	if s.Raw != "" {
		s.Max = "100"
	}
	if rapid.Bool().Draw(t, "judged") {
		passed := rapid.Bool().Draw(t, "passed")
		s.Passed = &passed
	}
	return s
}

func drawExpiry(t *rapid.T) *time.Time {
	if !rapid.Bool().Draw(t, "expires") {
		return nil
	}
	at := time.Unix(rapid.Int64Range(0, 2e9).Draw(t, "expiry"), 0).UTC()
	return &at
}

// What is kept of a look-up makes the same of the event again, also after it was stored and read.
func TestBeyondKeepsWhatFillingNeeds_R15(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		instant := func(name string) time.Time {
			return time.Unix(rapid.Int64Range(1, 2e9).Draw(t, name), 0).UTC()
		}
		event := training.Completion{
			Learner: drawLearner(t), Course: training.Course{ID: maybe("course").Draw(t, "course"), Title: maybe("title").Draw(t, "title"), Code: maybe("code").Draw(t, "code")},
			EnrollmentID: maybe("enrollment").Draw(t, "enrollment"), CompletedAt: instant("at"), Precision: training.PrecisionMillisecond,
			Score: drawScore(t), ExpiresAt: drawExpiry(t),
		}
		found := lmsapi.Details{
			Learner: drawLearner(t), Course: training.Course{Title: maybe("title").Draw(t, "found title"), Code: maybe("code").Draw(t, "found code")},
			EnrollmentID: maybe("enrollment").Draw(t, "found enrollment"), Score: drawScore(t), ExpiresAt: drawExpiry(t),
		}
		if rapid.Bool().Draw(t, "truer") {
			found.CompletedAt, found.Precision = instant("found at"), training.PrecisionMillisecond
		}
		filled := found.Fill(event)
		kept, err := json.Marshal(lmsapi.Beyond(event, filled))
		require.NoError(t, err)
		var read lmsapi.Details
		require.NoError(t, json.Unmarshal(kept, &read))
		require.Equal(t, filled, read.Fill(event))
	})
}

// What the LMS says beside is no reason to hold a completion up.
func TestStorableLeavesOutWhatNoStoreTakes(t *testing.T) {
	year := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	got := lmsapi.Details{
		Learner: training.Learner{Email: "a@example.test", FirstName: "A\nB", LastName: strings.Repeat("x", 1001)},
		Course:  training.Course{Title: "T\x00", Code: "C"}, Score: training.Score{Raw: "120", Max: "100"}, ExpiresAt: &year,
		CompletedAt: year, Precision: training.PrecisionMillisecond,
	}.Storable()
	require.Equal(t, lmsapi.Details{Learner: training.Learner{Email: "a@example.test"}, Course: training.Course{Code: "C"}}, got)
	good := lmsapi.Details{CompletedAt: time.Unix(1, 0).UTC(), Precision: training.PrecisionDay, Score: training.Score{Raw: "1", Max: "2"}}
	require.Equal(t, good, good.Storable())
}

// Fields are shown to people who may not see a value.
func TestFieldsHoldNoValues(t *testing.T) {
	passed, at := true, time.Unix(1, 0)
	whole := lmsapi.Details{
		Learner: training.Learner{ID: "Zq", Username: "Zq", Email: "Zq", ExternalID: "Zq", FirstName: "Zq"}, Course: training.Course{ID: "Zq", Title: "Zq", Code: "Zq"},
		EnrollmentID: "Zq", CompletedAt: at, Score: training.Score{Raw: "91.5", Passed: &passed}, ExpiresAt: &at,
	}
	require.Equal(t, "learner id, username, e-mail, external id, name, course id, course title, course code, enrollment id, "+
		"completion date, score, passed, expiry", strings.Join(whole.Fields(), ", "))
	require.Empty(t, lmsapi.Details{}.Fields())
}
