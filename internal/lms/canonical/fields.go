package canonical

import (
	"errors"
	"strconv"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping is what every source without a mapping of its own is read with.
func DefaultMapping() *mapping.Mapping {
	percent := "100"
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.EventID:           {Path: "$.id"},
		mapping.Event:             {Path: "$.event"},
		mapping.LearnerID:         {Path: "$.payload.user.id"},
		mapping.LearnerEmail:      {Path: "$.payload.user.email"},
		mapping.LearnerExternalID: {Path: "$.payload.user.external_id"},
		mapping.LearnerFirstName:  {Path: "$.payload.user.first_name"},
		mapping.LearnerLastName:   {Path: "$.payload.user.last_name"},
		mapping.CourseID:          {Path: "$.payload.course.id"},
		mapping.CourseTitle:       {Path: "$.payload.course.title"},
		mapping.CourseCode:        {Path: "$.payload.course.code"},
		// The first that was sent. One that was sent and cannot be read is a problem, not a reason to take the
		// next: that would be another instant, so another completion.
		mapping.CompletedAt: {Path: "$.payload.course.completion_date", Else: []string{"$.fired_at"}},
		mapping.ScoreRaw:    {Path: "$.payload.course.score"},
		mapping.ScoreMax:    {Const: &percent},
		mapping.Passed:      {Path: "$.payload.course.passed"},
		// When the certificate's qualification lapses (R51), whether or not one was issued.
		mapping.ExpiresAt: {Path: "$.payload.certificate.expiry_date"},
	}})
}

// add reads the envelope of a completion event.
func (a *Adapter) add(decoded *lms.Decoded, envelope strictjson.Value, event, eventID string) {
	r := a.mapping.Read(envelope)
	if is, reason := r.IsCompletion(); !is {
		if event == enrolled {
			a.addEnrollment(decoded, envelope)
			return
		}
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: reason})
		return
	}
	c := r.Completion(date)
	if c.CompletedAtSource == "" && !a.mapping.Overridden(mapping.CompletedAt) {
		atTimestamp(r, envelope.Member("timestamp"), &c)
	}
	err := r.Err()
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: eventID, Reason: err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

// date reads a date as text; a number is none, because whether of seconds or milliseconds nobody says.
func date(value strictjson.Value) (time.Time, training.Precision, error) {
	text, err := value.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}

// atTimestamp is for an envelope without both dates. timestamp comes last and is compared with nothing,
// because senders are known to get it wrong by a year. It is whole seconds since 1970; milliseconds
// in their place lie far beyond the year 9999 and are refused with it.
func atTimestamp(r *mapping.Reader, stamp strictjson.Value, c *training.Completion) {
	const lastSecond = 253_402_300_799 // 9999-12-31T23:59:59Z
	if stamp.Missing() {
		return
	}
	digits, err := stamp.Number()
	if err != nil {
		r.Problem("timestamp", err)
		return
	}
	seconds, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || seconds < 0 || seconds > lastSecond {
		r.Problem("timestamp", errors.New("want whole seconds since 1970"))
		return
	}
	c.CompletedAt, c.CompletedAtSource = time.Unix(seconds, 0).UTC(), "timestamp"
}
