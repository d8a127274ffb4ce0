// Package lmsapitest is the suite that every client of an LMS's REST API passes, against its simulator: it looks up what
// lacks and nothing else, keeps its budget, tells failures apart, and names nobody in them.
package lmsapitest

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/simulator/fault"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

// Spec is what the suite has to know of a platform.
type Spec struct {
	Manner rest.Manner
	New    func(rest.Config) (lmsapi.Client, error)
	// Event is a completion as the platform's webhook brings it, of Jane in Clearance at Finished; Details is
	// all that Lookup finds for it. Jane, Clearance and their Enrollment are in the simulated LMS.
	Event   training.Completion
	Details lmsapi.Details
	// Asks is how many calls a lookup makes for a completion that has everything, 0 unless only a call can tell
	// whether the event's instant is the true one.
	Asks int
	// Undated says that the platform shows a score without the date it is of.
	Undated bool
	// Listed is the completion of Jane as Completions lists it, zero where the platform lists none. It has the
	// Event's fingerprint, unless the pages say that they are Apart.
	Listed training.Completion
	Apart  bool
	// PageSize is the parameter by which the listing asks for pages of a size, "" where the platform has none. Where an
	// answer is too large, it asks for smaller ones.
	PageSize string
	// Configure changes the client's settings, nil for none.
	Configure func(*rest.Config)
	// Prepare changes the simulated LMS, nil for no change.
	Prepare func(*simulated.LMS)
}

// Finished is when Jane finished, in whole seconds, which every platform can write.
func Finished() time.Time { return time.Date(2026, time.April, 8, 14, 30, 22, 0, time.UTC) }

// Jane is a learner of the simulated LMS.
func Jane() simulated.Learner {
	return simulated.Learner{ID: "10291", Username: "jane.roe", Email: "jane.roe@example.test", ExternalID: "EMP-20001", FirstName: "Jane", LastName: "Roe"}
}

// Clearance is a course of the simulated LMS.
func Clearance() simulated.Course {
	return simulated.Course{ID: "5541", Title: "Line clearance & release", Code: "SOP-017"}
}

// Enrollment is Jane's in Clearance, completed.
func Enrollment() simulated.Enrollment {
	passed := true
	return simulated.Enrollment{ID: "77001", LearnerID: Jane().ID, CourseID: Clearance().ID, CompletedAt: Finished(), Score: "91.5", Max: "100", Passed: &passed}
}

// world is one simulated LMS with a client of it.
type world struct {
	spec   Spec
	lms    *simulated.LMS
	url    string
	client lmsapi.Client

	mu  sync.Mutex
	now time.Time // the simulated LMS reads it while it answers
}

func newWorld(t *testing.T, spec Spec, change func(*rest.Config)) *world {
	t.Helper()
	w := &world{spec: spec, now: time.Date(2026, time.April, 9, 6, 0, 0, 0, time.UTC)}
	lms, err := simulated.New(simulated.Options{Platform: spec.Manner.Platform, Now: w.time})
	require.NoError(t, err)
	t.Cleanup(lms.Close)
	w.lms = lms
	lms.AddLearner(Jane())
	lms.AddCourse(Clearance())
	lms.AddEnrollment(Enrollment())
	if spec.Prepare != nil {
		spec.Prepare(lms)
	}
	server := httptest.NewServer(lms.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
	w.client = w.connect(t, change)
	return w
}

// connect makes another client of the same LMS.
func (w *world) connect(t *testing.T, change func(*rest.Config)) lmsapi.Client {
	t.Helper()
	cfg := rest.Config{URL: w.url, Credentials: map[rest.Key]string{}, Now: w.time}
	for key, value := range w.lms.Credentials() {
		cfg.Credentials[rest.Key(key)] = value
	}
	if w.spec.Configure != nil {
		w.spec.Configure(&cfg)
	}
	if change != nil {
		change(&cfg)
	}
	client, err := w.spec.New(cfg)
	require.NoError(t, err)
	return client
}

// time is the clock of both sides.
func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// lookup looks the event up.
func (w *world) lookup(t *testing.T) error {
	t.Helper()
	_, err := w.client.Lookup(t.Context(), w.spec.Event)
	return err
}

// calls counts the calls that are not for a token.
func (w *world) calls() int { return w.lms.Calls(fault.Any) - w.lms.Calls(simulated.EndpointToken) }

func (w *world) tokenCalls() int { return w.lms.Calls(simulated.EndpointToken) }

// Run runs the suite.
func Run(t *testing.T, spec Spec) {
	t.Run("fills what lacks_R15", func(t *testing.T) { testFills(t, spec) })
	t.Run("asks for nothing that is there", func(t *testing.T) { testSparing(t, spec) })
	t.Run("knows nobody", func(t *testing.T) { testUnknown(t, spec) })
	t.Run("a learner who has completed nothing yet_R98", func(t *testing.T) { testBegun(t, spec) })
	t.Run("ids that cannot be asked for", func(t *testing.T) { testStrangeIDs(t, spec) })
	t.Run("failures", func(t *testing.T) { testFailures(t, spec) })
	t.Run("answers of somebody else", func(t *testing.T) { testStrangers(t, spec) })
	t.Run("answers about somebody else", func(t *testing.T) { testMixedUp(t, spec) })
	t.Run("result of another year", func(t *testing.T) { testDoneAgain(t, spec) })
	t.Run("credentials", func(t *testing.T) { testCredentials(t, spec) })
	t.Run("addresses", func(t *testing.T) { testAddresses(t, spec) })
	t.Run("budget_R146", func(t *testing.T) { testBudget(t, spec) })
	t.Run("budget in a crowd_R146", func(t *testing.T) { testCrowd(t, spec) })
	t.Run("left alone as asked", func(t *testing.T) { testRetryAfter(t, spec) })
	t.Run("check", func(t *testing.T) { testCheck(t, spec) })
	t.Run("settings", func(t *testing.T) { testSettings(t, spec) })
	if spec.Listed.Platform != "" {
		t.Run("listing_R143_R145", func(t *testing.T) { testListing(t, spec) })
		t.Run("a list that is too large_R143", func(t *testing.T) { testTooLarge(t, spec) })
	}
}
