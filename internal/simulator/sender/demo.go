package sender

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// DemoCourses are the courses of a Mix. Their codes serve as training ids too: the ends
// -SCORED and -APPROVAL steer a simulated Arena that provisions by itself.
func DemoCourses() []Course {
	return []Course{
		{ID: 5541, Title: "Annual Compliance Training 2026", Code: "COMP-2026"},
		{ID: 5542, Title: "Data Protection in Practice", Code: "GDPR-2026"},
		{ID: 5543, Title: "Laboratory Safety", Code: "SAFE-101-SCORED"},
		{ID: 5544, Title: "Aseptic Technique: Practical", Code: "GMP-7-APPROVAL"},
	}
}

// approvalCourse is the index of the course whose workflow wants an approval.
const approvalCourse = 3

// Kind says what a delivery of a Mix is meant to show.
type Kind string

// The kinds of deliveries in a Mix.
const (
	KindCompletion Kind = "completion"
	KindDuplicate  Kind = "duplicate"        // the bytes of an earlier one
	KindApproval   Kind = "approval"         // a course whose workflow wants an approval
	KindUnknown    Kind = "unknown employee" // somebody the QMS has never heard of
	KindFailed     Kind = "not passed"
	KindEnrollment Kind = "enrollment" // no completion at all
)

// Mix makes a varied series of envelopes, the same for the same seed and times. It is not
// safe for concurrent use.
type Mix struct {
	random *rand.Rand
	domain string
	last   int        // number of the last learner
	recent []Envelope // what a duplicate may repeat
}

// NewMix starts a series for an LMS at domain.
func NewMix(domain string, seed uint64) *Mix {
	return &Mix{random: rand.New(rand.NewPCG(seed, seed)), domain: domain}
}

// keptForDuplicates bounds how far back a duplicate reaches.
const keptForDuplicates = 20

// Next is the next envelope of the series, fired at now.
func (m *Mix) Next(now time.Time) (Kind, Envelope) {
	kind := m.kind()
	if kind == KindDuplicate {
		return kind, m.recent[m.random.IntN(len(m.recent))]
	}
	e := m.envelope(now, kind)
	if m.recent = append(m.recent, e); len(m.recent) > keptForDuplicates {
		m.recent = m.recent[1:]
	}
	return kind, e
}

// kind draws from the shares: one in ten a duplicate, a few of everything else.
func (m *Mix) kind() Kind {
	switch n := m.random.IntN(100); {
	case n < 10 && len(m.recent) > 0:
		return KindDuplicate
	case n < 18:
		return KindApproval
	case n < 21:
		return KindUnknown
	case n < 24:
		return KindFailed
	case n < 30:
		return KindEnrollment
	}
	return KindCompletion
}

func (m *Mix) envelope(now time.Time, kind Kind) Envelope {
	now = now.UTC().Truncate(time.Millisecond)
	// Numbered by time, so that a stream started again meets no learner of the last one
	// and no record that is COMPLETED already.
	m.last = max(m.last+1, int(now.Unix()%10_000_000))
	e := Envelope{
		ID: fmt.Sprintf("wh-%s-%d", now.Format("20060102-150405"), m.last), Event: EventCompletion, Version: "1.0",
		FiredAt: now.Format("2006-01-02T15:04:05.000Z"), Timestamp: now.Unix(), OriginalDomain: m.domain,
	}
	e.Payload.User = m.learner(kind)
	courses := DemoCourses()
	e.Payload.Course = courses[m.random.IntN(approvalCourse)]
	if kind == KindApproval {
		e.Payload.Course = courses[approvalCourse]
	}
	if kind == KindEnrollment {
		e.Event = EventEnrollment
		return e
	}
	m.finish(&e, now, kind != KindFailed)
	return e
}

func (m *Mix) learner(kind Kind) User {
	first, last := m.pick("Amara", "Björn", "Chen", "Dilara", "Esteban", "Fatima", "Goran", "Hanna", "Ivo", "Jordan"),
		m.pick("Adeyemi", "Berg", "Costa", "Demir", "Eriksen", "Fischer", "García", "Horvat", "Ito", "Lee")
	user := User{ID: m.last, FirstName: first, LastName: last, ExternalID: fmt.Sprintf("HR-%d", m.last),
		Email: fmt.Sprintf("learner.%d@%s", m.last, m.domain)}
	if kind == KindUnknown {
		user.ExternalID = fmt.Sprintf("TEMP-%d", m.last)
	}
	return user
}

func (m *Mix) pick(words ...string) string { return words[m.random.IntN(len(words))] }

// finish writes the result: when, how well, and the LMS's own certificate.
func (m *Mix) finish(e *Envelope, now time.Time, passed bool) {
	result := &Result{}
	e.Payload.Course.Result = result
	at := now.Add(-time.Duration(m.random.IntN(3600)) * time.Second).Truncate(time.Second)
	result.CompletionDate = at.Format(time.RFC3339)
	score := 70 + float64(m.random.IntN(61))/2
	if !passed {
		score -= 40
	}
	if strings.HasSuffix(e.Payload.Course.Code, "-SCORED") || !passed || m.random.IntN(3) > 0 {
		result.Score, result.Passed = &score, &passed
	}
	e.Payload.Certificate = &Certificate{Issued: passed}
	if passed {
		expiry := at.AddDate(1, 0, 0).Format(time.RFC3339)
		e.Payload.Certificate.ExpiryDate = &expiry
	}
}
