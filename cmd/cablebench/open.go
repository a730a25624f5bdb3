//go:build linux

package main

import (
	"errors"
	"fmt"

	"github.com/cablestay/cablestay/cmd/cablebench/stats"
)

// openResult is the connect phase.
type openResult struct {
	N            int                `json:"n"`
	WallS        float64            `json:"wall_s"`
	PerSecond    float64            `json:"handshakes_per_s"`
	Welcome      stats.Summary      `json:"connect_to_welcome"`
	Confirm      stats.Summary      `json:"subscribe_to_confirm"`
	Ready        stats.Summary      `json:"connect_to_ready"`
	Failed       int64              `json:"failed_attempts"`
	Note         string             `json:"note,omitempty"`
	CPUPerConnUs map[string]float64 `json:"cpu_us_per_connection"`
	ClientCPUUs  float64            `json:"client_cpu_us_per_connection"`
	Stopped      *pausesResult      `json:"server_stopped,omitempty"`
}

func (g *gen) open(o *opts) (openResult, error) {
	cfg := g.cfg
	stopped, err := cfg.pauses()
	if err != nil {
		return openResult{}, err
	}
	s0 := g.sample()
	t0 := nanos()
	g.each(func(l *loop) {
		l.maxIn = 0
		if cfg.concurrency > 0 {
			l.maxIn = max(1, cfg.concurrency/len(g.loops))
		}
		l.rate = cfg.rate / float64(len(g.loops))
		l.tokenAt = nanos()
		l.queue = append(l.queue[:0], l.live...)
	})
	err = g.waitReady(int64(cfg.n), cfg.openTimeout)
	s1 := g.sample()
	stoppedSince, failed := cfg.pauses()
	err = errors.Join(err, failed)
	st := g.take()
	n := int(g.ready())
	r := openResult{N: n, WallS: float64(st.lastReady-t0) / 1e9, Welcome: st.welcome.Summary(), Confirm: st.confirm.Summary(),
		Ready: st.ready.Summary(), Failed: st.failed, Note: st.failNote, CPUPerConnUs: map[string]float64{},
		Stopped: stoppedSince.since(stopped)}
	if r.WallS > 0 {
		r.PerSecond = float64(n) / r.WallS
	}
	for i, gr := range cfg.groups {
		r.CPUPerConnUs[gr.Label] = (s1.cpu[i] - s0.cpu[i]) / float64(max(n, 1)) * 1e6
	}
	r.ClientCPUUs = (s1.self - s0.self) / float64(max(n, 1)) * 1e6
	fmt.Printf("connect     %d ready in %.2f s = %.0f/s, failed attempts %d %s\n", n, r.WallS, r.PerSecond, r.Failed, r.Note)
	fmt.Printf("            connect->welcome  p50 %s  p95 %s  p99 %s  max %s\n", us(r.Welcome.P50), us(r.Welcome.P95), us(r.Welcome.P99), us(r.Welcome.Max))
	fmt.Printf("            subscribe->confirm p50 %s  p95 %s  p99 %s  max %s\n", us(r.Confirm.P50), us(r.Confirm.P95), us(r.Confirm.P99), us(r.Confirm.Max))
	fmt.Printf("            CPU per connection:%s  client %.0f µs\n", labelled(r.CPUPerConnUs, "%.0f µs"), r.ClientCPUUs)
	if r.Stopped != nil {
		fmt.Printf("            server stopped: %s\n", r.Stopped)
	}
	return r, err
}
