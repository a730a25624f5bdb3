//go:build linux

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func pausesOf(t *testing.T, collections int, counts ...int) *pauses {
	t.Helper()
	p, err := readPauses(strings.NewReader(pausesText(collections, counts...)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pausesText is what a bridge says of so many pauses up to 0.1 ms, 1 ms, and in all.
func pausesText(collections int, counts ...int) string {
	text := fmt.Sprintf("# HELP go_gc_duration_seconds …\ngo_gc_duration_seconds{quantile=\"1\"} 0.5\ngo_gc_duration_seconds_count %d\n", collections)
	for i, bound := range []string{"0.0001", "0.001", "+Inf"} {
		text += fmt.Sprintf("cablestay_gc_pause_seconds_bucket{le=%q} %d\n", bound, counts[i])
	}
	return text
}

func TestPauses_OfAMeasurementAreThoseThatWereAdded(t *testing.T) {
	before := pausesOf(t, 2, 1, 3, 4)
	for _, step := range []struct {
		now  *pauses
		want pausesResult
	}{
		{pausesOf(t, 2, 1, 3, 4), pausesResult{}},
		{pausesOf(t, 52, 101, 103, 104), pausesResult{Collections: 50, Pauses: 100, P99: 100, Max: 100}},
		{pausesOf(t, 52, 100, 103, 104), pausesResult{Collections: 50, Pauses: 100, P99: 100, Max: 1000}},
		{pausesOf(t, 52, 99, 103, 104), pausesResult{Collections: 50, Pauses: 100, P99: 1000, Max: 1000}},
	} {
		if got := step.now.since(before); *got != step.want {
			t.Errorf("got %+v, want %+v", *got, step.want)
		}
	}
}

func TestPauses_LongerThanEveryBoundAreNotHidden(t *testing.T) {
	got := pausesOf(t, 1, 0, 0, 2).since(pausesOf(t, 0, 0, 0, 0))
	if got.Max < 1e6 {
		t.Errorf("the longest is said to be %v µs", got.Max)
	}
}

func TestFanout_SaysHowLongTheServerWasStopped(t *testing.T) {
	var asked atomic.Int32
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(asked.Add(1))
		_, _ = w.Write([]byte(pausesText(n, 2*n, 2*n, 2*n)))
	}))
	t.Cleanup(metrics.Close)
	r := drive(t, newFake(t), "fanout", "-m", "3", "-warmup", "0", "-metrics", metrics.URL)
	stopped, _ := r["server_stopped"].(map[string]any)
	want(t, stopped, "collections", 1)
	want(t, stopped, "pauses", 2)
	want(t, stopped, "max_us", 100)
}

func TestFanout_WantsMetricsThatTell(t *testing.T) {
	metrics := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(metrics.Close)
	f := newFake(t)
	err := run("fanout", []string{"-url", "ws://" + f.ln.Addr().String() + "/cable", "-redis", f.pub.Addr().String(), "-n", "1", "-settle", "0", "-metrics", metrics.URL})
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v, want that the metrics are not there", err)
	}
}
