// Package learnupon reads LearnUpon's webhooks, versions 1 and 2, which may come to one address:
//
//	version 1: {"header":{"webHookType":"course_completion","webhookId":…,"signature":"…"},"user":{…},"enrollmentId":…,…}
//	version 2: {"data":[{"enrollmentId":…,"courseId":…,"user":{…},"enrollmentStatus":"passed",…}, …]}
//	           and beside it X-Webhook-Type: course_completion, X-Webhook-Id: …
//
// The event that a mapping's paths are read from is the body of version 1, or one item of data in its form: with
// the two headers of version 2 as header.webHookType and header.webhookId.
//
// Documented by the vendor (docs.learnupon.com/webhooks/): the types and the body of version 1, where
// the portal sends every type there is, and the six status words. Seen in public receivers that are
// built on the vendor's examples: the body and the headers of version 2, and both signatures. Unknown:
// the other types of version 2, and whether X-Webhook-Id survives a retry; the id is kept as a trace
// and decides nothing.
//
// The signature of version 2 covers the body alone, not the type beside it; so an event that looks like
// an exam's is no completion, whatever the header says.
//
// Credentials: version 2 signs with HMAC-SHA256 in a header, see SignatureHeaders; version 1 with
// MD5 inside the body, see BodySignature.
package learnupon

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "learnupon"

// completionEvent is the one type that reports a finished course; exams, modules, surveys, badges and
// learning paths have their own.
const completionEvent = "course_completion"

// The headers of version 2: the type of all events of a delivery, and the delivery's id.
const (
	typeHeader = "X-Webhook-Type"
	idHeader   = "X-Webhook-Id"
)

// SignatureHeaders are the headers the signature of version 2 may stand in, as hexadecimal digits:
// the first is the one that was seen, the second the one that R30 names.
func SignatureHeaders() []string {
	return []string{"X-Webhook-Signature", "X-LearnUpon-Webhook-Signature"}
}

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
	data, header := root.Member("data"), root.Member("header")
	switch {
	case data.Kind() == strictjson.Array:
		return a.version2(r.Header, data.Items()), nil
	case header.Kind() == strictjson.Object:
		return a.version1(root), nil
	default:
		return lms.Decoded{}, fmt.Errorf("%w: want data, an array (version 2), or header, an object (version 1)", lms.ErrUnreadable)
	}
}

// version1 reads the one event of a delivery.
func (a *Adapter) version1(root strictjson.Value) (decoded lms.Decoded) {
	event := strictjson.Pick(root)
	kind := event.Text("header.webHookType")
	if kind == "" { // the spelling of some receivers
		kind = event.Text("header.webhookType")
	}
	id := event.Text("header.webhookId") // stays the same while header.attempt rises
	if kind == "" {
		event.Problem("header.webHookType", errors.New("is missing"))
	}
	if err := event.Err(); err != nil {
		return lms.Decoded{Problems: []lms.Problem{{Event: kind, EventID: id, Reason: err.Error()}}}
	}
	if kind != completionEvent {
		return lms.Decoded{Ignored: []lms.Ignored{{Event: kind, Reason: "not a completion event"}}}
	}
	a.add(&decoded, enrollment{event: root, kind: kind, id: id})
	return decoded
}

// version2 reads the up to ten events of a delivery, which share a type and an id.
func (a *Adapter) version2(header http.Header, data []strictjson.Value) (decoded lms.Decoded) {
	if len(data) == 0 {
		return lms.Decoded{Ignored: []lms.Ignored{{Reason: "data holds no event"}}}
	}
	kind, id, err := typeAndID(header)
	switch {
	case err != nil: // it may be a completion, and a proxy may have lost the header: a person looks
		return lms.Decoded{Problems: []lms.Problem{{Event: kind, EventID: id, Reason: err.Error()}}}
	case kind != completionEvent:
		return lms.Decoded{Ignored: []lms.Ignored{{Event: kind, Reason: "not a completion event"}}}
	}
	asVersion1 := strictjson.ObjectOf(map[string]strictjson.Value{
		"webHookType": strictjson.StringOf(kind), "webhookId": strictjson.StringOf(id),
	})
	for i, item := range data {
		e := enrollment{event: item.With("header", asVersion1), kind: kind, id: id, where: fmt.Sprintf("data[%d]: ", i)}
		if !item.Member("examName").Missing() {
			e.doubt = errors.New("examName: an exam's member, but the delivery's type is course_completion")
		}
		a.add(&decoded, e)
	}
	return decoded
}

// typeAndID reads the headers of version 2. A delivery without an id is readable, one without a type
// is not.
func typeAndID(header http.Header) (kind, id string, err error) {
	kind, kindErr := sole(header, typeHeader)
	id, idErr := sole(header, idHeader)
	switch {
	case kindErr != nil:
		return kind, id, kindErr
	case kind == "":
		return kind, id, errors.New(typeHeader + ": is missing")
	default:
		return kind, id, idErr
	}
}

// sole is the value of a header, "" where there is none. Some proxies double a header; two values that
// differ are an error, because it is not ours to say which one LearnUpon sent.
func sole(header http.Header, name string) (string, error) {
	values := header.Values(name)
	for _, value := range values {
		if value != values[0] {
			return "", errors.New(name + ": several values that differ")
		}
	}
	return strings.TrimSpace(header.Get(name)), nil
}
