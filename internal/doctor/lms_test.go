package doctor

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/settings"
	"countersign/internal/training"
)

type lmsAnswers struct{ err error }

func (l lmsAnswers) Check(context.Context) error { return l.err }

func TestLMSMustLetUsRead_R15(t *testing.T) {
	source := settings.Source{ID: "campus", Platform: "moodle", API: &settings.API{URL: "http://127.0.0.1:1"}}
	refused := training.Fail(training.FailureCredentials, "check", "", "accessexception")
	for name, test := range map[string]struct {
		err  error
		want Level
		says string
	}{
		"it does":        {nil, OK, "lets us read"},
		"it does not":    {refused, Error, "accessexception"},
		"it says naught": {errors.New("jane@acme.example"), Error, "cannot be completed"},
	} {
		t.Run(name, func(t *testing.T) {
			found := the(t, lookups{source, lmsAnswers{test.err}}.run(t.Context()), "lms.api")
			require.Equal(t, test.want, found.Level)
			require.Equal(t, "campus", found.Subject)
			require.Contains(t, found.Text, test.says)
			require.NotContains(t, found.Text, "jane")
		})
	}

	tenant := settings.Tenant{ID: "acme", Sources: []settings.Source{source, {ID: "plain"}}}
	i := Installation{Ports: map[string]Ports{"acme": {LMS: map[string]LMS{"campus": lmsAnswers{}}}}}
	checks := i.lmsChecks(tenant, Options{})
	require.Len(t, checks, 2)
	require.Equal(t, "lms.connection", checks[0].Name)
	require.Equal(t, "lms.api", checks[1].Name)
	i.Ports = nil
	require.Len(t, i.lmsChecks(tenant, Options{}), 1, "what could not be wired is said elsewhere")
}
