package axis

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// known is the name of a member that is read, by its letters and digits; "" for any other. A member has
// other names too: the words of our source, and those of the vendor's REST API.
func known(letters string) string {
	switch letters {
	case "event", "username", "type", "date":
		return letters
	case "currentdate":
		return "date"
	case "coursename":
		return "course_name"
	case "coursecatalogid", "catalogid":
		return "course_catalog_id"
	case "coursepassingscore", "passingscore":
		return "course_passing_score"
	case "userscore", "score":
		return "user_score"
	case "iltname":
		return "ilt_name"
	case "programname":
		return "program_name"
	case "programid":
		return "program_id"
	case "certificationnumber":
		return "certification_number"
	case "issuedate":
		return "issue_date"
	case "expirationdate":
		return "expiration_date"
	case "learningpathname":
		return "learning_path_name"
	case "percentattended":
		return "percent_attended"
	case "authsecret":
		return SecretParameter
	default:
		return ""
	}
}

// event is a delivery's one event. document is what the mapping reads.
type event struct {
	document strictjson.Value
	// inURL and inBody are the names that each of them gives, "" for none.
	inURL, inBody string
}

// newEvent is the body with its known names added and the event's name settled. path is what the URL
// has behind the source.
func newEvent(body strictjson.Value, path string) event {
	members := map[string]strictjson.Value{}
	spellings := map[string][]strictjson.Value{}
	for _, key := range body.Keys() {
		name := known(letters(key))
		if name == SecretParameter {
			continue
		}
		members[key] = body.Member(key)
		if name != "" && name != key && says(members[key]) {
			spellings[name] = append(spellings[name], members[key])
		}
	}
	for name, values := range spellings {
		if !says(members[name]) { // the exact name outweighs another spelling
			members[name] = oneOf(values)
		}
	}
	for _, percentage := range []string{"user_score", "course_passing_score", "percent_attended"} {
		if v := members[percentage]; v.Kind() == strictjson.String {
			members[percentage] = strictjson.StringOf(strings.TrimSuffix(strings.TrimSpace(v.Raw()), "%"))
		}
	}
	e := event{inURL: path[strings.LastIndexByte(path, '/')+1:]}
	e.inBody, _ = members["event"].Text()
	switch {
	case e.inURL != "":
		members["event"] = strictjson.StringOf(e.inURL)
	case !says(members["event"]):
		members["event"] = strictjson.StringOf(inferred(members))
	}
	e.document = strictjson.ObjectOf(members)
	return e
}

// oneOf is what all spellings of a name say. Where they differ it is all of them, an array: which of them
// counts is not for us to say, so whoever reads it has a problem, and an override has a way out.
func oneOf(values []strictjson.Value) strictjson.Value {
	first := values[0].JSON()
	if slices.ContainsFunc(values, func(v strictjson.Value) bool { return !bytes.Equal(v.JSON(), first) }) {
		return strictjson.ArrayOf(values...)
	}
	return values[0]
}

// inferred is the event that the members tell without naming it, "" where they do not. A course that was
// begun has no score yet. Session and path say the same things at their start and at their end, and a
// start must never be taken for a completion (R79).
func inferred(members map[string]strictjson.Value) string {
	switch {
	case says(members["certification_number"]):
		return certification
	case says(members["course_passing_score"]) && says(members["user_score"]):
		return course
	default:
		return ""
	}
}

// kind is what the URL, the body, or else the members say that the event is.
func (e event) kind(reader *mapping.Reader) kind {
	name, _ := e.document.Member("event").Text() // what is no text is the reader's problem
	what, body := kindOf(name), kindOf(e.inBody)
	switch {
	case !body.known || e.inURL == "":
	case !what.known:
		// Nothing signs the URL: it must not make anything of what the body calls by its name.
		reader.Problem("event", errors.New("is none that is known at the end of the URL, though the body names one"))
	case what.group() != body.group():
		reader.Problem("event", errors.New("differs between the URL and the body"))
	case body.name == recertification: // the URL's name may be the wider one
		return body
	}
	return what
}

// checkURL refuses a completion that the URL alone reports, of a body that a start could have sent.
func (e event) checkURL(reader *mapping.Reader, what kind) {
	if e.inURL == "" || kindOf(e.inBody).known {
		return
	}
	says := func(name string) bool { return says(e.document.Member(name)) }
	switch {
	case what.name == course && (!says("user_score") || !says("course_passing_score")):
		reader.Problem("event", errors.New("is named by the URL alone, and without user_score and course_passing_score this may be a start"))
	case what.name == ilt && !e.attended():
		reader.Problem("event", errors.New("is named by the URL alone, and without percent_attended above 0 this may be a start"))
	}
}

// attended reports whether somebody was at any meeting of a session.
func (e event) attended() bool {
	percent, err := e.document.Member("percent_attended").Number()
	return err == nil && strings.ContainsAny(percent, "123456789") && !strings.HasPrefix(percent, "-")
}

// letters is a name without everything but its letters and digits, in lower case.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return -1
		}
	}, name)
}

// says reports whether v holds anything; Axis writes "" for none.
func says(v strictjson.Value) bool {
	return !v.Missing() && (v.Kind() != strictjson.String || strings.TrimSpace(v.Raw()) != "")
}
