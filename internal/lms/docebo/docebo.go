// Package docebo reads the webhooks of Docebo. One body is one event, or up to 25 of one kind
// where the webhook's grouping is on (R53):
//
//	{"message_id":"wh-…","original_domain":"…","event":"course.enrollment.completed","payload":{…}}
//	{"message_id":"wh-…","original_domain":"…","event":"course.enrollment.completed","payloads":[{…},…]}
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
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "docebo"

// completed is the one event that reports a completion; it is compared exactly.
const completed = "course.enrollment.completed"

// SignatureHeaders are the headers of an HMAC-SHA256 of the body in hexadecimal. The vendor's
// text has none: this is the guess of a public receiver, to be pinned per source after a real
// delivery was looked at. The credential that is known to work is basic authentication.
func SignatureHeaders() []string { return []string{"X-Docebo-Signature"} }

// Adapter implements lms.Adapter.
type Adapter struct {
	limits strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter; it has no settings.
func New() *Adapter { return &Adapter{limits: strictjson.DefaultLimits()} }

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
	if event == completed {
		entries = payloads(envelope)
	}
	if err := envelope.Err(); err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: messageID, Reason: err.Error()})
		return decoded, nil
	}
	if event != completed {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: "not a completion event"})
		return decoded, nil
	}
	for _, e := range entries {
		completion, err := e.read(messageID)
		if err != nil {
			reason := fmt.Sprintf("%s: %v", e.at, err)
			decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: messageID, Reason: reason})
			continue
		}
		decoded.Completions = append(decoded.Completions, completion)
	}
	return decoded, nil
}

// entry is one event of a delivery, and where it stands in the body.
type entry struct {
	at    string
	value strictjson.Value
}

// payloads are the events of the delivery. Docebo sends payload or payloads; which of the two
// would count in a body with both is not for us to say.
func payloads(envelope *strictjson.Picker) []entry {
	one, many := envelope.At("payload"), envelope.At("payloads")
	switch {
	case one.Missing() && many.Missing():
		envelope.Problem("payload", errors.New("is missing"))
	case many.Missing():
		return []entry{{at: "payload", value: one}}
	case !one.Missing():
		envelope.Problem("payloads", errors.New("stands beside payload; want one of them"))
	case many.Kind() != strictjson.Array:
		envelope.Problem("payloads", fmt.Errorf("want an array, is %s", many.Kind()))
	case len(many.Items()) == 0:
		envelope.Problem("payloads", errors.New("is empty"))
	}
	var entries []entry
	for i, value := range many.Items() {
		entries = append(entries, entry{at: fmt.Sprintf("payloads[%d]", i), value: value})
	}
	return entries
}

// read takes the payload of a completion. messageID is that of the delivery: the events of one
// delivery share it, and the fingerprint, not the id, tells them apart.
func (e entry) read(messageID string) (training.Completion, error) {
	payload := strictjson.Pick(e.value)
	c := training.Completion{
		Platform: Platform,
		EventID:  messageID,
		Event:    completed,
		Learner: training.Learner{
			ID: payload.Text("user_id"),
			// A login; some tenants use e-mail addresses, so it is not taken for one.
			Username: payload.Text("username"),
		},
		Course: training.Course{
			ID:    payload.Text("course_id"),
			Title: payload.Text("course_name"),
			Code:  payload.Text("course_code"),
		},
		CompletedAtSource: e.at + ".completion_date",
	}
	c.CompletedAt, c.Precision = completedAt(payload)
	// Published captures carry a wrong event name now and then; then the status tells.
	if status := payload.StringOnly("status"); status != "" && status != "completed" {
		payload.Problem("status", errors.New("is not completed, though the event says so"))
	}
	if err := payload.Err(); err != nil {
		return training.Completion{}, err
	}
	if err := c.Validate(); err != nil {
		return training.Completion{}, err
	}
	return c, nil
}
