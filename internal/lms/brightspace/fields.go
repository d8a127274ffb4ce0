package brightspace

import (
	"errors"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// extensions is how the keys of context.extensions begin; being addresses, they hold dots.
const extensions = "https://api.brightspace.com/xapi/extension_keys/context/"

// DefaultMapping is what every source without a mapping of its own is read with.
func DefaultMapping() *mapping.Mapping {
	const context = "$.context.extensions['" + extensions + "context']."
	const object = "$.context.extensions['" + extensions + "object']."
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.EventID: {Path: "$.id"},
		// Without an override the adapter shortens it and puts the verb behind it; see kind.
		mapping.Event: {Path: "$.object.definition.type"},
		// Who received the award; the actor is who issued it.
		mapping.LearnerID: {Path: object + "issuedUserId"},
		// Without an override the adapter puts "/award/" and the awardId behind it.
		mapping.CourseID:    {Path: context + "orgUnitId"},
		mapping.CompletedAt: {Path: "$.timestamp"},
	}})
}

// read takes the event of an issued award; r notes what is wrong with it.
func (a *Adapter) read(r *mapping.Reader, event *strictjson.Picker, k kind) training.Completion {
	c := r.Completion(date)
	if !a.mapping.Overridden(mapping.Event) {
		c.Event = k.String()
	}
	if !a.mapping.Overridden(mapping.LearnerID) {
		extension(r, event, "object", "issuedUserId")
	}
	if !a.mapping.Overridden(mapping.CourseID) {
		c.Course.ID = extension(r, event, "context", "orgUnitId") + "/award/" + extension(r, event, "object", "awardId")
	}
	return c
}

// extension reads the id that stands under name in one of the event's extensions; being without it
// is a problem.
func extension(r *mapping.Reader, event *strictjson.Picker, which, name string) string {
	held := event.At("context.extensions").Member(extensions + which)
	text, err := held.Member(name).Text()
	if err == nil && text == "" {
		err = errors.New("is missing")
	}
	if err != nil {
		r.Problem("context.extensions/"+which+"/"+name, err)
	}
	return text
}

// date reads a date with its zone, or a day.
func date(value strictjson.Value) (time.Time, training.Precision, error) {
	text, err := value.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}
