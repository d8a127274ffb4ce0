package sender

import "time"

// Activate is Activate LMS's outbound sync: one flat body for each completion, laid out by an administrator, without
// an event's name or id; the names are the vendor's example (DOCUMENTED). 30 s of patience, repetitions after 1, 5 and 30
// minutes, and after ten failures in a row the integration is disabled (DOCUMENTED). Whether "at most 3 attempts"
// counts the first is unknown: three repetitions, and every attempt counted, is the harder one. Of its seven credentials this
// is the login; its names of the members are DESIGN.
func Activate() Profile {
	return Profile{
		Platform: "activate", SaysScore: true, SaysFailed: true, Patience: 30 * time.Second,
		Retry:      Retry{Waits: []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}},
		Disable:    Disable{Attempts: 10},
		Credential: func(a Account) Credential { return Login(a.TokenURL, a.user("activate-svc"), a.Secret) },
		write: func(_ Site, f []Finish) Post {
			finish := f[0]
			status := "passed"
			if finish.failed() {
				status = "failed"
			}
			return newPost("completion", object{
				"employeeId", finish.Learner.ExternalID, "courseName", finish.Course.Title, "completedOn", at(finish.At, inSeconds),
				"score", percent(finish.Score), "status", status, "organisation", "HR department",
			})
		},
	}
}
