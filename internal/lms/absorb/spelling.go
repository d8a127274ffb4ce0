package absorb

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Nobody has seen a body: one part of what is known of it writes EnrollmentId, the other userId. So the members
// that are read by themselves count in any case of their letters.

// twoSpellings is a problem: two members that may say two things.
const twoSpellings = "given in two spellings"

// envelopeNames are the members of the envelope that are read.
func envelopeNames() []string { return []string{"id", "event", "original_domain", "payload"} }

// payloadNames are the members of the payload that are read, as the REST API writes them, and what for.
func payloadNames() map[string]mapping.Target {
	return map[string]mapping.Target{
		"status":        mapping.Passed,
		"enrollmentId":  mapping.EnrollmentID,
		"userId":        mapping.LearnerID,
		"courseId":      mapping.CourseID,
		"courseName":    mapping.CourseTitle,
		"dateCompleted": mapping.CompletedAt,
		"score":         mapping.ScoreRaw,
	}
}

// event is a delivery's one event. document is what the mapping reads: the envelope, with the names above beside
// what was sent where only another spelling of them was.
type event struct {
	document strictjson.Value
	// sent are the payload's names as they were sent; a name that says nothing is not in it.
	sent map[string]string
	// twice are the payload's names that came in more than one spelling.
	twice map[string]bool
}

// newEvent notes what is wrong with the envelope in problems, by its member's name.
func newEvent(envelope strictjson.Value) (e event, problems []string) {
	e.document = envelope
	sent, twice := spelt(envelope, envelopeNames())
	for _, name := range envelopeNames() {
		if twice[name] {
			problems = append(problems, name)
		}
		if key, found := sent[name]; found && key != name && !twice[name] {
			e.document = e.document.With(name, envelope.Member(key))
		}
	}
	payload := e.document.Member("payload")
	e.sent, e.twice = spelt(payload, slices.Collect(maps.Keys(payloadNames())))
	for name, key := range e.sent {
		// Either first letter is in the mapping's own paths.
		if key != name && key != strings.ToUpper(name[:1])+name[1:] && !e.twice[name] {
			payload = payload.With(name, payload.Member(key))
		}
	}
	if payload.Kind() == strictjson.Object {
		e.document = e.document.With("payload", payload)
	}
	return e, problems
}

// spelt finds names among an object's members that say something, whatever the case of their letters. Where
// there are several spellings, sent has the first in the order of their bytes.
func spelt(object strictjson.Value, names []string) (sent map[string]string, twice map[string]bool) {
	wanted := make(map[string]string, len(names))
	for _, name := range names {
		wanted[strings.ToLower(name)] = name
	}
	sent, twice = map[string]string{}, map[string]bool{}
	for _, key := range object.Keys() {
		name, known := wanted[strings.ToLower(key)]
		if !known || object.Member(key).Missing() {
			continue
		}
		if _, found := sent[name]; found {
			twice[name] = true
			continue
		}
		sent[name] = key
	}
	return sent, twice
}

// path is where a name of the payload stands in the body.
func (e event) path(name string) string {
	if key, found := e.sent[name]; found {
		return "payload." + key
	}
	return "payload." + name
}

// checkSpellings refuses the names that came twice, but for those that the tenant reads elsewhere.
func (a *Adapter) checkSpellings(r *mapping.Reader, e event) {
	for _, name := range slices.Sorted(maps.Keys(e.twice)) {
		if !a.mapping.Overridden(payloadNames()[name]) {
			r.Problem("payload."+name, errors.New(twoSpellings))
		}
	}
}
