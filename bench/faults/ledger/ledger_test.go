package ledger

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func create(t *testing.T) (*Ledger, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	l, err := Create(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l, path
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	l, path := create(t)
	want := []Entry{
		{Kind: Sending, Send: 1, Delivery: 4, Key: 2},
		{Kind: Answered, Send: 1, Delivery: 4, Key: 2, Status: 200, Verdict: "accepted", DeliveryID: "d", Took: time.Millisecond},
	}
	for _, e := range want {
		require.NoError(t, l.Write(e))
	}
	got, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// The sender is killed in the middle of a line: what it was about to do was not done.
func TestHalfALineIsLeftOut(t *testing.T) {
	l, path := create(t)
	require.NoError(t, l.Write(Entry{Kind: Sending, Send: 1}))
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"kind":"answ`)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	got, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, []Entry{{Kind: Sending, Send: 1}}, got)
}

func TestALineThatIsNoEntryIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	require.NoError(t, os.WriteFile(path, []byte("{}\nnonsense\n"), 0o600))
	_, err := Read(path)
	require.ErrorContains(t, err, "line 2")
}

func TestAnotherRunsLedgerIsNotOverwritten(t *testing.T) {
	_, path := create(t)
	_, err := Create(path)
	require.ErrorIs(t, err, os.ErrExist)
}

func TestConcurrentWritersShareFlushesAndLoseNothing(t *testing.T) {
	l, path := create(t)
	const writers, each = 16, 20
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				require.NoError(t, l.Write(Entry{Kind: Sending, Send: w*each + i + 1}))
			}
		})
	}
	group.Wait()
	entries, err := Read(path)
	require.NoError(t, err)
	s, err := Sum(entries)
	require.NoError(t, err)
	require.Equal(t, writers*each, s.Sent)
	require.Equal(t, writers*each, s.Indeterminate, "sent, and no answer noted")
	require.Equal(t, l.written, l.durable)
}

// After a failure nothing is written any more, and nobody is told that it was.
func TestAFullDiskEndsTheLedger(t *testing.T) {
	l, _ := create(t)
	require.NoError(t, l.file.Close())
	require.Error(t, l.Write(Entry{Kind: Sending, Send: 1}))
	require.Error(t, l.Write(Entry{Kind: Sending, Send: 2}))
	file, err := os.Create(filepath.Join(t.TempDir(), "for the cleanup"))
	require.NoError(t, err)
	l.file = file
}

func TestSumTellsTheAnswersApart(t *testing.T) {
	var entries []Entry
	add := func(send, delivery int, kind Kind, status int) {
		entries = append(entries, Entry{Kind: Sending, Send: send, Delivery: delivery, Key: delivery})
		if kind != "" {
			entries = append(entries, Entry{Kind: kind, Send: send, Delivery: delivery, Key: delivery, Status: status, Took: time.Duration(send)})
		}
	}
	add(1, 10, Answered, 200)
	add(2, 11, Answered, 503)
	add(3, 11, Silence, 0)
	add(4, 12, Answered, 401)
	add(5, 13, Answered, 429)
	add(6, 14, "", 0) // killed before the answer was noted
	add(7, 10, Answered, 200)
	s, err := Sum(entries)
	require.NoError(t, err)
	require.Equal(t, 7, s.Sent)
	require.Equal(t, 2, s.Acked)
	require.Equal(t, 3, s.Refused)
	require.Equal(t, 2, s.Indeterminate)
	require.Equal(t, 1, s.Rejected)
	require.Equal(t, s.Sent, s.Acked+s.Refused+s.Indeterminate)
	require.Equal(t, 7, s.Delivered[10].Send, "the last acknowledgement counts")
	require.Equal(t, map[int]int{12: 401}, s.Turned)
	require.Equal(t, []time.Duration{1, 7}, s.Latencies)
}

func TestAnAnswerWithoutASendIsNoLedger(t *testing.T) {
	_, err := Sum([]Entry{{Kind: Answered, Send: 3, Status: 200}})
	require.ErrorIs(t, err, ErrTornLedger)
}
