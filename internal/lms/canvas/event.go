package canvas

import (
	"errors"
	"strings"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
	"countersign/internal/training"
)

// whyNot says why the event is no completion; "" where it is one.
func whyNot(r *mapping.Reader, event strictjson.Value, name string) string {
	switch {
	case name == completed && !event.Member("body").Member("progress").Member("error").Missing():
		// Canvas's own code writes this for a course without modules and for whoever is no student of it.
		return "progress.error: Canvas has no progress to report"
	case name == completed:
		_, reason := r.IsCompletion()
		return reason
	case name == "course_progress":
		return "a requirement was met, not the last one"
	case strings.HasPrefix(name, "enrollment_"):
		return "a change of an enrollment; completed means concluded there, not learned"
	case name == "course_grade_change", name == "grade_change":
		return "a grade, not a completion"
	default:
		return "not a completion event"
	}
}

// read takes a completion; p reads the same event.
func (a *Adapter) read(r *mapping.Reader, p *strictjson.Picker) (training.Completion, error) {
	c := r.Completion(dates)
	a.checkDate(r, p)
	switch {
	case r.Err() != nil:
		return c, r.Err()
	case p.Err() != nil:
		return c, p.Err()
	default:
		return c, c.Validate()
	}
}

// checkDate refuses the event's own time in place of a missing completed_at where the requirements are not all met: then
// it is not known what the event says. Documented is only that completed_at may be null.
func (a *Adapter) checkDate(r *mapping.Reader, p *strictjson.Picker) {
	const path = "body.progress.completed_at"
	if a.mapping.Overridden(mapping.CompletedAt) || !p.At(path).Missing() {
		return
	}
	want, met := p.Number("body.progress.requirement_count"), p.Number("body.progress.requirement_completed_count")
	if p.Err() == nil && (want == "" || want == "0" || want != met) {
		r.Problem(path, errors.New("is missing, and the requirements are not all met"))
	}
}

// dates reads what is always RFC 3339 in these events.
func dates(v strictjson.Value) (time.Time, training.Precision, error) {
	text, err := v.StringOnly()
	if err != nil {
		return time.Time{}, "", err
	}
	return lms.ParseInstant(text)
}

// caliper names the events of an envelope in the IMS Caliper format.
func caliper(events []strictjson.Value) []lms.Ignored {
	ignored := []lms.Ignored{}
	for _, event := range events {
		p := strictjson.Pick(event)
		name := strings.Trim(p.Text("type")+":"+p.Text("action"), ":")
		ignored = append(ignored, lms.Ignored{Event: name, Reason: "the Caliper format has no event for a completed course; subscribe in the Canvas format"})
	}
	if len(ignored) == 0 {
		ignored = append(ignored, lms.Ignored{Reason: "the envelope holds no event"})
	}
	return ignored
}
