// Package brightspace reads D2L Brightspace Data Streams: events in the shape of xAPI, one object or
// an array of them. The event that a mapping's paths are read from is one of those objects.
//
//	{"id":"…","timestamp":"2026-04-08T14:30:00.123Z","verb":{"id":"…/xapi/verbs/created"},
//	 "object":{"definition":{"type":"…/xapi/activities/tools/award/issue"},…},
//	 "context":{"extensions":{"…/context/object":{"awardId":"71","issuedUserId":"30421",…},"…/context/context":{"orgUnitId":"6606",…}}},…}
//
// Documented by the vendor (docs.datastreams.desire2learn.com, edition of July 2023): the events and their
// members. No event says that a course is completed. A finished topic is a part of one, and a grade's event
// names neither learner nor value, its actor being who graded. What can stand for a completion is an
// award, a certificate or a badge, that was issued for it.
//
// Assumed: that an award is issued for finishing its course. So it counts only where a person said so: the
// course's id is written "<orgUnitId>/award/<awardId>" and goes up for review until the tenant maps just
// that. The course alone would be too little, any badge would complete it; so would the award alone,
// because many courses share one. There are no names, titles and scores, and passed is unknown. Whether a
// redelivery keeps its id, and whether events come in arrays, is unknown; both forms are read.
//
// A tenant's completionWhen decides in place of the award: a finished topic may be all that a course is. Such an
// event has no award and no recipient, so its course.id and learner.id have to be mapped too.
//
// Credential: R172 says HMAC-SHA256; no vendor page names header, encoding or secret. See SignatureHeaders.
package brightspace

import (
	"errors"
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "brightspace"

// SignatureHeaders are where a source may look for the signature: the general header, because the
// platform's own is unknown. It was not seen on real traffic, so a source has to name it.
func SignatureHeaders() []string { return []string{"X-Hub-Signature-256"} }

// Transport is JSON of whatever type: the pages that could be read show bodies and name no Content-Type.
func Transport() lms.Transport { return lms.Transport{AnyType: true} }

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

// Decode implements lms.Adapter.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	items, err := strictjson.OneOrMany(root, "an event")
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	var decoded lms.Decoded
	if len(items) == 0 {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "the array holds no event"})
	}
	for _, item := range items {
		a.add(&decoded, item.Value, item.Where)
	}
	return decoded, nil
}

// add adds what the event is to decoded; where begins the reason of a problem.
func (a *Adapter) add(decoded *lms.Decoded, item strictjson.Value, where string) {
	event := strictjson.Pick(item)
	id := event.Text("id")
	what, err := kindOf(event)
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: what.String(), EventID: id, Reason: where + err.Error()})
		return
	}
	if what.isEnrollment() && !a.conditional {
		a.addEnrollment(decoded, item, what, where)
		return
	}
	if reason := whyIgnored(what); reason != "" && !a.conditional {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: what.String(), Reason: reason})
		return
	}
	r := a.mapping.Read(item)
	if is, reason := r.IsCompletion(); !is {
		if what.isEnrollment() {
			a.addEnrollment(decoded, item, what, where)
			return
		}
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: what.String(), Reason: reason})
		return
	}
	c := a.read(r, event, what)
	if err = r.Err(); err == nil {
		err = c.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: what.String(), EventID: id, Reason: where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

func whyIgnored(k kind) string {
	switch {
	case k.isAward():
		return ""
	case k.object == "award/issue":
		return "the award was changed, not issued; what it completed stays completed"
	case k.object == "content/topic":
		return "a topic, a part of a course"
	case k.object == "grade", k.object == "grade/item", k.object == "grade/final":
		return "a grade's event names neither learner nor value"
	default:
		return "not a completion event"
	}
}

// kindOf reads what happened to what, and says what is wrong so far: an event that does not say both
// is a problem.
func kindOf(event *strictjson.Picker) (kind, error) {
	k := newKind(event.StringOnly("object.definition.type"), event.StringOnly("verb.id"))
	if event.Err() == nil && (k.object == "" || k.verb == "") {
		event.Problem("object.definition.type or verb.id", errors.New("is missing"))
	}
	return k, event.Err()
}
