//go:build linux

package main

import "github.com/cablestay/cablestay/cmd/cablebench/stats"

type memPoint struct {
	When string               `json:"when"`
	Mem  map[string]stats.Mem `json:"mem"`
	Slab int64                `json:"slab_kib"`
	TCP  int64                `json:"kernel_tcp_kib"`
}

func (g *gen) mem(when string) memPoint {
	p := memPoint{When: when, Mem: map[string]stats.Mem{}}
	for _, gr := range g.cfg.groups {
		p.Mem[gr.Label] = gr.Mem()
	}
	s := stats.ReadSys()
	p.Slab, p.TCP = s.SlabKiB, s.KernelTCPKiB
	return p
}
