package adobe

import (
	"slices"
	"time"

	"countersign/internal/lms"
	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	"countersign/internal/training"
)

// document is a JSON:API document (jsonapi.org/format/1.0) about one resource.
type document struct {
	Data     resource   `json:"data"`
	Included []resource `json:"included"`
}

// resource is a user, a learning object, an enrollment or a grade, with what is read of any of them.
type resource struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Attributes struct {
		Email    string `json:"email"`
		Name     string `json:"name"`
		UniqueID string `json:"userUniqueId"`

		ObjectUniqueID string     `json:"uniqueId"`
		Metadata       []metadata `json:"localizedMetadata"`

		DateCompleted string `json:"dateCompleted"`
		HasPassed     *bool  `json:"hasPassed"`

		Score rest.Text `json:"score"`
		Max   rest.Text `json:"maxScore"`
	} `json:"attributes"`
	Relationships struct {
		LearningObject struct {
			Data struct {
				ID string `json:"id"`
			} `json:"data"`
		} `json:"learningObject"`
	} `json:"relationships"`
}

type metadata struct {
	Locale string `json:"locale"`
	Name   string `json:"name"`
}

func (d document) included(kind, id string) (resource, bool) {
	i := slices.IndexFunc(d.Included, func(r resource) bool { return r.Type == kind && r.ID == id })
	if i < 0 {
		return resource{}, false
	}
	return d.Included[i], true
}

// learner is the user's, for a learner of whom have is known. The name stays in one piece: where it parts is not ours to
// guess. It is not put beside a last name.
func (r resource) learner(have training.Learner) training.Learner {
	l := training.Learner{Email: r.Attributes.Email, ExternalID: r.Attributes.UniqueID}
	if have.LastName == "" {
		l.FirstName = r.Attributes.Name
	}
	return l
}

// course is the learning object's: its title in English (US), else in the first language that there is, so that it is
// the same each time.
func (r resource) course() training.Course {
	course := training.Course{Code: r.Attributes.ObjectUniqueID}
	names := r.Attributes.Metadata
	if i := slices.IndexFunc(names, func(m metadata) bool { return m.Locale == "en-US" }); i >= 0 {
		course.Title = names[i].Name
	} else if len(names) > 0 {
		course.Title = names[0].Name
	}
	return course
}

// details are what the enrollment says of the completion, while it is still about it: a re-enrolled learner finishes
// again under the same id.
func (d document) details(have training.Completion) lmsapi.Details {
	at, precision, err := lms.ParseInstant(d.Data.Attributes.DateCompleted)
	if err != nil || !asSent(at).Equal(have.CompletedAt) {
		return lmsapi.Details{}
	}
	details := lmsapi.Details{Score: d.score()}
	if !at.Equal(have.CompletedAt) {
		details.CompletedAt, details.Precision = at, precision
	}
	if details.Score.Passed == nil {
		details.Score.Passed = d.Data.Attributes.HasPassed
	}
	return details
}

// score is the grade's, where there is only one with a scale. The enrollment's own score has none, and is 0 where nothing
// was asked.
func (d document) score() training.Score {
	var scored []training.Score
	for _, r := range d.Included {
		if r.Type != "learningObjectResourceGrade" {
			continue
		}
		if s := rest.Score(string(r.Attributes.Score), string(r.Attributes.Max)); s.Known() && s.Max != "" {
			scored = append(scored, s)
		}
	}
	if len(scored) != 1 {
		return training.Score{}
	}
	return scored[0]
}

// completedAt is when the enrollment was completed; ok is false for one that was not.
func (r resource) completedAt() (at time.Time, precision training.Precision, ok bool, err error) {
	if r.Attributes.DateCompleted == "" {
		return time.Time{}, "", false, nil
	}
	at, precision, err = lms.ParseInstant(r.Attributes.DateCompleted)
	if err != nil {
		return time.Time{}, "", true, errNoDate
	}
	return at, precision, true, nil
}

// completion reads the enrollment of a user as the webhook states it.
func (r resource) completion(user string, at time.Time, precision training.Precision) (training.Completion, error) {
	c := training.Completion{
		Platform: Platform, EnrollmentID: r.ID, Learner: training.Learner{ID: user},
		Course:      training.Course{ID: r.Relationships.LearningObject.Data.ID},
		CompletedAt: asSent(at), Precision: precision, CompletedAtSource: "dateCompleted",
		Score: training.Score{Passed: r.Attributes.HasPassed},
	}
	return c, c.Validate()
}
