package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	arenasim "countersign/internal/simulator/arena"
	"countersign/internal/simulator/sender"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

// answered is the answer to a delivery of any platform.
type answered struct {
	DeliveryID  string `json:"deliveryId"`
	Verdict     string `json:"verdict"`
	WouldBe     string `json:"wouldBe"`
	Reason      string `json:"reason"`
	Completions []struct {
		Fingerprint training.Fingerprint `json:"fingerprint"`
		Platform    string               `json:"platform"`
		Learner     struct {
			ExternalID *string `json:"externalId"`
		} `json:"learner"`
	} `json:"completions"`
	Ignored []struct {
		Reason string `json:"reason"`
	} `json:"ignored"`
	Problems []json.RawMessage `json:"problems"`
	WouldDo  []string          `json:"wouldDo"`
}

// deliver has an LMS send until the receiver has taken it: an LMS that has given up, or that does not look
// at the answer, is made to send again, as an administrator does who compares the two sides.
func (f *fleet) deliver(name string, post sender.Post) (answered, error) {
	for tries := 0; ; tries++ {
		outcome := f.lms[name].Send(f.t.Context(), post)
		if err := f.t.Context().Err(); err != nil {
			return answered{}, err
		}
		if outcome.Status == http.StatusOK {
			return read(name, outcome)
		}
		if tries > 10 || outcome.Err == nil && outcome.Status != http.StatusBadGateway {
			return answered{}, fmt.Errorf("%s: %d: %s: %w", name, outcome.Status, outcome.Body, outcome.Err)
		}
		if err := f.gate.wait(f.t.Context(), 0); err != nil {
			return answered{}, err
		}
	}
}

func read(name string, outcome sender.Outcome) (a answered, err error) {
	if err := json.Unmarshal(outcome.Body, &a); err != nil {
		return a, fmt.Errorf("%s: %d %q: %w", name, outcome.Status, outcome.Body, err)
	}
	return a, nil
}

// told gathers what became of everything that was sent.
type told struct {
	mu           sync.Mutex
	fingerprints map[training.Fingerprint]int // how often it was accepted
	problems     []string
}

func (r *told) take(name, what string, a answered, check func(answered) string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range a.Completions {
		r.fingerprints[c.Fingerprint]++
	}
	if problem := check(a); problem != "" {
		r.problems = append(r.problems, fmt.Sprintf("%s, %s: %s: %+v", name, what, problem, a))
	}
}

// send has one LMS send all that there is: single completions and a batch, what is no completion, and everything
// twice.
func (f *fleet) send(name string, reports *told) error {
	var posts []sender.Post
	profile := f.lms[name].Profile()
	finishes := f.finishes[name]
	posts = append(posts, profile.Posts(f.site, finishes[0])...)
	posts = append(posts, profile.Posts(f.site, finishes[1])...)
	posts = append(posts, profile.Noise(f.site, finishes[0])...)
	posts = append(posts, profile.Posts(f.site, finishes[2:]...)...)
	for round := range 2 {
		for _, post := range posts {
			a, err := f.deliver(name, post)
			if err != nil {
				return err
			}
			reports.take(name, post.Event, a, func(a answered) string {
				switch {
				case len(a.Problems) > 0:
					return "a problem"
				case len(a.Completions) != len(post.Finishes):
					return fmt.Sprintf("want %d completions", len(post.Finishes))
				case len(post.Finishes) == 0 && (a.Verdict != "ignored" || len(a.Ignored) == 0 || a.Ignored[0].Reason == ""):
					return "want it ignored, with a reason"
				case len(post.Finishes) > 0 && round == 1 && a.Verdict != "duplicate":
					return "want a duplicate"
				case len(post.Finishes) > 0 && a.Verdict != "accepted" && a.Verdict != "duplicate":
					return "want it accepted"
				}
				return ""
			})
		}
	}
	return nil
}

// Every platform sends as it does, through its own credential, while starter and worker are killed twice: every completion
// is carried once, and everything else is ignored with its reason.
func TestEveryPlatformIsCarriedOnce_R166_R182(t *testing.T) {
	f := newFleet(t)
	s := f.system
	reports := &told{fingerprints: map[training.Fingerprint]int{}}
	failed := make(chan error, len(f.lms))
	var sending sync.WaitGroup
	for name := range f.lms {
		sending.Go(func() {
			if err := f.send(name, reports); err != nil {
				failed <- err
			}
		})
	}
	for _, after := range []int{25, 90} {
		f.gate.passed(t, after)
		f.gate.close()
		require.NoError(t, s.starter.Kill())
		require.NoError(t, s.worker.Kill())
		require.NoError(t, f.keys.Rotate(), "the keys of Canvas change meanwhile")
		s.startWorker()
		s.startStarter()
		f.gate.open(t, s.url)
	}
	sending.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	require.Empty(t, reports.problems)

	total := 0
	for _, finishes := range f.finishes {
		total += len(finishes)
	}
	require.Len(t, reports.fingerprints, total, "one fingerprint for each finished course")
	j := s.journal()
	s.eventually(func() bool {
		counts, err := j.Counts(t.Context())
		return err == nil && counts[training.StateCompleted] == total
	}, "all %d end", total)
	counts, err := j.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[training.State]int{training.StateCompleted: total}, nonZero(counts), "and there is nothing else")
	unmapped, err := j.Unmapped(t.Context(), tenant, "", "", 10)
	require.NoError(t, err)
	require.Empty(t, unmapped)

	var records []string
	for _, record := range s.qms.Records() {
		records = append(records, record.ID)
	}
	require.Len(t, records, total)
	s.requireOneEffectOfEachKind(records, slices.Collect(maps.Keys(reports.fingerprints)))
	require.Empty(t, s.mail.Messages(), "nobody had to be asked")

	f.rehearse()
	f.testConnections()
}

func nonZero(counts map[training.State]int) map[training.State]int {
	found := maps.Clone(counts)
	maps.DeleteFunc(found, func(_ training.State, n int) bool { return n == 0 })
	return found
}

// rehearse has each LMS test with a user: what would be done is said, and nothing is (R190 to R192).
func (f *fleet) rehearse() {
	t, s := f.t, f.system
	j := s.journal()
	for i, name := range slices.Sorted(maps.Keys(f.lms)) {
		finish := f.finish(5000+i, f.lms[name].Profile())
		s.qms.AddRecord(arenasim.Record{EmployeeID: f.employee(name, finish), TrainingID: program, Status: training.RecordAssigned})
		records, statements := s.qms.Records(), s.lrs.Statements()
		counts, err := j.Counts(t.Context())
		require.NoError(t, err)

		post := f.lms[name].Profile().Posts(f.site, finish)[0]
		for range 2 {
			outcome := f.lms[name].Rehearse(t.Context(), post)
			require.NoError(t, outcome.Err, name)
			require.Equal(t, http.StatusOK, outcome.Status, "%s: %s", name, outcome.Body)
			a, err := read(name, outcome)
			require.NoError(t, err)
			require.Equal(t, "test", a.Verdict, name)
			require.Equal(t, "accepted", a.WouldBe, name)
			require.Len(t, a.Completions, 1, name)
			require.Equal(t, f.lms[name].Profile().Platform, a.Completions[0].Platform)
			require.NotEmpty(t, a.WouldDo, name)
			require.Empty(t, a.Problems, name)
		}
		require.Equal(t, records, s.qms.Records(), name)
		require.Equal(t, statements, s.lrs.Statements(), name)
		after, err := j.Counts(t.Context())
		require.NoError(t, err)
		require.Equal(t, counts, after, name)
	}
}

// testConnections asks each source with an empty body. Where the body is the proof there is none (R189).
func (f *fleet) testConnections() {
	for name, lms := range f.lms {
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			want := http.StatusOK
			if f.sources[name].proofInBody {
				want = http.StatusUnauthorized
			}
			outcome := lms.TestConnection(f.t.Context(), method)
			require.Equal(f.t, want, outcome.Status, "%s %s: %s", method, name, outcome.Body)
		}
	}
}

// finish is the n-th learner's.
func (f *fleet) finish(n int, p sender.Profile) sender.Finish {
	employee := fmt.Sprintf("HR-%d", n)
	score, passed := 91.5, true
	finish := sender.Finish{
		Learner: sender.Learner{ID: n, Username: employee, ExternalID: employee, Email: fmt.Sprintf("learner.%d@acme.example", n),
			First: "Jordan", Last: "Lee"},
		Course: sender.DemoCourses()[0],
		At:     time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute),
		Passed: &passed,
	}
	if p.SaysScore {
		finish.Score = &score
	}
	return finish
}
