package moodle

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"countersign/internal/lms/strictjson"
)

const (
	// completedVerb is xAPI's; logstore_xapi uses it for activities of a course too.
	completedVerb = "http://adlnet.gov/expapi/verbs/completed"
	// infoExtension is where a statement names Moodle's own event.
	infoExtension = "http://lrs.learninglocker.net/define/extensions/info"
)

// courseTypes are the types a course had in logstore_xapi's releases.
func courseTypes() []string {
	return []string{"https://w3id.org/xapi/cmi5/activitytype/course", "http://id.tincanapi.com/activitytype/lms/course"}
}

// placeholder is what tool_trigger leaves of a field it does not have (datafield_manager.php).
var placeholder = regexp.MustCompile(`^\{[-_A-Za-z0-9]+\}$`)

// courseNumber is an id as Moodle's database has it.
var courseNumber = regexp.MustCompile(`^[0-9]{1,19}$`)

// isStatement reports whether event is an xAPI statement.
func isStatement(event strictjson.Value) bool {
	return event.Member("verb").Kind() == strictjson.Object
}

// derive gives the event its member "derived", which holds what no path can say:
//
//   - eventname: Moodle's name of the event where it is not at the top. For a statement it is the one in its
//     extensions; where that is not there, a completed verb on a course means the same, and otherwise the
//     verb stands for the name.
//   - learner: of local_webhookengine the user or relateduser whose id is relateduserid; of a statement the
//     e-mail address in the actor's mbox.
//   - courseid and title: of a statement the id in the course's address, and its name in the statement's
//     language, else in the first there is.
func derive(event strictjson.Value) strictjson.Value {
	switch {
	case isStatement(event):
		return event.With("derived", fromStatement(event))
	case event.Member("event").Kind() == strictjson.Object:
		return event.With("derived", fromEnvelope(event))
	default:
		return filled(event)
	}
}

func fromStatement(statement strictjson.Value) strictjson.Value {
	definition := statement.Member("object").Member("definition")
	mbox, hasMbox := strings.CutPrefix(text(statement.Member("actor").Member("mbox")), "mailto:")
	derived := map[string]strictjson.Value{
		"eventname": nonEmpty(statementEvent(statement)),
		"courseid":  nonEmpty(courseIn(text(statement.Member("object").Member("id")))),
		"title":     nonEmpty(inLanguage(definition.Member("name"), text(statement.Member("context").Member("language")))),
	}
	if hasMbox {
		derived["learner"] = strictjson.ObjectOf(map[string]strictjson.Value{"email": nonEmpty(mbox)})
	}
	return strictjson.ObjectOf(derived)
}

// statementEvent is Moodle's name of what a statement is about.
func statementEvent(statement strictjson.Value) string {
	if name := text(statement.Member("context").Member("extensions").Member(infoExtension).Member("event_name")); name != "" {
		return name
	}
	verb := text(statement.Member("verb").Member("id"))
	if verb != completedVerb {
		return verb
	}
	if slices.Contains(courseTypes(), text(statement.Member("object").Member("definition").Member("type"))) {
		return completed
	}
	return verb
}

// courseIn is the id in a course's address, <wwwroot>/course/view.php?id=<id>; "" where it is none.
func courseIn(address string) string {
	u, err := url.Parse(address)
	if err != nil || !strings.HasSuffix(u.Path, "/course/view.php") {
		return ""
	}
	query, err := url.ParseQuery(u.RawQuery)
	if ids := query["id"]; err == nil && len(ids) == 1 && courseNumber.MatchString(ids[0]) {
		return ids[0]
	}
	return ""
}

// inLanguage takes a text from an xAPI language map.
func inLanguage(names strictjson.Value, language string) string {
	if name := text(names.Member(language)); name != "" {
		return name
	}
	for _, key := range names.Keys() {
		if name := text(names.Member(key)); name != "" {
			return name
		}
	}
	return ""
}

// fromEnvelope takes from local_webhookengine's envelope. relateduser is there only when it differs from the
// user who acted.
func fromEnvelope(envelope strictjson.Value) strictjson.Value {
	derived := map[string]strictjson.Value{}
	if text(envelope.Member("eventname")) == "" { // its own test has a type only
		derived["eventname"] = nonEmpty(text(envelope.Member("type")))
	}
	learner := text(envelope.Member("event").Member("relateduserid"))
	for _, key := range []string{"user", "relateduser"} {
		if user := envelope.Member(key); learner != "" && text(user.Member("id")) == learner {
			derived["learner"] = user
		}
	}
	return strictjson.ObjectOf(derived)
}

// filled is a flat event without the members that Moodle left as placeholders.
func filled(event strictjson.Value) strictjson.Value {
	keys := event.Keys()
	kept := slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		member := event.Member(key)
		return key == "derived" || member.Kind() == strictjson.String && placeholder.MatchString(member.Raw())
	})
	if len(kept) == len(keys) {
		return event
	}
	members := make(map[string]strictjson.Value, len(kept))
	for _, key := range kept {
		members[key] = event.Member(key)
	}
	return strictjson.ObjectOf(members)
}

// text is the text of what may as well be absent or something else; whoever needs it finds it missing.
func text(v strictjson.Value) string {
	got, err := v.Text()
	if err != nil {
		return ""
	}
	return got
}

// nonEmpty is Absent for "".
func nonEmpty(text string) strictjson.Value {
	if text == "" {
		return strictjson.Value{}
	}
	return strictjson.StringOf(text)
}
