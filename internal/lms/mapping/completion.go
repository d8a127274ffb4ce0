package mapping

import (
	"slices"
	"time"

	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Completion reads all targets of a completion. What the mapping does not read stays empty; tenant and source are not its
// business. A maximum score without a score is dropped, and none is put in: which scale a platform
// has is said by its mapping or its adapter. dates is how the platform writes its dates, as for Instant.
// The completion is of use where Err is nil and Validate passes.
func (r *Reader) Completion(dates func(strictjson.Value) (time.Time, training.Precision, error)) training.Completion {
	c := training.Completion{
		Platform:     r.mapping.platform,
		EventID:      r.Text(EventID),
		Event:        r.Text(Event),
		EnrollmentID: r.Text(EnrollmentID),
		Learner:      r.learner(),
		Course:       r.course(),
		Score:        training.Score{Raw: r.Number(ScoreRaw), Passed: r.Bool(Passed)},
		// Without a date there is no precision to speak of, and the missing date is the one thing to say.
		Precision:      training.PrecisionMillisecond,
		MappingVersion: r.mapping.Version(),
	}
	if c.Score.Known() {
		c.Score.Max = r.Number(ScoreMax)
	}
	if instant, precision, at, sent := r.instant(CompletedAt, dates); sent {
		c.CompletedAt, c.CompletedAtSource = instant, at
		if precision != "" {
			c.Precision = precision
		}
	}
	if instant, _, sent := r.Instant(ExpiresAt, dates); sent {
		c.ExpiresAt = &instant
	}
	return c
}

// IsCompletion asks the mapping's condition, true where it has none. The reason names the path and holds no
// value.
func (r *Reader) IsCompletion() (is bool, reason string) {
	c := r.mapping.condition
	if c == nil {
		return true, ""
	}
	is, at, reason := c.holds(&r.doc)
	if r.traced != nil {
		entry := r.traced.read("completionWhen")
		value, _, _ := c.path.first(&r.doc)
		entry.Path, entry.Input, entry.Output = at, value.JSON(), strictjson.BoolOf(is).JSON()
		entry.Error = reason
	}
	if !is && at != "" {
		reason = at + ": " + reason
	}
	return is, reason
}

func (c *condition) holds(doc *document) (is bool, at, reason string) {
	value, at, err := c.path.first(doc)
	if err != nil {
		return false, at, err.Error()
	}
	if !says(value) {
		return false, at, "is missing, and the mapping's completionWhen wants it"
	}
	text, err := textOf(value)
	if err != nil {
		return false, at, err.Error()
	}
	if value.Kind() == strictjson.String {
		text, _ = value.Text()
	}
	if !slices.Contains(c.in, text) {
		return false, at, "is none of the mapping's completionWhen"
	}
	return true, at, ""
}
