// Package xapi says in the Learning Record Store what a learner completed: it builds the
// xAPI 1.0.3 statement of a completion (New) and puts it there (Client).
//
// A statement is built once and its bytes are stored before the first send; every resend sends
// those bytes. Stores disagree on whether a rebuilt statement is the same one.
//
// Source: xAPI 1.0.3, parts Data and Communication (github.com/adlnet/xAPI-Spec).
package xapi

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"countersign/internal/training"
)

// IRIs of the statements.
const (
	// VerbCompleted says that the course was finished, and nothing about success (R151).
	VerbCompleted = "http://adlnet.gov/expapi/verbs/completed"
	// ActivityCourse is the type of the object (R152).
	ActivityCourse = "http://adlnet.gov/expapi/activities/course"
	// ExtensionFingerprint is the context extension that leads from a statement back to the
	// completion.
	ExtensionFingerprint = "https://countersign.dev/xapi/fingerprint"
)

// Options are a source's settings for its statements.
type Options struct {
	// HomePage is the address of the system that gave the learner's id: the account's
	// homePage. With it the actor is an account, which is stable and no mail address.
	HomePage string
	// Mbox identifies the actor by e-mail address where there is one (R150), before the account.
	Mbox bool
	// Names sends the learner's name along (R150). It is personal data no LRS needs.
	Names bool

	// CourseIRI makes a course id an IRI: "{id}" in it is replaced by the escaped id, else
	// the id becomes one more path segment. Required; a change makes every course a new one.
	CourseIRI string
	// Platform is the LMS product for context.platform; the completion's Platform when "".
	Platform string
	// Language is the RFC 5646 tag of the course titles, "und" (not known) when "".
	Language string
}

// Validate reports the first mistake in the settings.
func (o Options) Validate() error {
	if err := checkIRI(o.CourseIRI); err != nil {
		return fmt.Errorf("course IRI: %w", err)
	}
	if o.HomePage != "" {
		if err := checkIRI(o.HomePage); err != nil {
			return fmt.Errorf("home page: %w", err)
		}
	}
	if o.HomePage == "" && !o.Mbox {
		return errors.New("neither a home page for accounts nor mbox")
	}
	return nil
}

func checkIRI(text string) error {
	u, err := url.Parse(strings.ReplaceAll(text, "{id}", "id"))
	switch {
	case err != nil:
		return errors.New("not an IRI") // url.Error would show the text, perhaps with a secret
	case u.Scheme == "" || (u.Host == "" && u.Opaque == ""):
		return errors.New("not an absolute IRI")
	case u.User != nil:
		return errors.New("has a user name in it")
	case strings.ContainsAny(text, " \"<>\\^`|"):
		return errors.New("has a character in it that an IRI cannot have")
	}
	return nil
}

// courseIRI is the object's id: the same in every statement about the course. A course known by
// its code or title only is marked as such, so that it never passes for the id of another.
func (o Options) courseIRI(c training.Course) string {
	id := cmp.Or(c.ID, c.Key())
	escaped := url.PathEscape(id)
	if strings.Contains(o.CourseIRI, "{id}") {
		return strings.ReplaceAll(o.CourseIRI, "{id}", escaped)
	}
	return strings.TrimRight(o.CourseIRI, "/") + "/" + escaped
}
