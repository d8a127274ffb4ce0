// Package lmsapi is the REST side of simulated LMSs: real HTTP in each platform's own shape, one file each, with the
// quirks that the platform has (Moodle answers errors with 200), and everything that can go wrong on request. Their
// webhooks are package sender's.
//
// The controls are Go methods, and under /__sim/ for callers on this machine.
package lmsapi

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"countersign/internal/simulator/fault"
)

// Options configure a simulated LMS.
type Options struct {
	// Platform is its name as in settings.
	Platform string
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// After waits for latencies; time.After when nil.
	After func(time.Duration) <-chan time.Time
	// LogSize is how many calls the API log keeps; 0 means 1000.
	LogSize int
}

// Learner is a person that a simulated LMS knows. Ids, here and below, are decimal texts, which every platform can
// write in its own way.
type Learner struct {
	ID, Username, Email, ExternalID, FirstName, LastName string
}

// Course is a course.
type Course struct {
	ID, Title, Code string
}

// Enrollment is a learner's in a course; one with an instant is a completion.
type Enrollment struct {
	ID, LearnerID, CourseID string
	// CompletedAt is zero while the course is not completed.
	CompletedAt time.Time
	// Score is "" for none, on the scale to Max.
	Score, Max string
	Passed     *bool
	ExpiresAt  *time.Time
}

// dialect is how one platform speaks.
type dialect struct {
	// credentials let a client in, by their names in settings.
	credentials map[string]string
	// fail answers an error in the platform's shape.
	fail func(w http.ResponseWriter, status int)
	// routes says what is where, through l.handle and l.open.
	routes func(l *LMS)
}

// platforms are the platforms that are simulated.
func platforms() map[string]func(*LMS) dialect {
	return map[string]func(*LMS) dialect{
		"absorb":                 absorb,
		"canvas":                 canvas,
		"adobe-learning-manager": adobe,
		"cornerstone":            cornerstone,
		"learnupon":              learnupon,
		"talentlms":              talentlms,

		"docebo": docebo,
		"moodle": moodle,
	}
}

// Platforms lists the platforms that are simulated.
func Platforms() []string { return slices.Sorted(maps.Keys(platforms())) }

// EndpointToken is the token endpoint of every platform that has one; EndpointUnknown is every other path. The other
// endpoints are named in the platforms' files.
const (
	EndpointToken   fault.Endpoint = "token"
	EndpointUnknown fault.Endpoint = "unknown"
)

// LMS is one simulated LMS. Every method is safe for concurrent use.
type LMS struct {
	*fault.Gate

	clock     *fault.Clock
	dialect   dialect
	mux       *http.ServeMux
	endpoints []fault.Endpoint

	mu          sync.Mutex
	learners    map[string]Learner
	courses     map[string]Course
	enrollments []Enrollment
	tokens      map[string]time.Time // until when
	lifetime    time.Duration
}

// New makes an empty LMS of a platform.
func New(o Options) (*LMS, error) {
	speaks, ok := platforms()[o.Platform]
	if !ok {
		return nil, fmt.Errorf("simulated lms: unknown platform %q, known are %s", o.Platform, strings.Join(Platforms(), ", "))
	}
	l := &LMS{clock: fault.NewClock(o.Now), mux: http.NewServeMux(), endpoints: []fault.Endpoint{EndpointUnknown}, lifetime: time.Hour}
	l.Gate = fault.NewGate(fault.Config{Clock: l.clock, LogSize: o.LogSize, After: o.After,
		Error: func(w http.ResponseWriter, _ *fault.Exchange, status int) { l.dialect.fail(w, status) }})
	l.clear()
	l.dialect = speaks(l)
	l.dialect.routes(l)
	l.mux.HandleFunc("/", fault.Wrap(l.Gate, EndpointUnknown, nil, func(w http.ResponseWriter, _ *http.Request, _ *fault.Exchange) {
		http.Error(w, "<html><body>Page not found</body></html>", http.StatusNotFound)
	}))
	l.mux.Handle("/__sim/", l.controls())
	return l, nil
}

func (l *LMS) clear() {
	l.learners, l.courses, l.tokens = map[string]Learner{}, map[string]Course{}, map[string]time.Time{}
	l.enrollments = nil
}

// Reset empties the LMS and forgets faults, counters, log, clock offset and tokens.
func (l *LMS) Reset() {
	l.Gate.Reset()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

// Handler serves the API and the controls.
func (l *LMS) Handler() http.Handler { return l.mux }

// Credentials let a client in, by their names in settings. A copy.
func (l *LMS) Credentials() map[string]string { return maps.Clone(l.dialect.credentials) }

// Endpoints lists the endpoints that faults can be scripted for.
func (l *LMS) Endpoints() []fault.Endpoint { return slices.Clone(l.endpoints) }

// AddLearner adds a learner, or changes the one with this id.
func (l *LMS) AddLearner(learner Learner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.learners[learner.ID] = learner
}

// AddCourse adds a course, or changes the one with this id.
func (l *LMS) AddCourse(course Course) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.courses[course.ID] = course
}

// AddEnrollment adds an enrollment, or changes the one with this id.
func (l *LMS) AddEnrollment(e Enrollment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.IndexFunc(l.enrollments, func(have Enrollment) bool { return have.ID == e.ID }); i >= 0 {
		l.enrollments[i] = e
		return
	}
	l.enrollments = append(l.enrollments, e)
}

// RevokeTokens ends every token: 401 from now on.
func (l *LMS) RevokeTokens() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.tokens)
}

// SetTokenLifetime sets the life of tokens that are issued from now on.
func (l *LMS) SetTokenLifetime(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lifetime = d
}

// handler answers a call that was let in.
type handler func(w http.ResponseWriter, r *http.Request, x *fault.Exchange)

// open serves a pattern of http.ServeMux to everybody.
func (l *LMS) open(pattern string, endpoint fault.Endpoint, next handler) {
	if !slices.Contains(l.endpoints, endpoint) {
		l.endpoints = append(l.endpoints, endpoint)
	}
	l.mux.HandleFunc(pattern, fault.Wrap(l.Gate, endpoint, nil, fault.Handler(next)))
}

// handle serves a pattern of http.ServeMux to who comes with a living bearer token, or what allowed says.
func (l *LMS) handle(pattern string, endpoint fault.Endpoint, allowed func(*http.Request) bool, next handler) {
	l.open(pattern, endpoint, func(w http.ResponseWriter, r *http.Request, x *fault.Exchange) {
		if !allowed(r) {
			l.dialect.fail(w, http.StatusUnauthorized)
			return
		}
		next(w, r, x)
	})
}

// issue makes a token, and says its life in whole seconds.
func (l *LMS) issue() (token string, seconds int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	token = rand.Text()
	l.tokens[token] = l.clock.Now().Add(l.lifetime)
	return token, int(l.lifetime.Seconds())
}

// living reports whether a token was issued, not revoked, and lives.
func (l *LMS) living(token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	until, ok := l.tokens[token]
	return ok && l.clock.Now().Before(until)
}

// bearer reports whether r comes with a living token as RFC 6750 says.
func (l *LMS) bearer(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && l.living(token)
}
