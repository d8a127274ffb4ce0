package load

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"countersign/bench/faults/ledger"
	"countersign/bench/faults/traffic"
	"countersign/internal/simulator/sender"

	"github.com/stretchr/testify/require"
)

const secret = "a secret of the tests"

// sendTo sends a small traffic to a receiver and returns what the ledger says.
func sendTo(t *testing.T, n int, receiver http.HandlerFunc, send func(*Sender) error) (traffic.Traffic, ledger.Summary, error) {
	t.Helper()
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	all, err := traffic.New(1, n, secret, time.Date(2026, 4, 8, 14, 30, 0, 0, time.UTC))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "ledger")
	book, err := ledger.Create(path)
	require.NoError(t, err)
	sendErr := send(New(Options{
		URL: server.URL, Traffic: all, Ledger: book, Pace: time.Millisecond, Before: func(int) {},
		Retries: []time.Duration{time.Millisecond, 2 * time.Millisecond, 4 * time.Millisecond},
	}))
	require.NoError(t, book.Close())
	entries, err := ledger.Read(path)
	require.NoError(t, err)
	sums, err := ledger.Sum(entries)
	require.NoError(t, err)
	return all, sums, sendErr
}

// honest answers as an ingress does: 401 to what is not signed, else a receipt.
func honest(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		panic(http.ErrAbortHandler)
	case r.Header.Get(sender.SignatureHeader) != sender.Sign(secret, body):
		w.WriteHeader(http.StatusUnauthorized)
	default:
		fmt.Fprint(w, `{"deliveryId":"d-1","verdict":"accepted","completions":[{"fingerprint":"f-1"}]}`)
	}
}

func TestEveryDeliveryIsSentOnceAndNoted(t *testing.T) {
	all, sums, err := sendTo(t, 20, honest, func(s *Sender) error { return s.Run(t.Context()) })
	require.NoError(t, err)
	require.Equal(t, len(all.Deliveries), sums.Sent)
	require.Equal(t, sums.Sent-1, sums.Acked)
	require.Equal(t, 1, sums.Rejected, "the forged one")
	require.Zero(t, sums.Indeterminate)
	for _, entry := range sums.Delivered {
		require.Equal(t, "d-1", entry.DeliveryID)
		require.Len(t, entry.Fingerprints, 1)
		require.Positive(t, entry.Took)
	}
}

// A lost answer and a 503 are repeated with the same bytes, a rejection is not.
func TestWhatBroughtNoAnswerIsRepeated(t *testing.T) {
	var mu sync.Mutex
	var calls int64
	times := map[string]int{} // by signature: the same bytes have the same
	all, sums, err := sendTo(t, 10, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls++
		signature := r.Header.Get(sender.SignatureHeader)
		times[signature]++
		n := times[signature]
		mu.Unlock()
		switch n {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			honest(w, r)
		}
	}, func(s *Sender) error { return s.Again(t.Context()) })
	require.NoError(t, err)
	require.Greater(t, sums.Sent, len(all.Deliveries))
	require.EqualValues(t, calls, sums.Sent, "nothing is repeated past the ledger")
	require.Positive(t, sums.Indeterminate)
	require.Equal(t, 1, sums.Rejected)
	require.Equal(t, sums.Sent, sums.Acked+sums.Refused+sums.Indeterminate)
	require.Len(t, sums.Delivered, len(all.Deliveries)-1, "all but the forged one")
}

func TestItGivesUp(t *testing.T) {
	all, sums, err := sendTo(t, 10, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		func(s *Sender) error { return s.Again(t.Context()) })
	require.NoError(t, err)
	require.Equal(t, 4*len(all.Deliveries), sums.Refused, "once, and three times more")
	require.Empty(t, sums.Delivered)
}

func TestAHerdIsOneDeliveryManyTimes(t *testing.T) {
	var came atomic.Int64
	second := make(chan struct{})
	_, sums, err := sendTo(t, 10, func(w http.ResponseWriter, r *http.Request) {
		if came.Add(1) == 2 {
			close(second)
		}
		<-second // nobody is answered before two are there
		honest(w, r)
	}, func(s *Sender) error {
		return s.Herd(t.Context(), traffic.Delivery{Number: 3, Key: 2, Body: []byte("{}"), Signature: sender.Sign(secret, []byte("{}"))}, 300)
	})
	require.NoError(t, err)
	require.Equal(t, 300, sums.Acked)
	require.Len(t, sums.Delivered, 1)
}

func TestAReceiptThatCannotBeReadIsAnError(t *testing.T) {
	_, _, err := sendTo(t, 10, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") },
		func(s *Sender) error { return s.Run(t.Context()) })
	require.ErrorContains(t, err, "cannot be read")
}
