package lmsapitest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/lmsapi"
	"countersign/internal/lmsapi/rest"
	simulated "countersign/internal/simulator/lmsapi"
	"countersign/internal/training"
)

// window holds Finished and the day around it.
func window() lmsapi.Window {
	return lmsapi.Window{From: Finished().Add(-12 * time.Hour), To: Finished().Add(12 * time.Hour)}
}

func testListing(t *testing.T, spec Spec) {
	t.Run("one", func(t *testing.T) {
		w := newWorld(t, spec, nil)
		got := w.list(t, window())
		require.Equal(t, []training.Completion{spec.Listed}, got)
		require.Equal(t, spec.Apart, fingerprint(spec.Event) != fingerprint(got[0]), "one completion, however it was learned of")
	})
	t.Run("the window's edges", func(t *testing.T) {
		w := newWorld(t, spec, nil)
		require.Len(t, w.list(t, lmsapi.Window{From: Finished(), To: Finished().Add(time.Second)}), 1)
		require.Empty(t, w.list(t, lmsapi.Window{From: Finished().Add(-time.Hour), To: Finished()}))
		require.Empty(t, w.list(t, lmsapi.Window{From: Finished().Add(time.Second), To: Finished().Add(time.Hour)}))
	})
	t.Run("every page once, and resumed", func(t *testing.T) {
		plenty := func(cfg *rest.Config) { cfg.PerHour = 1_000_000 }
		w := newWorld(t, spec, plenty)
		want := populate(w)
		cursors, got := []string{""}, map[string]int{}
		for i := 0; i < len(cursors); i++ {
			require.Less(t, i, 2000, "a listing ends")
			page := w.page(t, window(), cursors[i])
			require.Empty(t, page.Unreadable)
			for _, c := range page.Completions {
				require.NoError(t, c.Validate())
				got[c.Learner.Key()+" "+c.Course.Key()]++
			}
			if page.Next != "" {
				cursors = append(cursors, page.Next)
			}
		}
		require.Len(t, got, want)
		for key, times := range got {
			require.Equal(t, 1, times, key)
		}
		require.Greater(t, len(cursors), 1, "more than one page")
		// Another process goes on where this one stopped.
		w.client = w.connect(t, plenty)
		for _, cursor := range cursors {
			require.LessOrEqual(t, len(cursor), 2048)
			require.NotContains(t, cursor, Jane().Email)
		}
		middle := cursors[len(cursors)/2]
		once, again := w.page(t, window(), middle), w.page(t, window(), middle)
		require.Equal(t, once, again)
	})
	t.Run("a cursor of somebody else", func(t *testing.T) {
		w := newWorld(t, spec, nil)
		for _, cursor := range []string{"\x00", "../..", "https://evil.example/", "{", "-1"} {
			_, err := w.client.(lmsapi.Lister).Completions(t.Context(), window(), cursor)
			requireFailure(t, err, training.FailureDefect)
		}
		require.Zero(t, w.calls())
	})
}

// populate adds enough for several pages and says how many completions the window then holds.
func populate(w *world) int {
	const learners, courses = 130, 4
	for i := range courses {
		w.lms.AddCourse(simulated.Course{ID: fmt.Sprint(6000 + i), Title: fmt.Sprint("Course ", i), Code: fmt.Sprint("C-", i)})
	}
	for i := range learners {
		id := fmt.Sprint(20000 + i)
		w.lms.AddLearner(simulated.Learner{ID: id, Username: "u" + id, Email: "u" + id + "@example.test", FirstName: "U", LastName: id})
	}
	want := 1 // Jane's
	for i := range courses {
		for j := range learners {
			e := simulated.Enrollment{ID: fmt.Sprint(80000 + i*learners + j), LearnerID: fmt.Sprint(20000 + j), CourseID: fmt.Sprint(6000 + i)}
			switch j % 5 {
			case 0: // not completed
			case 1: // completed outside of the window
				e.CompletedAt = Finished().AddDate(0, -2, 0)
			default:
				e.CompletedAt = Finished().Add(time.Duration(j) * time.Second)
				want++
			}
			w.lms.AddEnrollment(e)
		}
	}
	return want
}

// fingerprint is the fingerprint within one tenant and source.
func fingerprint(c training.Completion) training.Fingerprint {
	c.Tenant, c.Source = "acme", "lms"
	return c.Fingerprint()
}

func (w *world) page(t *testing.T, window lmsapi.Window, cursor string) lmsapi.Page {
	t.Helper()
	page, err := w.client.(lmsapi.Lister).Completions(t.Context(), window, cursor)
	require.NoError(t, err)
	return page
}

// list reads all pages.
func (w *world) list(t *testing.T, window lmsapi.Window) []training.Completion {
	t.Helper()
	out := []training.Completion{}
	cursor := ""
	for {
		page := w.page(t, window, cursor)
		require.Empty(t, page.Unreadable)
		require.Equal(t, w.spec.Apart, page.Apart)
		out = append(out, page.Completions...)
		if page.Next == "" {
			return out
		}
		cursor = page.Next
	}
}
