package moodle

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

const (
	// firstSecond is in September 2001, before there was a Moodle; a smaller number is no date of its, but
	// 20260408 say.
	firstSecond = 1_000_000_000
	// lastSecond is the end of 9999.
	lastSecond = 253_402_300_799
)

// add adds what the event is to decoded; at is where it stands in the body, "" for the only one.
func (a *Adapter) add(decoded *lms.Decoded, at string, sent strictjson.Value) {
	where := at
	if where != "" {
		where += ": "
	}
	if sent.Kind() != strictjson.Object {
		reason := fmt.Sprintf("%swant an object, is %s", where, sent.Kind())
		decoded.Problems = append(decoded.Problems, lms.Problem{Reason: reason})
		return
	}
	event := derive(sent)
	name, err := nameOf(event)
	if err == nil && name == enrolled && !a.conditional {
		a.addEnrollment(decoded, event, where)
		return
	}
	if err == nil && !a.conditional {
		if reason := whyNot(name); reason != "" {
			decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: name, Reason: reason})
			return
		}
	}
	r := a.mapping.Read(event)
	if is, reason := r.IsCompletion(); err == nil && !is {
		if name == enrolled {
			a.addEnrollment(decoded, event, where)
			return
		}
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: name, Reason: reason})
		return
	}
	completion := a.read(r, event, name)
	if at != "" && completion.CompletedAtSource != "" {
		completion.CompletedAtSource = at + "." + completion.CompletedAtSource
	}
	if err == nil {
		err = r.Err()
	}
	if err == nil {
		err = completion.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: name, EventID: completion.EventID, Reason: where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, completion)
}

// nameOf is Moodle's name of the event. An event without one is a problem: it may be anything.
func nameOf(event strictjson.Value) (string, error) {
	name, err := event.Member("eventname").StringOnly()
	if err != nil {
		return "", fmt.Errorf("eventname: %w", err)
	}
	if name == "" {
		name = text(event.Member("derived").Member("eventname"))
	}
	switch {
	case name != "":
		return name, nil
	case isStatement(event):
		return "", errors.New("verb.id: is missing")
	default:
		return "", errors.New("eventname: is missing")
	}
}

// whyNot explains an event that is no completion; "" where it is one.
func whyNot(name string) string {
	switch name {
	case completed:
		return ""
	case `\core\event\user_enrolment_updated`, `\core\event\user_enrolment_deleted`:
		return "a change of an enrollment, not a completion"
	case `\core\event\user_graded`:
		return "a grade, not a completion"
	case `\core\event\course_module_completion_updated`, completedVerb:
		return "an activity, a part of a course"
	case `\core\event\course_reset_ended`:
		return "a reset of the course; what was completed stays completed"
	case "webhook.test":
		return "a test of the plugin"
	default:
		return "not a completion event"
	}
}

// read takes the completion and notes what the fields together make of it.
func (a *Adapter) read(r *mapping.Reader, event strictjson.Value, name string) training.Completion {
	c := r.Completion(dates)
	if isStatement(event) {
		if verb := text(event.Member("verb").Member("id")); name == completed && verb != completedVerb {
			r.Problem("verb.id", errors.New("is not completed, though the event says so"))
		}
		if c.Course.ID == "" && !a.mapping.Overridden(mapping.CourseID) {
			r.Problem("object.id", errors.New("want the address of a course, ending in /course/view.php?id= and its id"))
		}
	}
	refuseNobody(r, c.Learner, c.Course)
	return c
}

// refuseNobody notes what Moodle writes where it has no user or course: 0 for none and -1 for the system.
func refuseNobody(r *mapping.Reader, l training.Learner, c training.Course) {
	if l.ID == "0" || l.ID == "-1" {
		r.Problem(string(mapping.LearnerID), errors.New("is 0 or -1, which stand for nobody"))
	}
	if c.ID == "0" {
		r.Problem(string(mapping.CourseID), errors.New("is 0, which stands for none"))
	}
}

// dates reads timecreated, whole seconds since 1970 as a number or in a text, and the RFC 3339 timestamp of
// statements. Milliseconds are never meant.
func dates(v strictjson.Value) (time.Time, training.Precision, error) {
	digits, err := v.Text()
	if err != nil {
		return time.Time{}, "", err
	}
	if v.Kind() == strictjson.String && strings.Trim(digits, "0123456789") != "" {
		return lms.ParseInstant(digits)
	}
	seconds, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || seconds < firstSecond || seconds > lastSecond {
		return time.Time{}, "", errors.New("want whole seconds since 1970")
	}
	return time.Unix(seconds, 0).UTC(), training.PrecisionMillisecond, nil
}
