package canonical

import (
	"errors"
	"strconv"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// completedAt takes the first of completion_date, fired_at and timestamp that was sent. One that
// was sent and cannot be read is a problem, not a reason to take the next: that would be another
// instant, so another completion. timestamp comes last and is compared with nothing,
// because senders are known to get it wrong by a year.
func completedAt(envelope *strictjson.Picker, c *training.Completion) {
	for _, path := range []string{"payload.course.completion_date", "fired_at"} {
		if instant, precision, sent := date(envelope, path); sent {
			c.CompletedAt, c.Precision, c.CompletedAtSource = instant, precision, path
			return
		}
	}
	c.Precision = training.PrecisionMillisecond
	if stamp := envelope.At("timestamp"); !stamp.Missing() {
		c.CompletedAt, c.CompletedAtSource = unixSeconds(envelope, stamp), "timestamp"
	}
}

// expiresAt is when the certificate's qualification lapses (R51), whether or not one was issued.
func expiresAt(envelope *strictjson.Picker, c *training.Completion) {
	if instant, _, sent := date(envelope, "payload.certificate.expiry_date"); sent {
		c.ExpiresAt = &instant
	}
}

// date reads the date at path; sent is false where there is none.
func date(envelope *strictjson.Picker, path string) (instant time.Time, precision training.Precision, sent bool) {
	text := envelope.StringOnly(path)
	if text == "" {
		return time.Time{}, "", false
	}
	instant, precision, err := lms.ParseInstant(text)
	if err != nil {
		envelope.Problem(path, err)
	}
	return instant, precision, true
}

// unixSeconds reads whole seconds since 1970. Milliseconds in their place lie far beyond the
// year 9999 and are refused with it.
func unixSeconds(envelope *strictjson.Picker, stamp strictjson.Value) time.Time {
	const lastSecond = 253_402_300_799 // 9999-12-31T23:59:59Z
	digits, err := stamp.Number()
	if err != nil {
		envelope.Problem("timestamp", err)
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || seconds < 0 || seconds > lastSecond {
		envelope.Problem("timestamp", errors.New("want whole seconds since 1970"))
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
