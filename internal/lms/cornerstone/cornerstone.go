// Package cornerstone reads the Edge Webhooks of Cornerstone OnDemand (CSX): batches of records, and
// every five minutes a heartbeat, which is a batch of none.
//
//	{"records":[{"value":{"headers":{"messageId":"…",…},"lmsEventsCase":"TrainingCompleted",
//	 "trainingCompleted":{"data":{"eventId":"…","trainingId":"…","targetUserId":40421,
//	 "trainingActionDateTimestamp":"2026-04-08T14:30:00.973Z",…}}},…}],"sessionId":"…","attemptNumber":1,…}
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
// Credential: the endpoint's key in APIKeyHeader, on every request. The HMAC in Authorization is not
// verified: the text that it signs is not published.
package cornerstone

import (
	"errors"
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "cornerstone"

// APIKeyHeader carries the endpoint's key: a GUID without dashes (R46, R173).
const APIKeyHeader = "x-api-key"

// completionEvent is the value of lmsEventsCase that reports a finished training.
const completionEvent = "TrainingCompleted"

// Adapter implements lms.Adapter.
type Adapter struct {
	limits strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter; it has no settings.
func New() *Adapter { return &Adapter{limits: strictjson.DefaultLimits()} }

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
	var decoded lms.Decoded
	if len(records.Items()) == 0 {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "a heartbeat: no records"})
	}
	for i, item := range records.Items() {
		add(&decoded, strictjson.Pick(item), fmt.Sprintf("records[%d]: ", i))
	}
	return decoded, nil
}

// add adds what the record is to decoded; where begins the reason of a problem.
func add(decoded *lms.Decoded, record *strictjson.Picker, where string) {
	event := record.StringOnly("value.lmsEventsCase")
	if record.At("value").Missing() {
		record.Problem("value", errors.New("is missing"))
	}
	if record.Err() == nil && event != completionEvent {
		reason := "not a completion event"
		if event == "" {
			reason = "no lmsEventsCase: not an event about training"
		}
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: reason})
		return
	}
	completion, err := read(record, event)
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: completion.EventID, Reason: where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, completion)
}

// read takes a record of TrainingCompleted. On an error only the completion's EventID is of use.
func read(record *strictjson.Picker, event string) (training.Completion, error) {
	const data = "value.trainingCompleted.data."
	c := training.Completion{
		Platform: Platform,
		EventID:  record.Text(data + "eventId"),
		Event:    event,
		Learner: training.Learner{
			ID:         record.Text(data + "targetUserId"),
			Username:   record.Text(data + "targetUsername"),
			ExternalID: record.Text(data + "targetUserRef"),
			FirstName:  record.Text(data + "targetUserFirstName"),
			LastName:   record.Text(data + "targetUserLastName"),
		},
		Course: training.Course{
			ID:    record.Text(data + "trainingId"),
			Title: record.Text(data + "trainingTitle"),
			Code:  record.Text(data + "trainingRef"),
		},
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: data + "trainingActionDateTimestamp",
	}
	if c.EventID == "" {
		c.EventID = record.Text("value.headers.messageId")
	}
	// The record's own timestamp is when it was published, so it does not stand in.
	if text := record.StringOnly(c.CompletedAtSource); text != "" {
		instant, precision, err := lms.ParseInstant(text)
		if err != nil {
			record.Problem(c.CompletedAtSource, err)
		}
		c.CompletedAt, c.Precision = instant, precision
	}
	if err := record.Err(); err != nil {
		return c, err
	}
	return c, c.Validate()
}
