package main

import (
	"context"
	"log/slog"
	"time"

	"countersign/internal/training"

	"github.com/prometheus/client_golang/prometheus"
)

// enrollmentCounter is what the collector reads.
type enrollmentCounter interface {
	OpenEnrollments(ctx context.Context) (map[training.EnrollmentState]int, error)
}

// enrollmentCollector shows how many enrollments that have not ended stand in each state, read when it is asked.
type enrollmentCollector struct {
	journal     enrollmentCounter
	log         *slog.Logger
	description *prometheus.Desc
}

func newEnrollmentCollector(journal enrollmentCounter, log *slog.Logger) *enrollmentCollector {
	return &enrollmentCollector{journal: journal, log: log, description: prometheus.NewDesc(
		"countersign_enrollments", "Enrollments in the journal that have not ended, by state.", []string{"state"}, nil)}
}

// Describe implements prometheus.Collector.
func (e *enrollmentCollector) Describe(out chan<- *prometheus.Desc) { out <- e.description }

// Collect implements prometheus.Collector. A journal that does not answer leaves the metric out.
func (e *enrollmentCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, err := e.journal.OpenEnrollments(ctx)
	if err != nil {
		e.log.Warn("enrollments not counted", "error", err)
		return
	}
	for state, n := range counts {
		out <- prometheus.MustNewConstMetric(e.description, prometheus.GaugeValue, float64(n), string(state))
	}
}
