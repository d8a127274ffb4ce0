package telemetry_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"countersign/internal/telemetry"
)

func TestMetricsAppearInTheRegistry(t *testing.T) {
	reg := prometheus.NewRegistry()
	handler, err := telemetry.Metrics(reg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	tagged := handler.WithTags(map[string]string{"task_queue": "countersign"})
	tagged.Counter("temporal_request").Inc(3)
	tagged.Timer("temporal_request_latency").Record(40 * time.Millisecond)
	tagged.Gauge("temporal_worker_task_slots_available").Update(7)

	families, err := reg.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			require.Equal(t, "countersign", m.GetLabel()[0].GetValue())
			require.Len(t, m.GetLabel(), 1)
			switch {
			case m.GetCounter() != nil:
				got[family.GetName()] = m.GetCounter().GetValue()
			case m.GetGauge() != nil:
				got[family.GetName()] = m.GetGauge().GetValue()
			default:
				got[family.GetName()] = m.GetHistogram().GetSampleSum()
				require.Equal(t, uint64(1), m.GetHistogram().GetBucket()[4].GetCumulativeCount(), "40 ms fall under 50 ms")
				require.Equal(t, uint64(0), m.GetHistogram().GetBucket()[3].GetCumulativeCount())
			}
		}
	}
	require.Equal(t, map[string]float64{
		"temporal_request_total":               3,
		"temporal_request_latency_seconds":     0.04,
		"temporal_worker_task_slots_available": 7,
	}, got)
}
