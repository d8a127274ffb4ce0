package lms_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/training"
)

func TestParseInstant(t *testing.T) {
	at := time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-04-08T14:30:00Z":           at,
		"2026-04-08T16:30:00+02:00":      at,
		"2026-04-08T09:30:00.000-05:00":  at,
		"2026-04-08T14:30:00.1239999Z":   at.Add(123 * time.Millisecond),
		"2026-04-08T14:30:00.999999999Z": at.Add(999 * time.Millisecond),
		"2024-02-29T23:59:59-00:30":      time.Date(2024, 3, 1, 0, 29, 59, 0, time.UTC),
	} {
		got, precision, err := lms.ParseInstant(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		require.Equal(t, training.PrecisionMillisecond, precision)
	}
	day, precision, err := lms.ParseInstant("2026-04-08")
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 4, 8, 0, 0, 0, 0, time.UTC), day)
	require.Equal(t, training.PrecisionDay, precision)
}

func TestParseInstantNeverGuesses(t *testing.T) {
	for text, want := range map[string]string{
		"2026-04-08T14:30:00":        "without a time zone",
		"2026-04-08T14:30:00.000":    "without a time zone",
		"2026-04-08 14:30:00":        "without a time zone",
		"2026-04-08 14:30:00Z":       "neither",
		"2026-04-08T14:30Z":          "neither",
		"2026-04-08T14:30:00,5Z":     "neither",
		"2026-04-08T4:30:00Z":        "neither",
		"2026-04-08T24:00:00Z":       "neither",
		"2026-04-08T14:30:60Z":       "neither",
		"2026-04-08T14:30:00+25:00":  "neither",
		"2026-02-29T00:00:00Z":       "neither",
		"2026-02-29":                 "neither",
		"08/04/2026":                 "neither",
		"20260408":                   "neither",
		"1775658622":                 "neither",
		" 2026-04-08T14:30:00Z":      "neither",
		"":                           "neither",
		"2026-04-08T14:30:00Z\x00":   "neither",
		"+2026-04-08T14:30:00+02:00": "neither",
	} {
		_, _, err := lms.ParseInstant(text)
		require.ErrorContains(t, err, want, text)
		if text != "" {
			require.NotContains(t, err.Error(), text)
		}
	}
}
