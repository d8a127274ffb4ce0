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
// Assumed: that object_id of a course's event is the course. A record has no score, no event id, no
// enrollment id, and does not say whether the learner passed.
package talentlms

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "talentlms"

// BasicUser is the user of HTTP Basic; the source's secret is the password.
const BasicUser = "talentlms"

// Adapter implements lms.Adapter.
type Adapter struct {
	limits strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter; it has no settings.
func New() *Adapter { return &Adapter{limits: strictjson.DefaultLimits()} }

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	var decoded lms.Decoded
	n, err := strictjson.OneOrMany(root, "a timeline record", func(record *strictjson.Picker, where string) {
		add(&decoded, record, where)
	})
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if n == 0 {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: "the array holds no record"})
	}
	return decoded, nil
}

// add adds what the record is to decoded; where begins the reason of a problem.
func add(decoded *lms.Decoded, record *strictjson.Picker, where string) {
	action := record.StringOnly("action")
	if record.Err() == nil && action == "" {
		record.Problem("action", errors.New("is missing"))
	}
	if record.Err() == nil && action != "course_completion" {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: action, Reason: whyIgnored(action)})
		return
	}
	completion, err := read(record, action)
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: action, Reason: where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, completion)
}

func whyIgnored(action string) string {
	switch {
	case action == "course_failure":
		return "the course was failed, not completed"
	case strings.HasPrefix(action, "certification_"):
		return "a certificate; the course's own event counts"
	case strings.HasPrefix(action, "unitprogress_"):
		return "a part of a course"
	default:
		return "not a completion event"
	}
}

// read takes a record of course_completion.
func read(record *strictjson.Picker, action string) (training.Completion, error) {
	c := training.Completion{
		Platform: Platform,
		Event:    action,
		Learner: training.Learner{
			ID:       text(record, "user_id"),
			Username: text(record, "user_username"),
			Email:    text(record, "user_email"),
			// The whole name stays in one piece: where it parts is not ours to guess.
			FirstName: text(record, "user_fullname"),
		},
		Course:            training.Course{ID: text(record, "object_id"), Title: text(record, "object_name")},
		CompletedAt:       completedAt(record),
		Precision:         training.PrecisionMillisecond,
		CompletedAtSource: "unix_timestamp",
	}
	if err := record.Err(); err != nil {
		return training.Completion{}, err
	}
	if err := c.Validate(); err != nil {
		return training.Completion{}, err
	}
	return c, nil
}

// text reads a text or a number, of which older portals send the first and newer ones the second;
// "-" is how TalentLMS writes that there is none.
func text(record *strictjson.Picker, path string) string {
	if t := record.Text(path); t != "-" {
		return t
	}
	return ""
}

// completedAt reads unix_timestamp, whole seconds since 1970. The member timestamp is never read: it is
// the portal's local time in the portal's own order of day and month. A 0 stands for no time.
func completedAt(record *strictjson.Picker) time.Time {
	const lastSecond = 253_402_300_799 // 9999-12-31T23:59:59Z; milliseconds lie far beyond it
	digits := text(record, "unix_timestamp")
	if digits == "" {
		return time.Time{}
	}
	seconds, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || seconds == 0 || seconds > lastSecond {
		record.Problem("unix_timestamp", errors.New("want whole seconds since 1970"))
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
