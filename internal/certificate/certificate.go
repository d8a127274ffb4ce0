// Package certificate draws the document a learner gets: one A4 page as PDF, byte for byte the
// same for the same content, in every script whose font is embedded (fonts/), and never with a
// letter missing. What is issued is stored by the caller once; a second drawing is only a proof.
package certificate

import (
	"errors"
	"fmt"
	"time"

	"countersign/internal/training"
)

// Certificate is what is printed. It holds personal data: the PDF is for the learner and the
// journal, never for logs.
type Certificate struct {
	// Report makes it no certificate but a report of what the LMS has said, for a QMS in which the trainee
	// has not signed yet. It says so of itself, has another number and title, and leads nobody to verify it.
	Report bool
	// Number is printed for people to quote; see Number.
	Number string
	// TenantName is the customer organisation the certificate is issued for.
	TenantName string
	// Issuer is the name printed at the top; TenantName when "".
	Issuer string

	LearnerName string
	// CourseTitle is printed large; CourseCode takes its place when it is "".
	CourseTitle string
	CourseCode  string

	// CompletedAt is printed in UTC, with the time only where Precision says that it is known.
	CompletedAt time.Time
	Precision   training.Precision
	// Score is printed as far as it is known.
	Score training.Score
	// ExpiresAt is printed as the last day of validity, in UTC; nil for none (R159).
	ExpiresAt *time.Time

	// RecordID is the training record in the QMS.
	RecordID    string
	Fingerprint training.Fingerprint
	// VerifyURL goes into the QR code; "" draws none. It must hold no personal data.
	VerifyURL string
}

// ErrNoGlyph is wrapped by the error of Draw when no embedded font has a letter that is to be
// printed. The text names the field and the code points, sorted and at most eight of them, so
// that it does not spell the name.
var ErrNoGlyph = errors.New("no embedded font has")

// ErrNotDrawable is wrapped by the error of Draw when the content is no certificate: a
// field without which it says nothing is empty, or a text is longer than any page.
var ErrNotDrawable = errors.New("certificate not drawable")

// longest is the longest text in bytes that is tried: twice what a completion may hold. Even
// this much fits its box at the smallest size.
const longest = 2048

// longestURL is the longest verify address in bytes whose QR code a telephone still reads
// from paper: 61 modules, half a millimetre each.
const longestURL = 250

// validate checks what the page cannot do without, after cleaning.
func (c Certificate) validate() error {
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"learner name", c.LearnerName, true},
		{"course title", c.CourseTitle, true},
		{"course code", c.CourseCode, false},
		{"issuer", c.Issuer, true},
		{"tenant name", c.TenantName, false},
		{"number", c.Number, true},
		{"record id", c.RecordID, false},
	} {
		if f.required && f.value == "" {
			return fmt.Errorf("%w: no %s", ErrNotDrawable, f.name)
		}
		if len(f.value) > longest {
			return fmt.Errorf("%w: %s longer than %d bytes", ErrNotDrawable, f.name, longest)
		}
	}
	if len(c.VerifyURL) > longestURL {
		return fmt.Errorf("%w: verify URL longer than %d bytes", ErrNotDrawable, longestURL)
	}
	if c.CompletedAt.IsZero() {
		return fmt.Errorf("%w: no completion date", ErrNotDrawable)
	}
	return nil
}
