package main

import (
	"context"
	"log/slog"
	"time"

	"countersign/internal/training"

	"github.com/prometheus/client_golang/prometheus"
)

// stateCollector shows how many completions stand in each state, read when it is asked.
type stateCollector struct {
	journal interface {
		Counts(ctx context.Context) (map[training.State]int, error)
	}
	log         *slog.Logger
	description *prometheus.Desc
}

func newStateCollector(journal interface {
	Counts(ctx context.Context) (map[training.State]int, error)
}, log *slog.Logger) *stateCollector {
	return &stateCollector{journal: journal, log: log, description: prometheus.NewDesc(
		"countersign_completions", "Completions in the journal, by state.", []string{"state"}, nil)}
}

// Describe implements prometheus.Collector.
func (s *stateCollector) Describe(out chan<- *prometheus.Desc) { out <- s.description }

// Collect implements prometheus.Collector. A journal that does not answer leaves the metric out.
func (s *stateCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, err := s.journal.Counts(ctx)
	if err != nil {
		s.log.Warn("completions not counted", "error", err)
		return
	}
	for state, n := range counts {
		out <- prometheus.MustNewConstMetric(s.description, prometheus.GaugeValue, float64(n), string(state))
	}
}
