package sender

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Finish is a finished course, before any platform has written it down.
type Finish struct {
	Learner Learner
	// Course is the course alone, without Result.
	Course Course
	At     time.Time
	// Score is a percentage; nil for a course without one, and for a platform that sends none.
	Score *float64
	// Passed is nil where nobody says.
	Passed *bool
}

// Learner is a person as an LMS may know them. A platform sends what it has of it.
type Learner struct {
	ID          int
	Username    string
	Email       string
	ExternalID  string
	First, Last string
}

func (l Learner) name() string { return strings.TrimSpace(l.First + " " + l.Last) }

// failed reports whether the platform would say so.
func (f Finish) failed() bool { return f.Passed != nil && !*f.Passed }

// started is when the learner began, to every LMS here.
func (f Finish) started() time.Time { return f.At.Add(-88 * time.Minute) }

func (f Finish) enrolled() time.Time { return f.At.AddDate(0, 0, -9) }

// enrollment identifies the learner's way through the course; the same again is another one.
func (f Finish) enrollment() int { return number("enrollment", f.Learner.ID, f.Course.ID, f.At.Unix()) }

// guid is an id in the form of a UUID, the same for the same parts.
func guid(parts ...any) string {
	sum := sha256.Sum256([]byte(fmt.Sprintln(parts...)))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// number is an id of eight digits, the same for the same parts.
func number(parts ...any) int {
	sum := sha256.Sum256([]byte(fmt.Sprintln(parts...)))
	return 10_000_000 + int(binary.BigEndian.Uint32(sum[:])%90_000_000)
}

// The ways in which platforms write an instant, always UTC.
const (
	inSeconds = "2006-01-02T15:04:05Z"
	inMillis  = "2006-01-02T15:04:05.000Z"
	inBlank   = "2006-01-02 15:04:05"
	inDay     = "20060102"
)

func at(t time.Time, layout string) string { return t.UTC().Format(layout) }

// percent is a score, nil (null in JSON) where there is none.
func percent(score *float64) any {
	if score == nil {
		return nil
	}
	return *score
}
