package docebo

import (
	"errors"
	"strings"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// date reads Docebo's dates, "2026-04-08 14:30:22", as UTC (assumed, see the package comment).
// Forms that leave nothing to guess are taken too.
func date(value strictjson.Value) (time.Time, training.Precision, error) {
	text, err := value.StringOnly()
	switch {
	case err != nil:
		return time.Time{}, "", err
	case strings.HasPrefix(text, "0000-00-00"):
		return time.Time{}, "", errors.New("is 0000-00-00, which stands for none")
	}
	// time.Parse is lenient about the hour's digits and fractions; what it gives back is not.
	if instant, err := time.Parse(time.DateTime, text); err == nil && instant.Format(time.DateTime) == text {
		return instant, training.PrecisionMillisecond, nil
	}
	instant, precision, err := lms.ParseInstant(text)
	if err != nil {
		return time.Time{}, "", errors.New("want YYYY-MM-DD HH:MM:SS, or RFC 3339 with a time zone")
	}
	return instant, precision, nil
}
