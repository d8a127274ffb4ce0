package ingress_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"countersign/internal/ingress"
	"countersign/internal/journal"
	"countersign/internal/training"
)

// BenchmarkAck measures signed 1 KiB completions over 64 connections, each of another learner:
// against a bare Gin handler that verifies the HMAC and nothing more, against the ingress with a
// journal that forgets, and with a real SQLite one. It reports each one's time per
// acknowledgement and what the ingress costs as a multiple of the bare handler.
func BenchmarkAck(b *testing.B) {
	bare := serve(b, bareHandler())
	forgetful := serve(b, handler(b, forgetful{}))
	durable := serve(b, handler(b, sqlite(b)))
	deliveries := make([]delivery, b.N)
	for n := range deliveries {
		deliveries[n] = newDelivery(n)
	}
	b.ResetTimer()
	base := acknowledge(b, bare, deliveries)
	pipeline := acknowledge(b, forgetful, deliveries)
	whole := acknowledge(b, durable, deliveries)
	b.ReportMetric(0, "ns/op") // the sum of the three means nothing
	b.ReportMetric(base, "bare-µs/ack")
	b.ReportMetric(pipeline, "ingress-µs/ack")
	b.ReportMetric(whole, "sqlite-µs/ack")
	b.ReportMetric(pipeline/base, "ingress/bare")
	b.ReportMetric(whole/base, "sqlite/bare")
}

type delivery struct {
	body      []byte
	signature string
}

func newDelivery(n int) delivery {
	event := fmt.Sprintf(`{"id":"wh-%d","event":"course.completion","version":"1.0","fired_at":"2026-04-08T14:30:22.000Z",`+
		`"timestamp":1775658622,"original_domain":"acme.lms.example.com","payload":{"user":{"id":%d,"email":"l%d@example.com",`+
		`"first_name":"Jordan","last_name":"Lee","external_id":"HR-%d"},"course":{"id":5541,"title":"Annual Compliance Training 2026",`+
		`"code":"COMP-2026","completion_date":"2026-04-08T14:30:00Z","score":91.5,"passed":true},`+
		`"certificate":{"issued":true,"expiry_date":"2027-04-08T00:00:00Z"}},"note":"`, n, n, n, n)
	body := []byte(event + strings.Repeat("x", 1022-len(event)) + `"}`)
	return delivery{body: body, signature: sign(secret, body)}
}

// acknowledge sends all deliveries over 64 connections and returns the µs per answer.
func acknowledge(b *testing.B, url string, deliveries []delivery) float64 {
	b.Helper()
	const connections = 64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var next, failed atomic.Int64
	var senders sync.WaitGroup
	start := time.Now()
	for range connections {
		senders.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(deliveries)); n = next.Add(1) - 1 {
				if err := deliver(client, url, deliveries[n]); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	senders.Wait()
	took := time.Since(start)
	require.Zero(b, failed.Load())
	return float64(took.Microseconds()) / float64(len(deliveries))
}

func deliver(client *http.Client, url string, d delivery) error {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(d.body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hub-Signature-256", d.signature)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// bareHandler is the least that anybody could put in our place.
func bareHandler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST(path, func(c *gin.Context) {
		body, err := io.ReadAll(c.Request.Body)
		if err != nil {
			c.Status(http.StatusServiceUnavailable)
			return
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		got, err := hex.DecodeString(strings.TrimPrefix(c.GetHeader("X-Hub-Signature-256"), "sha256="))
		if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
			c.Status(http.StatusUnauthorized)
			return
		}
		c.Status(http.StatusOK)
	})
	return engine
}

func handler(b *testing.B, j ingress.Journal) http.Handler {
	b.Helper()
	only := source(b, "acme", "main", secret)
	only.RateLimit, only.Burst = 1e9, 1e9
	i, err := ingress.New(ingress.Config{Journal: j, Sources: &directory{sources: []ingress.Source{only}}})
	require.NoError(b, err)
	return i.Handler()
}

func serve(b *testing.B, h http.Handler) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	server := ingress.NewServer("", h)
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { require.NoError(b, server.Close()) })
	return "http://" + listener.Addr().String() + path
}

// forgetful is a journal whose commits cost nothing.
type forgetful struct{}

func (forgetful) Ping(context.Context) error { return nil }

func (forgetful) Append(_ context.Context, d journal.Delivery, completions []training.Completion, _ ...training.Enrollment) (journal.Receipt, error) {
	receipt := journal.Receipt{DeliveryID: d.ID, Verdict: d.Verdict}
	for _, completion := range completions {
		receipt.Completions = append(receipt.Completions, journal.ReceiptItem{Fingerprint: completion.Fingerprint()})
	}
	return receipt, nil
}
