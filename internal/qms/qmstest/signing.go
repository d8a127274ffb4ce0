package qmstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/qms"
	"countersign/internal/training"
)

func document() qms.Document {
	return qms.Document{Name: "EV-7QHF-0001.pdf", Title: "Report of a completion", ContentType: "application/pdf", Bytes: []byte("%PDF-1.4 report")}
}

// runSigning checks what a QMS keeps that only the trainee's own signature completes.
func runSigning(t *testing.T, start func(*testing.T) Signing) {
	assigned := func(t *testing.T) (b Signing, c qms.Signing, id string) {
		b = start(t)
		b.AddTraining(trainingID)
		c, ok := b.Client().(qms.Signing)
		require.True(t, ok, "the client of a Signing backend is a qms.Signing")
		return b, c, b.Assign(jane, trainingID)
	}
	t.Run("nothing here completes", func(t *testing.T) {
		b, c, id := assigned(t)
		before := b.Requests()
		for _, status := range []training.RecordStatus{training.RecordCompleted, training.RecordPendingApproval} {
			w := write()
			w.RecordID, w.Status = id, status
			requireClass(t, c.Complete(t.Context(), w, "r"), training.FailureSignatureNeeded)
		}
		for _, action := range training.ApprovalActions() {
			d := training.Decision{Action: action, By: "m.keller", Reason: "seen"}
			requireClass(t, c.Decide(t.Context(), id, d, "r"), training.FailureSignatureNeeded)
		}
		require.Equal(t, before, b.Requests(), "it does not even ask")

		w := write()
		w.RecordID = id
		_, err := qms.Apply(t.Context(), c, w, patient())
		requireClass(t, err, training.FailureSignatureNeeded)
		require.True(t, read(t, b, id)[0].Status.Open())
	})
	t.Run("a signature is seen, and whose", func(t *testing.T) {
		b, c, id := assigned(t)
		none, err := c.Signatures(t.Context(), id)
		require.NoError(t, err)
		require.Empty(t, none)

		b.Sign(id)
		got := read(t, b, id)[0]
		require.Equal(t, training.RecordCompleted, got.Status)
		signatures, err := c.Signatures(t.Context(), id)
		require.NoError(t, err)
		last, ok := training.LastSigned(signatures)
		require.True(t, ok)
		require.Equal(t, got.CompletedAt, last.SignedAt)
		require.NotEmpty(t, last.UserID)
		require.NotEmpty(t, last.Item)

		johns, err := c.Records(t.Context(), john, trainingID)
		require.NoError(t, err)
		require.Empty(t, johns, "nobody else has signed")
	})
	t.Run("a document is kept once", func(t *testing.T) {
		b, c, id := assigned(t)
		for range 3 {
			require.NoError(t, qms.Keep(t.Context(), c, id, document(), patient()))
		}
		require.Equal(t, [][]byte{document().Bytes}, b.Documents(trainingID, document().Name))
		require.Equal(t, 1, b.Calls(CallAttach))

		other := document()
		other.Name = "CS-7QHF-0001.pdf"
		require.NoError(t, qms.Keep(t.Context(), c, id, other, patient()))
		require.Len(t, b.Documents(trainingID, other.Name), 1, "another name is another document")
	})
	for _, call := range []Call{CallAttach, CallAttached} {
		for _, trouble := range []Trouble{Unsent, Lost, LostLate, Broken, BrokenAfter, Limited, Garbled, CutOff, Refused} {
			t.Run("document: "+string(call)+" "+string(trouble), func(t *testing.T) {
				b, c, id := assigned(t)
				b.Spoil(call, trouble, 2)
				if err := qms.Keep(t.Context(), c, id, document(), patient()); err != nil {
					var f *training.Failure
					require.ErrorAs(t, err, &f)
					require.True(t, f.Class.Transient(), "attempt ended with %v", err)
				}
				b.CommitLate()
				b.Heal()
				require.NoError(t, qms.Keep(t.Context(), c, id, document(), patient()))
				require.Equal(t, [][]byte{document().Bytes}, b.Documents(trainingID, document().Name))
			})
		}
	}
	t.Run("a success that kept nothing", func(t *testing.T) {
		b, c, id := assigned(t)
		b.Spoil(CallAttach, Silent, 1)
		requireClass(t, qms.Keep(t.Context(), c, id, document(), patient()), training.FailureUnchanged)
	})
}
