//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/stats"
)

type fanoutResult struct {
	N          int                `json:"n"`
	K          int                `json:"k"`
	Subs       int                `json:"subs_per_connection"`
	Size       int                `json:"size"`
	Window     int                `json:"window,omitempty"`
	Rate       float64            `json:"rate,omitempty"`
	Dist       string             `json:"dist,omitempty"`
	Repeat     int                `json:"repeat"`
	Broadcasts int                `json:"broadcasts"`
	Expected   int64              `json:"expected"`
	Received   int64              `json:"received"`
	Lost       int64              `json:"lost"`
	OutOfOrder int64              `json:"out_of_order"`
	Duplicates int64              `json:"duplicates"`
	Foreign    int64              `json:"unexpected_messages"`
	Dropped    int64              `json:"dropped"`
	ZeroPubs   int64              `json:"publishes_without_receiver"`
	WallS      float64            `json:"wall_s"` // first publish to last delivery
	PerSecond  float64            `json:"deliveries_per_s"`
	Compressed int64              `json:"compressed"`
	Payload    string             `json:"payload"`
	TextBytes  float64            `json:"text_bytes_per_delivery"`
	WireBytes  float64            `json:"wire_bytes_per_delivery"` // of its frames
	Lat        stats.Summary      `json:"latency"`
	First      stats.Summary      `json:"time_to_first_subscriber"`
	Last       stats.Summary      `json:"time_to_last_subscriber"`
	CPUUs      map[string]float64 `json:"cpu_us_per_delivery"`
	CPUUsPub   map[string]float64 `json:"cpu_us_per_broadcast"`
	ClientUs   float64            `json:"client_cpu_us_per_delivery"`
	TotalUs    float64            `json:"all_cpu_us_per_delivery"`
	LateUs     float64            `json:"publisher_max_late_us,omitempty"`
	ReadsPer   float64            `json:"client_reads_per_delivery"`
	Cost       cost               `json:"cost"`
	Stopped    *pausesResult      `json:"server_stopped,omitempty"`
	Limit      string             `json:"limited_by"`
}

func (g *gen) fanout(rep *report, o *opts) error {
	if err := g.openToPublish(rep, o); err != nil {
		return err
	}
	defer g.pub.Close()
	rep.fanoutHeader()
	for _, size := range o.sizes {
		for _, w := range o.windows {
			if o.warm > 0 {
				if _, err := g.fanoutOnce(o, size, w, o.warm, 0); err != nil {
					return fmt.Errorf("warm-up: %w", err)
				}
			}
			for i := 1; i <= o.repeat; i++ {
				r, err := g.fanoutOnce(o, size, w, o.m, i)
				if err != nil {
					return err
				}
				rep.add(r)
				rep.fanoutLine(r)
			}
		}
	}
	p := g.mem("after load")
	rep.MemEnd = &p
	for _, gr := range g.cfg.groups {
		m := p.Mem[gr.Label]
		fmt.Printf("memory      after load %-8s RSS %.1f MiB  PSS %.1f MiB\n", gr.Label, float64(m.RSS)/1024, float64(m.PSS)/1024)
	}
	return nil
}

func (g *gen) fanoutOnce(o *opts, size, window, m, repeat int) (fanoutResult, error) {
	c := g.cfg
	bufs := g.publishBufs(size)
	r := g.newRun(m)
	pick := g.picker(o)
	streams := make([]int, m)
	var expected int64
	for i := range streams {
		k := pick()
		streams[i] = k
		r.left[i] = g.subsOf[k]
		expected += int64(g.subsOf[k])
		if g.subsOf[k] == 0 {
			r.doneN.Add(1) // nobody to wait for
		}
	}
	g.take()
	c.measurement.Store(r)
	zero0 := g.pub.ZeroReplies()
	stopped, err := c.pauses()
	if err != nil {
		return fanoutResult{}, err
	}
	a := g.sample()
	t0 := nanos()
	p := pace{start: t0, rate: o.rate}
	for i := 0; i < m; i++ {
		if o.rate > 0 {
			p.await(i)
		} else if !g.await(r, int64(i-window+1), o.timeout) {
			// Someone never got one of the earlier messages: go on, it counts as lost.
			r.doneN.Add(1)
		}
		if err := g.publish(r, &bufs[streams[i]], streams[i], i); err != nil {
			return fanoutResult{}, err
		}
	}
	g.await(r, int64(m), o.timeout)
	b := g.sample()
	c.measurement.Store(nil)
	st := g.take()
	stoppedSince, err := c.pauses()
	if err != nil {
		return fanoutResult{}, err
	}
	if err := g.pub.Drain(5 * time.Second); err != nil {
		return fanoutResult{}, err
	}
	res := fanoutResult{N: c.n, K: c.k, Subs: c.subsPer, Size: len(c.message(size, "").b), Window: window, Rate: o.rate, Repeat: repeat, Broadcasts: m,
		Expected: expected, Received: st.received, Compressed: st.compressed, Payload: c.payload, Lost: expected - st.received, OutOfOrder: st.ooo, Duplicates: st.duplicates, Foreign: st.foreign, Dropped: st.dropped,
		ZeroPubs: g.pub.ZeroReplies() - zero0, Lat: st.lat.Summary(), CPUUs: map[string]float64{}, CPUUsPub: map[string]float64{}, Cost: g.cost(a, b), Stopped: stoppedSince.since(stopped), LateUs: float64(p.late) / 1e3}
	if o.rate > 0 {
		res.Window = 0
	}
	if c.k > 1 {
		res.Dist = o.dist
	}
	first, last := stats.NewHist(), stats.NewHist()
	var end int64
	for i := range r.sentAt {
		if r.firstAt[i] > 0 {
			first.Add(r.firstAt[i] - r.sentAt[i])
		}
		if r.doneAt[i] > 0 {
			last.Add(r.doneAt[i] - r.sentAt[i])
			end = max(end, r.doneAt[i])
		}
	}
	res.First, res.Last = first.Summary(), last.Summary()
	res.WallS = float64(end-t0) / 1e9
	if end == 0 {
		res.WallS = res.Cost.WallS
	}
	d := float64(max(st.received, 1))
	res.PerSecond = float64(st.received) / res.WallS
	res.TextBytes, res.WireBytes = float64(st.textBytes)/d, float64(st.wireBytes)/d
	for l, s := range res.Cost.CPUS {
		res.CPUUs[l] = s * 1e6 / d
		res.CPUUsPub[l] = s * 1e6 / float64(m)
	}
	res.ClientUs = res.Cost.ClientS * 1e6 / d
	res.TotalUs = res.Cost.SystemBusyS * 1e6 / d
	res.ReadsPer = float64(st.reads) / d
	res.Limit = limitOf(res.Cost, c)
	return res, nil
}
