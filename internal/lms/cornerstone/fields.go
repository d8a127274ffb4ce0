package cornerstone

import (
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping is what every source without a mapping of its own is read with.
func DefaultMapping() *mapping.Mapping {
	const data = "$.value.trainingCompleted.data."
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.EventID:           {Path: data + "eventId", Else: []string{"$.value.headers.messageId"}},
		mapping.Event:             {Path: "$.value.lmsEventsCase"},
		mapping.LearnerID:         {Path: data + "targetUserId"},
		mapping.LearnerUsername:   {Path: data + "targetUsername"},
		mapping.LearnerExternalID: {Path: data + "targetUserRef"},
		mapping.LearnerFirstName:  {Path: data + "targetUserFirstName"},
		mapping.LearnerLastName:   {Path: data + "targetUserLastName"},
		mapping.CourseID:          {Path: data + "trainingId"},
		mapping.CourseTitle:       {Path: data + "trainingTitle"},
		mapping.CourseCode:        {Path: data + "trainingRef"},
		// The record's own timestamp is when it was published, so it does not stand in.
		mapping.CompletedAt: {Path: data + "trainingActionDateTimestamp"},
	}})
}

// date reads a date with its zone, or a day.
func date(value strictjson.Value) (time.Time, training.Precision, error) {
	text, err := value.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}
