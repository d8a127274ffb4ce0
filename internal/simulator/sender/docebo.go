package sender

import "time"

// Docebo sends one event, or up to 25 of one type in payloads (DOCUMENTED). Basic is the credential that was seen
// (OBSERVED). 2xx and 3xx are a success, all else is failure (DOCUMENTED); an answer is wanted within 5 s (OBSERVED). It
// retries with exponential back-off (DOCUMENTED) on a schedule that is unknown, or not at all (SEED): not at
// all is the harder one. No switching off is known.
func Docebo() Profile {
	return Profile{
		Platform: "docebo", Batch: 25, Patience: 5 * time.Second,
		Retry:      Retry{Taken: func(status int) bool { return status >= 200 && status < 400 }},
		Credential: func(a Account) Credential { return Basic(a.user("docebo"), a.Secret) },
		write: func(s Site, f []Finish) Post {
			var all list
			for _, one := range f {
				all = append(all, doceboPayload("completed", one))
			}
			return doceboPost(s, "course.enrollment.completed", f[0], all)
		},
		noise: func(s Site, f Finish) []Post {
			enrolled := doceboPayload("subscribed", f)
			return []Post{
				doceboPost(s, "course.enrollment.created", f, list{enrolled}),
				doceboPost(s, "course.enrollment.updated", f, list{doceboPayload("in_progress", f)}),
				doceboPost(s, "user.created", f, list{object{"user_id", f.Learner.ID, "username", f.Learner.Username}}),
			}
		},
	}
}

func doceboPost(s Site, event string, f Finish, payloads list) Post {
	sent := f.At.Add(7 * time.Second)
	id := "wh-" + at(sent, "20060102-150405") + "-" + guid("docebo", event, f.Learner.ID, f.Course.ID, f.At, len(payloads))
	body := object{
		"message_id", id, "webhook_id", 12, "original_domain", s.Domain, "event", event,
		"fired_by_batch_action", len(payloads) > 1,
	}
	if len(payloads) > 1 {
		body = append(body, "payloads", payloads)
	} else {
		body = append(body, "payload", payloads[0])
	}
	p := newPost(event, body)
	p.ID = id
	return p
}

// doceboPayload is an enrollment. Dates have no zone; UTC is assumed. An enrollment that is not completed has no
// completion_date (OBSERVED).
func doceboPayload(status string, f Finish) object {
	o := object{
		"fired_at", at(f.At, inBlank), "user_id", f.Learner.ID, "username", f.Learner.Username,
		"course_id", f.Course.ID, "course_name", f.Course.Title, "level", "learner",
	}
	if status == "completed" {
		o = append(o, "completion_date", at(f.At, inBlank))
	}
	return append(o,
		"enrollment_date", at(f.enrolled(), inBlank), "enrollment_date_begin_validity", nil,
		"enrollment_date_end_validity", nil, "subscribed_by_id", 12301, "status", status)
}
