package sender

import "time"

// TalentLMS is a forwarder of its timeline, because nothing of a webhook of its own is known. The
// record is the API's (OBSERVED): unix_timestamp is UTC, timestamp the portal's own time; "-" stands for none. Basic and
// arrays, the newest first, are our contract with forwarders (DESIGN). Nothing is sent twice (SEED).
func TalentLMS() Profile {
	return Profile{
		Platform: "talentlms", Batch: 10, Patience: 5 * time.Second,
		Credential: func(a Account) Credential { return Basic(a.user("talentlms"), a.Secret) },
		write: func(_ Site, f []Finish) Post {
			if len(f) == 1 {
				return newPost("course_completion", talentRecord("course_completion", f[0]))
			}
			records := make(list, len(f))
			for i, one := range f {
				records[len(f)-1-i] = talentRecord("course_completion", one)
			}
			return newPost("course_completion", records)
		},
		noise: func(_ Site, f Finish) []Post {
			return []Post{
				newPost("course_add_user", talentRecord("course_add_user", f)),
				newPost("course_failure", talentRecord("course_failure", f)),
				newPost("unitprogress_test_completion", list{talentRecord("unitprogress_test_completion", f)}),
			}
		},
	}
}

func talentRecord(action string, f Finish) object {
	portal := time.FixedZone("the portal's own", 3600)
	return object{
		"action", action, "message", f.Learner.name() + ": " + f.Course.Title,
		"timestamp", f.At.In(portal).Format("02/01/2006, 15:04:05"), "unix_timestamp", decimal(int(f.At.Unix())),
		"user_id", decimal(f.Learner.ID), "user_username", f.Learner.Username, "user_email", f.Learner.Email,
		"user_fullname", f.Learner.name(), "object_id", decimal(f.Course.ID), "object_name", f.Course.Title,
		"secondary_object_id", "-", "secondary_object_name", "-", "event_counter", "1",
	}
}
