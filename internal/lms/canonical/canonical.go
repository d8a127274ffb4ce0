// Package canonical reads the platform-neutral envelope (R48–R52): the form a sender uses when
// it has none of its own. One body is one envelope:
//
//	{"id":"…","event":"course.completion","version":"1.0","fired_at":"…","timestamp":1775658622,
//	 "original_domain":"…","payload":{"user":{…},"course":{…},"certificate":{…}}}
//
// The event that a mapping's paths are read from is this envelope. Its sender is anybody's, so a tenant's
// completionWhen decides in place of the event's name; the version counts all the same.
package canonical

import (
	"errors"
	"fmt"
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "canonical"

// SignatureHeaders are the headers the signature may stand in, unless a source pins one (R27–R30).
func SignatureHeaders() []string {
	return []string{"X-Hub-Signature-256", "absorb-signature", "X-Absorb-Signature", "X-LearnUpon-Webhook-Signature"}
}

// Adapter implements lms.Adapter.
type Adapter struct {
	limits  strictjson.Limits
	mapping *mapping.Mapping
	// enrollments reads the events that report an enrollment.
	enrollments *mapping.Mapping
	// conditional says that the mapping's own completionWhen tells what is a completion.
	conditional bool
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter that reads completions with m, or with DefaultMapping where m is nil.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{limits: strictjson.DefaultLimits(), mapping: m, enrollments: m.ForEnrollments(enrollmentFields()), conditional: m.Definition().CompletionWhen != nil}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. A body that is no JSON object is unreadable; an array of
// envelopes is too, because a sender of this form sends one envelope per delivery. Unknown members are
// ignored: they stay in the raw body.
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
	event, eventID := envelope.Text("event"), envelope.Text("id")
	checkVersion(envelope)
	if event == "" && !a.conditional {
		envelope.Problem("event", errors.New("is missing"))
	}
	if err := envelope.Err(); err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: eventID, Reason: err.Error(), Enrollment: event == enrolled})
		return decoded, nil
	}
	if !a.conditional && event == enrolled {
		a.addEnrollment(&decoded, root)
		return decoded, nil
	}
	if !a.conditional && !isCompletion(event) {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: "not a completion event"})
		return decoded, nil
	}
	a.add(&decoded, root, event, eventID)
	return decoded, nil
}

// isCompletion knows course.completion (R52) and the two spellings other senders use for it.
func isCompletion(event string) bool {
	return event == "course.completion" || event == "course.completed" || event == "course_completion"
}

// checkVersion holds major version 1: in another one every member may mean something else, the
// event's name too. An absent version is taken for the only one there is. 1.0 may come as a number.
func checkVersion(envelope *strictjson.Picker) {
	version := envelope.At("version")
	read := version.Text
	if version.Kind() == strictjson.Number {
		read = version.Number
	}
	text, err := read()
	if err != nil {
		envelope.Problem("version", err)
		return
	}
	if major, _, _ := strings.Cut(text, "."); major != "1" && major != "" {
		envelope.Problem("version", errors.New("unknown major version"))
	}
}
