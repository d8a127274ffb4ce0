package ingress_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
)

func sqlite(t testing.TB) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), journal.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return j
}

// TestThousandIdenticalDeliveries_R87_R197: a thousand answers of 200, one completion, on a real journal.
func TestThousandIdenticalDeliveries_R87_R197(t *testing.T) {
	const times = 1000
	j := sqlite(t)
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.Journal = j })
	body := sample(t)
	signature := sign(secret, body)

	answers := make([]answer, times)
	start := make(chan struct{})
	var senders sync.WaitGroup
	for n := range times {
		senders.Go(func() {
			<-start
			answers[n] = d.send(http.MethodPost, path, bytes.NewReader(body), "Content-Type", "application/json", "absorb-signature", signature)
		})
	}
	close(start)
	senders.Wait()

	verdicts, ids, fingerprints := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, answer := range answers {
		require.Equal(t, http.StatusOK, answer.status, string(answer.body))
		var receipt struct {
			DeliveryID, Verdict string
			Completions         []struct{ Fingerprint, Status string }
		}
		require.NoError(t, json.Unmarshal(answer.body, &receipt))
		require.Len(t, receipt.Completions, 1)
		require.Equal(t, receipt.Verdict, receipt.Completions[0].Status)
		verdicts[receipt.Verdict]++
		ids[receipt.DeliveryID] = true
		fingerprints[receipt.Completions[0].Fingerprint] = true
	}
	require.Equal(t, map[string]int{"accepted": 1, "duplicate": times - 1}, verdicts)
	require.Len(t, ids, times, "every delivery has its own entry")
	require.Len(t, fingerprints, 1)

	for id := range ids {
		kept, err := j.Delivery(t.Context(), "acme", id)
		require.NoError(t, err)
		require.Equal(t, body, kept.Body)
		break
	}
}

func TestClosedJournalIsNeverAFalse200(t *testing.T) {
	j := sqlite(t)
	d := open(t, func(_ *door, cfg *ingress.Config, _ *http.Server) { cfg.Journal = j })
	require.Equal(t, http.StatusOK, d.send(http.MethodGet, "/readyz", nil).status)
	require.NoError(t, j.Close())
	require.Equal(t, http.StatusServiceUnavailable, d.post(string(sample(t))).status)
}
