package lms

import (
	"errors"
	"regexp"
	"time"

	"countersign/internal/training"
)

// dateTime is the letter of RFC 3339 §5.6 (but no lower-case t and z): time.Parse also takes a
// comma before the fraction, one digit for the hour, and zones of more than a day.
var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// ParseInstant reads the two forms of a date that leave nothing to guess: an RFC 3339
// date-time with its zone, as UTC with fractions below a millisecond cut off, and a calendar day.
// A date-time without a zone is an error: up to a day lies between its readings. The error
// never holds the text.
func ParseInstant(text string) (time.Time, training.Precision, error) {
	if len(text) == len(time.DateOnly) { // time.Parse makes an error where it is none
		if day, err := time.Parse(time.DateOnly, text); err == nil {
			return day, training.PrecisionDay, nil
		}
	}
	if instant, err := time.Parse(time.RFC3339, text); err == nil && dateTime.MatchString(text) {
		return training.PrecisionMillisecond.Truncate(instant), training.PrecisionMillisecond, nil
	}
	if hasNoZone(text) {
		return time.Time{}, "", errors.New("date-time without a time zone")
	}
	return time.Time{}, "", errors.New("neither an RFC 3339 date-time nor a YYYY-MM-DD day")
}

func hasNoZone(text string) bool {
	_, withT := time.Parse("2006-01-02T15:04:05", text)
	_, withSpace := time.Parse(time.DateTime, text)
	return withT == nil || withSpace == nil
}
