package sender

import "time"

// MoodleStatements is the plugin logstore_xapi: xAPI statements in arrays of up to 30, posted behind the URL's
// "statements", with Basic; exactly 200 is a success, and what failed is sent again only where somebody has switched that
// on (DOCUMENTED by its source). Its patience is not set, so it is what the HTTP library's is; 30 s is DESIGN.
func MoodleStatements() Profile {
	return Profile{
		Platform: "moodle", Variant: "logstore_xapi", Batch: 30, Patience: 30 * time.Second,
		Retry:      Retry{Taken: exactly200},
		Credential: func(a Account) Credential { return Basic(a.user("bridge-key"), a.Secret) },
		write: func(s Site, f []Finish) Post {
			var statements list
			for _, one := range f {
				statements = append(statements, statement(s, moodleCompleted, one))
			}
			return statementsPost("completed", statements)
		},
		noise: func(s Site, f Finish) []Post {
			return []Post{statementsPost("enrolled", list{statement(s, moodleEnrolled, f)})}
		},
	}
}

func statementsPost(event string, statements list) Post {
	p := newPost(event, asPHP(encode(statements)), "Accept", "*/*", "X-Experience-API-Version", "1.0.3")
	p.Tail = "statements"
	return p
}

// statement has no id and no result.
func statement(s Site, event string, f Finish) object {
	verb, display := "http://adlnet.gov/expapi/verbs/completed", "Completed"
	if event == moodleEnrolled {
		verb, display = "https://xapi.edlm/profiles/edlm-lms/concepts/verbs/enrolled", "Enrolled"
	}
	context := object{
		"platform", "Moodle", "registration", guid("moodle registration", f.enrollment()), "language", "en",
		"extensions", object{"http://lrs.learninglocker.net/define/extensions/info", object{
			"http://moodle.org", "4.5.6 (Build: 20250811)", "https://github.com/xAPI-vle/moodle-logstore_xapi", "5.0.1",
			"event_name", event, "event_function", `\src\transformer\events\core\` + event[len(`\core\event\`):],
		}},
		"contextActivities", object{"category", list{object{"objectType", "Activity", "id", s.address(), "definition", object{
			"type", "http://id.tincanapi.com/activitytype/lms", "name", object{"en", "Plant A LMS"}}}}},
	}
	return object{
		"context", context, "timestamp", at(f.At, inMillis),
		"actor", object{"name", f.Learner.name(), "account", object{"homePage", s.address(), "name", decimal(f.Learner.ID)}},
		"verb", object{"id", verb, "display", object{"en", display}},
		"object", object{
			"objectType", "Activity", "id", s.address() + "/course/view.php?id=" + decimal(f.Course.ID),
			"definition", object{
				"type", "https://w3id.org/xapi/cmi5/activitytype/course", "name", object{"en", f.Course.Title},
				"extensions", object{"https://w3id.org/learning-analytics/learning-management-system/external-id", f.Course.Code},
			},
		},
	}
}
