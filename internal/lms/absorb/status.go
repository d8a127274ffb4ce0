package absorb

import (
	"errors"
	"strings"

	"countersign/internal/lms/strictjson"
)

// status is an enrollment's status in Absorb, the digits as sent; "" where there is none.
type status string

// The two that end an enrollment.
const (
	complete status = "3"
	failed   status = "5"
)

// unfinished explains the other numbers of the documented range, 0 to 12.
func unfinished(s status) (name string, known bool) {
	name, known = map[status]string{
		"0": "not started", "1": "in progress", "2": "pending approval", "4": "not complete", "6": "declined",
		"7": "pending evaluation required", "8": "on waitlist", "9": "absent", "10": "not applicable",
		"11": "pending proctor", "12": "ready for review",
	}[s]
	return name, known
}

// statusOf reads the status that decides whether the event is a completion, and says why it is
// none. A number nobody documented is a problem: it may be another way to finish.
func statusOf(root strictjson.Value, envelope *strictjson.Picker, event string) (status, string) {
	path := member(envelope, root, "status")
	state := status(envelope.Text(path))
	switch name, known := unfinished(state); {
	case known:
		return state, "enrollment not finished: " + name
	case state == complete || state == failed:
		return state, ""
	case state != "":
		envelope.Problem(path, errors.New("want a status number from 0 to 12"))
	case mayBeCompletion(root, envelope, event):
		envelope.Problem(path, errors.New("is missing"))
	}
	return state, "not about an enrollment"
}

// mayBeCompletion looks at an event without a status. Users and departments have none and are
// ignored; what looks like an enrollment is put up for review rather than dropped.
func mayBeCompletion(root strictjson.Value, envelope *strictjson.Picker, event string) bool {
	return event == "" || strings.Contains(strings.ToLower(event), "complet") ||
		!envelope.At(member(envelope, root, "enrollmentId")).Missing() ||
		!envelope.At(member(envelope, root, "dateCompleted")).Missing()
}

// member is the path of a member of the payload that decides what the event is.
func member(envelope *strictjson.Picker, root strictjson.Value, name string) string {
	lower, upper, both := paths(root, name)
	switch {
	case both:
		envelope.Problem(lower, errors.New(twoSpellings))
	case envelope.At(lower).Missing() && !envelope.At(upper).Missing():
		return upper
	}
	return lower
}
