// Package cornerstone reads the Edge Webhooks of Cornerstone OnDemand (CSX): batches of records, and
// every five minutes a heartbeat, which is a batch of none.
//
//	{"records":[{"value":{"headers":{"messageId":"…",…},"lmsEventsCase":"TrainingCompleted",
//	 "trainingCompleted":{"data":{"eventId":"…","trainingId":"…","targetUserId":40421,
//	 "trainingActionDateTimestamp":"2026-04-08T14:30:00.973Z",…}}},…}],"sessionId":"…","attemptNumber":1,…}
//
// The event that a mapping's paths are read from is one item of records. Bodies may come gzipped.
//
// Documented by the vendor (csod.dev/guides/webhooks: event-payload-samples, faq,
// security-features): the envelope, the members of a training event, the heartbeat, the API key. A
// completion has no score, no pass or fail and no e-mail address; they are in the transcript
// (vw_rpt_transcript) under user, training and registration number.
//
// Assumed: the event is known by lmsEventsCase alone and stands under that name with a small first letter; one
// eventId is kept through retries. Unknown: whether an instructor-led session, a curriculum or a certification
// raises an event of its own. correlationId is all zeros in the vendor's sample and never read.
//
// A tenant's completionWhen decides in place of lmsEventsCase. What stands under another name than trainingCompleted has
// to be mapped then.
//
// Credential: the endpoint's key in APIKeyHeader, on every request. The HMAC in Authorization is not
// verified: the text that it signs is not published. The hash of the body beside it is: where it is wrong,
// and where a delivery mixes the corpName of several customers, the whole delivery is put up for review.
package cornerstone

import (
	"cmp"
	"errors"
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "cornerstone"

// APIKeyHeader carries the endpoint's key: a GUID without dashes (R46, R173).
const APIKeyHeader = "x-api-key"

// completionEvent is the value of lmsEventsCase that reports a finished training.
const completionEvent = "TrainingCompleted"

// Transport says that a batch may be compressed, and that Cornerstone sends again after 408, 500, 502, 503 and 504
// only (documented).
func Transport() lms.Transport { return lms.Transport{Gzip: true, No429: true} }

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

// Decode implements lms.Adapter. One bad record does not spoil the others.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	records := root.Member("records")
	if records.Kind() != strictjson.Array {
		return lms.Decoded{}, fmt.Errorf("%w: want an envelope with records, an array; it is %s", lms.ErrUnreadable, records.Kind())
	}
	if err := cmp.Or(checkHash(r), checkCorp(records.Items())); err != nil {
		return lms.Decoded{Problems: []lms.Problem{{Reason: err.Error()}}}, nil
	}
	var decoded lms.Decoded
	if len(records.Items()) == 0 {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "a heartbeat: no records"})
	}
	for i, item := range records.Items() {
		a.add(&decoded, item, fmt.Sprintf("records[%d]: ", i))
	}
	return decoded, nil
}

// add adds what the record is to decoded; where begins the reason of a problem.
func (a *Adapter) add(decoded *lms.Decoded, item strictjson.Value, where string) {
	record := strictjson.Pick(item)
	event := record.StringOnly("value.lmsEventsCase")
	if record.At("value").Missing() {
		record.Problem("value", errors.New("is missing"))
	}
	if err := record.Err(); err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, Reason: where + err.Error()})
		return
	}
	if event == assignedEvent && !a.conditional {
		a.addEnrollment(decoded, item, where)
		return
	}
	if event != completionEvent && !a.conditional {
		reason := "not a completion event"
		if event == "" {
			reason = "no lmsEventsCase: not an event about training"
		}
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: reason})
		return
	}
	r := a.mapping.Read(item)
	if is, reason := r.IsCompletion(); !is {
		if event == assignedEvent {
			a.addEnrollment(decoded, item, where)
			return
		}
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: reason})
		return
	}
	c := r.Completion(date)
	err := r.Err()
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: c.EventID, Reason: where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}
