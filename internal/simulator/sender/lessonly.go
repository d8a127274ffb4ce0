package sender

import "time"

// Lessonly is Lessonly, now Seismic Learning: one report for each finished lesson, and nothing else, with an Authorization
// as an administrator has typed it. Three repetitions, one every 5 minutes, then it stops until there is new data
// (DOCUMENTED). A lesson that was failed is finished too; retake_score is the pass mark. Patience is unknown.
func Lessonly() Profile {
	return Profile{
		Platform: "lessonly", SaysScore: true, SaysFailed: true, Patience: 10 * time.Second,
		Retry:      Retry{Waits: []time.Duration{5 * time.Minute, 5 * time.Minute, 5 * time.Minute}},
		Credential: func(a Account) Credential { return Header{"Authorization", a.Secret} },
		write: func(s Site, f []Finish) Post {
			finish := f[0]
			retake := 70
			if finish.Score == nil { // an ungraded lesson
				retake = 0
			}
			return newPost("lesson completed", object{
				"user", object{"ext_uid", finish.Learner.ExternalID, "id", decimal(finish.Learner.ID), "name", finish.Learner.name(),
					"email", finish.Learner.Email, "custom_fields", object{"Site", "Plant 3", "Shift", "B"}},
				"lesson", object{"id", decimal(finish.Course.ID), "title", finish.Course.Title, "retake_score", retake},
				"score_percent", percent(finish.Score), "started_at", at(finish.started(), inSeconds),
				"completed_at", at(finish.At, inSeconds), "assigned_at", at(finish.enrolled(), inSeconds),
				"report_card_url", s.address() + "/report_cards/" + decimal(finish.enrollment()),
			})
		},
	}
}
