package brightspace

import (
	"errors"
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// extensions is how the keys of context.extensions begin; being addresses, they hold dots.
const extensions = "https://api.brightspace.com/xapi/extension_keys/context/"

// kind is what happened to what, without the vendor's addresses around: "created", "award/issue".
type kind struct {
	object string
	verb   string
}

// newKind shortens the two addresses. One that does not begin as the vendor's do stays whole, so that
// it is taken for nothing else.
func newKind(object, verb string) kind {
	if short, ours := strings.CutPrefix(object, "https://api.brightspace.com/xapi/activities/"); ours {
		object = strings.TrimPrefix(short, "tools/")
	}
	return kind{object: object, verb: strings.TrimPrefix(verb, "https://api.brightspace.com/xapi/verbs/")}
}

// String is the event's name in verdicts: "award/issue:created".
func (k kind) String() string {
	if k == (kind{}) {
		return ""
	}
	return k.object + ":" + k.verb
}

// isAward reports whether an award was issued; the vendor's pages use both verbs for it.
func (k kind) isAward() bool {
	return k.object == "award/issue" && (k.verb == "created" || k.verb == "awarded")
}

// read takes the event of an issued award. Its learner is who received it; the actor is who issued it.
func read(event *strictjson.Picker, id string, k kind) (training.Completion, error) {
	const object, context = "object", "context"
	c := training.Completion{
		Platform:          Platform,
		EventID:           id,
		Event:             k.String(),
		Learner:           training.Learner{ID: extension(event, object, "issuedUserId")},
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "timestamp",
	}
	orgUnit, award := extension(event, context, "orgUnitId"), extension(event, object, "awardId")
	c.Course.ID = orgUnit + "/award/" + award
	if text := event.StringOnly("timestamp"); text != "" {
		instant, precision, err := lms.ParseInstant(text)
		if err != nil {
			event.Problem("timestamp", err)
		}
		c.CompletedAt, c.Precision = instant, precision
	}
	if err := event.Err(); err != nil {
		return training.Completion{}, err
	}
	if err := c.Validate(); err != nil {
		return training.Completion{}, err
	}
	return c, nil
}

// extension reads the id that stands under name in one of the event's extensions; being without it
// is a problem.
func extension(event *strictjson.Picker, which, name string) string {
	held := event.At("context.extensions").Member(extensions + which)
	text, err := held.Member(name).Text()
	if err == nil && text == "" {
		err = errors.New("is missing")
	}
	if err != nil {
		event.Problem("context.extensions/"+which+"/"+name, err)
	}
	return text
}
