//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/stats"
)

type echoResult struct {
	C         int                `json:"clients"`
	Size      int                `json:"size"`
	Repeat    int                `json:"repeat"`
	Count     int64              `json:"replies"`
	PerSecond float64            `json:"replies_per_s"`
	RTT       stats.Summary      `json:"round_trip"`
	CPUUs     map[string]float64 `json:"cpu_us_per_reply"`
	ClientUs  float64            `json:"client_cpu_us_per_reply"`
	Missing   int64              `json:"clients_without_last_reply"`
	Dropped   int64              `json:"dropped"`
	Cost      cost               `json:"cost"`
	Limit     string             `json:"limited_by"`
}

func (g *gen) echo(rep *report, o *opts) error {
	if g.cfg.subsPer < 1 {
		return errors.New("echo needs a subscription")
	}
	open, err := g.open(o)
	if err != nil {
		return err
	}
	rep.Open = &open
	time.Sleep(g.cfg.settle)
	fmt.Printf("%-8s %6s %9s %10s %10s %10s %10s %12s %10s %s\n", "clients", "size", "replies", "replies/s", "p50", "p95", "p99", "server µs", "client µs", "limited by")
	for _, size := range o.sizes {
		for i := 0; i <= o.repeat; i++ {
			d := o.dur
			if i == 0 {
				d = min(d, time.Second) // warm-up
			}
			r, err := g.echoOnce(o, size, d, i)
			if err != nil {
				return err
			}
			if i == 0 {
				continue
			}
			rep.add(r)
			fmt.Printf("%-8d %6d %9d %10.0f %10s %10s %10s %12s %10.1f %s\n", r.C, r.Size, r.Count, r.PerSecond, us(r.RTT.P50), us(r.RTT.P95), us(r.RTT.P99), labelled(r.CPUUs, "%.1f"), r.ClientUs, r.Limit)
		}
	}
	return nil
}

func (g *gen) echoOnce(o *opts, size int, d time.Duration, repeat int) (echoResult, error) {
	c := g.cfg
	tpls := make([]template, c.k)
	for k := range tpls {
		tpls[k] = wrap(c.message(size, `"action":`+jsonString(o.action)+`,`), `{"command":"message","identifier":`+jsonString(c.identifier(k, 0))+`,"data":`, `}`)
	}
	r := g.newRun(1)
	r.echo = true
	r.echoTpl = func(s uint32) template { return tpls[s] }
	if c.perConnIdent {
		return echoResult{}, errors.New("echo does not take {{i}} in -identifier")
	}
	g.take()
	a := g.sample()
	t0 := nanos()
	r.echoUntil = t0 + int64(d)
	r.echoActive.Store(int64(c.n))
	c.measurement.Store(r)
	g.each(func(l *loop) {
		for _, cn := range l.live {
			if cn.state == stReady {
				l.perform(r, cn)
			}
		}
	})
	t := time.NewTimer(d + o.timeout)
	defer t.Stop()
	for r.echoActive.Load() > 0 {
		select {
		case <-r.wake:
			continue
		case <-t.C:
		}
		break
	}
	b := g.sample()
	c.measurement.Store(nil)
	st := g.take()
	res := echoResult{C: c.n, Size: size, Repeat: repeat, Count: st.received, RTT: st.lat.Summary(), CPUUs: map[string]float64{},
		Missing: r.echoActive.Load(), Dropped: st.dropped, Cost: g.cost(a, b)}
	n := float64(max(st.received, 1))
	res.PerSecond = float64(st.received) / res.Cost.WallS
	for l, s := range res.Cost.CPUS {
		res.CPUUs[l] = s * 1e6 / n
	}
	res.ClientUs = res.Cost.ClientS * 1e6 / n
	res.Limit = limitOf(res.Cost, c)
	return res, nil
}

// ---- avalanche and churn ----

func (r *measurement) echoDone(l *loop, c *conn, now int64) {
	if now < r.echoUntil {
		l.perform(r, c)
		return
	}
	if r.echoActive.Add(-1) == 0 {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// perform sends one action.
func (l *loop) perform(r *measurement, c *conn) {
	t := r.echoTpl(c.subs[0].stream)
	l.payload = append(l.payload[:0], t.b...)
	token{run: r.id, stream: c.subs[0].stream, seq: 1, at: nanos()}.put(l.payload[t.pos:])
	l.frame = appendFrame(l.frame[:0], opText, l.payload)
	l.send(c, l.frame)
}
