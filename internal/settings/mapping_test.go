package settings_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/mapping"
	"countersign/internal/settings"
)

// withMapping is a file whose only source, which begins in line 6, has these further lines.
func withMapping(lines string) string {
	return oneTenant + `    sources:
      - id: lms
        platform: canonical
        auth: {hmac_sha256: {secrets: [env:NEW]}}
` + lines
}

// loadMapped loads a file against a platform whose own mapping reads the learner's id from $.user.
func loadMapped(t *testing.T, content string) (*settings.Settings, error) {
	t.Helper()
	setSourceSecrets(t)
	path := filepath.Join(t.TempDir(), "countersign.yml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	own := mapping.MustCompile("canonical", mapping.Definition{
		Version: "1", Fields: map[mapping.Target]mapping.Field{mapping.LearnerID: {Path: "$.user"}},
	})
	checked := known()
	checked.Mapping = func(_ string, d mapping.Definition) error {
		_, err := own.Override(d)
		return err
	}
	return settings.Load(path, checked)
}

func TestSourceHasAMappingOfItsOwn_R61_R69(t *testing.T) {
	s, err := loadMapped(t, withMapping(`        employee_id: username
        mapping:
          version: acme-3
          completion_when: {path: $.event, in: [course.done, 7]}
          fields:
            learner.externalId: {path: $.staffNo, transform: 'concat:EMP{value} | toString'}
            completedAt: {path: $.doneAt, else: ['$.done'], parse: MM/dd/yyyy HH:mm, zone: America/Chicago}
            course.id: $.training.code
            score.max: {const: 50}
            event: {omit: true}
`))
	require.NoError(t, err)
	source, ok := s.Tenants[0].Source("lms")
	require.True(t, ok)
	require.Equal(t, settings.LearnerUsername, source.EmployeeID)
	fifty := "50"
	require.Equal(t, &mapping.Definition{
		Version: "acme-3",
		Fields: map[mapping.Target]mapping.Field{
			mapping.LearnerExternalID: {Path: "$.staffNo", Transform: "concat:EMP{value} | toString"},
			mapping.CompletedAt:       {Path: "$.doneAt", Else: []string{"$.done"}, Parse: "MM/dd/yyyy HH:mm", Zone: "America/Chicago"},
			mapping.CourseID:          {Path: "$.training.code"},
			mapping.ScoreMax:          {Const: &fifty},
			mapping.Event:             {Omit: true},
		},
		CompletionWhen: &mapping.Condition{Path: "$.event", In: []string{"course.done", "7"}},
	}, source.Mapping)

	var shown bytes.Buffer
	require.NoError(t, s.Describe(&shown))
	require.Contains(t, shown.String(), "own mapping acme-3 of learner.externalId, course.id, completedAt, score.max, event")
}

func TestSourceWithoutMapping(t *testing.T) {
	s, err := loadMapped(t, withMapping(""))
	require.NoError(t, err)
	require.Nil(t, s.Tenants[0].Sources[0].Mapping)
	require.Equal(t, settings.LearnerExternalID, s.Tenants[0].Sources[0].EmployeeID, "the tenant's")
}

// An administrator sees the line of the file and the byte of the expression, for all mistakes at once.
func TestMappingPointsAtTheMistake_R62_R66(t *testing.T) {
	for name, test := range map[string]struct{ lines, want string }{
		"transform": {"        mapping:\n          version: a\n          fields:\n            passed: {path: $.p, transform: 'toInt | shout'}\n",
			":13:44: tenants[0].sources[0].mapping.fields.passed.transform: passed: transform, byte 8"},
		"path":           {"        mapping:\n          version: a\n          fields: {course.id: 'course.id'}\n", ":12:31: tenants[0].sources[0].mapping.fields.course.id: course.id: path"},
		"unknown target": {"        mapping: {version: a, fields: {user.id: $.x}}\n", ":10:49: tenants[0].sources[0].mapping.fields.user.id"},
		"no version":     {"        mapping: {fields: {course.id: $.x}}\n", "mapping.version: is required"},
		"bad version":    {"        mapping: {version: a b, fields: {course.id: $.x}}\n", ":10:28: tenants[0].sources[0].mapping.version"},
		"no fields":      {"        mapping: {version: a}\n", "mapping.fields: is required"},
		"zone":           {"        mapping: {version: a, fields: {completedAt: {path: $.x, parse: yyyy, zone: Mars/Base}}}\n", "completedAt.zone"},
		"unknown part":   {"        mapping: {version: a, fields: {course.id: {path: $.x, steps: toInt}}}\n", "steps: unknown key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadMapped(t, withMapping(test.lines))
			require.ErrorContains(t, err, test.want)
		})
	}
}
