package activities

import (
	"testing"

	"countersign/internal/journal"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

func (w *world) imports(rows func(*journal.Import) error) {
	w.t.Helper()
	_, err := w.journal.Import(w.t.Context(), journal.ImportEntry{Tenant: "acme", Kind: "courses", By: "m.keller", Reason: "test"}, false, rows)
	require.NoError(w.t, err)
}

// An imported employee goes before the field of the settings, an imported course behind their courses.
func TestImportedMappingsAreUsed_C14_C15(t *testing.T) {
	w := newWorld(t)
	id := w.assigned()
	c := completion()
	c.Learner.ExternalID, c.Course.Code = "HR-of-the-LMS", "UNMAPPED"
	ref := w.journaled(c)
	_, failure := run[struct{}](w, "ResolveLearner", ref)
	require.Equal(t, training.FailureEmployeeUnknown, failure.Class)

	w.imports(func(i *journal.Import) error {
		return i.Employees(t.Context(), []journal.MappedEmployee{{Kind: "id", Value: c.Learner.ID, EmployeeID: employee}})
	})
	_, failure = run[struct{}](w, "ResolveLearner", ref)
	require.Empty(t, failure)
	_, failure = w.check(ref)
	require.Equal(t, training.FailureCourseUnmapped, failure.Class)
	w.imports(func(i *journal.Import) error {
		return i.Courses(t.Context(), []journal.MappedCourse{
			{Source: "lms", Kind: "id", Value: c.Course.ID, Training: program, Approval: true}, {Kind: "code", Value: "COMP-2026", Training: "TP-OTHER"},
		})
	})
	plan, failure := w.check(ref)
	require.Empty(t, failure)
	require.Equal(t, id, plan.RecordID)
	require.Equal(t, training.RecordPendingApproval, plan.Target, "the import asks for an approval")

	r := w.rehearse(c)
	require.Empty(t, r.Problems, "a rehearsal sees the same")
	c.Course.Code, c.CompletedAt = "COMP-2026", c.CompletedAt.AddDate(0, 0, 1) // which the settings map, another way than the import
	plan, failure = w.check(w.journaled(c))
	require.Empty(t, failure)
	require.Equal(t, training.RecordCompleted, plan.Target)
}

// The course's own code stands in only where nobody maps it.
func TestSameCodeIsTheLast_C15(t *testing.T) {
	w := newWorld(t)
	w.tenant.SameCode = true
	mapped := func() string {
		id, _, err := trainingOf(t.Context(), w.journal, w.tenant, "acme", "lms", training.Course{Code: "UNMAPPED"})
		require.NoError(t, err)
		return id
	}
	require.Equal(t, "UNMAPPED", mapped())
	w.imports(func(i *journal.Import) error {
		return i.Courses(t.Context(), []journal.MappedCourse{{Kind: "code", Value: "UNMAPPED", Training: "TP-7"}})
	})
	require.Equal(t, "TP-7", mapped())
}
