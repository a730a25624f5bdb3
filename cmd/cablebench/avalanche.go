//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/stats"
)

type avalancheResult struct {
	Round       int                `json:"round"`
	N           int                `json:"n"`
	Kill        string             `json:"kill"`
	AllWelcomeS float64            `json:"all_welcomed_s"`
	AllReadyS   float64            `json:"all_confirmed_s"`
	PerSecond   float64            `json:"confirmed_per_s"`
	Welcome     stats.Summary      `json:"connect_to_welcome"`
	Confirm     stats.Summary      `json:"subscribe_to_confirm"`
	Ready       stats.Summary      `json:"connect_to_ready"`
	Failed      int64              `json:"failed_attempts"`
	Note        string             `json:"note,omitempty"`
	CPUUs       map[string]float64 `json:"cpu_us_per_connection"`
	ClientUs    float64            `json:"client_cpu_us_per_connection"`
	Cost        cost               `json:"cost"`
}

func (g *gen) avalanche(rep *report, o *opts) error {
	open, err := g.open(o)
	if err != nil {
		return err
	}
	rep.Open = &open
	fmt.Printf("%-6s %8s %14s %14s %12s %10s %10s %8s  %s\n", "round", "n", "all welcomed", "all confirmed", "confirmed/s", "p50", "p99", "failed", "CPU/conn")
	for i := 1; i <= o.rounds; i++ {
		time.Sleep(g.cfg.settle)
		g.take()
		a := g.sample()
		var t0 int64
		switch o.kill {
		case "rst", "fin":
			t0 = nanos()
			g.closeAll(o.kill)
			g.each(func(l *loop) {
				l.maxIn, l.rate = 0, 0
				l.queue = append(l.queue[:0], l.live...)
			})
		case "external":
			g.each(func(l *loop) { l.redial, l.maxIn, l.rate, l.firstEOF = true, 0, 0, 0 })
			fmt.Println("waiting for the server to drop every connection ...")
			end := time.Now().Add(g.cfg.openTimeout)
			var dropped int64
			for dropped < int64(g.cfg.n) && time.Now().Before(end) {
				time.Sleep(5 * time.Millisecond)
				dropped = 0
				g.each(func(l *loop) {
					dropped += l.s.dropped
					if l.firstEOF > 0 && (t0 == 0 || l.firstEOF < t0) {
						t0 = l.firstEOF
					}
				})
			}
			if dropped < int64(g.cfg.n) {
				return fmt.Errorf("only %d of %d connections were dropped", dropped, g.cfg.n)
			}
		default:
			return fmt.Errorf("unknown -kill %q", o.kill)
		}
		err := g.waitReady(int64(g.cfg.n), g.cfg.openTimeout)
		b := g.sample()
		g.each(func(l *loop) { l.redial = false })
		st := g.take()
		r := avalancheResult{Round: i, N: g.cfg.n, Kill: o.kill, AllWelcomeS: float64(st.lastWelcome-t0) / 1e9, AllReadyS: float64(st.lastReady-t0) / 1e9,
			Welcome: st.welcome.Summary(), Confirm: st.confirm.Summary(), Ready: st.ready.Summary(), Failed: st.failed, Note: st.failNote,
			CPUUs: map[string]float64{}, Cost: g.cost(a, b)}
		r.PerSecond = float64(g.cfg.n) / r.AllReadyS
		for l, s := range r.Cost.CPUS {
			r.CPUUs[l] = s * 1e6 / float64(g.cfg.n)
		}
		r.ClientUs = r.Cost.ClientS * 1e6 / float64(g.cfg.n)
		rep.add(r)
		fmt.Printf("%-6d %8d %12.3f s %12.3f s %12.0f %10s %10s %8d %s client %.0f µs\n", i, r.N, r.AllWelcomeS, r.AllReadyS, r.PerSecond, us(r.Ready.P50), us(r.Ready.P99), r.Failed, labelled(r.CPUUs, "%.0f µs"), r.ClientUs)
		if err != nil {
			return err
		}
	}
	return nil
}
