package training_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"countersign/internal/training"
)

// lifecycle is RecordStatus's drawing, row by row; x marks the steps that exist.
const lifecycle = `
	from \ to        ASSIGNED IN_PROGRESS PENDING_APPROVAL COMPLETED EXPIRED CANCELLED
	ASSIGNED         -        x           x                x         x       x
	IN_PROGRESS      -        -           x                x         x       x
	PENDING_APPROVAL -        x           -                x         x       x
	COMPLETED        -        -           -                -         -       -
	EXPIRED          -        -           -                -         -       -
	CANCELLED        -        -           -                -         -       -`

func TestRecordStatusLifecycle_R107_R108(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(lifecycle), "\n")
	columns := strings.Fields(rows[0])[3:]
	all := constants[training.RecordStatus](t, "RecordStatus")
	require.Len(t, rows, 1+len(all))
	require.Len(t, columns, len(all))
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		from := training.RecordStatus(cells[0])
		require.True(t, slices.Contains(all, from), from)
		for i, to := range columns {
			require.Equal(t, cells[1+i] == "x", from.CanBecome(training.RecordStatus(to)), "%s to %s", from, to)
		}
	}
}

func TestRecordStatusPredicates_R107_R108(t *testing.T) {
	type predicates struct{ valid, open, final bool }
	table := map[training.RecordStatus]predicates{
		training.RecordAssigned:        {valid: true, open: true},
		training.RecordInProgress:      {valid: true, open: true},
		training.RecordPendingApproval: {valid: true},
		training.RecordCompleted:       {valid: true, final: true},
		training.RecordExpired:         {valid: true, final: true},
		training.RecordCancelled:       {valid: true, final: true},
	}
	require.ElementsMatch(t, constants[training.RecordStatus](t, "RecordStatus"), keys(table))
	// Not the QMS's spelling, or a state we do not know: nothing may be assumed of it.
	for _, unknown := range []training.RecordStatus{"", "assigned", "COMPLETED ", "OVERDUE"} {
		table[unknown] = predicates{}
		for _, known := range constants[training.RecordStatus](t, "RecordStatus") {
			require.False(t, unknown.CanBecome(known), "%q to %s", unknown, known)
			require.False(t, known.CanBecome(unknown), "%s to %q", known, unknown)
		}
	}
	for status, want := range table {
		require.Equal(t, want, predicates{status.Valid(), status.Open(), status.Final()}, "%q", status)
	}
}

func TestWriteShownBy(t *testing.T) {
	finished := completedAt.Truncate(time.Second)
	type pair struct {
		write  training.Write
		record training.Record
	}
	for name, test := range map[string]struct {
		change func(*pair)
		shown  bool
	}{
		"exactly what was written": {func(*pair) {}, true},
		"the same instant, elsewhere": {func(p *pair) {
			p.record.CompletedAt = finished.In(time.FixedZone("", 2*60*60))
		}, true},
		"kept to the millisecond": {func(p *pair) {
			p.write.CompletedAt, p.record.CompletedAt = finished.Add(250999*time.Microsecond), finished.Add(250*time.Millisecond)
		}, true},
		"kept to the second":            {func(p *pair) { p.write.CompletedAt = finished.Add(999 * time.Millisecond) }, true},
		"score with other zeros":        {func(p *pair) { p.record.Score = "91.50" }, true},
		"score in other notation":       {func(p *pair) { p.record.Score = "9.15e1" }, true},
		"no score was written":          {func(p *pair) { p.write.Score = "" }, true},
		"the training tracks no scores": {func(p *pair) { p.record.TracksScore, p.record.Score = false, "" }, true},
		"lock and flags are not compared": {func(p *pair) {
			p.record.Locked, p.record.ApprovalRequired, p.record.ExternalRef = true, true, "enr-1"
		}, true},
		"submitted and pending": {func(p *pair) {
			p.write.Status, p.record.Status = training.RecordPendingApproval, training.RecordPendingApproval
		}, true},
		"submitted and approved since": {func(p *pair) { p.write.Status = training.RecordPendingApproval }, true},

		"200 and nothing changed": {func(p *pair) {
			p.record.Status, p.record.CompletedAt, p.record.Score = training.RecordInProgress, time.Time{}, ""
		}, false},
		"asked to complete, only pending": {func(p *pair) { p.record.Status = training.RecordPendingApproval }, false},
		"submitted and rejected since": {func(p *pair) {
			p.write.Status, p.record.Status = training.RecordPendingApproval, training.RecordInProgress
		}, false},
		"submitted and expired since": {func(p *pair) {
			p.write.Status, p.record.Status = training.RecordPendingApproval, training.RecordExpired
		}, false},
		"another record":               {func(p *pair) { p.record.ID = "TR-2" }, false},
		"another employee":             {func(p *pair) { p.record.EmployeeID = "E-2" }, false},
		"an employee in other letters": {func(p *pair) { p.record.EmployeeID = "e-1" }, false},
		"another fraction of the second": {func(p *pair) {
			p.write.CompletedAt, p.record.CompletedAt = finished.Add(250*time.Millisecond), finished.Add(251*time.Millisecond)
		}, false},
		"the second above": {func(p *pair) {
			p.write.CompletedAt, p.record.CompletedAt = finished.Add(750*time.Millisecond), finished.Add(time.Second)
		}, false},
		"the second below": {func(p *pair) { p.record.CompletedAt = finished.Add(-time.Second) }, false},
		"written to the second, shown with a fraction": {func(p *pair) {
			p.record.CompletedAt = finished.Add(250 * time.Millisecond)
		}, false},
		"a millisecond later":        {func(p *pair) { p.record.CompletedAt = finished.Add(time.Millisecond) }, false},
		"no date":                    {func(p *pair) { p.record.CompletedAt = time.Time{} }, false},
		"another score":              {func(p *pair) { p.record.Score = "91.4" }, false},
		"a score rounded on the way": {func(p *pair) { p.record.Score = "92" }, false},
		"no score":                   {func(p *pair) { p.record.Score = "" }, false},
		"a score that is no number":  {func(p *pair) { p.record.Score = "NaN" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := pair{
				training.Write{RecordID: "TR-1", EmployeeID: "E-1", Status: training.RecordCompleted, CompletedAt: finished, Score: "91.5"},
				training.Record{
					ID: "TR-1", EmployeeID: "E-1", TrainingID: "T-1", Status: training.RecordCompleted,
					CompletedAt: finished, Score: "91.5", TracksScore: true,
				},
			}
			test.change(&p)
			require.Equal(t, test.shown, p.write.ShownBy(p.record))
		})
	}
}

func TestNewRecordShownBy_R98(t *testing.T) {
	meant := training.NewRecord{EmployeeID: "E-1", TrainingID: "T-1", ExternalRef: "lms:1"}
	record := training.Record{ID: "TR-1", EmployeeID: "E-1", TrainingID: "T-1", ExternalRef: "lms:1", Status: training.RecordAssigned}
	require.True(t, meant.ShownBy(record))
	for name, change := range map[string]func(*training.Record){
		"another employee":  func(r *training.Record) { r.EmployeeID = "e-1" },
		"another training":  func(r *training.Record) { r.TrainingID = "T-2" },
		"no reference":      func(r *training.Record) { r.ExternalRef = "" },
		"another reference": func(r *training.Record) { r.ExternalRef = "lms:2" },
	} {
		other := record
		change(&other)
		require.False(t, meant.ShownBy(other), name)
	}
}
