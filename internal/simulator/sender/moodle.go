package sender

import (
	"bytes"
	"context"
	"net/http"
	"time"
)

// The events of Moodle that these plugins pass on.
const (
	moodleCompleted = `\core\event\course_completed`
	moodleEnrolled  = `\core\event\user_enrolment_created`
	moodleGraded    = `\core\event\user_graded`
)

// Moodle is the plugin local_webhookengine: Standard Webhooks, an envelope with ids and names (DOCUMENTED by its source).
// 10 s; 1, 5, 15 minutes, 1, 3, 6, 12, 24 hours on no answer, 408, 425, 429 and 5xx, with Retry-After kept
// within 1 minute and 1 hour (DOCUMENTED). 100 deliveries in a row that ended as failed pause it (DOCUMENTED); that three days
// without a success do too, and its jitter of 10 %, are left out here.
func Moodle() Profile {
	return Profile{
		Platform: "moodle", Patience: 10 * time.Second,
		Retry: Retry{
			Waits: []time.Duration{
				time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
			},
			Again: func(status int) bool {
				return only(http.StatusRequestTimeout, http.StatusTooEarly)(status) || onTrouble(status)
			},
			AfterMin: time.Minute, AfterMax: time.Hour,
		},
		Disable:    Disable{GivenUp: 100},
		Credential: func(a Account) Credential { return StandardWebhooks{Secret: a.Secret} },
		write:      func(s Site, f []Finish) Post { return engineEvent(s, "core.course_completed", moodleCompleted, f[0]) },
		noise: func(s Site, f Finish) []Post {
			return []Post{
				engineEvent(s, "core.user_enrolment_created", moodleEnrolled, f), engineEvent(s, "core.user_graded", moodleGraded, f),
				engineTest(s, f),
			}
		},
	}
}

// engineTest is what its button "Send test" sends (DOCUMENTED by its source, action.php).
func engineTest(s Site, f Finish) Post {
	const kind = "webhook.test"
	p := engineEvent(s, kind, kind, f)
	p.Body = encode(object{
		"id", p.ID, "schema", 1, "type", kind, "eventname", kind, "created", f.At.Unix(), "site", object{"url", s.address()},
		"event", object{"component", "local_webhookengine", "action", "test", "target", "webhook", "userid", 2, "timecreated", f.At.Unix()},
	})
	return p
}

func engineEvent(s Site, kind, event string, f Finish) Post {
	id := guid("moodle", kind, f.Learner.ID, f.Course.ID, f.At)
	target, action := actionOf(event)
	p := newPost(kind, object{
		"id", id, "schema", 1, "type", kind, "eventname", event, "created", f.At.Unix(), "site", object{"url", s.address()},
		"event", object{
			"component", "core", "action", action, "target", target, "objectid", decimal(f.enrollment()), "crud", "u", "edulevel", 2,
			"contextid", 914, "contextlevel", 50, "contextinstanceid", decimal(f.Course.ID), "courseid", decimal(f.Course.ID),
			"userid", "2", "relateduserid", decimal(f.Learner.ID), "timecreated", f.At.Unix(),
		},
		"user", object{"id", 2, "username", "admin", "firstname", "Site", "lastname", "Admin", "email", "lms-admin@" + s.Domain},
		"relateduser", object{"id", f.Learner.ID, "username", f.Learner.Username, "firstname", f.Learner.First,
			"lastname", f.Learner.Last, "email", f.Learner.Email},
		"course", object{"id", f.Course.ID, "shortname", f.Course.Code, "fullname", f.Course.Title, "categoryid", 4},
	}, "Accept", "*/*", "User-Agent", "WebhookEngine/1.0.0", "X-Webhook-Event", kind)
	p.ID = id
	return p
}

// actionOf is what an event is about and what happened to it.
func actionOf(event string) (target, action string) {
	switch event {
	case moodleEnrolled:
		return "user_enrolment", "created"
	case moodleGraded:
		return "user", "graded"
	default:
		return "course", "completed"
	}
}

// MoodleEvents is the plugin local_webhooks: a flat event with a token in it, sent once and the answer not looked
// at, for as long as it takes (DOCUMENTED by its source). Ids come as texts or numbers. The administrator may have it
// called a form, which it is not.
func MoodleEvents() Profile {
	return Profile{
		Platform: "moodle", Variant: "local_webhooks",
		Retry:      Retry{Taken: func(int) bool { return true }},
		Credential: func(a Account) Credential { return MemberToken{Secret: a.Secret} },
		write:      func(s Site, f []Finish) Post { return flatEvent(s, moodleCompleted, formType, f[0], nil) },
		noise: func(s Site, f Finish) []Post {
			return []Post{
				flatEvent(s, moodleEnrolled, jsonType, f, object{"enrol", "manual"}),
				flatEvent(s, moodleGraded, jsonType, f, object{"itemid", "6021", "overridden", false, "finalgrade", 91.5}),
			}
		},
	}
}

func flatEvent(s Site, event, contentType string, f Finish, other object) Post {
	target, action := actionOf(event)
	if other == nil {
		other = object{"relateduserid", decimal(f.Learner.ID)}
	}
	// The administrator runs cron. Some events write ids as numbers, and -1 for the system (OBSERVED).
	var by, learner, row any = "2", decimal(f.Learner.ID), decimal(f.enrollment())
	switch event {
	case moodleGraded:
		by = -1
	case moodleEnrolled:
		learner, row = f.Learner.ID, f.enrollment()
	}
	return newPost(event, asPHP(encode(object{
		"eventname", event, "component", "core", "action", action, "target", target, "objecttable", "course_completions",
		"objectid", row, "crud", "u", "edulevel", 2, "contextid", 914, "contextlevel", 50,
		"contextinstanceid", decimal(f.Course.ID), "userid", by, "courseid", decimal(f.Course.ID),
		"relateduserid", learner, "anonymous", 0, "other", other, "timecreated", f.At.Unix(),
		"host", s.Domain, "token", "", "extra", "",
	})), "Accept", "*/*", "User-Agent", "MoodleBot/4.5 (+"+s.address()+")", "Content-Type", contentType)
}

// MemberToken is the token inside the body of local_webhooks.
type MemberToken struct{ Secret string }

// Apply implements Credential.
func (m MemberToken) Apply(_ context.Context, a *Attempt) error {
	a.Body = bytes.Replace(a.Body, []byte(`"token":""`), append([]byte(`"token":`), encode(m.Secret)...), 1)
	return nil
}

// MoodleTrigger is an HTTP step of the plugin tool_trigger, with the template that we recommend: a flat object of texts,
// and a bearer token as typed. Run again up to 5 times, 1 hour apart, unless the answer is exactly 200 (DOCUMENTED by its source).
func MoodleTrigger() Profile {
	return Profile{
		Platform: "moodle", Variant: "tool_trigger", Patience: 30 * time.Second,
		Retry: Retry{
			Waits: []time.Duration{time.Hour, time.Hour, time.Hour, time.Hour, time.Hour},
			Taken: exactly200,
		},
		Credential: func(a Account) Credential { return Bearer(a.Secret) },
		write:      func(s Site, f []Finish) Post { return templated(s, moodleCompleted, f[0]) },
		noise:      func(s Site, f Finish) []Post { return []Post{templated(s, moodleEnrolled, f)} },
	}
}

func exactly200(status int) bool { return status == http.StatusOK }

func templated(s Site, event string, f Finish) Post {
	return newPost(event, asPHP(encode(object{
		"eventname", event, "objectid", decimal(f.enrollment()), "courseid", decimal(f.Course.ID),
		"relateduserid", decimal(f.Learner.ID), "timecreated", decimal(int(f.At.Unix())), "wwwroot", s.address(),
		"user_idnumber", f.Learner.ExternalID, "user_email", f.Learner.Email, "user_username", f.Learner.Username,
		"course_idnumber", f.Course.Code, "course_shortname", f.Course.Code, "course_fullname", f.Course.Title,
	})), "User-Agent", "GuzzleHttp/6")
}
