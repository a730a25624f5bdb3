//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/stats"
)

type pageResult struct {
	Pages    int                `json:"pages"` // of each kind
	Subs     int                `json:"subs"`
	One      stats.Summary      `json:"one"` // from the welcome to the confirmation
	All      stats.Summary      `json:"all"` // to the last one
	P50Ratio float64            `json:"p50_ratio"`
	Failed   int64              `json:"failed_attempts"`
	Note     string             `json:"note,omitempty"`
	CPUUs    map[string]float64 `json:"cpu_us_per_subscription"` // the handshakes counted in
	Cost     cost               `json:"cost"`
}

// page measures what a page waits for that opens several subscriptions at once, next to one that opens one. The pages come
// one after the other and stay, so that nothing else is going on.
func (g *gen) page(rep *report, o *opts) error {
	fmt.Printf("%6s %6s %12s %12s %12s %12s %8s %8s  %s\n", "pages", "subs", "one p50", "one p99", "all p50", "all p99", "p50", "failed", "CPU/subscription")
	var several []bool // by connection: every other page opens one
	for i := range g.cfg.n {
		several = append(several, i%2 == 1)
	}
	g.each(func(l *loop) {
		l.maxIn, l.rate = 0, 0
		for _, c := range l.live {
			if !several[c.idx] {
				c.subs = c.subs[:1]
				l.reset(c)
			}
		}
	})
	r := pageResult{Pages: g.cfg.n / 2, Subs: g.cfg.subsPer, CPUUs: map[string]float64{}}
	one, all := newLoopStats(), newLoopStats()
	a := g.sample()
	for i := range g.cfg.n {
		g.each(func(l *loop) {
			for _, c := range l.live {
				if int(c.idx) == i {
					l.queue = append(l.queue, c)
				}
			}
		})
		if err := g.waitReady(int64(i+1), o.timeout); err != nil {
			return err
		}
		opened := g.take()
		switch {
		case i < 2*o.warm:
		case several[i]:
			all.merge(&opened)
		default:
			one.merge(&opened)
		}
		time.Sleep(o.pause)
	}
	r.Cost = g.cost(a, g.sample())
	r.One, r.All = one.confirm.Summary(), all.confirm.Summary()
	r.Failed, r.Note = one.failed+all.failed, one.failNote+all.failNote
	if r.One.P50 > 0 {
		r.P50Ratio = r.All.P50 / r.One.P50
	}
	for label, s := range r.Cost.CPUS {
		r.CPUUs[label] = s * 1e6 / float64(r.Pages*(1+r.Subs))
	}
	rep.add(r)
	fmt.Printf("%6d %6d %12s %12s %12s %12s %6.2f × %8d %s\n", r.Pages, r.Subs, us(r.One.P50), us(r.One.P99), us(r.All.P50), us(r.All.P99), r.P50Ratio, r.Failed, labelled(r.CPUUs, "%.0f µs"))
	return nil
}
