// Package axis reads the webhooks of Axis LMS by Atrixware: one event per delivery, as JSON or as a form.
//
//	{"event":"course_complete","course_name":"Hand hygiene","course_catalog_id":"HH-101",
//	 "course_passing_score":"70","username":"r.santos","user_score":"88","date":"20260411"}
//
// Documented by the vendor (atrixware.com/docs, article 126): which events there are, what each tells (R70-R78),
// and that one is sent for a course whatever its result was (R71). One URL can be set per event, course,
// session, path or certification, so one completion may come twice (R80): its fingerprint is the same then.
//
// Unknown, as the vendor shows them in pictures only: the encoding, the names of the parameters, how the secret is
// sent, and whether the body names the event. The names here are ours. Nobody has shown a real body:
// look at the first delivery, and put right what differs by an override of its field.
//
// The event that paths are read from is the body with two additions. A name that is known counts in any spelling: "Course
// Catalog ID" is course_catalog_id too, beside what was sent. And its member event is the name that the
// URL ends with, or the body's own, or else the one that the other members tell. They tell a certification and a
// course with a score; a session or a path could as well have begun as ended, so it has to be named.
// An event that is neither named nor told, or has a name that is unknown, is put up for review: while
// nobody knows the vendor's names, it may be a completion.
//
// No credential covers the URL, and somebody may have pasted the wrong one of four. So the URL's name makes no
// completion of a body that may as well be a start: without a name of its own, a course needs a score and a passing
// score, and a session attendance above 0. A course that has no score goes up for review then. Paths and
// certifications rest on the URL's name: a path says the same things at both ends, so who sets up the URL of its end
// only must not use it for its start; a certification has no start, and needs its own issue date. A tenant's
// completionWhen, or an override of event, decides in place of all this, but makes no completion of what is named a
// start or an added user.
//
// There is no event id. The date of a course, session or path is the day of sending, which is all that
// Axis tells: should it send again on another day, that is another fingerprint.
package axis

import (
	"errors"
	"fmt"
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "axis"

// SecretHeader carries the webhook's secret. The name is ours: the vendor's is unknown.
const SecretHeader = "X-Axis-Webhook-Secret"

// SecretParameter is the parameter of the body that carries the secret where no header does; no
// path of a mapping sees it. The name is ours too.
const SecretParameter = "auth_secret"

// SignatureHeaders are the headers of an HMAC-SHA256 of the body in hexadecimal. It is one of three guesses
// about what the vendor calls the authentication secret, so a source has to choose it.
func SignatureHeaders() []string { return []string{"X-Axis-Signature"} }

// Transport says what deliveries look like: JSON or a form, under a type that nobody knows, and the event's name behind
// the URL, because Axis takes one URL per event.
func Transport() lms.Transport { return lms.Transport{Form: true, AnyType: true, Paths: []string{"*"}} }

// Adapter implements lms.Adapter.
type Adapter struct {
	limits  strictjson.Limits
	mapping *mapping.Mapping
	// conditional says that the mapping's own completionWhen tells what is a completion.
	conditional bool
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter that reads with m; nil stands for DefaultMapping.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{
		limits: strictjson.DefaultLimits(), mapping: m,
		conditional: m.Definition().CompletionWhen != nil,
	}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. What the event is, the URL and the body say together: where they
// differ, or nobody can tell, that is a problem and not a completion.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	body, err := strictjson.DecodeAnyType(r.Header.Get("Content-Type"), r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if body.Kind() != strictjson.Object {
		return lms.Decoded{}, fmt.Errorf("%w: want one event, an object; is %s", lms.ErrUnreadable, body.Kind())
	}
	event := newEvent(body, r.Path)
	reader := a.mapping.Read(event.document)
	what := kindOf(reader.Text(mapping.Event))
	if !a.tenants(mapping.Event) || !what.known {
		what = event.kind(reader)
	}
	if is, reason := reader.IsCompletion(); !is {
		return ignored(what, reason), nil
	}
	if what.known && !what.completion && reader.Err() == nil {
		return ignored(what, "not a completion: "+what.reason), nil
	}
	if !a.conditional && !a.tenants(mapping.Event) {
		event.checkURL(reader, what)
	}
	c, err := a.read(reader, event, what)
	if err != nil {
		return lms.Decoded{Problems: []lms.Problem{{Event: what.name, EventID: c.EventID, Reason: err.Error()}}}, nil
	}
	return lms.Decoded{Completions: []training.Completion{c}}, nil
}

func ignored(what kind, reason string) lms.Decoded {
	return lms.Decoded{Ignored: []lms.Ignored{{Event: what.name, Reason: reason}}}
}

// read takes the completion. Beside an error it is of use for its event's id only.
func (a *Adapter) read(reader *mapping.Reader, e event, what kind) (training.Completion, error) {
	if !what.known && !a.conditional {
		reader.Problem("event", errors.New("is none that is known; put one behind the URL, e.g. /course_complete"))
	}
	c := reader.Completion(dates)
	if what.group() == certification {
		if !a.tenants(mapping.CompletedAt) && !says(e.document.Member("issue_date")) {
			reader.Problem("issue_date", errors.New("is missing"))
		}
		if !a.tenants(mapping.Event) {
			what = e.renewal(reader, what)
		}
	}
	if !a.tenants(mapping.Event) {
		c.Event = what.name
	}
	if what.name == course && !a.tenants(mapping.Passed) {
		c.Score.Passed = e.passed(reader, c.Score.Raw)
	}
	if !a.tenants(mapping.LearnerEmail) && strings.Contains(c.Learner.Username, "@") {
		c.Learner.Email = c.Learner.Username
	}
	if err := reader.Err(); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// tenants reports whether the target is read as the tenant says, so that no rule of ours stands beside it.
func (a *Adapter) tenants(t mapping.Target) bool { return a.mapping.Overridden(t) }
