package brightspace

import "strings"

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
