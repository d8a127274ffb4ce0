package sender

import "time"

// Adobe is Adobe Learning Manager. Events always come in an array, completions by an administrator as
// COURSE_COMPLETED_BATCH; ids are numbers; seconds of dates are 00 (DOCUMENTED). How many events one delivery
// holds is DESIGN. 10 s to connect and 5 s to answer; waits of 5, 10, 20 s up to 5 min, for 7 days, in order per
// account, then the webhook is switched off (DOCUMENTED). Basic, because the signature's header is unknown.
func Adobe() Profile {
	return Profile{
		Platform: "adobe-learning-manager", SaysFailed: true, Batch: 10, Patience: 5 * time.Second, InOrder: true,
		Retry:      Retry{Waits: doubling(5*time.Second, 5*time.Minute, 7*24*time.Hour)},
		Disable:    Disable{GivenUp: 1},
		Credential: func(a Account) Credential { return Basic(a.user("alm-bridge"), a.Secret) },
		write: func(_ Site, f []Finish) Post {
			event := "COURSE_COMPLETED"
			if len(f) > 1 {
				event += "_BATCH"
			}
			var events list
			for i, one := range f {
				passed := one.Passed == nil || *one.Passed
				events = append(events, adobeEvent(event, i, one, "dateCompleted", adobeDate(one.At), "hasPassed", passed))
			}
			return adobePost(event, events)
		},
		noise: func(_ Site, f Finish) []Post {
			return []Post{
				adobePost("COURSE_ENROLLMENT", list{adobeEvent("COURSE_ENROLLMENT", 0, f, "dateEnrolled", adobeDate(f.enrolled()))}),
				adobePost("LEARNER_PROGRESS", list{adobeEvent("LEARNER_PROGRESS", 0, f,
					"dateStarted", adobeDate(f.started()), "progressPercent", 100)}),
			}
		},
	}
}

func adobeDate(t time.Time) string { return at(t.Truncate(time.Minute), inMillis) }

func adobePost(event string, events list) Post {
	return newPost(event, object{"accountId", 69101, "events", events})
}

func adobeEvent(name string, index int, f Finish, dates ...any) object {
	sent := f.At.Add(24 * time.Second)
	course := "course:" + decimal(f.Course.ID)
	data := object{
		"userId", f.Learner.ID, "loId", course, "loInstanceId", course + "_" + decimal(f.Course.ID+1), "loType", "course",
		"enrollmentSource", "SELF_ENROLL",
	}
	return object{
		"eventId", guid("adobe", name, f.Learner.ID, f.Course.ID, f.At), "eventName", name, "timestamp", at(sent, inMillis),
		"eventInfo", decimal(int(sent.UnixMilli())) + "-040363-12018-" + decimal(index), "data", append(data, dates...),
	}
}
