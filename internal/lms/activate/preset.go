package activate

import (
	"regexp"
	"strings"

	"countersign/internal/lms/mapping"
	"countersign/internal/training"
)

// DefaultMapping reads the names that the vendor's page uses, in its example and for its own fields, and
// close relatives of them: the first that says something counts. Two rules beside it take no path:
//
//   - An external id with "@" in it is an e-mail address, as in the vendor's own example, and is one only
//     where none is stated outright. An override of learner.externalId is taken as it stands.
//   - passed is read from a status: see passed.
//
// The login is the learner's id too: there is no other that stays.
func DefaultMapping() *mapping.Mapping {
	percent := "100" // the vendor: "score 0-100", as a percentage
	return mapping.MustCompile(Platform, mapping.Definition{
		Version: "1",
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerID:         {Path: "$['userName','username','login']"},
			mapping.LearnerUsername:   {Path: "$['userName','username','login']"},
			mapping.LearnerEmail:      {Path: "$['email','userEmail','mail']"},
			mapping.LearnerExternalID: {Path: "$['employeeId','employeeNumber','externalId']"},
			mapping.LearnerFirstName:  {Path: "$.firstName"},
			mapping.LearnerLastName:   {Path: "$.lastName"},
			mapping.CourseID:          {Path: "$['activityId','courseId','courseCode']"},
			mapping.CourseTitle:       {Path: "$['activityName','courseName','courseTitle','title']"},
			mapping.CompletedAt:       {Path: "$['completionDate','completedOn','completedAt','completed_at','completion_date']"},
			mapping.ScoreRaw:          {Path: "$['bestScore','score']"},
			mapping.ScoreMax:          {Const: &percent},
			mapping.Passed:            {Path: "$['bestCombined','status','completionStatus']", Transform: "toString"},
		},
	})
}

// withStatusText is m with the value of passed as a text, whatever its field does, so that passed
// reads an administrator's own status as it reads the preset's.
func withStatusText(m *mapping.Mapping) *mapping.Mapping {
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

// moveEmail puts an e-mail address that came as an employee's number where it belongs.
func (a *Adapter) moveEmail(l *training.Learner) {
	if a.mapping.Overridden(mapping.LearnerExternalID) || !strings.Contains(l.ExternalID, "@") {
		return
	}
	if l.Email == "" && a.mapping.Has(mapping.LearnerEmail) {
		l.Email = l.ExternalID
	}
	l.ExternalID = ""
}

var (
	everything = regexp.MustCompile(`^\+?0*100(\.0*)?$`)
	nothing    = regexp.MustCompile(`^[+-]?0+(\.0*)?$`)
)

// passed reads a status: 100 and "passed" are a pass, 0 and "failed" a fail, in any case of the letters. Another
// number is a part of the way, another word is not known to say either: the answer is nil, never
// a guess (R72).
func passed(status string) *bool {
	var truth bool
	switch word := strings.ToLower(status); {
	case word == "passed", word == "pass", word == "true", everything.MatchString(word):
		truth = true
	case word == "failed", word == "fail", word == "false", nothing.MatchString(word):
	default:
		return nil
	}
	return &truth
}
