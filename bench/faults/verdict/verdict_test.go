package verdict

import (
	"testing"
	"time"

	"countersign/internal/training"

	"github.com/stretchr/testify/require"
)

func instant() time.Time { return time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC) }

// good is a completion with which everything is right.
func good() Fact {
	record := training.Record{
		ID: "TR-1", EmployeeID: "HR-1", TrainingID: "TP-0042", Status: training.RecordCompleted,
		CompletedAt: instant(), Score: "91.5", TracksScore: true,
	}
	return Fact{
		Key: 1, Fingerprint: "0123456789abcdef", Sent: true, Acked: true, Completes: true,
		CompletedAt: instant(), Score: "91.5", State: training.StateCompleted,
		Proof: &Proof{Read: record, Meant: training.Write{
			RecordID: "TR-1", EmployeeID: "HR-1", Status: training.RecordCompleted, CompletedAt: instant(), Score: "91.5",
		}},
		ProofAt: instant(), Certificates: 1, CertificateAt: instant().Add(time.Second),
		Record: record, Changes: []training.RecordStatus{training.RecordCompleted}, Statements: 1,
	}
}

func poison() Fact {
	return Fact{Key: 2, Sent: true, Acked: true, State: training.StateInReview, Record: training.Record{Status: training.RecordAssigned}}
}

func TestWhatIsRightIsCountedAndNotFound(t *testing.T) {
	approved := good()
	approved.Approval, approved.Changes = true, []training.RecordStatus{training.RecordPendingApproval, training.RecordCompleted}
	approved.Proof.Meant.Status = training.RecordPendingApproval
	conflict := good()
	conflict.Conflict, conflict.Statements, conflict.State = true, 0, training.StateInReview
	unanswered := good()
	unanswered.Acked = false
	told := poison()
	told.Notices, told.ToldAnew = 2, true // by a Temporal that had forgotten the first time
	neverTaken := Fact{Key: 3, Sent: true, Completes: true, Record: training.Record{Status: training.RecordAssigned}}

	c := Judge(Evidence{Facts: []Fact{good(), approved, conflict, poison(), told, unanswered, neverTaken}})
	require.Empty(t, c.Findings)
	require.True(t, c.Clean())
	require.Equal(t, 5, c.Keys)
	require.Equal(t, 2, c.Completed)
	require.Equal(t, 3, c.Review)
}

// Each kind of wrong is shown to the judge once, in evidence that is right otherwise.
func TestEachWrongIsFound_R7_R87_R92_R106(t *testing.T) {
	spoil := func(spoil func(*Fact)) Evidence {
		f := good()
		spoil(&f)
		return Evidence{Facts: []Fact{good(), f, poison()}}
	}
	spoilPoison := func(spoil func(*Fact)) Evidence {
		f := poison()
		spoil(&f)
		return Evidence{Facts: []Fact{good(), f}}
	}
	none := func(f *Fact) {
		f.Changes, f.Statements, f.Certificates, f.CertificateAt, f.Proof = nil, 0, 0, time.Time{}, nil
		f.Record.Status = training.RecordAssigned
	}
	for name, test := range map[string]struct {
		evidence Evidence
		want     Count
		says     string
	}{
		"acknowledged, not in the journal": {spoil(func(f *Fact) { none(f); f.State = "" }), Count{Lost: 1}, "not in the journal"},
		"acknowledged, stuck":              {spoil(func(f *Fact) { none(f); f.State = training.StateQueued }), Count{Lost: 1}, "neither ended"},
		"acknowledged, under way for ever": {spoil(func(f *Fact) { none(f); f.State = training.StateRunning }), Count{Lost: 1}, "neither ended"},
		"healthy, in review for ever":      {spoil(func(f *Fact) { none(f); f.State = training.StateInReview }), Count{Lost: 1}, "nothing is wrong with it"},
		"poison that is stuck":             {spoilPoison(func(f *Fact) { f.State = training.StateRetrying }), Count{Lost: 1}, "neither ended"},
		"a delivery that is missing":       {Evidence{Missing: []string{"delivery 7 is not in the journal"}}, Count{Lost: 1}, "delivery 7"},

		"two changes": {spoil(func(f *Fact) {
			f.Changes = []training.RecordStatus{training.RecordCompleted, training.RecordCompleted}
		}), Count{Doubled: 1}, "2 effective changes"},
		"submitted without need": {spoil(func(f *Fact) {
			f.Changes = []training.RecordStatus{training.RecordPendingApproval}
		}), Count{Doubled: 1}, "went to"},
		"approved twice": {spoil(func(f *Fact) {
			f.Approval = true
			f.Changes = []training.RecordStatus{training.RecordPendingApproval, training.RecordCompleted, training.RecordCompleted}
		}), Count{Doubled: 1}, "3 effective changes"},
		"two statements":   {spoil(func(f *Fact) { f.Statements = 2 }), Count{Doubled: 1}, "2 statements"},
		"two certificates": {spoil(func(f *Fact) { f.Certificates = 2 }), Count{Doubled: 1}, "2 different certificates"},
		"two of something that was never acknowledged": {
			spoil(func(f *Fact) { f.Acked, f.Statements = false, 2 }), Count{Doubled: 1}, "2 statements",
		},

		"told twice": {spoilPoison(func(f *Fact) { f.Notices = 2 }), Count{Doubled: 1}, "2 notices"},

		"never sent":                      {spoil(func(f *Fact) { f.Sent, f.Acked = false, false }), Count{Phantom: 1}, "never sent"},
		"poison with an effect":           {spoilPoison(func(f *Fact) { f.Changes = []training.RecordStatus{training.RecordCompleted} }), Count{Phantom: 1}, "poison"},
		"statement too early":             {spoil(func(f *Fact) { f.Early = 1 }), Count{Phantom: 1}, "before the record was COMPLETED"},
		"certificate too early":           {spoil(func(f *Fact) { f.CertificateAt = f.ProofAt.Add(-time.Second) }), Count{Phantom: 1}, "before the verified record"},
		"statement without record":        {spoil(func(f *Fact) { none(f); f.State, f.Acked, f.Statements = "", false, 1 }), Count{Phantom: 1}, "a statement, and"},
		"certificate without record":      {spoil(func(f *Fact) { none(f); f.State, f.Acked, f.Certificates = "", false, 1 }), Count{Phantom: 1}, "a certificate, and"},
		"a record that says another date": {spoil(func(f *Fact) { f.Record.CompletedAt = instant().Add(time.Hour) }), Count{Phantom: 1}, "not sent"},
		"a record with another score":     {spoil(func(f *Fact) { f.Record.Score = "9.15" }), Count{Phantom: 1}, "not sent"},
		"a stray":                         {Evidence{Strays: []string{"record TR-9 was created"}}, Count{Phantom: 1}, "TR-9"},

		"completed, and the record is not": {spoil(none), Count{Silent: 1}, "the record is ASSIGNED"},
		"completed, proof of another record": {spoil(func(f *Fact) {
			f.Proof.Meant.RecordID = "TR-2"
		}), Count{Silent: 1}, "does not show what was meant"},
		"completed, proof of other content": {spoil(func(f *Fact) {
			f.Proof.Read.CompletedAt, f.Proof.Meant.CompletedAt = instant().Add(time.Hour), instant().Add(time.Hour)
		}), Count{Silent: 1}, "not what was sent"},
		"completed without certificate": {spoil(func(f *Fact) { f.CertificateAt = time.Time{} }), Count{Silent: 1}, "without a certificate"},
		"completed without statement":   {spoil(func(f *Fact) { f.Statements = 0 }), Count{Silent: 1}, "without a statement"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Judge(test.evidence)
			require.Equal(t, test.want, Count{Lost: c.Lost, Doubled: c.Doubled, Phantom: c.Phantom, Silent: c.Silent}, c.Findings)
			require.Len(t, c.Findings, 1)
			require.Contains(t, c.Findings[0], test.says)
			require.False(t, c.Clean())
		})
	}
}

// A restored journal remembers no certificate that was issued before; that one does not stand in
// for the one that is missing.
func TestACertificateOfBeforeTheRestoreDoesNotCount(t *testing.T) {
	f := good()
	f.Proof, f.CertificateAt = nil, time.Time{}
	c := Judge(Evidence{Facts: []Fact{f}})
	require.Equal(t, 1, c.Silent)
	require.Zero(t, c.Phantom)
}

// A missing proof is silent, and makes the certificate one that came before its cause.
func TestCompletedWithoutProofIsSilentAndPhantom(t *testing.T) {
	f := good()
	f.Proof = nil
	c := Judge(Evidence{Facts: []Fact{f}})
	require.Equal(t, 1, c.Silent)
	require.Equal(t, 1, c.Phantom)
}

// Where the clock was set, two times of the journal tell no order; everything else is judged as ever.
func TestASetClockTellsNoOrder(t *testing.T) {
	f := good()
	f.ClockSet, f.CertificateAt = true, f.ProofAt.Add(-time.Hour)
	require.True(t, Judge(Evidence{Facts: []Fact{f}}).Clean())
	f.Proof = nil
	require.Equal(t, 1, Judge(Evidence{Facts: []Fact{f}}).Phantom, "a certificate, and nothing was read back")
	f = good()
	f.ClockSet, f.Early = true, 1
	require.Equal(t, 1, Judge(Evidence{Facts: []Fact{f}}).Phantom, "the LRS knows when a statement came")
}
