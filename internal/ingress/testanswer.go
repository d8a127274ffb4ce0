package ingress

import (
	"encoding/json"
	"time"

	"countersign/internal/journal"
	"countersign/internal/lms"
	"countersign/internal/training"
)

// testAnswer is the answer to a rehearsal, and to a delivery to a source in test mode (R184, R185, R190).
// What is not known is null, lists are never.
type testAnswer struct {
	// DeliveryID is there when the delivery was kept: in test mode.
	DeliveryID string `json:"deliveryId,omitempty"`
	// Verdict is test; WouldBe is that of the same delivery to the source's own URL, not in test mode. Only
	// the journal knows duplicates, and it is not asked.
	Verdict     journal.Verdict  `json:"verdict"`
	WouldBe     journal.Verdict  `json:"wouldBe"`
	Reason      string           `json:"reason,omitempty"`
	Completions []testCompletion `json:"completions"`
	Enrollments []testEnrollment `json:"enrollments,omitempty"`
	Ignored     []lms.Ignored    `json:"ignored"`
	Problems    []testProblem    `json:"problems"`
	WouldDo     []string         `json:"wouldDo"`
	Explain     any              `json:"explain"`
}

type testCompletion struct {
	Platform    string               `json:"platform"`
	Event       *string              `json:"event"`
	EventID     *string              `json:"eventId"`
	Learner     testLearner          `json:"learner"`
	Course      testCourse           `json:"course"`
	CompletedAt time.Time            `json:"completedAt"` // RFC 3339, UTC
	Precision   training.Precision   `json:"precision"`
	Score       testScore            `json:"score"`
	Passed      *bool                `json:"passed"`
	Fingerprint training.Fingerprint `json:"fingerprint"`
	// MappingVersion says with which mapping it was read.
	MappingVersion *string `json:"mappingVersion"`
}

type testEnrollment struct {
	Enrollment     training.EnrollmentKey `json:"enrollment"`
	Event          *string                `json:"event"`
	Learner        testLearner            `json:"learner"`
	Course         testCourse             `json:"course"`
	EnrolledAt     time.Time              `json:"enrolledAt"` // RFC 3339, UTC
	DueAt          *time.Time             `json:"dueAt"`
	MappingVersion *string                `json:"mappingVersion"`
}

type testLearner struct {
	ID         *string `json:"id"`
	Username   *string `json:"username"`
	Email      *string `json:"email"`
	ExternalID *string `json:"externalId"`
}

type testCourse struct {
	ID    *string `json:"id"`
	Title *string `json:"title"`
	Code  *string `json:"code"`
}

// testScore has the digits that were sent.
type testScore struct {
	Raw    json.RawMessage `json:"raw"`
	Max    json.RawMessage `json:"max"`
	Scaled *float64        `json:"scaled"`
}

// newTestAnswer says what was read, and what follows from that alone.
func newTestAnswer(result Result) testAnswer {
	a := testAnswer{
		Verdict: journal.VerdictTest, WouldBe: result.Verdict, Reason: result.Reason,
		Completions: []testCompletion{}, Ignored: append([]lms.Ignored{}, result.Ignored...),
		Problems: contentProblems(result), WouldDo: []string{}, Explain: result.Explanation,
	}
	for _, e := range result.Enrollments {
		a.Enrollments = append(a.Enrollments, testEnrollment{
			Enrollment: e.Key(), Event: known(e.Event), EnrolledAt: e.EnrolledAt, DueAt: e.DueAt, MappingVersion: known(e.MappingVersion),
			Learner: testLearner{known(e.Learner.ID), known(e.Learner.Username), known(e.Learner.Email), known(e.Learner.ExternalID)},
			Course:  testCourse{known(e.Course.ID), known(e.Course.Title), known(e.Course.Code)},
		})
	}
	if len(result.Enrollments) > 0 && result.Verdict == journal.VerdictAccepted {
		a.WouldDo = append(a.WouldDo, "For an enrollment, the open training record would be found or created, and the link to it kept.")
	}
	for _, completion := range result.Completions {
		a.Completions = append(a.Completions, newTestCompletion(completion))
	}
	switch result.Verdict {
	case journal.VerdictUnmapped:
		a.WouldDo = append(a.WouldDo, "The delivery would be stored, answered 200 and put up for review, because of its problems.")
	case journal.VerdictIgnored:
		a.WouldDo = append(a.WouldDo, "The delivery would be stored and nothing else done: no event in it is to be processed.")
	}
	if a.Explain == nil {
		a.Explain = []any{}
	}
	return a
}

// newTestReceipt is for a delivery that was kept in test mode.
func newTestReceipt(deliveryID string, result Result) testAnswer {
	a := newTestAnswer(result)
	a.DeliveryID = deliveryID
	a.WouldDo = []string{"The source is in test mode: the delivery is stored, and its completions are not carried on."}
	return a
}

// wouldBe is the reason that the journal keeps in test mode.
func wouldBe(result Result) string {
	text := "the source is in test mode; the delivery would be " + string(result.Verdict)
	if result.Reason != "" {
		text += ": " + result.Reason
	}
	return text
}

func newTestCompletion(c training.Completion) testCompletion {
	t := testCompletion{
		Platform: c.Platform, Event: known(c.Event), EventID: known(c.EventID),
		Learner:     testLearner{known(c.Learner.ID), known(c.Learner.Username), known(c.Learner.Email), known(c.Learner.ExternalID)},
		Course:      testCourse{known(c.Course.ID), known(c.Course.Title), known(c.Course.Code)},
		CompletedAt: c.CompletedAt.UTC(), Precision: c.Precision,
		Score:  testScore{Raw: number(c.Score.Raw, c.Score.RawNumber), Max: number(c.Score.Max, c.Score.MaxNumber)},
		Passed: c.Score.Passed, Fingerprint: c.Fingerprint(), MappingVersion: known(c.MappingVersion),
	}
	if scaled, ok := c.Score.Scaled(); ok {
		t.Score.Scaled = &scaled
	}
	return t
}

// known is nil for what the sender did not say.
func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// number is the sender's digits where JSON can hold them; ".5" or "+5", sent as text, it cannot, and they
// are written as the same value. It is null where there is none.
func number(digits string, value func() (float64, bool)) json.RawMessage {
	if json.Valid([]byte(digits)) {
		return json.RawMessage(digits)
	}
	if v, ok := value(); ok {
		if text, err := json.Marshal(v); err == nil {
			return text
		}
	}
	return json.RawMessage("null")
}

func fingerprints(completions []training.Completion) []training.Fingerprint {
	var all []training.Fingerprint
	for _, completion := range completions {
		all = append(all, completion.Fingerprint())
	}
	return all
}
