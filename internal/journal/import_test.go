package journal_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/journal"
	"countersign/internal/training"
)

func course(source, kind, value, program string) journal.MappedCourse {
	return journal.MappedCourse{Tenant: "acme", Source: source, Kind: kind, Value: value, Training: program}
}

func importing(t *testing.T, j *journal.Journal, tenant string, dry bool, rows func(*journal.Import) error) journal.ImportCounts {
	t.Helper()
	counts, err := j.Import(t.Context(), journal.ImportEntry{Tenant: tenant, Kind: "courses", By: "m.keller", Reason: "new year", SHA256: "ab"}, dry, rows)
	require.NoError(t, err)
	return counts
}

func TestImportIsAllOrNothing_R128(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		clock := newClock()
		j := open(t, dsn, journal.Options{Now: clock.Now})
		all := []journal.MappedCourse{course("", "code", "GDPR", "TP-1"), course("lms", "code", "GDPR", "TP-2"), course("", "id", "1", "TP-1")}
		put := func(i *journal.Import) error { return i.Courses(t.Context(), all) }
		read := func(tenant string) (found []journal.MappedCourse) {
			require.NoError(t, j.EachCourse(t.Context(), tenant, func(m journal.MappedCourse) error {
				found = append(found, m)
				return nil
			}))
			return found
		}
		require.Equal(t, journal.ImportCounts{Added: 3}, importing(t, j, "acme", true, put))
		require.Empty(t, read("acme"), "a dry run writes nothing")
		broken := errors.New("line 4")
		_, err := j.Import(t.Context(), journal.ImportEntry{Tenant: "acme"}, false, func(i *journal.Import) error { return errors.Join(put(i), broken) })
		require.ErrorIs(t, err, broken)
		require.Empty(t, read("acme"), "nor does one that fails")

		require.Equal(t, journal.ImportCounts{Added: 3}, importing(t, j, "acme", false, put))
		require.ElementsMatch(t, all, read("acme"))
		all[1].Approval, all[2].Training = true, "TP-3"
		want := journal.ImportCounts{Changed: 2, Unchanged: 1}
		for _, dry := range []bool{true, false} {
			require.Equal(t, want, importing(t, j, "acme", dry, put))
		}
		require.ElementsMatch(t, all, read("acme"))
		require.Empty(t, read("globex"))
		importing(t, j, "globex", false, put)

		removing := func(i *journal.Import) error {
			return i.RemoveOtherCourses(t.Context(), func(m journal.MappedCourse) bool { return m.Kind == "id" })
		}
		for _, dry := range []bool{true, false} {
			require.Equal(t, journal.ImportCounts{Removed: 2}, importing(t, j, "acme", dry, removing))
		}
		require.Equal(t, all[2:], read("acme"))
		require.Len(t, read("globex"), 3, "tenants never meet")

		kept, err := j.Imports(t.Context(), "acme")
		require.NoError(t, err)
		require.Len(t, kept, 3)
		require.Equal(t, journal.ImportEntry{
			Tenant: "acme", Kind: "courses", By: "m.keller", Reason: "new year", SHA256: "ab", At: clock.Now(),
			ImportCounts: journal.ImportCounts{Removed: 2},
		}, kept[0])
		all[0].Value = "\xff"
		_, err = j.Import(t.Context(), journal.ImportEntry{Tenant: "acme"}, false, put)
		require.ErrorIs(t, err, journal.ErrUnstorable)
	})
}

func TestLinksAreImported_R97(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		link := func(n int, enrollment, record string) journal.Link {
			return journal.Link{
				Tenant: "acme", Source: "lms", EnrollmentID: enrollment, LearnerKey: fmt.Sprint("id:", n), CourseKey: "id:1",
				EmployeeID: "HR", RecordID: record,
			}
		}
		require.NoError(t, j.PutLink(t.Context(), link(1, "E1", "TR-1")))
		require.NoError(t, j.PutLink(t.Context(), link(2, "", "TR-2")))
		var many []journal.Link
		for n := range 450 { // more than are written at once, of both kinds
			many = append(many, link(n, map[bool]string{true: fmt.Sprint("E", n)}[n%2 == 1], fmt.Sprint("TR-", n)))
		}
		put := func(i *journal.Import) error { return i.Links(t.Context(), many) }
		require.Equal(t, journal.ImportCounts{Added: 448, Unchanged: 2}, importing(t, j, "acme", false, put))
		many[1].LearnerKey, many[2].RecordID = "id:7", "TR-X"
		require.Equal(t, journal.ImportCounts{Changed: 2, Unchanged: 448}, importing(t, j, "acme", false, put))
		found, err := j.FindLink(t.Context(), "acme", "lms", "", "id:2", "id:1")
		require.NoError(t, err)
		require.Equal(t, "TR-X", found.RecordID)

		counts := importing(t, j, "acme", false, func(i *journal.Import) error {
			return i.RemoveOtherLinks(t.Context(), func(l journal.Link) bool { return l.EnrollmentID == "E3" || l.LearnerKey == "id:4" })
		})
		require.Equal(t, journal.ImportCounts{Removed: 448}, counts)
		var left []string
		require.NoError(t, j.EachLink(t.Context(), "acme", func(l journal.Link) error { left = append(left, l.RecordID); return nil }))
		require.Equal(t, []string{"TR-4", "TR-3"}, left)
		stop := errors.New("enough")
		require.ErrorIs(t, j.EachLink(t.Context(), "acme", func(journal.Link) error { return stop }), stop)
	})
}

// The mapping for this source goes before the one for all, and the surer key before the other.
func TestMappingsAreFound_C14_C15(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		j := open(t, dsn, journal.Options{})
		employee := func(source, kind, value, id string) journal.MappedEmployee {
			return journal.MappedEmployee{Tenant: "acme", Source: source, Kind: kind, Value: value, EmployeeID: id}
		}
		importing(t, j, "acme", false, func(i *journal.Import) error {
			return errors.Join(i.Courses(t.Context(), []journal.MappedCourse{
				course("", "id", "1", "all by id"), course("", "code", "GDPR", "all by code"), course("lms", "title", "GDPR 2026", "lms by title"),
			}), i.Employees(t.Context(), []journal.MappedEmployee{
				employee("", "email", "jane@example.com", "by mail"), employee("", "id", "7", "by id"), employee("portal", "external_id", "X", "portal's"),
			}))
		})
		for want, c := range map[string]training.Course{
			"all by id": {ID: "1", Code: "GDPR"}, "all by code": {ID: "2", Code: "GDPR", Title: "other"}, "lms by title": {ID: "1", Title: "GDPR 2026"},
		} {
			found, err := j.CourseTraining(t.Context(), "acme", "lms", c)
			require.NoError(t, err)
			require.Equal(t, want, found.Training)
		}
		for _, c := range []training.Course{{}, {ID: "GDPR"}, {Code: "gdpr"}} {
			_, err := j.CourseTraining(t.Context(), "acme", "lms", c)
			require.ErrorIs(t, err, journal.ErrNotFound)
		}
		_, err := j.CourseTraining(t.Context(), "globex", "lms", training.Course{ID: "1"})
		require.ErrorIs(t, err, journal.ErrNotFound)

		for want, l := range map[string]training.Learner{
			"by mail": {Email: "Jane@Example.com", ID: "8"}, "by id": {ID: "7", Email: "jane@example.com"},
		} {
			id, err := j.EmployeeOf(t.Context(), "acme", "lms", l)
			require.NoError(t, err)
			require.Equal(t, want, id)
		}
		id, err := j.EmployeeOf(t.Context(), "acme", "portal", training.Learner{ID: "7", ExternalID: "X"})
		require.NoError(t, err)
		require.Equal(t, "portal's", id)
		_, err = j.EmployeeOf(t.Context(), "acme", "lms", training.Learner{ExternalID: "X"})
		require.ErrorIs(t, err, journal.ErrNotFound)
	})
}
