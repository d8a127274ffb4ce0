package docebo

import (
	"errors"
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// DefaultMapping is what every source without a mapping of its own is read with.
func DefaultMapping() *mapping.Mapping {
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		// The events of one delivery share its id; the fingerprint, not the id, tells them apart.
		mapping.EventID:   {Path: "$.message_id"},
		mapping.Event:     {Path: "$.event"},
		mapping.LearnerID: {Path: "$.payload.user_id"},
		// A login; some tenants use e-mail addresses, so it is not taken for one.
		mapping.LearnerUsername: {Path: "$.payload.username"},
		mapping.CourseID:        {Path: "$.payload.course_id"},
		mapping.CourseTitle:     {Path: "$.payload.course_name"},
		mapping.CourseCode:      {Path: "$.payload.course_code"},
		// There is nothing to fall back on: fired_at is when Docebo spoke, which mass actions do later.
		mapping.CompletedAt: {Path: "$.payload.completion_date"},
	}})
}

// add reads the event of a completion.
func (a *Adapter) add(decoded *lms.Decoded, e entry, messageID string) {
	r := a.mapping.Read(e.event)
	if is, reason := r.IsCompletion(); !is {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: completed, Reason: reason})
		return
	}
	c := r.Completion(date)
	if field, found := strings.CutPrefix(c.CompletedAtSource, "payload."); found {
		c.CompletedAtSource = e.at + "." + field // where it stands in the body as it came
	}
	checkStatus(r, e.event)
	err := r.Err()
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: completed, EventID: messageID, Reason: e.where() + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

// checkStatus holds the payload's status against the event's name: published captures carry a wrong name now and
// then, and then the status tells.
func checkStatus(r *mapping.Reader, event strictjson.Value) {
	switch status, err := event.Member("payload").Member("status").StringOnly(); {
	case err != nil:
		r.Problem("payload.status", err)
	case status != "" && status != "completed":
		r.Problem("payload.status", errors.New("is not completed, though the event says so"))
	}
}
