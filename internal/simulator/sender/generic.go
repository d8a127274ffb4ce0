package sender

import (
	"time"

	// Zones have to be known on a machine that has no zone files.
	_ "time/tzdata"
)

// Generic is any other sender, whose body a tenant maps: names, local dates and words of its own (DESIGN, as all of it is).
// Dates are those of Chicago, by month and day, to the minute.
func Generic() Profile {
	return Profile{
		Platform: "generic", SaysScore: true, SaysFailed: true, Batch: 5, Patience: 10 * time.Second,
		Retry:      Retry{Waits: []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}, Again: onTrouble},
		Credential: func(a Account) Credential { return Bearer(a.Secret) },
		write: func(_ Site, f []Finish) Post {
			if len(f) == 1 {
				return newPost("training.done", genericEvent("training.done", f[0]))
			}
			var events list
			for _, one := range f {
				events = append(events, genericEvent("training.done", one))
			}
			return newPost("training.done", events)
		},
		noise: func(_ Site, f Finish) []Post {
			return []Post{newPost("training.begun", genericEvent("training.begun", f))}
		},
	}
}

func genericEvent(kind string, f Finish) object {
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		panic(err) // its rules are compiled in
	}
	result := "OK"
	if f.failed() {
		result = "NOT OK"
	}
	return object{
		"kind", kind, "staffNo", decimal(f.Learner.ID), "staffMail", f.Learner.Email, "trainingCode", f.Course.Code,
		"training", object{"name", f.Course.Title}, "doneAt", f.At.In(chicago).Format("01/02/2006 15:04"),
		"points", percent(f.Score), "pointsMax", 100, "result", result,
	}
}
