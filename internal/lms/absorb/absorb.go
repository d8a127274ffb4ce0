// Package absorb reads the webhooks of Absorb LMS.
//
// Documented by the vendor (support.absorblms.com, article 28999993938451 "Webhooks"): that
// there are webhooks, for events of administrators and of learners. The body is published nowhere,
// so what is read here is CONSTRUCTED of three parts: the platform-neutral envelope and the name
// EnrollmentId (R55), and the enrollment of the REST API (docs.myabsorb.com/docs/v2/integration-api/enrollments),
// whose members and status numbers are known:
//
//	{"id":"…","event":"…","original_domain":"…","payload":{"EnrollmentId":"…","userId":"…","courseId":"…",
//	 "courseName":"…","status":3,"score":91.5,"dateCompleted":"2026-04-08T14:30:00Z"}}
//
// As the events' names on the wire are unknown, the status number decides what an event is; one without a status and
// without a name that is known to be of something else is put up for review. A tenant's completionWhen decides in
// place of both. The event that a mapping's paths are read from is the envelope; the members that are shown here are
// found in any case of their letters.
package absorb

import (
	"errors"
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "absorb"

// SignatureHeaders are the headers of the HMAC-SHA256 of the body in hexadecimal. Our source
// names both (R27, R28); the vendor's text that could be read says nothing of algorithm and encoding.
func SignatureHeaders() []string { return []string{"absorb-signature", "X-Absorb-Signature"} }

// Adapter implements lms.Adapter.
type Adapter struct {
	limits  strictjson.Limits
	mapping *mapping.Mapping
	// conditional says that the mapping's own completionWhen tells what is a completion.
	conditional bool
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter that reads completions with m, or with DefaultMapping where m is nil.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{limits: strictjson.DefaultLimits(), mapping: m, conditional: m.Definition().CompletionWhen != nil}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. One body is one event; anything but a JSON object is unreadable.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if root.Kind() != strictjson.Object {
		return lms.Decoded{}, fmt.Errorf("%w: want one envelope, an object; is %s", lms.ErrUnreadable, root.Kind())
	}
	e, twice := newEvent(root)
	envelope := strictjson.Pick(e.document)
	for _, name := range twice {
		envelope.Problem(name, errors.New(twoSpellings))
	}
	decoded := lms.Decoded{OriginalDomain: envelope.Text("original_domain")}
	name, id := envelope.Text("event"), envelope.Text("id")
	var state status
	var reason string
	if !a.conditional {
		state, reason = statusOf(e, envelope, name)
	}
	if err := envelope.Err(); err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: name, EventID: id, Reason: err.Error()})
		return decoded, nil
	}
	if !a.conditional && state != complete && state != failed {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: name, Reason: reason})
		return decoded, nil
	}
	a.add(&decoded, e, name, id)
	return decoded, nil
}
