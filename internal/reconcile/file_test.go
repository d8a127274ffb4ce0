package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"countersign/internal/reconcile"
	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

func rowsOf(t *testing.T, text string) []reconcile.FileRow {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	file, err := reconcile.ReadFile([]byte(text), zone, reconcile.FilePlace{})
	require.NoError(t, err)
	var all []reconcile.FileRow
	for row, ok := file.Next(); ok; row, ok = file.Next() {
		all = append(all, row)
	}
	return all
}

func TestFileIsReadAsExcelAndOthersWriteIt_R128(t *testing.T) {
	for name, text := range map[string]string{
		"commas":      "learner_id,course_id,completed_at,score,max_score\n007,7,2026-04-08T14:30:00+02:00,9,10\n",
		"semicolons":  "Learner ID;Course ID;Completed At;Score;Max Score\r\n007;7;2026-04-08 14:30:00;9;10\r\n",
		"a mark":      "\ufefflearner_id,course_id,completed_at,score,max_score\n007,7,2026-04-08 14:30,9,10",
		"quotes":      "learner_id,course_id,completed_at,score,max_score\n\"007\",\"7\",\"2026-04-08T12:30:00Z\",\"9\",\"10\"\n",
		"empty lines": "learner_id,course_id,completed_at,score,max_score\n\n007,7,2026-04-08T12:30:00Z,9,10\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			all := rowsOf(t, text)
			require.Len(t, all, 1)
			c := all[0].Completion
			require.Empty(t, all[0].Mistake)
			require.Equal(t, "007", c.Learner.ID, "leading zeros stay")
			require.Equal(t, time.Date(2026, 4, 8, 12, 30, 0, 0, time.UTC), c.CompletedAt)
			require.Equal(t, "90", c.Score.Percent())
			require.Contains(t, string(all[0].Raw), "007")
		})
	}
}

func TestDayIsKeptAsADay_R76(t *testing.T) {
	c := rowsOf(t, "email,course_code,completed_at,passed\nj@acme.example,GDPR,2026-04-08,no\n")[0].Completion
	require.Equal(t, training.PrecisionDay, c.Precision)
	require.True(t, c.Score.Failed())
}

// Bad rows are named by their line and their column, and by nothing that stands in them.
func TestBadRowsAreNamedByLine_R210(t *testing.T) {
	text := "learner_id,email,course_id,completed_at,passed\n" +
		"1,jane@acme.example,7,2026-04-08T12:30:00Z,yes\n" +
		"2,jane@acme.example,7,04/08/2026,yes\n" +
		",,7,2026-04-08,yes\n" +
		"4,jane@acme.example,7,2026-04-08,perhaps\n" +
		"5,jane@acme.example\n" +
		"6,\"a \"bad\" quote\",7,2026-04-08,yes\n" +
		"7,jane@acme.example,,2026-04-08,yes\n" +
		"8,jane@acme.example,7,2026-04-08,yes\n"
	all := rowsOf(t, text)
	var bad []string
	for _, row := range all {
		if row.Mistake != "" {
			bad = append(bad, fmt.Sprintf("%d: %s", row.Line, row.Mistake))
		}
	}
	require.Len(t, all, 8)
	require.Equal(t, []int{2, 9}, []int{all[0].Line, all[7].Line})
	require.Equal(t, []string{
		"3: completed_at must be like 2026-04-08T14:30:00Z, 2026-04-08 14:30:00 or 2026-04-08",
		"4: incomplete completion: no learner id, external id, username or e-mail",
		"5: passed must be true or false",
		"6: has 2 columns and the header 5",
		"7: is not quoted as RFC 4180 says",
		"8: incomplete completion: no course id, code or title",
	}, bad)
	require.NotContains(t, strings.Join(bad, ""), "jane")
}

// A quote that is never closed ends with the file, and the mistake says how many lines went with it.
func TestOpenQuoteNamesWhatItTook_R210(t *testing.T) {
	head := "learner_id,course_id,completed_at\n1,7,2026-04-08\n"
	all := rowsOf(t, head+"2,\"7,2026-04-08\n3,7,2026-04-08\n4,7,2026-04-08\n")
	require.Len(t, all, 2)
	require.Equal(t, "is not quoted as RFC 4180 says; nothing up to line 5 was read", all[1].Mistake)
	all = rowsOf(t, head+"2,\"7,2026-04-08\n3,\"x\",2026-04-08\n4,7,2026-04-08\n")
	require.Len(t, all, 3)
	require.Equal(t, "is not quoted as RFC 4180 says; nothing up to line 4 was read", all[1].Mistake)
	require.Empty(t, all[2].Mistake)
}

func TestFileThatCannotBeRead(t *testing.T) {
	for name, text := range map[string]string{
		"header":      "",
		"unknown":     "learner_id,course_id,completed_at,shoe size\n",
		"twice":       "learner_id,learner_id,course_id,completed_at\n",
		"lacks comp":  "learner_id,course_id\n",
		"lacks learn": "course_id,completed_at\n",
		"lacks cours": "learner_id,completed_at\n",
		"not UTF-8":   "learner_id,course_id,completed_at\n\xff,7,2026-04-08\n",
	} {
		_, err := reconcile.ReadFile([]byte(text), time.UTC, reconcile.FilePlace{})
		require.Error(t, err, name)
	}
}

// A worker that is killed between two pages goes on at the row it has come to, also behind quoted line breaks.
func TestReadingGoesOnAtAPlace(t *testing.T) {
	var text strings.Builder
	text.WriteString("learner_id,course_title,course_id,completed_at\n")
	for n := range 500 {
		fmt.Fprintf(&text, "%d,\"two%slines\",7,2026-04-08\n", n, map[bool]string{true: "\n", false: " "}[n%3 == 0])
	}
	whole := rowsOf(t, text.String())
	var pieces []reconcile.FileRow
	var place reconcile.FilePlace
	for more := true; more; {
		file, err := reconcile.ReadFile([]byte(text.String()), time.UTC, place)
		require.NoError(t, err)
		for range 7 {
			var row reconcile.FileRow
			if row, more = file.Next(); !more {
				break
			}
			pieces = append(pieces, row)
		}
		place = file.Place()
	}
	require.Len(t, whole, 500)
	require.Len(t, pieces, len(whole))
	for i := range whole {
		require.Equal(t, whole[i].Line, pieces[i].Line)
		require.Equal(t, whole[i].Raw, pieces[i].Raw)
	}
}
