// Package adobe reads the webhooks of Adobe Learning Manager, formerly Captivate Prime. One body
// always holds an array of events, also where there is one (R54):
//
//	{"accountId":69101,"events":[{"eventId":"…","eventName":"COURSE_COMPLETED","timestamp":"…",
//	 "data":{"userId":13446697,"loId":"course:7374992","loInstanceId":"course:7374992_10250977",
//	  "dateCompleted":"2026-04-08T14:30:00.000Z","hasPassed":true}}]}
//
// Documented by the vendor (experienceleague.adobe.com, "Webhooks" and "Webhooks usage guide"):
// the body, the events' names, that an eventId may come again, and basic authentication. Contradictory
// there: dates are ISO 8601 in the guide and epoch numbers in the introduction, so both are read.
// Unknown: the header, algorithm and encoding of the signature. There is no score, e-mail or title in
// a delivery, and no original_domain: the tenant is accountId.
//
// Since August 2026 the seconds of dateCompleted are always 00, while the REST API states them.
package adobe

import (
	"errors"
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "adobe-learning-manager"

// SignatureHeaders are the headers of an HMAC-SHA256 of the body in hexadecimal. The vendor says
// only that a signature can be chosen: this is the guess of third parties, to be pinned per source
// after a real delivery was looked at. The documented credential is basic authentication.
func SignatureHeaders() []string { return []string{"X-ALM-Signature"} }

// Adapter implements lms.Adapter.
type Adapter struct {
	limits strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter; it has no settings.
func New() *Adapter { return &Adapter{limits: strictjson.DefaultLimits()} }

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. A body that is no JSON object is unreadable. Events are read
// one by one, in their order. One that comes twice is read twice: the fingerprint holds it to one
// completion, and two that share an id but differ are not taken for one.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if root.Kind() != strictjson.Object {
		return lms.Decoded{}, fmt.Errorf("%w: want an object with events; is %s", lms.ErrUnreadable, root.Kind())
	}
	var decoded lms.Decoded
	events := root.Member("events")
	switch {
	case events.Kind() != strictjson.Array:
		reason := fmt.Sprintf("events: want an array, is %s", events.Kind())
		decoded.Problems = append(decoded.Problems, lms.Problem{Reason: reason})
	case len(events.Items()) == 0:
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "no event in the delivery"})
	}
	for i, event := range events.Items() {
		add(&decoded, fmt.Sprintf("events[%d]", i), strictjson.Pick(event))
	}
	return decoded, nil
}

// add reads the event that stands in the body at the path at.
func add(decoded *lms.Decoded, at string, event *strictjson.Picker) {
	name, id := event.Text("eventName"), event.Text("eventId")
	if name == "" {
		event.Problem("eventName", errors.New("is missing"))
	}
	err := event.Err()
	if err == nil && !isCompletion(name) {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: name, Reason: whyNot(name)})
		return
	}
	var completion training.Completion
	if err == nil {
		completion, err = read(at, event)
	}
	if err != nil {
		reason := fmt.Sprintf("%s: %v", at, err)
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: name, EventID: id, Reason: reason})
		return
	}
	decoded.Completions = append(decoded.Completions, completion)
}

// isCompletion knows the six names exactly. The plain ones are the learner's doing, those with
// _BATCH an administrator's, a manager's or the system's. LEARNER_PROGRESS is none, not even at 100 percent.
func isCompletion(name string) bool {
	switch name {
	case "COURSE_COMPLETED", "LEARNING_PATH_COMPLETED", "CERTIFICATION_COMPLETED",
		"COURSE_COMPLETED_BATCH", "LEARNING_PATH_COMPLETED_BATCH", "CERTIFICATION_COMPLETED_BATCH":
		return true
	default:
		return false
	}
}

// whyNot explains an event that is no completion.
func whyNot(name string) string {
	switch name {
	case "LEARNING_PATH_COMPLETION_ROLLBACK", "LEARNING_PATH_COMPLETION_ROLLBACK_BATCH":
		return "takes an earlier completion back, reports none"
	default:
		return "not a completion event"
	}
}

// read takes a completion event. The kind of the learning object is the prefix of loId, which
// stays in the course's id: a certification's event may be about a course.
func read(at string, event *strictjson.Picker) (training.Completion, error) {
	c := training.Completion{
		Platform:     Platform,
		EventID:      event.Text("eventId"),
		Event:        event.Text("eventName"),
		EnrollmentID: enrollmentID(event.Text("data.loInstanceId"), event.Text("data.userId")),
		Learner:      training.Learner{ID: event.Text("data.userId")},
		Course:       training.Course{ID: event.Text("data.loId")},
		// hasPassed is missing in CERTIFICATION_COMPLETED, and false is possible.
		Score:             training.Score{Passed: event.Bool("data.hasPassed")},
		CompletedAtSource: at + ".data.dateCompleted",
	}
	c.CompletedAt, c.Precision = completedAt(event)
	if err := event.Err(); err != nil {
		return training.Completion{}, err
	}
	if err := c.Validate(); err != nil {
		return training.Completion{}, err
	}
	return c, nil
}

// enrollmentID is what GET /primeapi/v2/enrollments/{id} calls the enrollment: the instance, an
// underscore, the user ("course:7454218_10333537_11257863"). The delivery states only the parts.
func enrollmentID(instance, user string) string {
	if instance == "" || user == "" {
		return ""
	}
	return instance + "_" + user
}
