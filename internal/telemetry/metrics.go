package telemetry

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
)

// Metrics returns the handler for client.Options.MetricsHandler. What the Temporal SDK measures
// then appears in reg, in seconds, e.g. temporal_workflow_endtoend_latency_seconds. A metric that
// cannot be made is logged and left out; it never stops the process.
func Metrics(reg *prometheus.Registry, log *slog.Logger) (client.MetricsHandler, error) {
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(reg),
		otelprometheus.WithoutScopeInfo(),
		otelprometheus.WithoutTargetInfo(),
	)
	if err != nil {
		return nil, fmt.Errorf("set up Temporal's metrics: %w", err)
	}
	provider := metric.NewMeterProvider(metric.WithReader(exporter), metric.WithView(latencies()))
	return opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter:   provider.Meter("go.temporal.io/sdk"),
		OnError: func(err error) { log.Error("a Temporal metric is missing", "error", err) }, // the default panics
		// Monotonic: otherwise Prometheus sees gauges, and rate() over them lies after a restart.
		UseMonotonicCounters: true,
	}), nil
}

// latencies gives histograms boundaries in seconds, from a local read to the longest retry
// gap; OpenTelemetry's own are meant for milliseconds.
func latencies() metric.View {
	return metric.NewView(
		metric.Instrument{Kind: metric.InstrumentKindHistogram},
		metric.Stream{Aggregation: metric.AggregationExplicitBucketHistogram{
			Boundaries: []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900},
		}},
	)
}
