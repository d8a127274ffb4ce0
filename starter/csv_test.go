package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countersign/internal/journal"
	"countersign/internal/settings"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// csvFile writes a file of an import.
func csvFile(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "table.csv")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// imported imports a table and returns what is said about it.
func imported(t *testing.T, table, text string, flags ...string) (string, error) {
	t.Helper()
	args := append([]string{"csv", "import", "-by", "m.keller", "-reason", "onboarding"}, flags...)
	return command(t, append(args, "acme", table, csvFile(t, text))...)
}

func exported(t *testing.T, name string) string {
	t.Helper()
	out, err := command(t, "csv", "export", "acme", name)
	require.NoError(t, err)
	_, table, found := strings.Cut(out, "source") // behind what is logged
	require.True(t, found)
	return "source" + table
}

func TestCSVOfCoursesAndEmployees_R128(t *testing.T) {
	s := start(t, tenantsFile)
	out, err := imported(t, "courses", "key;value;training;approval;source\ncode;GDPR;TP-1;TRUE;\nid;5541;TP-2;;lms\n")
	require.NoError(t, err)
	require.Contains(t, out, "imported: 2 added, 0 changed, 0 unchanged, 0 removed")
	require.Equal(t, "source,key,value,training,approval\n,code,GDPR,TP-1,true\nlms,id,5541,TP-2,false\n", exported(t, "courses"))
	mapped, err := s.Journal.CourseTraining(t.Context(), "acme", "lms", training.Course{ID: "5541", Code: "GDPR"})
	require.NoError(t, err)
	require.Equal(t, "TP-2", mapped.Training, "the one for this source goes first")

	out, err = imported(t, "employees", "key,value,employee_id\nemail,Jane.Doe@example.com,HR-1\nid,'=7,HR-2\n")
	require.NoError(t, err)
	require.Contains(t, out, "2 added")
	id, err := s.Journal.EmployeeOf(t.Context(), "acme", "lms", training.Learner{Email: "jane.doe@EXAMPLE.com"})
	require.NoError(t, err)
	require.Equal(t, "HR-1", id)
	require.Equal(t, "source,key,value,employee_id\n,email,jane.doe@example.com,HR-1\n,id,'=7,HR-2\n", exported(t, "employees"))

	kept, err := s.Journal.Imports(t.Context(), "acme")
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.Equal(t, []string{"employees", "m.keller", "onboarding"}, []string{kept[0].Kind, kept[0].By, kept[0].Reason})
	require.Len(t, kept[0].SHA256, 64)
	require.Equal(t, 2, kept[0].Added)
}

// A dry run says what would be done, and a repetition does nothing.
func TestCSVDryRunAndReplace_R97(t *testing.T) {
	s := start(t, tenantsFile)
	ctx := t.Context()
	for n, link := range []journal.Link{
		{EnrollmentID: "1", LearnerKey: "id:7", CourseKey: "id:1", EmployeeID: "HR-7", RecordID: "TR-1"},
		{EnrollmentID: "2", LearnerKey: "id:8", CourseKey: "id:1", EmployeeID: "HR-8", RecordID: "TR-2"},
		{LearnerKey: "id:9", CourseKey: "id:1", EmployeeID: "HR-9", RecordID: "TR-3"},
	} {
		link.Tenant, link.Source = "acme", "lms"
		require.NoError(t, s.Journal.PutLink(ctx, link), n)
	}
	before := exported(t, "links")
	const file = "source,enrollment_id,learner,course,employee_id,record_id\n" +
		"lms,1,id:7,id:1,HR-7,TR-1\n" + // as it is
		"lms,,id:9,id:1,HR-9,TR-9\n" + // changed
		"lms,3,,,HR-4,TR-4\n" // new
	out, err := command(t, "csv", "import", "-dry-run", "-replace", "acme", "links", csvFile(t, file))
	require.NoError(t, err)
	require.Contains(t, out, "dry run, nothing written: 1 added, 1 changed, 1 unchanged, 1 removed")
	require.Equal(t, before, exported(t, "links"))

	out, err = imported(t, "links", file)
	require.NoError(t, err)
	require.Contains(t, out, "1 added, 1 changed, 1 unchanged, 0 removed", "without -replace nothing is")
	out, err = imported(t, "links", file, "-replace")
	require.NoError(t, err)
	require.Contains(t, out, "0 added, 0 changed, 3 unchanged, 1 removed")
	link, err := s.Journal.FindLink(ctx, "acme", "lms", "", "id:9", "id:1")
	require.NoError(t, err)
	require.Equal(t, "TR-9", link.RecordID)
	_, err = s.Journal.FindLink(ctx, "acme", "lms", "2", "", "")
	require.ErrorIs(t, err, journal.ErrNotFound)
	out, err = imported(t, "links", exported(t, "links"), "-replace")
	require.NoError(t, err)
	require.Contains(t, out, "0 added, 0 changed, 3 unchanged, 0 removed", "what was exported is what is there")
}

// Every bad line is named by its place and without what it holds, and nothing is imported.
func TestCSVMistakes(t *testing.T) {
	s := start(t, tenantsFile)
	_, err := imported(t, "links", "source,enrollment_id,learner,course,employee_id,record_id\n"+
		"lms,1,,,HR-1,TR-1\n"+ // good
		"gone,2,,,HR-1,TR-1\n"+
		"lms,,id:7,,HR-1,TR-1\n"+
		"lms,,jane.doe@example.com,id:1,HR-1,TR-1\n"+
		"lms,4,,,,TR-1\n"+
		"lms,5,,,HR-1,\n"+
		"lms,1,id:7,id:1,HR-1,TR-1\n"+
		"lms,6,,,HR-1\n")
	require.Error(t, err)
	for _, mistake := range []string{
		"nothing imported, 7 mistakes", "line 3, column source: the tenant has no such source", "line 4, column course: must be id:",
		"line 5, column learner: must be id:", "line 6, column employee_id: is required", "line 7, column record_id: is required",
		"line 8: is about the same as line 2", "line 9: has 5 cells",
	} {
		require.ErrorContains(t, err, mistake)
	}
	require.NotContains(t, err.Error(), "jane.doe")
	require.Equal(t, "source,enrollment_id,learner,course,employee_id,record_id\n", exported(t, "links"))

	for table, text := range map[string]string{
		"courses":   "key,value,training,approval\nnumber,1,TP-1,\ncode,,TP-1,\ncode,1,,\ncode,1,TP-1,perhaps\n",
		"employees": "key,value,employee_id\nid,7,\nid,,HR-1\nname,7,HR-1\nid,7,HR-1,x\n",
	} {
		_, err := imported(t, table, text)
		require.ErrorContains(t, err, "4 mistakes", table)
	}
	_, err = imported(t, "courses", "key,value,trainings\n")
	require.ErrorContains(t, err, "line 1: column 3 is none of source, key, value, training, approval")
	_, err = imported(t, "courses", "key,value,training\n"+strings.Repeat("code,,x\n", 60))
	require.ErrorContains(t, err, "and 10 more")
	kept, err := s.Journal.Imports(t.Context(), "acme")
	require.NoError(t, err)
	require.Empty(t, kept)
}

func TestCSVArguments(t *testing.T) {
	start(t, tenantsFile)
	file := csvFile(t, "key,value,training\n")
	for want, args := range map[string][]string{
		"want export or import":                {},
		"wrong arguments":                      {"import", "-dry-run", "acme", "people", file},
		"wrong arguments ":                     {"export", "acme"},
		"by must name the person":              {"import", "acme", "courses", file},
		"reason must say why":                  {"import", "-by", "m.keller", "acme", "courses", file},
		`the settings have no tenant "globex"`: {"import", "-dry-run", "globex", "courses", file},
		"no such file":                         {"import", "-dry-run", "acme", "courses", file + "x"},
		"file exists":                          {"export", "-o", file, "acme", "courses"},
	} {
		_, err := command(t, append([]string{"csv"}, args...)...)
		require.ErrorContains(t, err, strings.TrimSpace(want))
	}
	out := filepath.Join(t.TempDir(), "courses.csv")
	_, err := command(t, "csv", "export", "-o", out, "acme", "courses")
	require.NoError(t, err)
	info, err := os.Stat(out)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds personal data")
}

// Whatever is in the journal: its export, imported elsewhere, gives the same export.
func TestCSVRoundTripIsTheIdentity(t *testing.T) {
	tenant := settings.Tenant{ID: "acme", Sources: []settings.Source{{ID: "lms"}, {ID: "portal"}}}
	text := rapid.StringMatching(`[=+@'\-]?[^\x00-\x1f\x7f]{1,12}`)
	fresh := func() *journal.Journal {
		j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, j.Close()) })
		return j
	}
	first, second := fresh(), fresh()
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(0, 4).Draw(t, "links") {
			require.NoError(t, first.PutLink(context.Background(), journal.Link{
				Tenant: "acme", Source: rapid.SampledFrom([]string{"lms", "portal"}).Draw(t, "source"),
				EnrollmentID: rapid.OneOf(rapid.Just(""), text).Draw(t, "enrollment"),
				LearnerKey:   "username:" + text.Draw(t, "learner"), CourseKey: "title:" + text.Draw(t, "course"),
				EmployeeID: text.Draw(t, "employee"), RecordID: text.Draw(t, "record"),
			}))
		}
		var before, after bytes.Buffer
		require.NoError(t, linkSheet().export(context.Background(), first, "acme", &before))
		_, err := linkSheet().load(context.Background(), second, tenant, bytes.NewReader(before.Bytes()), importOptions{kind: "links", replace: true})
		require.NoError(t, err)
		require.NoError(t, linkSheet().export(context.Background(), second, "acme", &after))
		require.Equal(t, before.String(), after.String())
	})
}

// A large file is read in memory that does not grow with it, and in one transaction.
func TestCSVOfManyRows(t *testing.T) {
	const rows = 20_000
	s := start(t, tenantsFile)
	var file strings.Builder
	file.WriteString("source,enrollment_id,learner,course,employee_id,record_id\n")
	for n := range rows {
		fmt.Fprintf(&file, "lms,%d,id:%d,id:5541,HR-%d,TR-%d\n", n, n, n, n)
	}
	out, err := imported(t, "links", file.String())
	require.NoError(t, err)
	require.Contains(t, out, "20000 added")
	tenant, _ := s.Tenants.Tenant("acme")
	counts, err := linkSheet().load(t.Context(), s.Journal, tenant, strings.NewReader(file.String()), importOptions{kind: "links", dry: true, replace: true})
	require.NoError(t, err)
	require.Equal(t, journal.ImportCounts{Unchanged: rows}, counts)
}
