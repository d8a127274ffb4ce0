// Package generic reads any sender by a tenant's mapping alone (R56, R61): nothing is known of the body but that it is
// JSON or a form. For a platform of its own there is an adapter of its own; this one is for the rest.
//
//	fields:
//	  learner.externalId: {path: $.staffNo, transform: "concat:EMP{value}"}
//	  course.title:       {path: $.training.name}
//	  completedAt:        {path: $.doneAt, parse: "MM/dd/yyyy HH:mm", zone: America/Chicago}
//	  score.raw:          {path: $.points}
//	  passed:             {path: $.result, transform: "statusMap:OK=true,NOT OK=false"}
//	completionWhen:       {path: $.event, in: [course.completed]}
//
// A date without parse is RFC 3339 with its zone, a day, or a number of seconds or milliseconds since 1970; see
// dates. A date and time without a zone is not guessed: it needs parse, and zone where that is not UTC.
//
// Everything here is our own design; there is no vendor. The event that paths are read from is the body
// where that is an object, each item where it is an array of objects, and a form as an object of
// texts. Without completionWhen every event is a completion.
//
// A completion needs a learner, a course and a date. What the mapping does not find is named in the
// problem with the path it was looked for at, so that the sender's log is enough to mend it.
package generic

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "generic"

// maxScore is the upper end of the scale where the mapping has no score.max: most systems send percentages.
const maxScore = "100"

// needsMapping is what every delivery is answered with until there is one.
const needsMapping = "the source needs a mapping: a generic body says nothing by itself"

// Transport says what deliveries look like: JSON, or a form.
func Transport() lms.Transport { return lms.Transport{Form: true} }

// DefaultMapping reads nothing: a tenant's fields stand over it.
func DefaultMapping() *mapping.Mapping {
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1"})
}

// Adapter implements lms.Adapter.
type Adapter struct {
	limits  strictjson.Limits
	mapping *mapping.Mapping
	// fields are those of the mapping as it was given.
	fields map[mapping.Target]mapping.Field
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter that reads with m. Where m is nil or has no field every event is a problem,
// so that deliveries are kept until there is a mapping to read them with.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{limits: strictjson.DefaultLimits(), mapping: withTextOfPassed(m), fields: m.Definition().Fields}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. A body that is neither an object nor an array is unreadable.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.DecodeBody(r.Header.Get("Content-Type"), r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	items, err := strictjson.OneOrMany(root, "an event")
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	var decoded lms.Decoded
	if len(items) == 0 {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "the array holds no event"})
	}
	for _, item := range items {
		a.add(&decoded, item.Value, item.Where)
	}
	return decoded, nil
}

// zoned ends a date and time that leaves nothing to guess.
var zoned = regexp.MustCompile(`([Zz]|[+-]\d\d:\d\d)\s*$`)

// dates is mapping.Dates but for its guess: which zone a date and time without one is in, nobody says here. Up to a
// day lies between its readings.
func dates(v strictjson.Value) (time.Time, training.Precision, error) {
	instant, precision, err := mapping.Dates(v)
	if err == nil && v.Kind() == strictjson.String && precision != training.PrecisionDay && !zoned.MatchString(v.Raw()) {
		return time.Time{}, "", errors.New("date-time without a time zone: say parse, and zone where it is not UTC")
	}
	return instant, precision, err
}

// add adds what the event is to decoded; where begins the reason of a problem.
func (a *Adapter) add(decoded *lms.Decoded, event strictjson.Value, where string) {
	problem := func(c training.Completion, err error) {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: c.Event, EventID: c.EventID, Reason: where + err.Error()})
	}
	switch {
	case event.Kind() != strictjson.Object:
		problem(training.Completion{}, fmt.Errorf("want an event, an object; is %s", event.Kind()))
		return
	case len(a.fields) == 0:
		problem(training.Completion{}, errors.New(needsMapping))
		return
	}
	reader := a.mapping.Read(event)
	if is, reason := reader.IsCompletion(); !is {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: reader.Text(mapping.Event), Reason: where + reason})
		return
	}
	c, err := a.read(reader)
	if err != nil {
		problem(c, err)
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

// read takes a completion. Beside an error it is of use for its event's name and id only.
func (a *Adapter) read(reader *mapping.Reader) (training.Completion, error) {
	c := reader.Completion(dates)
	if _, stated := a.fields[mapping.ScoreMax]; c.Score.Known() && !stated {
		c.Score.Max = maxScore
	}
	if err := reader.Err(); err != nil {
		return c, err
	}
	if err := a.missing(c); err != nil {
		return c, err
	}
	return c, c.Validate()
}
