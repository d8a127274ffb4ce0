package docebo

import (
	"errors"
	"strings"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// completedAt reads completion_date, "2026-04-08 14:30:22", as UTC (assumed, see the package
// comment). Forms that leave nothing to guess are taken too. There is nothing to fall back on:
// fired_at is when Docebo spoke, which mass actions do later.
func completedAt(payload *strictjson.Picker) (time.Time, training.Precision) {
	const path = "completion_date"
	text := payload.StringOnly(path)
	switch {
	case text == "":
		return time.Time{}, training.PrecisionMillisecond
	case strings.HasPrefix(text, "0000-00-00"):
		payload.Problem(path, errors.New("is 0000-00-00, which stands for none"))
		return time.Time{}, training.PrecisionMillisecond
	}
	// time.Parse is lenient about the hour's digits and fractions; what it gives back is not.
	if instant, err := time.Parse(time.DateTime, text); err == nil && instant.Format(time.DateTime) == text {
		return instant, training.PrecisionMillisecond
	}
	instant, precision, err := lms.ParseInstant(text)
	if err != nil {
		payload.Problem(path, errors.New("want YYYY-MM-DD HH:MM:SS, or RFC 3339 with a time zone"))
	}
	return instant, precision
}
