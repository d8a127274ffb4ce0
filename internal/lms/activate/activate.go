// Package activate reads the outbound sync of Activate LMS: one POST per completion, with a flat body that
// an administrator of the LMS laid out field by field. There is no fixed schema, no event name, no event id:
//
//	{"employeeId":"lena@example.com","courseName":"GDPR introduction","completedOn":"2026-04-11T14:32:00Z",
//	 "score":95,"status":"passed"}
//
// Documented by the vendor (support.activatelms.com, "Sending completions to external systems"): twelve
// fields that can be sent, none of them an employee number; times in UTC; results from 0 to 100; six
// transforms at the sender; a background job that sends, so not in real time; three attempts after 1, 5 and 30 min.
//
// Unknown: what the administrator called the fields. DefaultMapping is our preset for names that are
// likely; whatever it does not find is mapped by an override. Any body with something in it is a
// completion, so one that lacks a learner, a course or a date is put up for review and never ignored.
//
// The event that paths are read from is the body: the JSON object, or the form as an object of texts.
package activate

import (
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "activate"

// Transport is JSON or a form, of whatever type. The vendor documents JSON and names no Content-Type; a form costs
// nothing to take.
func Transport() lms.Transport { return lms.Transport{Form: true, AnyType: true} }

// Adapter implements lms.Adapter.
type Adapter struct {
	limits  strictjson.Limits
	mapping *mapping.Mapping
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter that reads with m; nil stands for DefaultMapping.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{limits: strictjson.DefaultLimits(), mapping: withStatusText(m)}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. One body is one completion; an array is unreadable, because the
// vendor sends one POST for each. A mapping's completionWhen can make others of them ignored.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	body, err := strictjson.DecodeAnyType(r.Header.Get("Content-Type"), r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if body.Kind() != strictjson.Object {
		return lms.Decoded{}, fmt.Errorf("%w: want one completion, an object; is %s", lms.ErrUnreadable, body.Kind())
	}
	reader := a.mapping.Read(body)
	if is, reason := reader.IsCompletion(); !is {
		return lms.Decoded{Ignored: []lms.Ignored{{Event: reader.Text(mapping.Event), Reason: reason}}}, nil
	}
	c, err := a.read(reader)
	if err != nil {
		return lms.Decoded{Problems: []lms.Problem{{Event: c.Event, EventID: c.EventID, Reason: err.Error()}}}, nil
	}
	return lms.Decoded{Completions: []training.Completion{c}}, nil
}

// read takes the completion. Beside an error it is of use for its event's name and id only.
func (a *Adapter) read(reader *mapping.Reader) (training.Completion, error) {
	c := reader.Completion(mapping.Dates)
	a.moveEmail(&c.Learner)
	c.Score.Passed = passed(reader.Text(mapping.Passed))
	if err := reader.Err(); err != nil {
		return c, err
	}
	return c, c.Validate()
}
