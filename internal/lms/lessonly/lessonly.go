// Package lessonly reads the Reporting Webhook of Lessonly, now Seismic Learning: one delivery says
// that one learner finished one lesson (R85).
//
//	{"user":{"id":"…","ext_uid":"…","name":"…","email":"…"},"lesson":{"id":"…","title":"…","retake_score":80},
//	 "score_percent":92.5,"completed_at":"2026-04-08T14:30:00Z",…}
//
// Documented by the vendor (lessonly.com/documentation/reporting-webhook-documentation; articles
// 3828587, 3140653 and 9134725 of its help centre) and by R81–R84: the fields, and what they mean.
// lesson.retake_score is not a result: it is the lesson's pass mark, 0 where there is none. The
// vendor's sample lost its braces in print; its nesting is inferred. The Content-Type is unknown, so
// the body is read as JSON whatever it says.
//
// Assumed: a lesson that has a pass mark and no score is still to be graded by a person. It is put up
// for review, never taken as a pass. A failed lesson is assigned again, so one learner and
// lesson come several times, each with its own completed_at. There is no event id.
//
// Credential: the value an administrator typed, bare in the header Authorization (R43), or none (R44).
package lessonly

import (
	"errors"
	"fmt"

	"countersign/internal/lms"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// Platform is the name of this platform in settings, API and docs.
const Platform = "lessonly"

// CredentialHeader carries the source's secret exactly as typed, with no scheme before it (R43).
const CredentialHeader = "Authorization"

// Adapter implements lms.Adapter.
type Adapter struct {
	limits strictjson.Limits
}

var _ lms.Adapter = (*Adapter)(nil)

// New returns the adapter; it has no settings.
func New() *Adapter { return &Adapter{limits: strictjson.DefaultLimits()} }

// Platform implements lms.Adapter.
func (a *Adapter) Platform() string { return Platform }

// Decode implements lms.Adapter.
func (a *Adapter) Decode(r lms.Request) (lms.Decoded, error) {
	root, err := strictjson.Decode(r.Body, a.limits)
	if err != nil {
		return lms.Decoded{}, fmt.Errorf("%w: %w", lms.ErrUnreadable, err)
	}
	if root.Kind() != strictjson.Object {
		return lms.Decoded{}, fmt.Errorf("%w: want one lesson's report, an object; is %s", lms.ErrUnreadable, root.Kind())
	}
	report := strictjson.Pick(root)
	if report.StringOnly("completed_at") == "" && report.Err() == nil {
		return lms.Decoded{Ignored: []lms.Ignored{{Reason: "no completed_at: the lesson is not finished"}}}, nil
	}
	completion, err := read(report)
	if err != nil {
		return lms.Decoded{Problems: []lms.Problem{{Reason: err.Error()}}}, nil
	}
	return lms.Decoded{Completions: []training.Completion{completion}}, nil
}

func read(report *strictjson.Picker) (training.Completion, error) {
	c := training.Completion{
		Platform: Platform,
		Learner: training.Learner{
			ID:         report.Text("user.id"),
			Email:      report.Text("user.email"),
			ExternalID: report.Text("user.ext_uid"),
			// The whole name stays in one piece: where it parts is not ours to guess.
			FirstName: report.Text("user.name"),
		},
		Course:            training.Course{ID: report.Text("lesson.id"), Title: report.Text("lesson.title")},
		CompletedAtSource: "completed_at",
		Score:             score(report),
	}
	if text := report.StringOnly("completed_at"); text != "" {
		instant, precision, err := lms.ParseInstant(text)
		if err != nil {
			report.Problem("completed_at", err)
		}
		c.CompletedAt, c.Precision = instant, precision
	}
	if err := report.Err(); err != nil {
		return training.Completion{}, err
	}
	if err := c.Validate(); err != nil {
		return training.Completion{}, err
	}
	return c, nil
}

// score reads the result and holds it against the pass mark that came with it: the vendor's changes of
// a pass mark are not retroactive. There is no tolerance: 79.99 against 80 is failed.
func score(report *strictjson.Picker) training.Score {
	raw, percent := result(report)
	mark := number(report, "lesson.retake_score")
	if mark != nil && (mark.Sign() < 0 || mark.Cmp(hundred()) > 0) {
		report.Problem("lesson.retake_score", errors.New("lies outside 0 to 100"))
	}
	s := training.Score{Raw: raw}
	if s.Known() {
		s.Max = "100"
	}
	if mark == nil || mark.Sign() == 0 {
		return s
	}
	if percent == nil {
		report.Problem("score_percent", errors.New("is missing although lesson.retake_score asks for a score: not graded yet"))
		return s
	}
	passed := percent.Cmp(mark) >= 0
	s.Passed = &passed
	return s
}
