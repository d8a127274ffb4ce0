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
// As the events' names on the wire are unknown, the status number decides what an event is.
package absorb

import (
	"errors"
	"fmt"
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "absorb"

// maxScore is the upper end of the scale: the REST API's score is a percentage.
const maxScore = "100"

// SignatureHeaders are the headers of the HMAC-SHA256 of the body in hexadecimal. Our source
// names both (R27, R28); the vendor's text that could be read says nothing of algorithm and encoding.
func SignatureHeaders() []string { return []string{"absorb-signature", "X-Absorb-Signature"} }

// Adapter implements lms.Adapter.
type Adapter struct {
	limits strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter; it has no settings.
func New() *Adapter { return &Adapter{limits: strictjson.DefaultLimits()} }

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
	envelope := strictjson.Pick(root)
	decoded := lms.Decoded{OriginalDomain: envelope.Text("original_domain")}
	event, eventID := envelope.Text("event"), envelope.Text("id")
	state, reason := statusOf(envelope, event)
	if err := envelope.Err(); err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: eventID, Reason: err.Error()})
		return decoded, nil
	}
	if state != complete && state != failed {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: reason})
		return decoded, nil
	}
	completion, err := read(envelope, state)
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: eventID, Reason: err.Error()})
		return decoded, nil
	}
	decoded.Completions = append(decoded.Completions, completion)
	return decoded, nil
}

// read takes the envelope of an enrollment that is finished.
func read(envelope *strictjson.Picker, state status) (training.Completion, error) {
	c := training.Completion{
		Platform:     Platform,
		EventID:      envelope.Text("id"),
		Event:        envelope.Text("event"),
		EnrollmentID: envelope.Text(member(envelope, "enrollmentId")),
		// fullName is left: where the first name ends is not for us to say.
		Learner: training.Learner{ID: envelope.Text(member(envelope, "userId"))},
		Course: training.Course{
			ID:    envelope.Text(member(envelope, "courseId")),
			Title: envelope.Text(member(envelope, "courseName")),
		},
		Score: training.Score{Raw: envelope.Number(member(envelope, "score"))},
	}
	if c.Score.Known() {
		c.Score.Max = maxScore
	}
	if state == failed { // "complete" alone does not say that anybody passed
		c.Score.Passed = new(bool)
	}
	completedAt(envelope, &c)
	if err := envelope.Err(); err != nil {
		return training.Completion{}, err
	}
	if err := c.Validate(); err != nil {
		return training.Completion{}, err
	}
	return c, nil
}

// completedAt reads dateCompleted. There is nothing to fall back on: fired_at is when Absorb
// spoke, and an administrator may enter a completion of last week.
func completedAt(envelope *strictjson.Picker, c *training.Completion) {
	path := member(envelope, "dateCompleted")
	c.Precision, c.CompletedAtSource = training.PrecisionMillisecond, path
	text := envelope.StringOnly(path)
	if text == "" {
		return
	}
	instant, precision, err := lms.ParseInstant(text)
	if err != nil {
		envelope.Problem(path, err)
		return
	}
	c.CompletedAt, c.Precision = instant, precision
}

// member is the path of a member of the payload, given its name as the REST API writes it. Our
// source writes EnrollmentId, the REST API userId; as nobody has seen a body, either first letter
// is taken, but not both at once: that would be two members that say two things.
func member(envelope *strictjson.Picker, name string) string {
	lower := "payload." + name
	upper := "payload." + strings.ToUpper(name[:1]) + name[1:]
	switch {
	case envelope.At(upper).Missing():
		return lower
	case !envelope.At(lower).Missing():
		envelope.Problem(lower, errors.New("given in two spellings"))
	}
	return upper
}
