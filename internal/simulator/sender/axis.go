package sender

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// Axis is Axis LMS. What each event tells is DOCUMENTED; encoding, names and the place of the secret
// are unknown, so all of them are DESIGN, and it sends once. Values are texts, dates days without a zone
// (OBSERVED). It fires on a finished course whatever the result was (DOCUMENTED).
func Axis() Profile {
	return Profile{
		Platform: "axis", SaysScore: true, SaysFailed: true, Patience: 5 * time.Second,
		Credential: func(a Account) Credential { return Header{"X-Axis-Webhook-Secret", a.Secret} },
		write:      func(_ Site, f []Finish) Post { return newPost("course_complete", axisCourse("course_complete", f[0])) },
		noise: func(_ Site, f Finish) []Post {
			return []Post{
				newPost("course_start", axisCourse("course_start", f)),
				newPost("user_add", object{"event", "user_add", "username", f.Learner.Username, "date", at(f.At, inDay)}),
			}
		},
	}
}

// AxisForm is Axis with a form, and the event's name behind the URL, because one URL is set for each event.
func AxisForm() Profile {
	p := Axis()
	p.Variant = "form"
	p.Credential = func(a Account) Credential {
		if a.Secret == "" {
			return Unsigned{}
		}
		return FormSecret{Name: "auth_secret", Secret: a.Secret}
	}
	asForm := func(p Post, fields object) Post {
		form := make([]string, 0, len(fields)/2)
		for i := 0; i+1 < len(fields); i += 2 {
			name, _ := fields[i].(string) // both are texts in this platform
			value, _ := fields[i+1].(string)
			form = append(form, url.QueryEscape(name)+"="+url.QueryEscape(value))
		}
		p.Body = []byte(strings.Join(form, "&"))
		p.Header.Set("Content-Type", formType)
		p.Tail = p.Event
		return p
	}
	p.write = func(_ Site, f []Finish) Post {
		return asForm(newPost("course_complete", nil), axisCourse("course_complete", f[0]))
	}
	p.noise = func(_ Site, f Finish) []Post {
		return []Post{asForm(newPost("course_start", nil), axisCourse("course_start", f))}
	}
	return p
}

// axisCourse is an event of a course; one that has only begun has no score.
func axisCourse(event string, f Finish) object {
	o := object{
		"event", event, "course_name", f.Course.Title, "course_catalog_id", f.Course.Code, "course_passing_score", "70",
		"username", f.Learner.Username,
	}
	if event == "course_complete" {
		score := ""
		if f.Score != nil {
			score = string(encode(*f.Score))
		}
		o = append(o, "user_score", score)
	}
	return append(o, "date", at(f.At, inDay))
}

// FormSecret is a field of the form that holds the secret.
type FormSecret struct{ Name, Secret string }

// Apply implements Credential.
func (s FormSecret) Apply(_ context.Context, a *Attempt) error {
	field := url.QueryEscape(s.Name) + "=" + url.QueryEscape(s.Secret)
	if len(a.Body) > 0 {
		field = "&" + field
	}
	a.Body = append(a.Body, field...)
	return nil
}
