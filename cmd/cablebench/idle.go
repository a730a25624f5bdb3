//go:build linux

package main

import (
	"fmt"
	"time"
)

type idleResult struct {
	Open          openResult         `json:"open"`
	Points        []memPoint         `json:"memory"`
	RSSPerConn    map[string]float64 `json:"rss_bytes_per_connection"`
	PSSPerConn    map[string]float64 `json:"pss_bytes_per_connection"`
	KernelPerConn float64            `json:"kernel_slab_bytes_per_connection_both_ends"`
	Hold          cost               `json:"hold"`
	HoldCPUUs     map[string]float64 `json:"hold_cpu_us_per_connection_per_s"`
	Pings         int64              `json:"pings"`
	Dropped       int64              `json:"dropped"`
}

func (g *gen) idle(rep *report, o *opts) error {
	r := idleResult{RSSPerConn: map[string]float64{}, PSSPerConn: map[string]float64{}, HoldCPUUs: map[string]float64{}}
	r.Points = append(r.Points, g.mem("before"))
	var err error
	if r.Open, err = g.open(o); err != nil {
		return err
	}
	time.Sleep(g.cfg.settle)
	r.Points = append(r.Points, g.mem("open"))
	g.take()
	a := g.sample()
	time.Sleep(o.hold)
	b := g.sample()
	r.Hold = g.cost(a, b)
	st := g.take()
	r.Pings, r.Dropped = st.pings, st.dropped
	r.Points = append(r.Points, g.mem("held"))
	n := float64(g.cfg.n)
	p0, p2 := r.Points[0], r.Points[2]
	for _, gr := range g.cfg.groups {
		r.RSSPerConn[gr.Label] = float64(p2.Mem[gr.Label].RSS-p0.Mem[gr.Label].RSS) * 1024 / n
		r.PSSPerConn[gr.Label] = float64(p2.Mem[gr.Label].PSS-p0.Mem[gr.Label].PSS) * 1024 / n
		r.HoldCPUUs[gr.Label] = r.Hold.CPUS[gr.Label] * 1e6 / n / r.Hold.WallS
	}
	r.KernelPerConn = float64(p2.Slab-p0.Slab) * 1024 / n
	if o.after > 0 {
		g.closeAll("fin")
		time.Sleep(o.after)
		r.Points = append(r.Points, g.mem("closed"))
	}
	for _, p := range r.Points {
		for _, gr := range g.cfg.groups {
			m := p.Mem[gr.Label]
			fmt.Printf("memory      %-7s %-8s RSS %8.1f MiB  PSS %8.1f MiB  threads %d  procs %d\n", p.When, gr.Label, float64(m.RSS)/1024, float64(m.PSS)/1024, m.Threads, m.Procs)
		}
	}
	fmt.Printf("per conn   %s RSS, kernel slab both ends %.0f B\n", labelled(r.RSSPerConn, "%.0f B"), r.KernelPerConn)
	fmt.Printf("holding     %.1f s, pings %d, dropped %d, CPU µs per connection and second:%s\n", r.Hold.WallS, r.Pings, r.Dropped, labelled(r.HoldCPUUs, "%.2f"))
	rep.add(r)
	if r.Dropped > 0 {
		return fmt.Errorf("%d connections dropped while holding (%s)", r.Dropped, st.failNote)
	}
	return nil
}

// ---- fanout and rooms ----
