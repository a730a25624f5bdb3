//go:build linux

package main

import "github.com/cablestay/cablestay/cmd/cablebench/stats"

// loopStats is what a loop measured since the last reset.
type loopStats struct {
	welcome, confirm, ready *stats.Hist // connect->welcome, subscribe->confirm, connect->all confirmed
	lat                     *stats.Hist // broadcast delivery or echo round trip
	received, ooo, foreign  int64
	duplicates              int64
	textBytes               int64 // of the messages, decompressed
	wireBytes               int64 // of their frames
	compressed              int64
	pings                   int64
	dropped                 int64 // established connections the peer closed
	failed                  int64 // attempts that never became ready
	rejected                int64
	lastReady               int64
	lastWelcome             int64
	reads                   int64
	failNote                string
}

func newLoopStats() loopStats {
	return loopStats{welcome: stats.NewHist(), confirm: stats.NewHist(), ready: stats.NewHist(), lat: stats.NewHist()}
}

func (s *loopStats) merge(o *loopStats) {
	s.welcome.Merge(o.welcome)
	s.confirm.Merge(o.confirm)
	s.ready.Merge(o.ready)
	s.lat.Merge(o.lat)
	s.received += o.received
	s.ooo += o.ooo
	s.duplicates += o.duplicates
	s.foreign += o.foreign
	s.textBytes += o.textBytes
	s.wireBytes += o.wireBytes
	s.compressed += o.compressed
	s.pings += o.pings
	s.dropped += o.dropped
	s.failed += o.failed
	s.rejected += o.rejected
	s.reads += o.reads
	s.lastReady = max(s.lastReady, o.lastReady)
	s.lastWelcome = max(s.lastWelcome, o.lastWelcome)
	if s.failNote == "" {
		s.failNote = o.failNote
	}
}
