package main

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cablestay/cablestay/bridge/redis"
)

// newRegistry has what is measured of the process itself; the other parts add theirs.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "cablestay_build_info", Help: "Always 1; the labels say which build this is.",
	}, []string{"version", "revision", "go"})
	build.WithLabelValues(version, revision(), runtime.Version()).Set(1)
	registry.MustRegister(
		build, newPauseCollector(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}

// measureRedis is here because Prometheus is cmd's and bridge's affair, not bridge/redis'.
func measureRedis(registry *prometheus.Registry, pubsub *redis.PubSub) {
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cablestay_redis_connected", Help: "1 while everything that should be followed on Redis is.",
		}, func() float64 {
			if pubsub.Connected() {
				return 1
			}
			return 0
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cablestay_redis_reconnects_total", Help: "How often Redis was lost and found again.",
		}, func() float64 { return float64(pubsub.Reconnects()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cablestay_redis_messages_total", Help: "Published messages that Redis has sent here.",
		}, func() float64 { return float64(pubsub.Messages()) }),
	)
}

// newOps answers the operator.
func newOps(ready *readiness, registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("alive\n"))
	})
	mux.Handle("GET /readyz", ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
	return mux
}
