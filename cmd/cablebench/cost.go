//go:build linux

package main

import "github.com/cablestay/cablestay/cmd/cablebench/stats"

// sampleT is a moment's CPU counters.
type sampleT struct {
	at    int64
	cpu   []float64
	self  float64
	loops []float64
	sys   stats.Sys
}

func (g *gen) sample() sampleT {
	s := sampleT{at: nanos(), self: stats.SelfCPU(), sys: stats.ReadSys()}
	for _, gr := range g.cfg.groups {
		s.cpu = append(s.cpu, gr.CPU())
	}
	g.each(func(l *loop) { s.loops = append(s.loops, stats.ThreadCPU()) })
	return s
}

// cost is the CPU side of one measurement.
type cost struct {
	WallS       float64            `json:"wall_s"`
	CPUS        map[string]float64 `json:"cpu_s"`
	Util        map[string]float64 `json:"cpu_share"` // CPU seconds per wall second
	ClientS     float64            `json:"client_cpu_s"`
	LoopBusy    float64            `json:"client_busiest_loop_share"`
	SystemBusyS float64            `json:"system_busy_s"`
	OtherS      float64            `json:"other_cpu_s"` // machine-wide busy time of nobody accounted
	StealS      float64            `json:"steal_s"`
}

func (g *gen) cost(a, b sampleT) cost {
	w := float64(b.at-a.at) / 1e9
	c := cost{WallS: w, CPUS: map[string]float64{}, Util: map[string]float64{}, ClientS: b.self - a.self,
		SystemBusyS: b.sys.Busy - a.sys.Busy, StealS: b.sys.Steal - a.sys.Steal}
	c.OtherS = c.SystemBusyS - c.ClientS
	for i, gr := range g.cfg.groups {
		d := b.cpu[i] - a.cpu[i]
		c.CPUS[gr.Label] = d
		c.Util[gr.Label] = d / w
		c.OtherS -= d
	}
	for i := range b.loops {
		c.LoopBusy = max(c.LoopBusy, (b.loops[i]-a.loops[i])/w)
	}
	return c
}

// ---- idle ----

// limitOf names the busiest party, from its share of one CPU.
func limitOf(c cost, cfg *config) string {
	best, name := c.LoopBusy, "client"
	for _, g := range cfg.groups {
		if u := c.Util[g.Label]; u > best {
			best, name = u, g.Label
		}
	}
	if best < .5 {
		return "waiting"
	}
	return name
}
