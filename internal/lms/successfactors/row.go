package successfactors

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

const (
	// firstMillisecond is in March 1973. As seconds it is the year 5138: a smaller number is not in milliseconds.
	firstMillisecond = 100_000_000_000
	// lastMillisecond is the end of 9999.
	lastMillisecond = 253_402_300_799_999
)

// plainNumber is a grade that is a score, and not "A", "85/100", "1e2" or "Pass".
var plainNumber = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$`)

// add adds what the row is to decoded; at is where it stands in the body, "" for the body itself.
func (a *Adapter) add(decoded *lms.Decoded, at string, sent strictjson.Value) {
	where := at
	if where != "" {
		where += ": "
	}
	if sent.Kind() != strictjson.Object {
		reason := fmt.Sprintf("%swant a row, an object; is %s", where, sent.Kind())
		decoded.Problems = append(decoded.Problems, lms.Problem{Reason: reason})
		return
	}
	r := a.mapping.Read(sent.With("derived", derive(sent)))
	passed, ignored := a.result(r, sent)
	if ignored == "" {
		_, ignored = r.IsCompletion()
	}
	if ignored != "" {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Reason: where + ignored})
		return
	}
	c := r.Completion(dates)
	c.Score.Passed = passed
	if at != "" && c.CompletedAtSource != "" {
		c.CompletedAtSource = at + "." + c.CompletedAtSource
	}
	if c.Course.ID == "" && !a.mapping.Overridden(mapping.CourseID) {
		checkItem(r, sent)
	}
	err := r.Err()
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: c.Event, EventID: c.EventID, Reason: where + err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

// unmapped is a problem: a status code that nobody explained.
const unmapped = "the mapping of passed does not say what this status stands for: want passed, failed or ignore"

// result reads what the customer's status stands for, which the tenant's own mapping of passed says and nothing else. ignored is the reason of a row that the mapping sets aside; a status
// that it does not know is a problem, for it may be a failure.
func (a *Adapter) result(r *mapping.Reader, row strictjson.Value) (passed *bool, ignored string) {
	const path = "completionStatusID"
	if !a.mapping.Overridden(mapping.Passed) {
		// The codes are the customer's. One that reads like a word of ours need not mean it.
		text, err := row.Member(path).Text()
		switch {
		case err != nil:
			r.Problem(path, err)
		case text == "":
			r.Problem(path, errors.New("is missing"))
		default:
			r.Problem(path, errors.New(unmapped))
		}
		return nil, ""
	}
	truth := false
	switch word := strings.ToLower(r.Text(mapping.Passed)); word {
	case "passed", "true":
		truth = true
	case "failed", "false":
	case "ignore":
		return nil, path + ": the mapping of passed sets this status aside"
	default:
		switch {
		case r.Err() != nil: // what is wrong was noted
		case row.Member(path).Missing():
			r.Problem(path, errors.New("is missing"))
		default:
			r.Problem(path, errors.New(unmapped))
		}
		return nil, ""
	}
	return &truth, ""
}

// derive is what no path can say. An item's key is its type and its id, as SAP has it.
func derive(row strictjson.Value) strictjson.Value {
	kind, _ := row.Member("componentTypeID").Text()
	id, _ := row.Member("componentID").Text()
	derived := map[string]strictjson.Value{}
	if kind != "" && id != "" && !strings.Contains(kind, "/") {
		derived["item"] = strictjson.StringOf(kind + "/" + id)
	}
	if grade := strings.TrimSpace(row.Member("grade").Raw()); plainNumber.MatchString(grade) {
		derived["score"] = strictjson.StringOf(grade)
	}
	return strictjson.ObjectOf(derived)
}

// checkItem says why a row has no item. A slash in the type would leave open where the id begins, and two items could
// become one.
func checkItem(r *mapping.Reader, row strictjson.Value) {
	for _, path := range []string{"componentTypeID", "componentID"} {
		text, err := row.Member(path).Text()
		switch {
		case err != nil:
		case text == "":
			err = errors.New("is missing")
		case path == "componentTypeID" && strings.Contains(text, "/"):
			err = errors.New("has a slash in it")
		}
		if err != nil {
			r.Problem(path, err)
		}
	}
}

// dates reads milliseconds since 1970, as a number or in a text because a converter from XML makes texts of all, and
// RFC 3339. Seconds are never meant.
func dates(v strictjson.Value) (time.Time, training.Precision, error) {
	text, err := v.Text()
	if err != nil {
		return time.Time{}, "", err
	}
	if v.Kind() == strictjson.String && strings.Trim(text, "0123456789") != "" {
		return lms.ParseInstant(text)
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms < firstMillisecond || ms > lastMillisecond {
		return time.Time{}, "", errors.New("want milliseconds since 1970")
	}
	return time.UnixMilli(ms).UTC(), training.PrecisionMillisecond, nil
}
