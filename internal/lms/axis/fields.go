package axis

import (
	"errors"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping reads the names of known. Four rules beside it take no path, and each gives way to an
// override of its target:
//
//   - learner.email is the username where that has an "@".
//   - passed is computed for a course from its score and passing score, and stays open for everything
//     else (R72): the share of meetings that somebody attended is no score.
//   - A certification counts from its own issue_date and from no other date (R160).
//   - event is the name of ours, and tells a certification from its renewal (R161). An override that makes one of
//     our names of the sender's decides what the event is.
//
// Sessions and paths have no id, so their course is known by its title alone. The beginning of the window for a
// renewal, the certification's number and the dates of a session have no target; they stay in the delivery.
func DefaultMapping() *mapping.Mapping {
	percent := "100" // every sample of the vendor is a percentage
	return mapping.MustCompile(Platform, mapping.Definition{
		Version: "1",
		Fields: map[mapping.Target]mapping.Field{
			mapping.Event:           {Path: "$.event"},
			mapping.LearnerID:       {Path: "$.username"},
			mapping.LearnerUsername: {Path: "$.username"},
			mapping.CourseID:        {Path: "$['course_catalog_id','program_id']"},
			mapping.CourseTitle:     {Path: "$['course_name','program_name','ilt_name','learning_path_name']"},
			mapping.CompletedAt:     {Path: "$['issue_date','date']"},
			mapping.ExpiresAt:       {Path: "$.expiration_date"},
			mapping.ScoreRaw:        {Path: "$.user_score"},
			mapping.ScoreMax:        {Const: &percent},
		},
	})
}

// dates reads a day as YYYYMMDD (R76) or YYYY-MM-DD, and an instant as YYYY-MM-DD HH:MM:SS, which is
// UTC, or as RFC 3339. That an instant without a zone is UTC is assumed; where it is not, the field's parse
// and zone say so. Month and day in the American order would be a guess, and take a parse too.
func dates(v strictjson.Value) (time.Time, training.Precision, error) {
	text, err := v.Text()
	if err != nil {
		return time.Time{}, "", err
	}
	// time.Parse is lenient about the digits; what it gives back is not.
	if day, err := time.Parse("20060102", text); err == nil && day.Format("20060102") == text {
		return day, training.PrecisionDay, nil
	}
	if instant, err := time.Parse(time.DateTime, text); err == nil && instant.Format(time.DateTime) == text {
		return instant, training.PrecisionMillisecond, nil
	}
	instant, precision, err := lms.ParseInstant(text)
	if err != nil {
		return time.Time{}, "", errors.New("want YYYYMMDD, YYYY-MM-DD, YYYY-MM-DD HH:MM:SS, or RFC 3339 with a time zone")
	}
	return instant, precision, nil
}
