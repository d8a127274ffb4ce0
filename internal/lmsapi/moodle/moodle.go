// Package moodle looks up what Moodle's webhooks lack through its web services: e-mail, idnumber, title, grade, and when
// the learner really finished. An event states when Moodle's cron noticed, which may be days later.
//
// Everything here was seen on Moodle 4.5, and is Moodle's own since 3.x. Calls are form posts to one address, so neither
// the token nor a person stands in it. Errors come as 200 with an exception. Names come HTML-escaped. No list of
// completions exists: Completions walks the courses and asks for each enrolled learner.
//
// A listed completion carries the instant at which the last criterion was met, an event the one at which Moodle noticed:
// their fingerprints differ (Page.Apart).
package moodle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"time"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings.
const Platform = "moodle"

// The functions that the token's service must hold.
const (
	usersByField   = "core_user_get_users_by_field"
	coursesByField = "core_course_get_courses_by_field"
	status         = "core_completion_get_course_completion_status"
	grades         = "gradereport_user_get_grade_items"
	enrolledUsers  = "core_enrol_get_enrolled_users"
)

// commitTime is how old an event must be before "not completed" is believed: Moodle may send it before its own
// transaction is committed. Retries at 1, 5 and 15 minutes outlive it.
const commitTime = 10 * time.Minute

// Manner is how Moodle's web services behave. Core has no rate limit.
func Manner() rest.Manner {
	return rest.Manner{Platform: Platform, Needs: []rest.Key{rest.KeyToken}, Sign: func(*http.Request, string) {}}
}

// Client is one source's access to its Moodle.
type Client struct{ api *rest.Client }

var _ lmsapi.Lister = (*Client)(nil)

// New makes a client. It calls nobody.
func New(cfg rest.Config) (*Client, error) {
	api, err := rest.New(cfg, Manner())
	if err != nil {
		return nil, err
	}
	return &Client{api}, nil
}

// refusedError is Moodle's own refusal, by its error code.
type refusedError string

func (e refusedError) Error() string { return string(e) }

// absent are the error codes that say: there is no such thing here.
func absent(err error) bool {
	code, ok := errors.AsType[refusedError](err)
	if !ok {
		return false
	}
	switch code {
	case "invaliduser", "usernotenroled", "nocriteriaset", "completionnotenabled", "invalidrecord", "invalidrecordunknown", "invalidcourseid":
		return true
	default:
		return false
	}
}

// call calls a function and decodes its answer into out.
func (c *Client) call(ctx context.Context, operation, function string, arguments url.Values, out any) error {
	form := url.Values{"wstoken": {c.api.Credential(rest.KeyToken)}, "moodlewsrestformat": {"json"}, "wsfunction": {function}}
	for name, values := range arguments {
		form[name] = values
	}
	var answer json.RawMessage
	if _, err := c.api.Do(ctx, rest.Call{Operation: operation, Path: path, Form: form, Whole: function == coursesByField}, &answer); err != nil {
		return err
	}
	if err := exception(operation, answer); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if decoder.Decode(out) != nil {
		return training.Fail(training.FailureMisread, operation, path, "answer of "+function+" is not what Moodle documents")
	}
	return nil
}

const path = "/webservice/rest/server.php"

// exception finds the error in a 200. The code is a stable word; the message may name a person and is not looked at.
func exception(operation string, answer json.RawMessage) error {
	var body struct {
		Exception string `json:"exception"`
		Code      string `json:"errorcode"`
	}
	if json.Unmarshal(answer, &body) != nil || body.Exception == "" {
		return nil // a list, or an answer
	}
	f := training.Fail(training.FailureRefused, operation, path, "200 with an exception")
	f.Err = refusedError(body.Code)
	switch body.Code {
	case "invalidtoken", "accessexception", "nopermissions", "nopermissiontoaccesspage", "servicenotavailable", "requireloginerror",
		"errorcoursecontextnotvalid", "usernotfullysetup", "forcepasswordchangenotice", "expiredtoken":
		f.Class = training.FailureCredentials
		f.Detail += ": " + body.Code
	case "sitemaintenance", "upgraderunning", "dbconnectionfailed", "dmlreadexception", "generalexceptionmessage":
		f.Class = training.FailureUnreachable
		f.Detail += ": " + body.Code
	default:
		if absent(f.Err) || body.Code == "invalidparameter" {
			f.Detail += ": " + body.Code
		}
	}
	return f
}

// Check implements lmsapi.Client: the token, and that its service holds every function that is called.
func (c *Client) Check(ctx context.Context) error {
	for _, f := range []struct {
		function  string
		arguments url.Values
		out       any
	}{
		{usersByField, url.Values{"field": {"id"}, "values[0]": {"0"}}, &[]user{}},
		{coursesByField, url.Values{"field": {"id"}, "value": {"0"}}, &struct{ Courses []course }{}},
		{status, url.Values{"courseid": {"0"}, "userid": {"0"}}, &struct{}{}},
		{grades, url.Values{"courseid": {"0"}, "userid": {"0"}}, &struct{}{}},
		{enrolledUsers, url.Values{"courseid": {"0"}}, &[]user{}},
	} {
		err := c.call(ctx, "check "+f.function, f.function, f.arguments, f.out)
		// Course 0 and user 0 are nowhere: any refusal but one of credentials has gone through the door.
		failure, ok := errors.AsType[*training.Failure](err)
		if err != nil && (!ok || failure.Class != training.FailureRefused || !isRefused(err)) {
			return err
		}
	}
	return nil
}

func isRefused(err error) bool {
	_, ok := errors.AsType[refusedError](err)
	return ok
}

// text is a name as Moodle's users wrote it.
func text(escaped string) string { return html.UnescapeString(escaped) }

// user is what Moodle says of a person; a member is absent where it is empty or not to be seen.
type user struct {
	ID        rest.Text `json:"id"`
	Username  string    `json:"username"`
	FirstName string    `json:"firstname"`
	LastName  string    `json:"lastname"`
	Email     string    `json:"email"`
	IDNumber  rest.Text `json:"idnumber"`
}

func (u user) learner() training.Learner {
	return training.Learner{
		ID: string(u.ID), Username: text(u.Username), Email: text(u.Email), ExternalID: text(string(u.IDNumber)),
		FirstName: text(u.FirstName), LastName: text(u.LastName),
	}
}

// course is what Moodle says of a course.
type course struct {
	ID         rest.Text `json:"id"`
	FullName   string    `json:"fullname"`
	ShortName  string    `json:"shortname"`
	IDNumber   rest.Text `json:"idnumber"`
	Completion any       `json:"enablecompletion"`
}

func (c course) training() training.Course {
	code := text(string(c.IDNumber))
	if code == "" {
		code = text(c.ShortName)
	}
	return training.Course{ID: string(c.ID), Title: text(c.FullName), Code: code}
}

// tracks reports whether the course has completion at all: 1, or true in later versions.
func (c course) tracks() bool { return fmt.Sprint(c.Completion) != "0" && c.Completion != false }
