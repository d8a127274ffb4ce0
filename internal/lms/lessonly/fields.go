package lessonly

import (
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping is what every source without a mapping of its own is read with. Without an override the adapter
// computes two things that no path says: the score of senders of the older member, and whether the learner passed.
func DefaultMapping() *mapping.Mapping {
	percent := "100"
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerID:         {Path: "$.user.id"},
		mapping.LearnerEmail:      {Path: "$.user.email"},
		mapping.LearnerExternalID: {Path: "$.user.ext_uid"},
		// The whole name stays in one piece: where it parts is not ours to guess.
		mapping.LearnerFirstName: {Path: "$.user.name"},
		mapping.CourseID:         {Path: "$.lesson.id"},
		mapping.CourseTitle:      {Path: "$.lesson.title"},
		mapping.CompletedAt:      {Path: "$.completed_at"},
		mapping.ScoreRaw:         {Path: "$.score_percent"},
		mapping.ScoreMax:         {Const: &percent},
	}})
}

// read takes a report; r notes what is wrong with it.
func (a *Adapter) read(r *mapping.Reader, report strictjson.Value) training.Completion {
	c := r.Completion(date)
	if !c.Score.Known() && !a.mapping.Overridden(mapping.ScoreRaw) {
		if raw := fromFraction(r, report); raw != "" {
			c.Score.Raw, c.Score.Max = raw, r.Number(mapping.ScoreMax)
		}
	}
	if !a.mapping.Overridden(mapping.Passed) {
		c.Score.Passed = a.passed(r, report, c.Score)
	}
	return c
}

// date reads a date with its zone, or a day.
func date(value strictjson.Value) (time.Time, training.Precision, error) {
	text, err := value.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}
