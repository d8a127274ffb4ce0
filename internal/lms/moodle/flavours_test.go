package moodle_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms"
	"countersign/internal/lms/lmstest"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/moodle"
	"countersign/internal/lms/signature"
	"countersign/internal/training"
)

const deliveryID = "0f8b6a52-6d0e-4f0a-9a37-2f5f6f0a8d11"

// sentAt is the webhook-timestamp of the recorded delivery.
var sentAt = time.Unix(1775658682, 0)

// envelope is a completion of local_webhookengine with the given members beside the event.
func envelope(members string) string {
	return `{"id":"` + deliveryID + `","schema":1,"type":"core.course_completed","eventname":"\\core\\event\\course_completed",` +
		`"event":{"courseid":"311","userid":"2","relateduserid":"1042","timecreated":1775658620}` + members + `}`
}

// engine is the completion in envelope.
func engine(change func(*training.Completion)) []training.Completion {
	return flat(func(c *training.Completion) {
		c.EventID, c.CompletedAtSource = deliveryID, "event.timecreated"
		change(c)
	})
}

// TestWebhookEngine_R27: local_webhookengine signs as Standard Webhooks say.
func TestWebhookEngine_R27(t *testing.T) {
	jane := func(c *training.Completion) {
		c.Learner = training.Learner{ID: "1042", Username: "jdoe", Email: "jane.doe@example.test", FirstName: "Jane", LastName: "Doe"}
	}
	stale := lmstest.JSON("stale", envelope(""))
	stale.Header = standard(stale.Body, secret, sentAt.Add(-6*time.Minute))
	ahead := lmstest.JSON("ahead of our clock", envelope(""))
	ahead.Header = standard(ahead.Body, secret, sentAt.Add(6*time.Minute))
	renamed := lmstest.JSON("another id", envelope(""))
	renamed.Header = standard(renamed.Body, secret, sentAt)
	renamed.Header.Set("Webhook-Id", "another")
	lmstest.Run(t, lmstest.Spec{
		New:     lmstest.With(moodle.New),
		Mapping: moodle.DefaultMapping(),
		Verifier: func(secrets ...string) (lms.Verifier, error) {
			for i := range secrets {
				secrets[i] = standardSecret(secrets[i])
			}
			return signature.NewStandard(secrets, 5*time.Minute, func() time.Time { return sentAt })
		},
		Sign:             func(body []byte, secret string) http.Header { return standard(body, secret, sentAt) },
		Secret:           secret,
		CredentialHeader: "Webhook-Signature",
		SignsBody:        true,
		Refused:          []lmstest.Recorded{stale, ahead, renamed},
		AnyType:          true,
		Valid: []lmstest.Valid{
			{Recorded: sample(t, "webhookengine.course_completed"), Want: engine(func(c *training.Completion) {
				jane(c)
				c.Course.Title, c.Course.Code = "SOP-017 Line clearance", "SOP-017"
			})},
			{Recorded: lmstest.JSON("nothing opted in", envelope(``)), Want: engine(same)},
			// relateduser is there only where it differs from who acted.
			{Recorded: lmstest.JSON("who acted is the learner", envelope(`,"user":{"id":1042,"username":"jdoe","firstname":"Jane","lastname":"Doe","email":"jane.doe@example.test"}`)),
				Want: engine(jane)},
			{Recorded: lmstest.JSON("who acted is somebody else", envelope(`,"user":{"id":2,"username":"admin","email":"lms-admin@example.test"}`)), Want: engine(same)},
			{Recorded: lmstest.JSON("relateduser is somebody else", envelope(`,"relateduser":{"id":7,"username":"other"}`)), Want: engine(same)},
			{Recorded: lmstest.JSON("a deleted user", envelope(`,"relateduser":{"id":1042,"deleted":true}`)), Want: engine(same)},
		},
		Ignored: []lmstest.Ignored{
			ignored(lmstest.JSON("the button", `{"id":"t-1","schema":1,"type":"webhook.test","event":{}}`), "webhook.test", "a test of the plugin"),
		},
		Enrolled: []lmstest.Enrolled{
			{Recorded: lmstest.JSON("an enrollment", strings.Replace(envelope(``), `event\\course_completed`, `event\\user_enrolment_created`, 1)),
				Want: []training.Enrollment{{
					EventID: deliveryID, Event: `\core\event\user_enrolment_created`, Learner: training.Learner{ID: "1042"}, Course: training.Course{ID: "311"},
					EnrolledAt: time.Unix(1775658620, 0).UTC(),
				}}},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("no name and no type", `{"schema":1,"event":{}}`), Reason: "eventname: is missing"},
			{Recorded: lmstest.JSON("no learner", strings.Replace(envelope(`,"user":{"id":2,"username":"admin"}`), `"1042"`, `null`, 1)), Reason: "no learner id"},
			{Recorded: lmstest.JSON("the system", strings.Replace(envelope(``), `"1042"`, `-1`, 1)), Reason: "learner.id: is 0 or -1"},
			{Recorded: lmstest.JSON("no course", strings.Replace(envelope(``), `"311"`, `0`, 1)), Reason: "course.id: is 0"},
			{Recorded: lmstest.JSON("no date but created", strings.Replace(envelope(`,"created":1775658620`), `"timecreated":1775658620`, `"timecreated":""`, 1)),
				Reason: "no completion date"},
		},
	})
}

// trigger is a completion of tool_trigger: all texts.
const trigger = `{"eventname":"\\core\\event\\course_completed","courseid":"311","relateduserid":"1042","timecreated":"1775658620"}`

// TestTrigger_R56: tool_trigger sends what its administrator wrote.
func TestTrigger_R56(t *testing.T) {
	const form = `eventname=%5Ccore%5Cevent%5Ccourse_completed&courseid=311&relateduserid=1042&timecreated=1775658620`
	member := func(members string) string { return trigger[:len(trigger)-1] + members + `}` }
	lmstest.Run(t, lmstest.Spec{
		New:              lmstest.With(moodle.New),
		Mapping:          moodle.DefaultMapping(),
		Verifier:         func(tokens ...string) (lms.Verifier, error) { return signature.NewBearer(tokens) },
		Sign:             bearer,
		Secret:           secret,
		CredentialHeader: "Authorization",
		AnyType:          true,
		Valid: []lmstest.Valid{
			{Recorded: sample(t, "tool_trigger.course_completed"), Want: flat(func(c *training.Completion) {
				c.Learner = training.Learner{ID: "1042", Username: "jdoe", Email: "jane.doe@example.test", ExternalID: "EMP-10421"}
				c.Course = training.Course{ID: "311", Title: "SOP-017 Line clearance", Code: "SOP-017"}
			})},
			{Recorded: lmstest.JSON("least", trigger), Want: flat(same)},
			{Recorded: lmstest.Form("without JSON encode", form), Want: flat(same)},
			{Recorded: lmstest.Form("a form with names", form+`&user_firstname=Jane&user_lastname=Doe&course_fullname=R%26D+%C3%A4`), Want: flat(func(c *training.Completion) {
				c.Learner.FirstName, c.Learner.LastName, c.Course.Title = "Jane", "Doe", "R&D \u00e4"
			})},
			{Recorded: lmstest.JSON("an empty idnumber", member(`,"course_idnumber":"","course_shortname":"LC-1"`)),
				Want: flat(func(c *training.Completion) { c.Course.Code = "LC-1" })},
			{Recorded: lmstest.JSON("an idnumber first", member(`,"course_shortname":"LC-1","course_idnumber":"SOP-017"`)),
				Want: flat(func(c *training.Completion) { c.Course.Code = "SOP-017" })},
			{Recorded: lmstest.JSON("placeholders", member(`,"id":"{id}","user_email":"{user_email}","course_idnumber":"{course_idnumber}","user_idnumber":"E{1}"`)),
				Want: flat(func(c *training.Completion) { c.Learner.ExternalID = "E{1}" })},
			{Recorded: lmstest.JSON("an id of the log", member(`,"id":"88121"`)), Want: flat(func(c *training.Completion) { c.EventID = "88121" })},
			{Recorded: lmstest.JSON("a date with its zone", strings.Replace(trigger, "1775658620", "2026-04-08T16:30:20+02:00", 1)), Want: flat(same)},
			{Recorded: lmstest.JSON("our own member", member(`,"derived":{"learner":{"email":"x@example.test"},"title":"x"}`)), Want: flat(same)},
		},
		Problems: []lmstest.Problem{
			{Recorded: lmstest.JSON("no name", strings.Replace(trigger, "eventname", "event_name", 1)), Reason: "eventname: is missing"},
			{Recorded: lmstest.JSON("a name not filled in", `{"eventname":"{eventname}"}`), Reason: "eventname: is missing"},
			{Recorded: lmstest.JSON("an id not filled in", strings.Replace(trigger, `"1042"`, `"{relateduserid}"`, 1)), Reason: "no learner id"},
			{Recorded: lmstest.JSON("a date not filled in", strings.Replace(trigger, `"1775658620"`, `"{timecreated}"`, 1)), Reason: "no completion date"},
		},
		Unreadable: []lmstest.Unreadable{
			{Recorded: lmstest.Form("a field twice", form+`&courseid=312`), Reason: "key given twice"},
			{Recorded: lmstest.Form("a broken escape", form+`&user_email=%4`), Reason: "invalid escape"},
		},
	})
}

// statement is a completed course as logstore_xapi tells of it, with some of its texts replaced.
func statement(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`{"actor":{"account":{"homePage":"https://lms.example.test","name":"1042"}},` +
		`"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},` +
		`"object":{"id":"https://lms.example.test/course/view.php?id=311","definition":{"type":"https://w3id.org/xapi/cmi5/activitytype/course"}},` +
		`"context":{"language":"de","extensions":{"http://lrs.learninglocker.net/define/extensions/info":{"event_name":"\\core\\event\\course_completed"}}},` +
		`"timestamp":"2026-04-08T14:30:20.000Z"}`)
}

// TestStatements: logstore_xapi takes us for an LRS.
func TestStatements(t *testing.T) {
	const (
		info     = `{"http://lrs.learninglocker.net/define/extensions/info":{"event_name":"\\core\\event\\course_completed"}}`
		account  = `"account":{"homePage":"https://lms.example.test","name":"1042"}`
		activity = `\core\event\course_module_completion_updated`
	)
	first := func(change func(*training.Completion)) []training.Completion {
		return flat(func(c *training.Completion) {
			c.CompletedAtSource = "[0].timestamp"
			change(c)
		})
	}
	batch := append(
		flat(func(c *training.Completion) {
			c.CompletedAtSource, c.Learner.FirstName = "[1].timestamp", "Jane Doe"
			c.Course.Title, c.Course.Code = "SOP-017 Line clearance", "SOP-017"
		}),
		flat(func(c *training.Completion) {
			c.CompletedAt, c.CompletedAtSource = time.Date(2026, 4, 8, 14, 31, 2, 0, time.UTC), "[2].timestamp"
			c.Learner = training.Learner{Email: "max.muster@example.test", FirstName: "Max Muster"}
			c.Course = training.Course{ID: "312", Title: "GDP refresher"}
		})...)
	array := func(name string, statements ...string) lmstest.Recorded {
		return lmstest.JSON(name, `[`+strings.Join(statements, ",")+`]`).At("statements")
	}
	recorded := sample(t, "xapi.statements-batch").At("statements")
	lmstest.Run(t, lmstest.Spec{
		New:              lmstest.With(moodle.New),
		Mapping:          moodle.DefaultMapping(),
		Verifier:         basicVerifier,
		Sign:             basic,
		Secret:           secret,
		CredentialHeader: "Authorization",
		AnyType:          true,
		Valid: []lmstest.Valid{
			{Recorded: recorded, Want: batch},
			{Recorded: array("one", statement()), Want: first(same)},
			{Recorded: lmstest.JSON("alone", statement()), Want: flat(func(c *training.Completion) { c.CompletedAtSource = "timestamp" })},
			{Recorded: array("no name of Moodle's event", statement(info, `{}`)), Want: first(same)},
			{Recorded: array("an older release's type", statement(info, `{}`, `https://w3id.org/xapi/cmi5/activitytype/course`, `http://id.tincanapi.com/activitytype/lms/course`)),
				Want: first(same)},
			{Recorded: array("names in two languages", statement(`"definition":{`, `"definition":{"name":{"ar":"x","de":"Linie"},`)),
				Want: first(func(c *training.Completion) { c.Course.Title = "Linie" })},
			{Recorded: array("a name in another language", statement(`"definition":{`, `"definition":{"name":{"fr":"Ligne"},`)),
				Want: first(func(c *training.Completion) { c.Course.Title = "Ligne" })},
			{Recorded: array("Moodle in a folder", statement(`test/course`, `test/lms/course`, `id=311`, `id=311&section=2`)), Want: first(same)},
			{Recorded: array("a statement with an id", statement(`{"actor"`, `{"id":"a1","actor"`)), Want: first(func(c *training.Completion) { c.EventID = "a1" })},
		},
		Enrolled: []lmstest.Enrolled{
			{Recorded: array("an enrollment", statement(`\\course_completed`, `\\user_enrolment_created`, `expapi/verbs/completed`, `expapi/verbs/registered`)),
				Want: enrolledByStatement()},
		},
		Ignored: []lmstest.Ignored{
			ignored(array("an activity", statement(`\\course_completed`, `\\course_module_completion_updated`)), activity, "an activity, a part of a course"),
			ignored(array("an activity without a name", statement(info, `{}`, `https://w3id.org/xapi/cmi5/activitytype/course`, `http://id.tincanapi.com/activitytype/lms/module`)),
				"http://adlnet.gov/expapi/verbs/completed", "an activity, a part of a course"),
			ignored(array("another verb without a name", statement(info, `{}`, `verbs/completed`, `verbs/launched`)),
				"http://adlnet.gov/expapi/verbs/launched", "not a completion event"),
		},
		Problems: []lmstest.Problem{
			{Recorded: array("a verb without an id", statement(info, `{}`, `"id":"http://adlnet.gov/expapi/verbs/completed"`, ``)), Reason: "[0]: verb.id: is missing"},
			{Recorded: array("verb against event", statement(`verbs/completed`, `verbs/launched`)), Reason: "[0]: verb.id: is not completed, though the event says so"},
			{Recorded: array("another address", statement(`view.php?id=311`, `info.php?id=311`)), Reason: "[0]: object.id: want the address of a course"},
			{Recorded: array("two ids", statement(`id=311`, `id=311&id=312`)), Reason: "object.id: want"},
			{Recorded: array("an id that is none", statement(`id=311`, `id=x`)), Reason: "object.id: want"},
			{Recorded: array("a hidden address", statement(account, `"mbox_sha1sum":"cf35"`)), Reason: "no learner id"},
			{Recorded: array("an mbox that is none", statement(account, `"mbox":"jane.doe@example.test"`)), Reason: "no learner id"},
			{Recorded: array("no time", statement(`timestamp`, `stored`)), Reason: "no completion date"},
			{Recorded: array("a time without zone", statement(`20.000Z`, `20.000`)), Reason: "timestamp: date-time without a time zone"},
		},
	})
}

// TestOneBadStatementLeavesTheOthers: the sender knows only one answer for the whole batch (law 4).
func TestOneBadStatementLeavesTheOthers(t *testing.T) {
	decoded, err := moodle.New(nil).Decode(lms.Request{Body: []byte(`[` + statement() + `,7,` + statement(`id=311`, `id=`) + `,` + statement(`id=311`, `id=312`) + `]`)})
	require.NoError(t, err)
	require.Len(t, decoded.Completions, 2)
	require.Equal(t, "[3].timestamp", decoded.Completions[1].CompletedAtSource)
	require.Equal(t, []lms.Problem{
		{Reason: "[1]: want an object, is a number"},
		{Event: completed, Reason: "[2]: object.id: want the address of a course, ending in /course/view.php?id= and its id"},
	}, decoded.Problems)
}

// TestUsernamesInStatements: a setting of logstore_xapi that no delivery tells of.
func TestUsernamesInStatements_R61(t *testing.T) {
	m, err := moodle.DefaultMapping().Override(mapping.Definition{Version: "names", Fields: map[mapping.Target]mapping.Field{
		mapping.LearnerID: {Omit: true}, mapping.LearnerUsername: {Path: "$.actor.account.name"},
	}})
	require.NoError(t, err)
	decoded, err := moodle.New(m).Decode(lms.Request{Body: []byte(statement(`"1042"`, `"jdoe"`))})
	require.NoError(t, err)
	require.Equal(t, training.Learner{Username: "jdoe"}, decoded.Completions[0].Learner)
}

// standard signs as Standard Webhooks 1.0.0 say.
func standard(body []byte, secret string, at time.Time) http.Header {
	signed := fmt.Sprintf("%s.%d.%s", deliveryID, at.Unix(), body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	header := http.Header{}
	header.Set("Webhook-Id", deliveryID)
	header.Set("Webhook-Timestamp", fmt.Sprint(at.Unix()))
	header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return header
}

// enrolledByStatement is what the statement of an enrollment says.
func enrolledByStatement() []training.Enrollment {
	c := flat(same)[0]
	return []training.Enrollment{{
		Event: `\core\event\user_enrolment_created`, Learner: c.Learner, Course: c.Course, EnrolledAt: c.CompletedAt,
	}}
}
