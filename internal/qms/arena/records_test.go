package arena_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

func TestEmployeeIDIsComparedExactly_R100(t *testing.T) {
	for known, want := range map[string]training.FailureClass{
		"EMP12345": "", "emp12345": training.FailureEmployeeUnknown, "": training.FailureEmployeeUnknown,
	} {
		s := newStub(t, reply(http.StatusOK, fmt.Sprintf(`{"employeeId":%q,"active":true}`, known)))
		err := s.client(t, nil).Employee(t.Context(), "EMP12345")
		if want == "" {
			require.NoError(t, err)
			continue
		}
		requireFailure(t, err, want)
	}
}

// A list that cannot be trusted is no list: from it the wrong record would be completed.
func TestListsThatCannotBeTrusted(t *testing.T) {
	item := func(id, employee, trainingID string) string {
		return fmt.Sprintf(`{"id":%q,"employeeId":%q,"trainingId":%q,"status":"ASSIGNED"}`, id, employee, trainingID)
	}
	list := func(count int, items ...string) string {
		return fmt.Sprintf(`{"count":%d,"offset":0,"limit":100,"results":[%s]}`, count, strings.Join(items, ","))
	}
	mine := item("TR-1", "EMP12345", "TP-0042")
	for name, tc := range map[string]struct {
		body  string
		calls int
		want  training.FailureClass
	}{
		"one":                      {list(1, mine), 1, ""},
		"none":                     {list(0), 1, ""},
		"filter ignored":           {list(2, mine, item("TR-2", "EMP67890", "TP-0042")), 1, training.FailureMisread},
		"another training":         {list(1, item("TR-2", "EMP12345", "TP-0001")), 1, training.FailureMisread},
		"no count":                 {`{"results":[]}`, 1, training.FailureMisread},
		"fewer than counted":       {list(1), 1, training.FailureMisread},
		"more than counted":        {list(0, mine), 1, training.FailureMisread},
		"the same page once more":  {list(2, mine), 2, training.FailureMisread},
		"endless":                  {list(1e9, mine), 100, training.FailureMisread},
		"unreadable record inside": {list(1, item("", "EMP12345", "TP-0042")), 1, training.FailureMisread},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			s := newStub(t, func(w http.ResponseWriter, _ *http.Request) { calls++; answer(w, 200, tc.body) })
			_, err := s.client(t, nil).Records(t.Context(), "EMP12345", "TP-0042")
			require.Equal(t, tc.calls, calls)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			requireFailure(t, err, tc.want)
		})
	}
}

// An empty filter would list everybody's records.
func TestListNeedsBothFilters(t *testing.T) {
	s := newStub(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	for _, ids := range [][2]string{{"", "TP-0042"}, {"EMP12345", ""}} {
		_, err := s.client(t, nil).Records(t.Context(), ids[0], ids[1])
		requireFailure(t, err, training.FailureDefect)
	}
}

func TestConfigurationMustBeStated_R109(t *testing.T) {
	s := newStub(t, reply(http.StatusOK, `{}`))
	_, err := s.client(t, nil).ExternalUpdatesAllowed(t.Context())
	requireFailure(t, err, training.FailureMisread)
}
