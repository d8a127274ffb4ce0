// Package canvas reads the Live Events of Canvas LMS that come over HTTPS, one event per request, as JSON or, with
// "Sign Payload" on, as a signed token whose claims are the event:
//
//	{"metadata":{"event_name":"course_completed","event_time":"…","root_account_uuid":"…",…},
//	 "body":{"progress":{"requirement_count":6,"requirement_completed_count":6,"next_requirement_url":null,"completed_at":"…"},
//	  "user":{"id":"1042","name":"…","email":"…"},"course":{"id":"565","name":"…","sis_source_id":"SOP-017",…}}}
//
// The event that paths are read from is this object.
//
// Documented by the vendor (canvas-lms doc/api/data_services, "Data service setup"): envelope, events and their
// members, that ids are texts, RS256 and the JWK set, whose three keys change monthly, any 2xx within 15 s, and up to
// three retries within 20 minutes, then the event is lost. Seen by others: where the claims are, and iss. Unknown: the
// Content-Type of a signed delivery, so none is asked for, and iat, exp and aud, so none is required.
//
// One set of keys signs for every customer of the vendor. A source has to name its own root account
// (claim /metadata/root_account_uuid), or any Canvas could report to it.
//
// course_completed says that all requirements of a course's modules are met. It has no id, score or passed. Its
// ids are local ones, which stay when a shard moves; those of enrollment events are global. Canvas sends it again when the
// completion's time changes: that is another completion to us, and the QMS decides. Events are best effort and
// nothing is sent for courses without modules, so only the daily reconciliation is complete.
//
// The Caliper format has no counterpart of course_completed.
package canvas

import (
	"bytes"
	"errors"
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/signature"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "canvas"

// AccountClaim names the customer in every event, also in the signed ones, whose keys are the same for
// all customers of the vendor.
const AccountClaim = "/metadata/root_account_uuid"

// completed is the one event that reports a completion; it is compared exactly.
const completed = "course_completed"

// Transport is JSON, or a signed token of whatever type.
func Transport() lms.Transport { return lms.Transport{JWT: true} }

// DefaultMapping reads course_completed. The learner is in body: metadata.user_id is who acted, and a job has none.
func DefaultMapping() *mapping.Mapping {
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.Event:        {Path: "$.metadata.event_name"},
		mapping.LearnerID:    {Path: "$.body.user.id"},
		mapping.LearnerEmail: {Path: "$.body.user.email"},
		// The whole name stays in one piece: where it parts is not ours to guess.
		mapping.LearnerFirstName: {Path: "$.body.user.name"},
		mapping.CourseID:         {Path: "$.body.course.id"},
		mapping.CourseTitle:      {Path: "$.body.course.name"},
		mapping.CourseCode:       {Path: "$.body.course.sis_source_id"},
		mapping.CompletedAt:      {Path: "$.body.progress.completed_at", Else: []string{"$.metadata.event_time"}},
	}})
}

// Adapter implements lms.Adapter.
type Adapter struct {
	mapping *mapping.Mapping
	// enrollments reads the events that report an enrollment.
	enrollments *mapping.Mapping
	limits      strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New takes DefaultMapping or an override of it; nil is DefaultMapping.
func New(m *mapping.Mapping) *Adapter {
	if m == nil {
		m = DefaultMapping()
	}
	return &Adapter{mapping: m, enrollments: m.ForEnrollments(enrollmentFields()), limits: strictjson.DefaultLimits()}
}

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter. Whether an unsigned body is taken at all is for the source's verifier to say.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	event, err := a.body(r.Body)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	var decoded lms.Decoded
	if data := event.Member("data"); event.Member("metadata").Missing() && data.Kind() == strictjson.Array {
		decoded.Ignored = caliper(data.Items())
		return decoded, nil
	}
	a.add(&decoded, event)
	return decoded, nil
}

// body is the event: the body itself, or what the token says.
func (a *Adapter) body(body []byte) (strictjson.Value, error) {
	if text := bytes.TrimLeft(body, " \t\r\n"); len(text) > 0 && isToken(text[0]) {
		claims, err := signature.Payload(body)
		if err != nil {
			return strictjson.Value{}, err
		}
		body = claims
	}
	event, err := strictjson.Decode(body, a.limits)
	if err != nil {
		return strictjson.Value{}, err
	}
	if event.Kind() != strictjson.Object {
		return strictjson.Value{}, fmt.Errorf("want one event, an object; is %s", event.Kind())
	}
	return event, nil
}

// isToken reports whether a body begins as a compact token does: its first part is a JSON object in base64url, so
// an "e" (RFC 7515 §7.1). No JSON value begins with it.
func isToken(first byte) bool { return first == 'e' }

// add adds what the event is to decoded.
func (a *Adapter) add(decoded *lms.Decoded, event strictjson.Value) {
	p := strictjson.Pick(event)
	name := p.StringOnly("metadata.event_name")
	if name == "" && p.Err() == nil {
		p.Problem("metadata.event_name", errors.New("is missing"))
	}
	err := p.Err()
	var completion training.Completion
	if err == nil && name == enrolled {
		a.addEnrollment(decoded, event)
		return
	}
	if err == nil {
		r := a.mapping.Read(event)
		if reason := whyNot(r, event, name); reason != "" {
			decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: name, Reason: reason})
			return
		}
		completion, err = a.read(r, p)
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: name, EventID: completion.EventID, Reason: err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, completion)
}
