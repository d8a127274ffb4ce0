package training

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Completion is the fact an LMS reports: this learner finished this course at
// this time, with this score (R48–R50). Every platform's adapter decodes to it.
//
// It holds personal data. It lives in the journal and travels to the QMS, the
// certificate and the LRS; it never enters Temporal, logs or URLs (law 7).
type Completion struct {
	Tenant   string `json:"tenant"`
	Source   string `json:"source"`
	Platform string `json:"platform"`

	// EventID is the sender's own id of the event, "" when it has none (R88).
	EventID string `json:"eventId,omitempty"`
	// Event is the sender's own name of the event, "" when it has none.
	Event string `json:"event,omitempty"`
	// EnrollmentID is the LMS's id of the enrollment, "" when it sends none (R55, R97).
	EnrollmentID string `json:"enrollmentId,omitempty"`

	Learner Learner `json:"learner"`
	Course  Course  `json:"course"`

	// CompletedAt is when the learner finished, in UTC, to Precision.
	CompletedAt time.Time `json:"completedAt"`
	// Precision says how much of CompletedAt the sender really stated.
	Precision Precision `json:"precision"`
	// CompletedAtSource names the field CompletedAt was read from.
	CompletedAtSource string `json:"completedAtSource,omitempty"`

	Score Score `json:"score"`

	// MappingVersion says which mapping of fields the completion was read with, e.g. "docebo/1" for
	// an adapter's own or "docebo/acme-3" for a tenant's.
	MappingVersion string `json:"mappingVersion,omitempty"`

	// ExpiresAt is when the LMS says the qualification lapses, nil when it does not (R159).
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

// Learner is the person as the LMS knows them. Leading zeros and case are kept;
// an absent value is "".
type Learner struct {
	ID         string `json:"id,omitempty"`
	Username   string `json:"username,omitempty"`
	Email      string `json:"email,omitempty"`
	ExternalID string `json:"externalId,omitempty"`
	FirstName  string `json:"firstName,omitempty"`
	LastName   string `json:"lastName,omitempty"`
}

// FullName is the name as printed on a certificate, "" when the LMS sent none.
func (l Learner) FullName() string {
	return strings.TrimSpace(l.FirstName + " " + l.LastName)
}

// key is the learner part of a fingerprint: the kind of id and the id. The
// LMS's own id comes first because it is the one that never changes; an e-mail
// address is the last resort and compared without case.
func (l Learner) key() (kind, value string) {
	switch {
	case l.ID != "":
		return "id", l.ID
	case l.ExternalID != "":
		return "externalId", l.ExternalID
	case l.Username != "":
		return "username", l.Username
	default:
		return "email", strings.ToLower(l.Email)
	}
}

// Key is the stable text form of the learner within one source, as used by
// enrollment links. It is personal data.
func (l Learner) Key() string {
	kind, value := l.key()
	return kind + ":" + value
}

// Course is the course as the LMS knows it; an absent value is "".
type Course struct {
	ID    string `json:"id,omitempty"`
	Title string `json:"title,omitempty"`
	Code  string `json:"code,omitempty"`
}

func (c Course) key() (kind, value string) {
	switch {
	case c.ID != "":
		return "id", c.ID
	case c.Code != "":
		return "code", c.Code
	default:
		return "title", c.Title
	}
}

// Key is the stable text form of the course within one source.
func (c Course) Key() string {
	kind, value := c.key()
	return kind + ":" + value
}

// Label is what a person calls the course: its code, else its title, else its id.
func (c Course) Label() string {
	return cmp.Or(c.Code, c.Title, c.ID)
}

// Precision says how exactly the sender stated an instant.
type Precision string

const (
	// PrecisionMillisecond is an instant; finer fractions are cut off.
	PrecisionMillisecond Precision = "millisecond"
	// PrecisionDay is a calendar day without a time (R76).
	PrecisionDay Precision = "day"
)

// Truncate cuts t to p, in UTC.
func (p Precision) Truncate(t time.Time) time.Time {
	t = t.UTC()
	if p == PrecisionDay {
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return t.Truncate(time.Millisecond)
}

// ErrIncomplete is wrapped by every error of Completion.Validate.
var ErrIncomplete = errors.New("incomplete completion")

// longest is the longest id, name or title in bytes that is taken: far more than any real
// one, and small enough that every store and every index accepts it.
const longest = 1000

// Validate reports everything that keeps the completion from being processed
// (R86): no learner, no course, no instant, or a text no store can keep.
// The error wraps ErrIncomplete and names fields, never their values.
func (c Completion) Validate() error {
	problems := unnamed(c.Learner, c.Course)
	switch {
	case c.CompletedAt.IsZero():
		problems = append(problems, "no completion date")
	case !keepable(c.CompletedAt):
		problems = append(problems, "completion date outside 1970 to 9999")
	}
	if c.ExpiresAt != nil && !keepable(*c.ExpiresAt) {
		problems = append(problems, "expiry date outside 1970 to 9999")
	}
	if c.Precision != PrecisionMillisecond && c.Precision != PrecisionDay {
		problems = append(problems, "unknown precision of the completion date")
	}
	problems = append(problems, unkeepable([]namedText{
		{"event id", c.EventID}, {"event", c.Event}, {"enrollment id", c.EnrollmentID},
	}, c.Learner, c.Course)...)
	if err := c.Score.validate(); err != nil {
		problems = append(problems, err.Error())
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrIncomplete, strings.Join(problems, "; "))
}

// unnamed says whether it is nobody who did it, or nothing that was done.
func unnamed(l Learner, c Course) (problems []string) {
	if _, v := l.key(); v == "" {
		problems = append(problems, "no learner id, external id, username or e-mail")
	}
	if _, v := c.key(); v == "" {
		problems = append(problems, "no course id, code or title")
	}
	return problems
}

// keepable reports whether every store and every JSON encoder takes t: in UTC its year has
// four digits, which "9999-12-31T23:59:59-05:00" has not.
func keepable(t time.Time) bool { return t.UTC().Year() >= 1970 && t.UTC().Year() <= 9999 }

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
