// Package talentlms reads TalentLMS timeline records: one object, or an array of them.
//
//	{"action":"course_completion","unix_timestamp":"1775658622","timestamp":"08/04/2026, 15:30:22",
//	 "user_id":"40457","user_username":"…","user_email":"…","user_fullname":"…","object_id":"378","object_name":"…",…}
//
// Documented by the vendor (developers.talentlms.io/supported-values-timeline): the names of the
// actions. Seen in public API clients with real replies: the record. No description of a webhook of
// TalentLMS's own was found; so a record comes from a forwarder (Zapier, Make, a script) that posts what
// it read of the timeline, and the transport is our contract: HTTPS POST, HTTP Basic, an IP allow-list
// beside it (R45). Nothing is sent twice (R132), so reconciliation is no option here but a must.
//
// The event that a mapping's paths are read from is one record, without its members that are "-": that is how
// TalentLMS writes that there is none.
//
// A tenant's completionWhen decides in place of the action: what a forwarder puts there is its author's choice.
//
// Assumed: that object_id of a course's event is the course. A record has no score, no event id, no
// enrollment id, and does not say whether the learner passed.
package talentlms

import (
	"errors"
	"fmt"
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "talentlms"

// The two actions that end a course. A failed one is no completion here, because the learner goes on with it; a
// tenant whose policy is another says so with completionWhen, and it is one with passed false then.
const (
	completed = "course_completion"
	failed    = "course_failure"
)

// BasicUser is the user of HTTP Basic; the source's secret is the password.
const BasicUser = "talentlms"

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
	items, err := strictjson.OneOrMany(root, "a timeline record")
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	var decoded lms.Decoded
	if len(items) == 0 {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "the array holds no record"})
	}
	for _, item := range items {
		a.add(&decoded, item.Value, item.Where)
	}
	return decoded, nil
}

// add adds what the record is to decoded; where begins the reason of a problem.
func (a *Adapter) add(decoded *lms.Decoded, item strictjson.Value, where string) {
	record := strictjson.Pick(item)
	action := record.StringOnly("action")
	switch {
	case item.Missing():
		record.Problem("", errors.New("want an object, is null"))
	case record.Err() == nil && action == "" && !a.conditional:
		record.Problem("action", errors.New("is missing"))
	}
	if err := record.Err(); err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: action, Reason: where + err.Error()})
		return
	}
	if action == enrolled && !a.conditional {
		a.addEnrollment(decoded, item, where)
		return
	}
	if action != completed && !a.conditional {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: action, Reason: whyIgnored(action)})
		return
	}
	r := a.mapping.Read(withoutDashes(item))
	if is, reason := r.IsCompletion(); !is {
		if action == enrolled {
			a.addEnrollment(decoded, item, where)
			return
		}
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: action, Reason: reason})
		return
	}
	c := r.Completion(date)
	if action == failed && c.Score.Passed == nil && !a.mapping.Overridden(mapping.Passed) {
		c.Score.Passed = new(bool)
	}
	err := r.Err()
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: action, Reason: where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

func whyIgnored(action string) string {
	switch {
	case action == failed:
		return "the course was failed, not completed"
	case strings.HasPrefix(action, "certification_"):
		return "a certificate; the course's own event counts"
	case strings.HasPrefix(action, "unitprogress_"):
		return "a part of a course"
	default:
		return "not a completion event"
	}
}
