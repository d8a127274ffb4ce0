// Package moodle reads what Moodle sends. Moodle itself has no webhooks: one of four plugins sends them, and each
// delivery is told apart by its shape.
//
//	local_webhooks        {"eventname":"\\core\\event\\course_completed","courseid":"311","relateduserid":"1042","timecreated":1775658620,"token":"…",…}
//	tool_trigger          {"eventname":"…","courseid":"311","relateduserid":"1042","timecreated":"1775658620","user_email":"…","course_idnumber":"…",…}
//	local_webhookengine   {"id":"…","schema":1,"eventname":"…","event":{"courseid":"311","relateduserid":"1042","timecreated":1775658620,…},"relateduser":{…},"course":{…}}
//	logstore_xapi         [{"actor":{"account":{"name":"1042"}},"verb":{…},"object":{"id":"…/course/view.php?id=311",…},"timestamp":"…"},…]
//
// The event that paths are read from is the object as sent, one of the array for statements, and beside its
// members "derived", which is ours: what no path can say (see derive). A member of tool_trigger's template that Moodle did
// not fill ("{user_email}") counts as not sent.
//
// Documented by the plugins' source (valentineus/moodle-webhooks, catalyst/moodle-tool_trigger,
// thepankajzx/moodle-local_webhookengine, xAPI-vle/moodle-logstore_xapi) and seen on a Moodle 4.5: all of these
// members, ids as numbers or texts, timecreated in seconds. The body of tool_trigger is what its administrator
// wrote; we read the template that we recommend. Assumed: that the event's time is when the learner finished.
// Moodle's own date, which only its REST interface states, can lie days before it (seen). Unknown: the events of
// plugins for face-to-face sessions and certificates; a tenant's completionWhen can name them.
//
// There is no score and no passed in any of the four, e-mail, names and titles not in all; Moodle's "completed"
// does not say "passed".
//
// Answers: any 2xx for three of them, exactly 200 for statements, whose sender reads the body only to log it
// when the status is another one.
package moodle

import (
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "moodle"

// completed is the one event that reports a completion; it is compared exactly.
const completed = `\core\event\course_completed`

// Transport is how the four send: local_webhooks may call its JSON a form, tool_trigger may send a real one under any
// type its administrator typed, and logstore_xapi appends "statements" to the URL it was given.
func Transport() lms.Transport {
	return lms.Transport{Form: true, AnyType: true, Paths: []string{"statements"}}
}

// DefaultMapping reads all four shapes. The learner is relateduserid; userid is who acted, under cron the
// administrator.
func DefaultMapping() *mapping.Mapping {
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.Event:   {Path: "$.eventname", Else: []string{"$.derived.eventname"}},
		mapping.EventID: {Path: "$.id"},
		// The account's name is the user's id unless logstore_xapi is set to send usernames, which a
		// delivery does not say: an override puts it where it belongs.
		mapping.LearnerID:         {Path: "$.relateduserid", Else: []string{"$.event.relateduserid", "$.actor.account.name"}},
		mapping.LearnerUsername:   {Path: "$.user_username", Else: []string{"$.derived.learner.username"}},
		mapping.LearnerEmail:      {Path: "$.user_email", Else: []string{"$.derived.learner.email"}},
		mapping.LearnerExternalID: {Path: "$.user_idnumber"},
		// The whole name of an actor stays in one piece: where it parts is not ours to guess.
		mapping.LearnerFirstName: {Path: "$.user_firstname", Else: []string{"$.derived.learner.firstname", "$.actor.name"}},
		mapping.LearnerLastName:  {Path: "$.user_lastname", Else: []string{"$.derived.learner.lastname"}},
		mapping.CourseID:         {Path: "$.courseid", Else: []string{"$.event.courseid", "$.derived.courseid"}},
		mapping.CourseTitle:      {Path: "$.course_fullname", Else: []string{"$.course.fullname", "$.derived.title"}},
		mapping.CourseCode: {Path: "$['course_idnumber','course_shortname']", Else: []string{
			"$.course.shortname", "$.object.definition.extensions['https://w3id.org/learning-analytics/learning-management-system/external-id']",
		}},
		mapping.CompletedAt: {Path: "$.timecreated", Else: []string{"$.event.timecreated", "$.timestamp"}},
	}})
}

// Adapter implements lms.Adapter.
type Adapter struct {
	mapping *mapping.Mapping
	// enrollments reads the events that report an enrollment.
	enrollments *mapping.Mapping
	// conditional says that the mapping decides which events are completions.
	conditional bool
	limits      strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New takes DefaultMapping or an override of it; nil is DefaultMapping. Where a mapping has completionWhen, that
// decides in place of the event's name: which other plugins' events are completions only the tenant knows.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{mapping: m, enrollments: m.ForEnrollments(enrollmentFields()), conditional: m.Definition().CompletionWhen != nil, limits: strictjson.DefaultLimits()}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. Statements come in arrays, the others one by one.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.DecodeAnyType(r.Header.Get("Content-Type"), r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	var decoded lms.Decoded
	switch root.Kind() {
	case strictjson.Object:
		a.add(&decoded, "", root)
	case strictjson.Array:
		for i, item := range root.Items() {
			a.add(&decoded, fmt.Sprintf("[%d]", i), item)
		}
		if len(root.Items()) == 0 {
			decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "the array holds no statement"})
		}
	default:
		return lms.Decoded{}, fmt.Errorf("%w: want an event or an array of statements, is %s", lms.ErrUnreadable, root.Kind())
	}
	return decoded, nil
}
