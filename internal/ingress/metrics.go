package ingress

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"countersign/internal/journal"
)

type metrics struct {
	deliveries *prometheus.CounterVec
	ack        prometheus.Histogram
	inFlight   prometheus.Gauge
	unrecorded prometheus.Counter
	// connectionsClosed has the label limit: "all" or "address".
	connectionsClosed *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry) (*metrics, error) {
	m := &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "countersign_deliveries_total",
			Help: "Requests to the webhook URLs by what became of them. Tenant and source are empty while unknown.",
		}, []string{"tenant", "source", "verdict", "status"}),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "countersign_ack_seconds",
			Help: "Time from the headers of a delivery to its 200, commit included.",
			// 0.5 s is the promise (R5), 5 s the least patient sender (R6).
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "countersign_deliveries_in_flight",
			Help: "Requests to the webhook URLs that are being handled.",
		}),
		unrecorded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "countersign_rejections_unrecorded_total",
			Help: "Refused deliveries that were counted but not written to the journal.",
		}),
	}
	m.connectionsClosed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "countersign_connections_closed_total",
		Help: "Connections closed, unanswered, to make room for others, by the limit that was reached: of all, or of one address.",
	}, []string{"limit"})
	for _, limit := range []string{"all", "address"} {
		m.connectionsClosed.WithLabelValues(limit) // a rate needs a zero to rise from
	}
	return m, errors.Join(registry.Register(m.connectionsClosed),
		registry.Register(m.deliveries), registry.Register(m.ack),
		registry.Register(m.inFlight), registry.Register(m.unrecorded))
}

// watch shows how many connections are open.
func (m *metrics) watch(registry *prometheus.Registry, open func() int) error {
	return registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "countersign_connections",
		Help: "Connections to the webhook listeners that are open.",
	}, func() float64 { return float64(open()) }))
}

// count has only labels that we choose ourselves: nothing a stranger sends makes a new series.
func (m *metrics) count(x *exchange, status int, took time.Duration) {
	verdict := string(x.verdict)
	if verdict == "" {
		verdict = "none"
	}
	m.deliveries.WithLabelValues(x.source.Tenant, x.source.ID, verdict, strconv.Itoa(status)).Inc()
	if status == http.StatusOK && x.verdict != "" && x.verdict != journal.VerdictTest {
		m.ack.Observe(took.Seconds())
	}
}
