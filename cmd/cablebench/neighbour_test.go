//go:build linux

package main

import (
	"testing"
	"time"
)

func TestNeighbour_CountsBothStreams(t *testing.T) {
	f := newFake(t)
	f.rooms = true
	f.busy = time.Millisecond
	r := drive(t, f, "neighbour", "-n", "5", "-quiet", "2", "-rate", "200", "-duration", "300ms", "-size", "128,1024")
	want(t, r, "n", 5)
	want(t, r, "quiet", 2)
	want(t, r, "size", 1024)
	want(t, r, "lost", 0)
	want(t, r, "duplicates", 0)
	want(t, r, "out_of_order", 0)
	want(t, r, "unexpected_messages", 0)
	busy, _ := r["busy_broadcasts"].(float64)
	if want, _ := r["expected"].(float64); busy == 0 || want != 2*2*60+5*busy {
		t.Errorf("expected %v deliveries with %v broadcasts to 5 beside two times 60 to 2", r["expected"], busy)
	}
	for phase, n := range map[string]float64{"alone": 120, "beside": 120, "busy_latency": 5 * busy} {
		latency, _ := r[phase].(map[string]any)
		if latency["count"] != n {
			t.Errorf("%s: %v latencies, want %v", phase, latency["count"], n)
		}
	}
}

func TestNeighbour_TellsOfAQuietStreamThatHasToWait(t *testing.T) {
	f := newFake(t)
	f.rooms = true
	f.busy = 20 * time.Millisecond // in which the fake does nothing else
	r := drive(t, f, "neighbour", "-rate", "50", "-duration", "500ms")
	beside, _ := r["beside"].(map[string]any)
	if p99, _ := beside["p99_us"].(float64); p99 < 10_000 {
		t.Errorf("p99 beside the busy stream: %v µs, want what most of 20 ms are at least", p99)
	}
	// Of so few messages p99 is the worst one, which a busy machine decides.
	if times, _ := r["p50_ratio"].(float64); times <= 1 {
		t.Errorf("p50 beside the busy stream is %v times that alone", times)
	}
}

func TestNeighbour_TellsOfMessagesThatAreLost(t *testing.T) {
	f := newFake(t)
	f.rooms = true
	f.busy = time.Millisecond
	f.lose = 7 // after the warm-up, of the quiet stream alone; the first connection follows the busy one
	f.loseAll = true
	r := drive(t, f, "neighbour", "-rate", "100", "-duration", "200ms", "-timeout", "300ms", "-warmup", "5")
	want(t, r, "lost", 2)
}
