package main

import (
	"math"
	"runtime/debug"
	"runtime/metrics"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	pauses = "/sched/pauses/total/gc:seconds"
	// What is shorter than the first bound, or longer than the last, is not told apart.
	shortestPause, longestPause = 15e-6, 0.1 // seconds
	// boundsPerDoubling are enough to tell half a millisecond from one; Go itself has four.
	boundsPerDoubling = 2
)

// pauseCollector says for how long the garbage collector stops everything. Prometheus' own collector of Go's metrics has powers of ten
// for that, and a summary that knows no p99.
type pauseCollector struct{ description *prometheus.Desc }

func newPauseCollector() pauseCollector {
	return pauseCollector{prometheus.NewDesc("cablestay_gc_pause_seconds",
		"For how long garbage collection stopped the whole process; each collection does so twice.", nil, nil)}
}

// Describe is prometheus.Collector's.
func (c pauseCollector) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- c.description }

// Collect is prometheus.Collector's.
func (c pauseCollector) Collect(metric chan<- prometheus.Metric) {
	sample := []metrics.Sample{{Name: pauses}}
	metrics.Read(sample)
	var total debug.GCStats
	debug.ReadGCStats(&total)
	count, buckets := pausesUpTo(sample[0].Value.Float64Histogram())
	metric <- prometheus.MustNewConstHistogram(c.description, count, total.PauseTotal.Seconds(), buckets)
}

// pausesUpTo makes Prometheus' buckets of Go's: how many were no longer than each bound.
func pausesUpTo(all *metrics.Float64Histogram) (count uint64, buckets map[float64]uint64) {
	buckets = map[float64]uint64{}
	bound := shortestPause
	for i, n := range all.Counts {
		count += n
		if end := all.Buckets[i+1]; end >= bound && end <= longestPause {
			buckets[end] = count
			bound = end * math.Pow(2, 1.0/boundsPerDoubling) * 0.9 // Go's are not quite as even
		}
	}
	return count, buckets
}
