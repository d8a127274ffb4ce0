package sender

import "time"

// Absorb signs with HMAC-SHA256 in hexadecimal in absorb-signature (SEED). No real body was ever seen: the
// members join the SEED's envelope and the names of the REST interface (OBSERVED). The SEED says both that it retries on
// anything but 2xx and that nothing is published; once and no more is the harder one. Patience is the lower end
// of 5 to 30 s (SEED).
func Absorb() Profile {
	return Profile{
		Platform: "absorb", SaysScore: true, SaysFailed: true, Patience: 5 * time.Second,
		Credential: func(a Account) Credential { return HMAC{Header: "absorb-signature", Secret: a.Secret} },
		write: func(s Site, f []Finish) Post {
			if f[0].failed() {
				return absorbPost(s, "course.completion", absorbFailed, f[0])
			}
			return absorbPost(s, "course.completion", absorbComplete, f[0])
		},
		noise: func(s Site, f Finish) []Post {
			return []Post{
				absorbPost(s, "course.started", absorbInProgress, f),
				absorbPost(s, "course.evaluation", absorbPendingEvaluation, f),
			}
		},
	}
}

// Some of the thirteen states of an enrollment (OBSERVED).
const (
	absorbInProgress        = 1
	absorbComplete          = 3
	absorbFailed            = 5
	absorbPendingEvaluation = 7
)

func absorbPost(s Site, event string, status int, f Finish) Post {
	fired := f.At.Add(22 * time.Second)
	id := guid("absorb", event, f.Learner.ID, f.Course.ID, f.At)
	var score, completed any
	progress := 60
	if status == absorbComplete || status == absorbFailed {
		score, completed, progress = percent(f.Score), at(f.At, inSeconds), 100
	}
	p := newPost(event, object{
		"id", id, "event", event, "version", "1.0", "fired_at", at(fired, inMillis), "timestamp", fired.Unix(),
		"original_domain", s.Domain,
		"payload", object{
			"EnrollmentId", guid("absorb enrollment", f.enrollment()), "userId", guid("absorb user", f.Learner.ID),
			"fullName", f.Learner.name(), "courseId", guid("absorb course", f.Course.ID), "courseName", f.Course.Title,
			"status", status, "progress", progress, "score", score,
			"dateStarted", at(f.started(), inSeconds), "dateCompleted", completed,
		},
	})
	p.ID = id
	return p
}

// AbsorbUser is the id under which Absorb knows the learner of this number.
func AbsorbUser(number int) string { return guid("absorb user", number) }
