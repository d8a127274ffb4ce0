// Package docebo reads the webhooks of Docebo. One body is one event, or up to 25 of one kind
// where the webhook's grouping is on (R53):
//
//	{"message_id":"wh-…","original_domain":"…","event":"course.enrollment.completed","payload":{…}}
//	{"message_id":"wh-…","original_domain":"…","event":"course.enrollment.completed","payloads":[{…},…]}
//
// The event that a mapping's paths are read from is the first form: of a group, the envelope with payload
// in place of payloads, once for each of them.
//
// Documented by the vendor (help.docebo.com, articles 360020124479 "Webhooks events" and
// 4403092802194 "Questions and answers"): the envelope, the grouping, and that a completion is
// its own event, sent in place of course.enrollment.updated. Seen in captured deliveries only: the
// names of the payload's members. Assumed: that its dates, which carry no zone, are UTC, as
// message_id and fired_at agree with each other; and everything about a signature. There is no
// score, result, e-mail or external id in a delivery.
package docebo

import (
	"errors"
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "docebo"

// completed is the one event that reports a completion; it is compared exactly.
const completed = "course.enrollment.completed"

// mostEvents is how many events Docebo groups into one delivery (R53).
const mostEvents = 25

// SignatureHeaders are the headers of an HMAC-SHA256 of the body in hexadecimal. The vendor's
// text has none: this is the guess of a public receiver, to be pinned per source after a real
// delivery was looked at. The credential that is known to work is basic authentication.
func SignatureHeaders() []string { return []string{"X-Docebo-Signature"} }

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

// Decode implements lms.Adapter. A body that is no JSON object is unreadable. What is wrong with
// the envelope is one problem, because it concerns every event in it.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if root.Kind() != strictjson.Object {
		return lms.Decoded{}, fmt.Errorf("%w: want one envelope, an object; is %s", lms.ErrUnreadable, root.Kind())
	}
	envelope := strictjson.Pick(root)
	decoded := lms.Decoded{OriginalDomain: envelope.Text("original_domain")}
	event, messageID := envelope.Text("event"), envelope.Text("message_id")
	if event == "" {
		envelope.Problem("event", errors.New("is missing"))
	}
	var entries []entry
	if event == completed || event == enrolled {
		entries = split(root, envelope)
	}
	if err := envelope.Err(); err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: messageID, Reason: err.Error(), Enrollment: event == enrolled})
		return decoded, nil
	}
	if event != completed && event != enrolled {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: "not a completion event"})
		return decoded, nil
	}
	for _, e := range entries {
		if event == enrolled {
			a.addEnrollment(&decoded, e, messageID)
			continue
		}
		a.add(&decoded, e, messageID)
	}
	return decoded, nil
}

// entry is one event of a delivery, and where its payload stands in the body: payload, or payloads[2].
type entry struct {
	at    string
	event strictjson.Value
}

// where begins the reason of a problem in one event of a group.
func (e entry) where() string {
	if e.at == "payload" {
		return ""
	}
	return e.at + ": "
}

// split takes the delivery apart into its events. Docebo sends payload or payloads; which of the two
// would count in a body with both is not for us to say.
func split(root strictjson.Value, envelope *strictjson.Picker) []entry {
	one, many := envelope.At("payload"), envelope.At("payloads")
	switch {
	case one.Missing() && many.Missing():
		envelope.Problem("payload", errors.New("is missing"))
	case many.Missing():
		return []entry{{at: "payload", event: root}}
	case !one.Missing():
		envelope.Problem("payloads", errors.New("stands beside payload; want one of them"))
	case many.Kind() != strictjson.Array:
		envelope.Problem("payloads", fmt.Errorf("want an array, is %s", many.Kind()))
	case len(many.Items()) == 0:
		envelope.Problem("payloads", errors.New("is empty"))
	case len(many.Items()) > mostEvents:
		// Something else than Docebo put this together. It is kept, and a person looks at all of it.
		envelope.Problem("payloads", fmt.Errorf("holds more than %d events, the most that Docebo groups", mostEvents))
		return nil
	}
	alone := root.Without("payloads") // the entries share its members
	var entries []entry
	for i, value := range many.Items() {
		entries = append(entries, entry{at: fmt.Sprintf("payloads[%d]", i), event: alone.With("payload", value)})
	}
	return entries
}
