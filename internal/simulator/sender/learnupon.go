package sender

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the algorithm is LearnUpon's choice
	"encoding/hex"
	"errors"
	"time"
)

// learnUponRetry is 72 hours (OBSERVED for version 2) with exponential back-off on anything but 2xx (SEED); the steps are
// DESIGN, and so is that version 1 does the same.
func learnUponRetry() Retry { return Retry{Waits: doubling(time.Minute, 6*time.Hour, 72*time.Hour)} }

// LearnUpon is version 2: up to 10 events of one type, type and id in headers, HMAC-SHA256 in hexadecimal (OBSERVED).
// Its patience is unknown.
func LearnUpon() Profile {
	return Profile{
		Platform: "learnupon", SaysScore: true, SaysFailed: true, Batch: 10, Patience: 10 * time.Second, Retry: learnUponRetry(),
		Credential: func(a Account) Credential { return HMAC{Header: "X-Webhook-Signature", Secret: a.Secret} },
		write: func(_ Site, f []Finish) Post {
			var data list
			for _, one := range f {
				data = append(data, enrollment2(one))
			}
			return version2("course_completion", f[0], data)
		},
		noise: func(_ Site, f Finish) []Post {
			return []Post{
				version2("module_complete", f, list{enrollment2(f)}),
				version2("exam_completion", f, list{append(enrollment2(f), "examName", "Refresher exam")}),
			}
		},
	}
}

func version2(kind string, f Finish, data list) Post {
	id := guid("learnupon", kind, f.Learner.ID, f.Course.ID, f.At, len(data))
	p := newPost(kind, object{"data", data}, "X-Webhook-Type", kind, "X-Webhook-Id", id)
	p.ID = id
	return p
}

func enrollment2(f Finish) object {
	return object{
		"courseId", f.Course.ID, "enrollmentId", f.enrollment(), "courseReferenceCode", f.Course.Code,
		"dateEnrolled", at(f.enrolled(), inMillis), "dateStarted", at(f.started(), inMillis), "dateCompleted", at(f.At, inMillis),
		"enrollmentStatus", enrollmentStatus(f), "percentage", percent(f.Score),
		"user", object{"userId", f.Learner.ID, "username", f.Learner.Username, "email", f.Learner.Email},
		"credits", list{}, "modules", list{}, "eventCreated", at(f.At.Add(3*time.Second), inMillis),
	}
}

// enrollmentStatus: "completed" is said where the course has no score condition (DOCUMENTED).
func enrollmentStatus(f Finish) string {
	switch {
	case f.Passed == nil:
		return "completed"
	case *f.Passed:
		return "passed"
	default:
		return "failed"
	}
}

// LearnUponV1 is version 1: every type of event goes to one URL, with an MD5 inside the body (DOCUMENTED, OBSERVED).
// header.attempt rises with each attempt (OBSERVED).
func LearnUponV1() Profile {
	p := LearnUpon()
	p.Variant, p.Batch = "v1", 1
	p.Credential = func(a Account) Credential { return BodyMD5{Secret: a.Secret} }
	p.write = func(_ Site, f []Finish) Post { return version1("course_completion", f[0]) }
	p.noise = func(_ Site, f Finish) []Post {
		return []Post{version1("module_complete", f), version1("learning_path_updated", f)}
	}
	p.prepare = func(a *Attempt) {
		first, later := []byte(`"attempt":1,`), []byte(`"attempt":`+decimal(a.Number)+`,`)
		a.Body = bytes.Replace(a.Body, first, later, 1)
	}
	return p
}

func version1(kind string, f Finish) Post {
	return newPost(kind, object{
		"header", object{"source", "LearnUpon", "version", 1, "webhookId", number("learnupon", kind, f.enrollment()), "attempt", 1,
			"lastAttemptAt", at(f.At.Add(5*time.Second), inSeconds), "webHookType", kind},
		"user", object{"userId", f.Learner.ID, "lastName", f.Learner.Last, "firstName", f.Learner.First,
			"email", f.Learner.Email, "username", f.Learner.Username, "customData", nil},
		"enrollmentId", f.enrollment(), "courseId", f.Course.ID, "courseName", f.Course.Title, "courseReferenceCode", f.Course.Code,
		"courseMetaData", nil, "modules", list{}, "credits", list{}, "courseAccessExpiresAt", nil,
		"certification", false, "certificationName", nil, "certExpiresAt", nil, "wasRecertified", false,
		"dateEnrolled", at(f.enrolled(), inSeconds), "dateStarted", at(f.started(), inSeconds), "dateCompleted", at(f.At, inSeconds),
		"percentage", percent(f.Score), "enrollmentStatus", enrollmentStatus(f), "hasAttemptsRemaining", false,
	})
}

// BodyMD5 is the signature of version 1: MD5 over the body without it, a colon and the secret, put at the end of
// the body's header (OBSERVED).
type BodyMD5 struct{ Secret string }

// Apply implements Credential. A request without a body has nothing to sign.
func (b BodyMD5) Apply(_ context.Context, a *Attempt) error {
	if len(a.Body) == 0 {
		return nil
	}
	end := bytes.IndexByte(a.Body, '}') // the header comes first and holds no object
	if end < 0 {
		return errors.New("the body has no header for the signature to stand in")
	}
	sum := md5.Sum([]byte(string(a.Body) + ":" + b.Secret)) //nolint:gosec // as above
	signature := `,"signature":"` + hex.EncodeToString(sum[:]) + `"`
	a.Body = append(append(bytes.Clone(a.Body[:end]), signature...), a.Body[end:]...)
	return nil
}
