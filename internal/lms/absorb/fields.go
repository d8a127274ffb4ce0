package absorb

import (
	"errors"
	"strings"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// DefaultMapping is what every source without a mapping of its own is read with. Our source writes
// EnrollmentId, the REST API userId; as nobody has seen a body, either first letter is taken.
func DefaultMapping() *mapping.Mapping {
	percent := "100" // the REST API's score is a percentage
	return mapping.MustCompile(Platform, mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
		mapping.EventID:      {Path: "$.id"},
		mapping.Event:        {Path: "$.event"},
		mapping.EnrollmentID: {Path: "$.payload['enrollmentId','EnrollmentId']"},
		// fullName is left: where the first name ends is not for us to say.
		mapping.LearnerID:   {Path: "$.payload['userId','UserId']"},
		mapping.CourseID:    {Path: "$.payload['courseId','CourseId']"},
		mapping.CourseTitle: {Path: "$.payload['courseName','CourseName']"},
		// There is nothing to fall back on: fired_at is when Absorb spoke, and an administrator may enter a
		// completion of last week.
		mapping.CompletedAt: {Path: "$.payload['dateCompleted','DateCompleted']"},
		mapping.ScoreRaw:    {Path: "$.payload['score','Score']"},
		mapping.ScoreMax:    {Const: &percent},
		// "complete", number 3, alone does not say that anybody passed.
		mapping.Passed: {Path: "$.payload['status','Status']", Transform: "statusMap:5=false,*=null"},
	}})
}

// spellings are the targets whose member may have either first letter, with its name as the REST API writes it.
func spellings() []struct {
	target mapping.Target
	name   string
} {
	return []struct {
		target mapping.Target
		name   string
	}{
		{mapping.EnrollmentID, "enrollmentId"},
		{mapping.LearnerID, "userId"},
		{mapping.CourseID, "courseId"},
		{mapping.CourseTitle, "courseName"},
		{mapping.CompletedAt, "dateCompleted"},
		{mapping.ScoreRaw, "score"},
	}
}

// add reads the envelope of an enrollment that is finished.
func (a *Adapter) add(decoded *lms.Decoded, envelope strictjson.Value, event, eventID string) {
	r := a.mapping.Read(envelope)
	if is, reason := r.IsCompletion(); !is {
		decoded.Ignored = append(decoded.Ignored, lms.Ignored{Event: event, Reason: reason})
		return
	}
	c := r.Completion(date)
	for _, s := range spellings() {
		if lower, _, both := paths(envelope, s.name); both && !a.mapping.Overridden(s.target) {
			r.Problem(lower, errors.New(twoSpellings))
		}
	}
	err := r.Err()
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		decoded.Problems = append(decoded.Problems, lms.Problem{Event: event, EventID: eventID, Reason: err.Error()})
		return
	}
	decoded.Completions = append(decoded.Completions, c)
}

func date(value strictjson.Value) (time.Time, training.Precision, error) {
	text, err := value.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}

// twoSpellings is a problem: two members that say two things.
const twoSpellings = "given in two spellings"

// paths are the two paths that a member of the payload may have, given its name as the REST API writes it,
// and whether something stands at both.
func paths(envelope strictjson.Value, name string) (lower, upper string, both bool) {
	capital := strings.ToUpper(name[:1]) + name[1:]
	payload := envelope.Member("payload")
	return "payload." + name, "payload." + capital, !payload.Member(name).Missing() && !payload.Member(capital).Missing()
}
