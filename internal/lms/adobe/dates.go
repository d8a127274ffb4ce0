package adobe

import (
	"errors"
	"strconv"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

const (
	// leastMilliseconds tells the two epochs apart: as milliseconds it is March 1973, as seconds the
	// year 5138.
	leastMilliseconds = 100_000_000_000
	// lastMillisecond is the end of 9999.
	lastMillisecond = 253_402_300_799_999
)

// date reads data.dateCompleted: RFC 3339 text, or seconds or milliseconds since 1970.
func date(value strictjson.Value) (time.Time, training.Precision, error) {
	if value.Kind() == strictjson.Number {
		digits, err := value.Number()
		if err != nil {
			return time.Time{}, "", err
		}
		instant, err := epoch(digits)
		return instant, training.PrecisionMillisecond, err
	}
	text, err := value.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}

// epoch reads seconds or milliseconds since 1970. 0 is no date but what a program writes for none.
func epoch(digits string) (time.Time, error) {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || n > lastMillisecond {
		return time.Time{}, errors.New("want whole seconds or milliseconds since 1970")
	}
	if n < leastMilliseconds {
		return time.Unix(n, 0).UTC(), nil
	}
	return time.UnixMilli(n).UTC(), nil
}
