package generic

import (
	"errors"
	"strings"

	"countersign/internal/lms/mapping"
	"countersign/internal/training"
)

// missing is an error that lists what the completion lacks, target by target, nil where it lacks nothing.
func (a *Adapter) missing(c training.Completion) error {
	var lacks []string
	if c.Learner.ID == "" && c.Learner.ExternalID == "" && c.Learner.Username == "" && c.Learner.Email == "" {
		lacks = append(lacks, a.wanted(mapping.LearnerID, mapping.LearnerExternalID, mapping.LearnerUsername, mapping.LearnerEmail))
	}
	if c.Course.ID == "" && c.Course.Code == "" && c.Course.Title == "" {
		lacks = append(lacks, a.wanted(mapping.CourseID, mapping.CourseCode, mapping.CourseTitle))
	}
	if c.CompletedAt.IsZero() {
		lacks = append(lacks, a.wanted(mapping.CompletedAt))
	}
	if len(lacks) == 0 {
		return nil
	}
	return errors.New("missing targets: " + strings.Join(lacks, "; "))
}

// wanted names the targets of which one is wanted: those that the mapping reads, with the paths that
// found nothing, and all of them where it reads none.
func (a *Adapter) wanted(targets ...mapping.Target) string {
	var read, all []string
	for _, target := range targets {
		all = append(all, string(target))
		if a.mapping.Has(target) {
			read = append(read, string(target)+" ("+whereLooked(a.fields[target])+")")
		}
	}
	if len(read) == 0 {
		return strings.Join(all, " or ") + " (the mapping reads none)"
	}
	return strings.Join(read, " or ")
}

func whereLooked(f mapping.Field) string {
	if f.Const != nil {
		return "the constant is empty"
	}
	return "nothing at " + strings.Join(append([]string{f.Path}, f.Else...), ", ")
}

// withTextOfPassed is m with the value of passed as a text, whatever its field does: a boolean and the
// texts true and false say whether somebody passed then, and any other text says nothing.
func withTextOfPassed(m *mapping.Mapping) *mapping.Mapping {
	d := m.Definition()
	field, found := d.Fields[mapping.Passed]
	if !found || field.Omit {
		return m
	}
	steps := "toString"
	if field.Transform != "" {
		steps = field.Transform + " | " + steps
	}
	field.Transform = steps
	textual, err := m.Override(mapping.Definition{
		Version: d.Version, Fields: map[mapping.Target]mapping.Field{mapping.Passed: field},
	})
	if err != nil { // the chain would be too long: its last step has to make the text then
		return m
	}
	return textual
}
