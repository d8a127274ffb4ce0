package training

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Enrollment is the fact an LMS reports before a completion: this learner was enrolled in this course
// (R98). Its training record is created, or found, and the link to it is kept (R97).
//
// Like a Completion it holds personal data: it lives in the journal and never enters Temporal (law 7).
type Enrollment struct {
	Tenant   string `json:"tenant"`
	Source   string `json:"source"`
	Platform string `json:"platform"`

	// EventID is the sender's own id of the event, Event its name; "" when it has none.
	EventID string `json:"eventId,omitempty"`
	Event   string `json:"event,omitempty"`
	// EnrollmentID is the id that the platform's completions carry too; "" where they carry none.
	EnrollmentID string `json:"enrollmentId,omitempty"`

	Learner Learner `json:"learner"`
	Course  Course  `json:"course"`

	// EnrolledAt is when the learner was enrolled, in UTC, to the millisecond; midnight where the
	// sender states a day.
	EnrolledAt time.Time `json:"enrolledAt"`
	// DueAt is until when the LMS wants the course finished, nil when it does not say.
	DueAt *time.Time `json:"dueAt,omitempty"`

	// MappingVersion says which mapping of fields it was read with.
	MappingVersion string `json:"mappingVersion,omitempty"`
}

// EnrollmentKey is the identity of an enrollment: the journal's unique key, and behind a prefix the
// Temporal workflow id. It is 64 lower-case hexadecimal digits.
type EnrollmentKey string

// enrollmentKeyVersion is hashed first, so that another rule can never collide with this one.
const enrollmentKeyVersion = "countersign/enrollment-key/v1"

// Key computes the identity of e: the SHA-256 over tenant, source, enrollment id, learner, course and
// the instant, each preceded by its length. The instant is part of it because platforms without an
// enrollment id enrol the same learner in the same course every year; where two keys stand for one
// enrollment all the same, the second finds the record of the first.
func (e Enrollment) Key() EnrollmentKey {
	h := sha256.New()
	var length [8]byte
	for _, field := range []string{
		enrollmentKeyVersion, e.Tenant, e.Source, e.EnrollmentID, e.Learner.Key(), e.Course.Key(),
		PrecisionMillisecond.Truncate(e.EnrolledAt).Format(instantLayout),
	} {
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		h.Write(length[:])
		h.Write([]byte(field))
	}
	return EnrollmentKey(hex.EncodeToString(h.Sum(nil)))
}

// ParseEnrollmentKey checks that text is an enrollment's key.
func ParseEnrollmentKey(text string) (EnrollmentKey, error) {
	f, err := ParseFingerprint(text)
	if err != nil {
		return "", fmt.Errorf("enrollment key: want %d lower-case hexadecimal digits", 2*sha256.Size)
	}
	return EnrollmentKey(f), nil
}

// ExternalRef is the reference under which a record is created for e (R98): where the platform has
// enrollment ids it is the one that the completion computes too.
func (e Enrollment) ExternalRef() string {
	if e.EnrollmentID == "" {
		return e.OwnRef()
	}
	return EnrollmentRef(e.Tenant, e.Source, e.EnrollmentID, e.Learner, e.Course)
}

// OwnRef is a reference that no other enrollment has, for one whose ExternalRef is spent: an LMS may
// enrol a learner anew under the id of an enrollment that is over.
func (e Enrollment) OwnRef() string { return enrollmentRef + string(e.Key())[:32] }

// FulfilledBy reports whether record says that this enrollment's training was done: COMPLETED at or after the
// enrollment. That is so where the completion was faster. A completion date without a time is midnight,
// and means any time of its day.
func (e Enrollment) FulfilledBy(record Record) bool {
	if record.Status != RecordCompleted {
		return false
	}
	enrolled := e.EnrolledAt.UTC().Truncate(time.Second)
	if record.CompletedAt.Equal(PrecisionDay.Truncate(record.CompletedAt)) {
		enrolled = PrecisionDay.Truncate(enrolled)
	}
	return !record.CompletedAt.Before(enrolled)
}

// ErrIncompleteEnrollment is wrapped by every error of Enrollment.Validate.
var ErrIncompleteEnrollment = errors.New("incomplete enrollment")

// Validate reports everything that keeps the enrollment from being processed. The error wraps
// ErrIncompleteEnrollment and names fields, never their values.
func (e Enrollment) Validate() error {
	problems := unnamed(e.Learner, e.Course)
	switch {
	case e.EnrolledAt.IsZero():
		problems = append(problems, "no enrollment date")
	case !keepable(e.EnrolledAt):
		problems = append(problems, "enrollment date outside 1970 to 9999")
	}
	if e.DueAt != nil && !keepable(*e.DueAt) {
		problems = append(problems, "due date outside 1970 to 9999")
	}
	problems = append(problems, unkeepable([]namedText{
		{"event id", e.EventID}, {"event", e.Event}, {"enrollment id", e.EnrollmentID},
	}, e.Learner, e.Course)...)
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrIncompleteEnrollment, strings.Join(problems, "; "))
}

// namedText is a text and what a person calls it.
type namedText struct{ name, value string }

// unkeepable says which texts no store can keep.
func unkeepable(texts []namedText, l Learner, c Course) (problems []string) {
	learnerAndCourse := [...]namedText{
		{"learner id", l.ID}, {"learner username", l.Username},
		{"learner e-mail", l.Email}, {"learner external id", l.ExternalID},
		{"first name", l.FirstName}, {"last name", l.LastName},
		{"course id", c.ID}, {"course title", c.Title}, {"course code", c.Code},
	}
	for _, named := range [...][]namedText{texts, learnerAndCourse[:]} {
		for _, text := range named {
			switch {
			case len(text.value) > longest:
				problems = append(problems, fmt.Sprintf("%s longer than %d bytes", text.name, longest))
			case !utf8.ValidString(text.value):
				problems = append(problems, text.name+" is not UTF-8")
			case strings.ContainsFunc(text.value, isControl):
				problems = append(problems, text.name+" contains a control character")
			}
		}
	}
	return problems
}

// EnrollmentState is where an enrollment stands, as the journal projects it for people.
//
//	QUEUED ─► STARTING ─► RUNNING ─► LINKED | CLOSED | EXPIRED_IN_REVIEW
//	   ▲          │        │   ▲
//	   └──────────┘        ▼   │ retry
//	  lease ran out   RETRYING | IN_REVIEW
//
// CLOSED and EXPIRED_IN_REVIEW go back to QUEUED by a replay, which is a decision.
type EnrollmentState string

// The states of an enrollment. The last three are ends; LINKED is for ever.
const (
	EnrollmentQueued          EnrollmentState = "QUEUED"
	EnrollmentStarting        EnrollmentState = "STARTING"
	EnrollmentRunning         EnrollmentState = "RUNNING"
	EnrollmentRetrying        EnrollmentState = "RETRYING"
	EnrollmentInReview        EnrollmentState = "IN_REVIEW"
	EnrollmentLinked          EnrollmentState = "LINKED"
	EnrollmentClosed          EnrollmentState = "CLOSED"
	EnrollmentExpiredInReview EnrollmentState = "EXPIRED_IN_REVIEW"
)

// Ended reports whether the enrollment will not move again by itself.
func (s EnrollmentState) Ended() bool { return s == EnrollmentLinked || s.Replayable() }

// Replayable reports whether the enrollment has ended without a record, so that a person may have it begun
// again (R142).
func (s EnrollmentState) Replayable() bool {
	return s == EnrollmentClosed || s == EnrollmentExpiredInReview
}

// Enrollments is what a tenant wants of the enrollments that its LMSs report. Whatever is not
// EnrollmentsCreate is ignored: a word that this version does not know must not write anything.
type Enrollments string

const (
	// EnrollmentsIgnore stores the delivery and does nothing else. The default.
	EnrollmentsIgnore Enrollments = "ignore"
	// EnrollmentsCreate creates the training record, repeatably, or finds it, and keeps the link (R97, R98).
	EnrollmentsCreate Enrollments = "create"
)
