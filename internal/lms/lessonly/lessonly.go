// Package lessonly reads the Reporting Webhook of Lessonly, now Seismic Learning: one delivery says
// that one learner finished one lesson (R85).
//
//	{"user":{"id":"…","ext_uid":"…","name":"…","email":"…"},"lesson":{"id":"…","title":"…","retake_score":80},
//	 "score_percent":92.5,"completed_at":"2026-04-08T14:30:00Z",…}
//
// The event that a mapping's paths are read from is this body.
//
// Documented by the vendor (lessonly.com/documentation/reporting-webhook-documentation; articles
// 3828587, 3140653 and 9134725 of its help centre) and by R81–R84: the fields, and what they mean.
// lesson.retake_score is not a result: it is the lesson's pass mark, 0 where there is none. The
// vendor's sample lost its braces in print; its nesting is inferred. The Content-Type is unknown, so
// the body is read as JSON whatever it says.
//
// Assumed: a lesson that has a pass mark and no score is still to be graded by a person. It is put up
// for review, never taken as a pass. A failed lesson is assigned again, so one learner and
// lesson come several times, each with its own completed_at. There is no event id.
//
// Credential: the value an administrator typed, bare in the header Authorization (R43), or none (R44).
package lessonly

import (
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "lessonly"

// Transport is JSON of whatever type.
func Transport() lms.Transport { return lms.Transport{AnyType: true} }

// CredentialHeader carries the source's secret exactly as typed, with no scheme before it (R43).
const CredentialHeader = "Authorization"

// Adapter implements lms.Adapter.
type Adapter struct {
	limits  strictjson.Limits
	mapping *mapping.Mapping
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter that reads completions with m, or with DefaultMapping where m is nil.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{limits: strictjson.DefaultLimits(), mapping: m}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if root.Kind() != strictjson.Object {
		return lms.Decoded{}, fmt.Errorf("%w: want one lesson's report, an object; is %s", lms.ErrUnreadable, root.Kind())
	}
	reader := a.mapping.Read(root)
	if reader.Value(mapping.CompletedAt).Missing() && reader.Err() == nil {
		return lms.Decoded{Ignored: []lms.Ignored{{Reason: "no completed_at: the lesson is not finished"}}}, nil
	}
	if is, reason := reader.IsCompletion(); !is {
		return lms.Decoded{Ignored: []lms.Ignored{{Reason: reason}}}, nil
	}
	completion := a.read(reader, root)
	if err = reader.Err(); err == nil {
		err = completion.Validate()
	}
	if err != nil {
		return lms.Decoded{Problems: []lms.Problem{{Reason: err.Error()}}}, nil
	}
	return lms.Decoded{Completions: []training.Completion{completion}}, nil
}
