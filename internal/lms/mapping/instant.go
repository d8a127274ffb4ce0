package mapping

import (
	"errors"
	"time"

	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Instant reads a date: by Parse and Zone where the field has them, and else by read, which is how
// the platform writes its dates. sent is false where there is none; a date that cannot be read is a problem, and was
// sent. read must not put the value into its error.
func (r *Reader) Instant(t Target, read func(strictjson.Value) (time.Time, training.Precision, error)) (instant time.Time, precision training.Precision, sent bool) {
	instant, precision, _, sent = r.instant(t, read)
	return instant, precision, sent
}

func (r *Reader) instant(t Target, read func(strictjson.Value) (time.Time, training.Precision, error)) (instant time.Time, precision training.Precision, at string, sent bool) {
	got := r.read(t)
	if !says(got.value) {
		return time.Time{}, "", got.at, got.failed
	}
	var err error
	if got.pattern != nil {
		instant, precision, err = r.readLocal(&got)
	} else {
		instant, precision, err = read(got.value)
	}
	if err != nil {
		r.refuse(&got, err)
		return time.Time{}, "", got.at, true
	}
	layout := "2006-01-02T15:04:05.000Z"
	if precision == training.PrecisionDay {
		layout = time.DateOnly
	}
	got.output(strictjson.StringOf(instant.UTC().Format(layout)))
	return instant, precision, got.at, true
}

// readLocal reads by the field's own pattern.
func (r *Reader) readLocal(got *reading) (time.Time, training.Precision, error) {
	text, err := got.value.Text()
	if err != nil {
		return time.Time{}, "", errors.New("want a text to parse as a date, is " + got.value.Kind().String())
	}
	instant, precision, note, err := got.pattern.readLocal(text, got.zone)
	if note != "" {
		r.notes = append(r.notes, got.at+": "+note)
		if got.entry != nil {
			got.entry.Notes = append(got.entry.Notes, note)
		}
	}
	return instant, precision, err
}
