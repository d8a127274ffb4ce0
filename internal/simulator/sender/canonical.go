package sender

import "time"

// Canonical is a sender built to the canonical envelope (SEED). How it retries nobody says: "some senders retry",
// within 5 to 30 s of patience (SEED); the schedule is DESIGN.
func Canonical() Profile {
	return Profile{
		Platform: "canonical", SaysScore: true, SaysFailed: true,
		Patience:   10 * time.Second,
		Retry:      Retry{Waits: []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}, Again: onTrouble},
		Credential: func(a Account) Credential { return HMAC{Header: SignatureHeader, Prefix: "sha256=", Secret: a.Secret} },
		write:      func(s Site, f []Finish) Post { return enveloped(s, EventCompletion, f[0]) },
		noise: func(s Site, f Finish) []Post {
			return []Post{enveloped(s, EventEnrollment, f), enveloped(s, "user.created", f)}
		},
	}
}

func enveloped(s Site, event string, f Finish) Post {
	fired := f.At.Add(22 * time.Second)
	id := "wh-" + at(fired, "20060102-150405") + "-" + guid("canonical", event, f.Learner.ID, f.Course.ID, f.At)
	e := Envelope{
		ID: id, Event: event, Version: "1.0", FiredAt: at(fired, inMillis), Timestamp: fired.Unix(), OriginalDomain: s.Domain,
		Payload: Payload{
			User: User{ID: f.Learner.ID, Email: f.Learner.Email, FirstName: f.Learner.First, LastName: f.Learner.Last,
				ExternalID: f.Learner.ExternalID},
			Course: f.Course,
		},
	}
	e.Payload.Course.Result = nil
	if event == EventCompletion {
		e.Payload.Course.Result = &Result{CompletionDate: at(f.At, inSeconds), Score: f.Score, Passed: f.Passed}
		e.Payload.Certificate = &Certificate{Issued: !f.failed()}
		if !f.failed() {
			expiry := at(f.At.AddDate(1, 0, 0), inSeconds)
			e.Payload.Certificate.ExpiryDate = &expiry
		}
	}
	p := newPost(event, e)
	p.ID = id
	return p
}
