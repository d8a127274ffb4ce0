package rig

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"countersign/bench/faults/plan"
	"countersign/internal/simulator/arena"

	"github.com/stretchr/testify/require"
)

func unfelt() *Rig {
	return &Rig{options: Options{Say: func(string, ...any) {}}}
}

// Two steps of one name and one place are two.
func TestEveryStepIsFeltByItself(t *testing.T) {
	r := unfelt()
	s := plan.Step{Fault: plan.Fault{Name: "after-commit"}, At: 273}
	first, second := r.expect(s, nil), r.expect(s, nil)
	r.reached(first)
	require.Equal(t, []string{"after-commit@273"}, r.Unfelt())
	r.reached(second)
	require.Empty(t, r.Unfelt())
}

// What lasts has to be felt while it lasts; what happens and waits for somebody may be felt later. What was begun and not felt is told.
func TestAFaultThatNobodyFeltIsTold(t *testing.T) {
	count := 7
	nothing := func() error { return nil }
	for name, c := range map[string]struct {
		lasts          bool
		during, after  int
		feltAtItsEnd   bool
		feltAfterwards bool
	}{
		"felt while it lasted":         {true, 1, 0, true, true},
		"felt when it was over":        {true, 0, 1, false, false},
		"never felt":                   {true, 0, 0, false, false},
		"a happening, felt at once":    {false, 1, 0, true, true},
		"a happening, felt later":      {false, 0, 1, false, true},
		"a happening that nobody felt": {false, 0, 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := unfelt()
			s := plan.Step{Fault: plan.Fault{Name: "the-fault", Lasting: c.lasts}, At: 3, Until: 9}
			does := once(func() error { count += 5; return nil }) // what it does itself does not count
			if c.lasts {
				does = lasting(nothing, nothing)
			}
			a := r.felt(does, func() int { return count })
			require.NoError(t, a.begin(context.Background(), s))
			require.Equal(t, []string{s.String()}, r.Unfelt())
			count += c.during
			if c.lasts {
				require.NoError(t, a.end(context.Background(), s))
			}
			require.Equal(t, c.feltAtItsEnd, len(r.Unfelt()) == 0)
			count += c.after
			require.Equal(t, c.feltAfterwards, len(r.Unfelt()) == 0)
		})
	}
}

// A scripted answer is felt when somebody is given it, and not when somebody is given another.
func TestAScriptedAnswerIsFeltByWhoAsks(t *testing.T) {
	q := arena.New(arena.Options{})
	t.Cleanup(func() { require.NoError(t, q.Close()) })
	r := unfelt()
	r.world = &world{qms: q}
	server := httptest.NewServer(q.Handler())
	t.Cleanup(server.Close)
	ask := func(path string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader("{}"))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json")
		response, err := server.Client().Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	begin := func(name string) {
		t.Helper()
		f := plan.Step{Fault: plan.Fault{Name: name}, At: 1}
		require.NoError(t, r.qmsFaults()[name].begin(t.Context(), f))
	}
	begin("qms-silent")
	begin("qms-commit-500")
	begin("qms-token-expired")
	require.Equal(t, []string{"qms-silent@1", "qms-commit-500@1", "qms-token-expired@1"}, r.Unfelt())
	ask("/api/v1/auth/token")
	require.Len(t, r.Unfelt(), 3, "that somebody wants a token says nothing about an old one")
	ask("/api/v1/training/records/1/complete")
	require.NotContains(t, r.Unfelt(), "qms-silent@1")
	require.Contains(t, r.Unfelt(), "qms-commit-500@1")
	ask("/api/v1/training/records")
	require.Equal(t, []string{"qms-commit-500@1"}, r.Unfelt(), "a request without a token that is good")
}
