package sender

import (
	"bytes"
	"context"
	"time"
)

// CanvasIssuer is who signs, for all customers (OBSERVED).
const CanvasIssuer = "https://live-events.canvas.instructure.com"

// CanvasRootAccount is the customer's own account in this simulation, which every event names.
const CanvasRootAccount = "SimulatedRootAccountUuid0000000000000001"

// Canvas sends Live Events over HTTPS, one for each request, with "Sign Payload" on: the body is a signed token
// (DOCUMENTED). Any 2xx within 15 s, up to 3 repetitions within 10 to 20 minutes, then the event is lost; some 28,000 lost in a day
// switch the subscription off (DOCUMENTED). The steps of the schedule are DESIGN. Ids are texts.
func Canvas() Profile {
	return Profile{
		Platform: "canvas", Patience: 15 * time.Second,
		Retry:      Retry{Waits: []time.Duration{2 * time.Minute, 4 * time.Minute, 8 * time.Minute}},
		Disable:    Disable{GivenUp: 28_000},
		Credential: func(a Account) Credential { return withIssuer{SignedBody{a.Keys}} },
		write: func(s Site, f []Finish) Post {
			return liveEvent(s, "course_completed", f[0], canvasProgress(s, 6, f[0]))
		},
		noise: func(s Site, f Finish) []Post {
			return []Post{
				liveEvent(s, "course_progress", f, canvasProgress(s, 5, f)),
				liveEvent(s, "enrollment_created", f, object{
					"enrollment_id", global(f.enrollment()), "course_id", global(f.Course.ID), "user_id", global(f.Learner.ID),
					"user_name", f.Learner.name(), "type", "StudentEnrollment", "created_at", at(f.enrolled(), inSeconds),
					"updated_at", at(f.enrolled(), inSeconds), "limit_privileges_to_course_section", false,
					"course_section_id", global(4811), "workflow_state", "active",
				}),
				liveEvent(s, "course_grade_change", f, object{
					"user_id", decimal(f.Learner.ID), "course_id", decimal(f.Course.ID), "workflow_state", "active",
					"created_at", at(f.enrolled(), inSeconds), "updated_at", at(f.At, inSeconds), "current_score", 91.5, "final_score", 91.5,
				}),
			}
		},
	}
}

// CanvasUnsigned is Canvas with "Sign Payload" off, which proves nothing; a token in the URL has to (DOCUMENTED).
func CanvasUnsigned() Profile {
	p := Canvas()
	p.Variant = "unsigned"
	p.Credential = func(Account) Credential { return Unsigned{} }
	return p
}

// withIssuer adds the claim iss, which an unsigned event does not have.
type withIssuer struct{ SignedBody }

// Apply implements Credential.
func (w withIssuer) Apply(ctx context.Context, a *Attempt) error {
	a.Body = bytes.Replace(a.Body, []byte("{"), []byte(`{"iss":"`+CanvasIssuer+`",`), 1)
	return w.SignedBody.Apply(ctx, a)
}

// global is an id with the number of its shard, beyond what a float holds exactly (DOCUMENTED).
func global(local int) string { return decimal(2107*10_000_000_000_000 + local) }

func liveEvent(s Site, name string, f Finish, body object) Post {
	return newPost(name, object{
		"metadata", object{
			"event_name", name, "event_time", at(f.At.Add(141*time.Second), inMillis), "producer", "canvas",
			"root_account_id", global(1), "root_account_lti_guid", CanvasRootAccount + "." + s.Domain,
			"root_account_uuid", CanvasRootAccount, "job_id", "1020020528469291", "job_tag", "CourseProgress.dispatch_live_event",
		},
		"body", body,
	})
}

// canvasProgress is how many of six requirements are met; all of them make the completion.
func canvasProgress(s Site, met int, f Finish) object {
	var next, completed any
	if met < 6 {
		next = s.address() + "/courses/" + decimal(f.Course.ID) + "/modules/items/12345"
	} else {
		completed = at(f.At, inSeconds)
	}
	return object{
		"progress", object{"requirement_count", 6, "requirement_completed_count", met, "next_requirement_url", next, "completed_at", completed},
		"user", object{"id", decimal(f.Learner.ID), "name", f.Learner.name(), "email", f.Learner.Email},
		"course", object{"id", decimal(f.Course.ID), "name", f.Course.Title, "account_id", "79", "sis_source_id", f.Course.Code},
	}
}
