// Package adobe reads the webhooks of Adobe Learning Manager, formerly Captivate Prime. One body
// always holds an array of events, also where there is one (R54):
//
//	{"accountId":69101,"events":[{"eventId":"…","eventName":"COURSE_COMPLETED","timestamp":"…",
//	 "data":{"userId":13446697,"loId":"course:7374992","loInstanceId":"course:7374992_10250977",
//	  "dateCompleted":"2026-04-08T14:30:00.000Z","hasPassed":true}}]}
//
// The event that a mapping's paths are read from is one item of events.
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
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "adobe-learning-manager"

// SignatureHeaders are the headers of an HMAC-SHA256 of the body in hexadecimal. The vendor says
// only that a signature can be chosen: this is the guess of third parties, to be pinned per source
// after a real delivery was looked at. The documented credential is basic authentication.
func SignatureHeaders() []string { return []string{"X-ALM-Signature"} }

// Adapter implements lms.Adapter.
type Adapter struct {
	limits  strictjson.Limits
	mapping *mapping.Mapping
	// enrollments reads the events that report an enrollment.
	enrollments *mapping.Mapping
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter that reads completions with m, or with DefaultMapping where m is nil.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{limits: strictjson.DefaultLimits(), mapping: m, enrollments: m.ForEnrollments(enrollmentFields())}
}

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
		a.add(&decoded, fmt.Sprintf("events[%d]", i), event)
	}
	return decoded, nil
}

// add reads the event that stands in the body at the path at.
func (a *Adapter) add(decoded *lms.Decoded, at string, event strictjson.Value) {
	members := strictjson.Pick(event)
	name, id := members.Text("eventName"), members.Text("eventId")
	if name == "" {
		members.Problem("eventName", errors.New("is missing"))
	}
	err := members.Err()
	switch {
	case err == nil && isEnrollment(name):
		a.addEnrollment(decoded, name, at, event)
		return
	case err == nil && !isCompletion(name):
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: name, Reason: whyNot(name)})
		return
	case err == nil:
		r := a.mapping.Read(event)
		if is, reason := r.IsCompletion(); !is {
			decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: name, Reason: reason})
			return
		}
		completion := a.read(r, event, at)
		if err = r.Err(); err == nil {
			err = completion.Validate()
		}
		if err == nil {
			decoded.Completions = append(decoded.Completions, completion)
			return
		}
	}
	reason := fmt.Sprintf("%s: %v", at, err)
	decoded.Problems = append(decoded.Problems, lms.Problem{Event: name, EventID: id, Reason: reason})
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
