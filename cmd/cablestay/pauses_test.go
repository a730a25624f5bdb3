package main

import (
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"runtime/metrics"
	"strconv"
	"testing"
)

// metricsNow are those of this process.
func metricsNow() string {
	answer := httptest.NewRecorder()
	newOps(new(readiness), newRegistry()).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return answer.Body.String()
}

func TestPauses_CountThoseOfACollection(t *testing.T) {
	before := metricsNow()
	runtime.GC()
	after := metricsNow()
	more := func(name string) float64 { return metric(t, after, name) - metric(t, before, name) }
	if n := more("cablestay_gc_pause_seconds_count"); n < 2 {
		t.Errorf("got %v pauses of a collection, want at least 2", n)
	}
	if seconds := more("cablestay_gc_pause_seconds_sum"); seconds <= 0 {
		t.Errorf("they took %v seconds", seconds)
	}
}

func TestPauses_HaveBoundsThatTellHalfAMillisecondFromOne(t *testing.T) {
	last := 0.0
	for _, found := range regexp.MustCompile(`cablestay_gc_pause_seconds_bucket\{le="([^+"]+)"\}`).FindAllStringSubmatch(metricsNow(), -1) {
		bound, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		if ratio := bound / last; last > 0 && (ratio < 1.3 || ratio > 1.6) {
			t.Errorf("a bound of %v comes after one of %v", bound, last)
		}
		last = bound
	}
	if last < longestPause/2 || last > longestPause {
		t.Errorf("the last bound is %v", last)
	}
}

func TestPauses_AreCountedUpToEachBound(t *testing.T) {
	count, buckets := pausesUpTo(&metrics.Float64Histogram{
		Counts:  []uint64{1, 2, 3, 4, 5},
		Buckets: []float64{math.Inf(-1), 1e-6, 16e-6, 1e-3, 0.2, math.Inf(1)},
	})
	if count != 15 || len(buckets) != 2 || buckets[16e-6] != 3 || buckets[1e-3] != 6 {
		t.Errorf("got %d in all, and %v", count, buckets)
	}
}
