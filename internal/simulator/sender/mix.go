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

// The indexes of the courses that are not for every kind.
const (
	scoredCourse   = 2
	approvalCourse = 3
)

// Kind says what a delivery of a Mix is meant to show.
type Kind string

// The kinds of deliveries in a Mix.
const (
	KindCompletion Kind = "completion"
	KindBatch      Kind = "batch"            // several at once, of a platform that does so
	KindDuplicate  Kind = "duplicate"        // an earlier one
	KindApproval   Kind = "approval"         // a course whose workflow wants an approval
	KindUnknown    Kind = "unknown employee" // somebody the QMS has never heard of
	KindFailed     Kind = "not passed"
	KindNoise      Kind = "no completion" // an enrollment, a start, a sign of life
)

// Item is one of a Mix.
type Item struct {
	Kind    Kind
	Profile Profile
	Post    Post
	// About is what it is about; of a batch the first.
	About Finish
}

// Mix makes a varied series of deliveries from several platforms, the same for the same seed and times. It is not
// safe for concurrent use.
type Mix struct {
	random   *rand.Rand
	site     Site
	profiles []Profile
	last     int    // number of the last learner
	recent   []Item // what a duplicate may repeat
}

// NewMix starts a series of at least one profile.
func NewMix(site Site, seed uint64, profiles ...Profile) *Mix {
	return &Mix{random: rand.New(rand.NewPCG(seed, seed)), site: site, profiles: profiles}
}

// keptForDuplicates bounds how far back a duplicate reaches.
const keptForDuplicates = 20

// Next is the next delivery of the series, sent at now.
func (m *Mix) Next(now time.Time) Item {
	kind := m.kind()
	if kind == KindDuplicate {
		again := m.recent[m.random.IntN(len(m.recent))]
		again.Kind = kind
		return again
	}
	item := m.item(now, kind)
	if m.recent = append(m.recent, item); len(m.recent) > keptForDuplicates {
		m.recent = m.recent[1:]
	}
	return item
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
	case n < 34:
		return KindNoise
	case n < 44:
		return KindBatch
	}
	return KindCompletion
}

// item makes a delivery of a platform that can send one of this kind.
func (m *Mix) item(now time.Time, kind Kind) Item {
	profile := m.profiles[m.random.IntN(len(m.profiles))]
	switch {
	case kind == KindBatch && profile.Batch < 2,
		kind == KindFailed && !profile.SaysFailed,
		kind == KindUnknown && profile.namesNobody(),
		kind == KindNoise && profile.noise == nil:
		kind = KindCompletion
	}
	about := []Finish{m.finish(now, kind, profile)}
	if kind == KindBatch {
		for range min(profile.Batch, 2+m.random.IntN(3)) - 1 {
			about = append(about, m.finish(now, kind, profile))
		}
	}
	item := Item{Kind: kind, Profile: profile, About: about[0]}
	if kind == KindNoise {
		noise := profile.Noise(m.site, about[0])
		item.Post = noise[m.random.IntN(len(noise))]
		return item
	}
	item.Post = profile.Posts(m.site, about...)[0]
	return item
}

// namesNobody is a platform whose ids tell the QMS's simulator nothing, so that it takes everybody for known.
func (p Profile) namesNobody() bool { return p.Platform == "absorb" }

// finish is a course that somebody has finished within the last hour. Learners are numbered by time, so that a stream
// started again meets no learner of the last one and no record that is COMPLETED already.
func (m *Mix) finish(now time.Time, kind Kind, p Profile) Finish {
	m.last = max(m.last+1, int(now.Unix()%10_000_000))
	courses := DemoCourses()
	f := Finish{Course: courses[m.random.IntN(scoredCourse)]}
	switch {
	case kind == KindApproval:
		f.Course = courses[approvalCourse]
	case p.SaysScore && m.random.IntN(3) == 0:
		f.Course = courses[scoredCourse]
	}
	f.Learner = m.learner(kind)
	f.At = now.UTC().Add(-time.Duration(m.random.IntN(3600)) * time.Second).Truncate(time.Second)
	passed, score := kind != KindFailed, 70+float64(m.random.IntN(61))/2
	if !passed {
		score -= 40
	}
	if strings.HasSuffix(f.Course.Code, "-SCORED") || !passed || m.random.IntN(3) > 0 {
		f.Score, f.Passed = &score, &passed
	}
	return f
}

// learner logs in with the number that the QMS knows. Number 404 is nobody's.
func (m *Mix) learner(kind Kind) Learner {
	l := Learner{
		ID:    m.last,
		First: m.pick("Amara", "Bj\u00f6rn", "Chen", "Dilara", "Esteban", "Fatima", "Goran", "Hanna", "Ivo", "Jordan"),
		Last:  m.pick("Adeyemi", "Berg", "Costa", "Demir", "Eriksen", "Fischer", "Garc\u00eda", "Horvat", "Ito", "Lee"),
		Email: fmt.Sprintf("learner.%d@%s", m.last, m.site.Domain), ExternalID: fmt.Sprintf("HR-%d", m.last),
	}
	if kind == KindUnknown {
		l.ID, l.ExternalID = 404, fmt.Sprintf("TEMP-%d", m.last)
	}
	l.Username = l.ExternalID
	return l
}

func (m *Mix) pick(words ...string) string { return words[m.random.IntN(len(words))] }
