package rpc

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Outcomes of one request, in cablestay_rpc_requests_total.
const (
	outcomeOK      = "ok"
	outcomeNotRun  = "not_run" // no place, no connection
	outcomeRefused = "refused" // 400, 401, 404, 405, 409
	outcomeFailed  = "failed"  // other statuses, no answer, an answer against the contract
)

type metrics struct {
	duration *prometheus.HistogramVec
	requests *prometheus.CounterVec

	linksEnded prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer, p *places, l *links) (*metrics, error) {
	m := &metrics{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cablestay_rpc_duration_seconds",
			Help:    "Time from an event to its answer or error, waiting and retries included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"call"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cablestay_rpc_requests_total",
			Help: "Requests to Rails by outcome: ok, not_run, refused or failed. Each try counts.",
		}, []string{"call", "outcome"}),
		linksEnded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cablestay_rpc_links_ended_total",
			Help: "Links with Rails processes that have ended, and with them the subscriptions that those held.",
		}),
	}
	for _, e := range events {
		m.duration.WithLabelValues(e.name)
		for _, outcome := range []string{outcomeOK, outcomeNotRun, outcomeRefused, outcomeFailed} {
			m.requests.WithLabelValues(e.name, outcome)
		}
	}
	if registerer == nil {
		return m, nil
	}
	for _, collector := range []prometheus.Collector{
		m.duration,
		m.requests,
		m.linksEnded,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cablestay_rpc_links",
			Help: "Links with Rails processes, which carry events to them and hold the subscriptions that need a living channel.",
		}, func() float64 { return float64(l.count()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cablestay_rpc_in_flight",
			Help: "Events that are in Rails now.",
		}, func() float64 { taken, _ := p.counts(); return float64(taken) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cablestay_rpc_waiting",
			Help: "Events that wait for Rails to have a thread for them.",
		}, func() float64 { _, waiting := p.counts(); return float64(waiting) }),
	} {
		if err := registerer.Register(collector); err != nil {
			return nil, fmt.Errorf("register the metrics of rpc: %w", err)
		}
	}
	return m, nil
}
