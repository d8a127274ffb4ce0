package reconcile

import (
	"strings"
	"time"

	"countersign/internal/training"
)

// zones is the widest distance of a local clock from UTC, for days that name no zone.
const zones = 14 * time.Hour

// Known is a completion of ours that one from a listing may be.
type Known struct {
	Fingerprint training.Fingerprint
	Completion  training.Completion
	// Also are further instants that are known of it, e.g. one that the LMS was asked for.
	Also []time.Time
}

// Match finds the completion that listed is, among those of the same source: the one with the same
// learner, the same course and an equal instant, else the nearest that lies within same. ok is false if
// there is none: then it is missing.
//
// A platform's listing may state another instant than its event did, by seconds or by a time zone. That
// must never become a second completion, so what is near is the same, and is reported as a different date.
func Match(listed training.Completion, known []Known, same time.Duration) (found Known, ok bool) {
	best := time.Duration(-1)
	for _, k := range known {
		if !SameLearner(listed.Learner, k.Completion.Learner) || !SameCourse(listed.Course, k.Completion.Course) {
			continue
		}
		apart := distance(listed, k)
		if apart > same || best >= 0 && apart >= best {
			continue
		}
		found, best = k, apart
	}
	return found, best >= 0
}

// distance is how far the nearest instant of k lies from listed's; 0 where they agree.
func distance(listed training.Completion, k Known) time.Duration {
	if agree(listed.CompletedAt, listed.Precision, k.Completion.CompletedAt, k.Completion.Precision) {
		return 0
	}
	nearest := listed.CompletedAt.Sub(k.Completion.CompletedAt).Abs()
	for _, at := range k.Also {
		if agree(listed.CompletedAt, listed.Precision, at, training.PrecisionMillisecond) {
			return 0
		}
		nearest = min(nearest, listed.CompletedAt.Sub(at).Abs())
	}
	return nearest
}

// agree reports whether two instants say the same, to the precision of the coarser one: equal to the whole
// second, because some listings state no fractions, or within the day that one of them names anywhere on earth.
func agree(a time.Time, pa training.Precision, b time.Time, pb training.Precision) bool {
	if pa == training.PrecisionDay && pb != training.PrecisionDay {
		a, pa, b, pb = b, pb, a, pa
	}
	switch {
	case pa == training.PrecisionDay:
		return training.PrecisionDay.Truncate(a).Equal(training.PrecisionDay.Truncate(b))
	case pb == training.PrecisionDay:
		day := training.PrecisionDay.Truncate(b)
		return !a.Before(day.Add(-zones)) && a.Before(day.Add(24*time.Hour+zones))
	}
	return a.Truncate(time.Second).Equal(b.Truncate(time.Second))
}

// SameLearner reports whether two sides mean one person: the first kind of id that both state decides, in
// the order of training.Learner.Key. E-mail addresses are compared without case.
func SameLearner(a, b training.Learner) bool {
	for _, id := range [][2]string{
		{a.ID, b.ID}, {a.ExternalID, b.ExternalID}, {a.Username, b.Username},
		{strings.ToLower(a.Email), strings.ToLower(b.Email)},
	} {
		if id[0] != "" && id[1] != "" {
			return id[0] == id[1]
		}
	}
	return false
}

// SameCourse reports whether two sides mean one course, in the same way.
func SameCourse(a, b training.Course) bool {
	for _, id := range [][2]string{{a.ID, b.ID}, {a.Code, b.Code}, {a.Title, b.Title}} {
		if id[0] != "" && id[1] != "" {
			return id[0] == id[1]
		}
	}
	return false
}

// Listing compares a completion from a listing with the one of ours that it is.
func Listing(listed training.Completion, k Known) []training.Mismatch {
	base := training.Mismatch{
		Origin: training.MismatchFromListing, Source: listed.Source, Fingerprint: k.Fingerprint,
		Course: k.Completion.Course.Label(), At: listed.CompletedAt,
	}
	var all []training.Mismatch
	if distance(listed, k) != 0 {
		m := base
		m.Kind, m.LMS, m.QMS = training.MismatchDifferentDate, instant(listed), instant(k.Completion)
		m.Detail = "listing and journal"
		all = append(all, m)
	}
	ours, theirs := k.Completion.Score.Percent(), listed.Score.Percent()
	if ours != "" && theirs != "" && ours != theirs {
		m := base
		m.Kind, m.LMS, m.QMS, m.Detail = training.MismatchDifferentScore, theirs, ours, "listing and journal"
		all = append(all, m)
	}
	return all
}

func instant(c training.Completion) string {
	if c.Precision == training.PrecisionDay {
		return c.CompletedAt.UTC().Format(time.DateOnly)
	}
	return c.CompletedAt.UTC().Format(time.RFC3339)
}

// Record compares a training record with what was written into it and verified.
func Record(k Known, meant training.Write, read training.Record) []training.Mismatch {
	base := training.Mismatch{
		Origin: training.MismatchFromCompletion, Source: k.Completion.Source, Fingerprint: k.Fingerprint, RecordID: read.ID,
		Course: k.Completion.Course.Label(), At: k.Completion.CompletedAt,
	}
	with := func(kind training.MismatchKind, lms, qms string) training.Mismatch {
		m := base
		m.Kind, m.LMS, m.QMS, m.Detail = kind, lms, qms, "proof and record"
		return m
	}
	var all []training.Mismatch
	if read.EmployeeID != meant.EmployeeID {
		all = append(all, with(training.MismatchOtherPerson, "", ""))
	}
	if read.Status != training.RecordCompleted {
		return append(all, with(training.MismatchDifferentStatus, string(training.RecordCompleted), string(read.Status)))
	}
	// One field at a time, by the rule that the read-back was judged by.
	shown := read
	shown.EmployeeID, shown.Score = meant.EmployeeID, meant.Score
	if !meant.ShownBy(shown) {
		all = append(all, with(training.MismatchDifferentDate, meant.CompletedAt.UTC().Format(time.RFC3339), stated(read.CompletedAt)))
	}
	shown = read
	shown.EmployeeID, shown.CompletedAt = meant.EmployeeID, training.PrecisionMillisecond.Truncate(meant.CompletedAt)
	if !meant.ShownBy(shown) {
		all = append(all, with(training.MismatchDifferentScore, meant.Score, read.Score))
	}
	return all
}

func stated(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.UTC().Format(time.RFC3339)
}

// Waiting says what a completion that has not ended counts as, nil if it is on its way in time.
func Waiting(k Known, state training.State, class training.FailureClass, since, now time.Time, late time.Duration) []training.Mismatch {
	m := training.Mismatch{
		Origin: training.MismatchFromCompletion, Source: k.Completion.Source, Fingerprint: k.Fingerprint,
		Course: k.Completion.Course.Label(), At: k.Completion.CompletedAt, QMS: string(state), Detail: string(class),
	}
	switch {
	case state == training.StateInReview && class == training.FailureCourseUnmapped:
		m.Kind = training.MismatchNoMapping
	case state == training.StateInReview && class == training.FailureEmployeeUnknown:
		m.Kind = training.MismatchUnknownPerson
	case now.Sub(since) > late:
		m.Kind = training.MismatchWaitingTooLong
	default:
		return nil
	}
	return []training.Mismatch{m}
}
