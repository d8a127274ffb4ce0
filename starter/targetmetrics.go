package main

import (
	"context"
	"log/slog"
	"time"

	"countersign/internal/journal"
	"countersign/internal/settings"
	"countersign/internal/training"

	"github.com/prometheus/client_golang/prometheus"
)

// targetSource is what the collector reads.
type targetSource interface {
	Targets(ctx context.Context) ([]journal.Target, error)
	Incidents(ctx context.Context) (map[journal.Target]int, error)
	BudgetUses(ctx context.Context) ([]journal.BudgetUse, error)
}

// targetCollector shows what is held or paused, how often that was, and how much of the budgets is taken;
// read when it is asked.
type targetCollector struct {
	source  targetSource
	tenants *settings.Settings
	log     *slog.Logger

	held, incidents, used, limit *prometheus.Desc
}

func newTargetCollector(source targetSource, tenants *settings.Settings, log *slog.Logger) *targetCollector {
	labels := []string{"tenant", "target"}
	return &targetCollector{
		source: source, tenants: tenants, log: log,
		held: prometheus.NewDesc("countersign_target_held",
			"1 where nothing is asked of a target because it does not answer (HELD) or a person has said so (PAUSED).", append(labels, "state"), nil),
		incidents: prometheus.NewDesc("countersign_target_incidents_total", "How often a target was held.", labels, nil),
		used:      prometheus.NewDesc("countersign_budget_used_calls", "Calls taken from the budget of the day.", labels, nil),
		limit:     prometheus.NewDesc("countersign_budget_limit_calls", "Calls that the budget of the day allows.", labels, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *targetCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.held, c.incidents, c.used, c.limit} {
		out <- d
	}
}

// Collect implements prometheus.Collector. A journal that does not answer leaves the metrics out.
func (c *targetCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	targets, err := c.source.Targets(ctx)
	if err != nil {
		c.log.Warn("targets not read", "error", err)
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, t := range targets {
		for _, state := range []training.TargetState{training.TargetHeld, training.TargetPaused} {
			value := 0.0
			if t.State == state {
				value = 1
			}
			gauge(c.held, value, t.Tenant, t.Name, string(state))
		}
	}
	incidents, err := c.source.Incidents(ctx)
	if err != nil {
		c.log.Warn("incidents not counted", "error", err)
		return
	}
	for t, n := range incidents {
		out <- prometheus.MustNewConstMetric(c.incidents, prometheus.CounterValue, float64(n), t.Tenant, t.Name)
	}
	uses, err := c.source.BudgetUses(ctx)
	if err != nil {
		c.log.Warn("budgets not read", "error", err)
		return
	}
	for _, use := range uses {
		if t, ok := c.tenants.Tenant(use.Tenant); ok && t.QMS.Budget.PerDay > 0 {
			gauge(c.used, float64(use.Used), use.Tenant, use.Target)
			gauge(c.limit, float64(t.QMS.Budget.PerDay), use.Tenant, use.Target)
		}
	}
}
