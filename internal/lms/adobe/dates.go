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

// completedAt reads data.dateCompleted: RFC 3339 text, or seconds or milliseconds since 1970.
// There is nothing to fall back on: the event's timestamp is when Adobe spoke, and _BATCH
// events are late by design.
func completedAt(event *strictjson.Picker) (time.Time, training.Precision) {
	const path = "data.dateCompleted"
	var (
		instant   time.Time
		precision = training.PrecisionMillisecond
		err       error
	)
	if event.At(path).Kind() == strictjson.Number {
		instant, err = epoch(event.Number(path))
	} else if text := event.StringOnly(path); text != "" {
		instant, precision, err = lms.ParseInstant(text)
	}
	if err != nil {
		event.Problem(path, err)
	}
	return instant, precision
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
