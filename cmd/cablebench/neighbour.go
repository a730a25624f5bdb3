//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/stats"
)

// The two streams of neighbour.
const (
	busyStream = iota
	quietStream
)

type neighbourResult struct {
	N              int                `json:"n"`     // who follow the busy stream
	Quiet          int                `json:"quiet"` // who follow the quiet one
	Size           int                `json:"size"`
	Rate           float64            `json:"rate"` // of the quiet one
	Repeat         int                `json:"repeat"`
	Alone          stats.Summary      `json:"alone"`
	Beside         stats.Summary      `json:"beside"`
	P50Ratio       float64            `json:"p50_ratio"`
	P99Ratio       float64            `json:"p99_ratio"`
	Busy           stats.Summary      `json:"busy_latency"`
	BusyBroadcasts int                `json:"busy_broadcasts"`
	BusyPerSecond  float64            `json:"busy_deliveries_per_s"`
	Expected       int64              `json:"expected"`
	Received       int64              `json:"received"`
	Lost           int64              `json:"lost"`
	OutOfOrder     int64              `json:"out_of_order"`
	Duplicates     int64              `json:"duplicates"`
	Foreign        int64              `json:"unexpected_messages"`
	Dropped        int64              `json:"dropped"`
	LateUs         float64            `json:"publisher_max_late_us"`
	CPUUs          map[string]float64 `json:"cpu_us_per_delivery"` // while both are published
	Cost           cost               `json:"cost"`
	Limit          string             `json:"limited_by"`
}

// neighbour measures what a stream that everybody follows does to one that hardly anybody does.
func (g *gen) neighbour(rep *report, o *opts) error {
	if err := g.openToPublish(rep, o); err != nil {
		return err
	}
	defer g.pub.Close()
	fmt.Printf("%6s %6s %6s %10s %10s %10s %10s %8s %12s %6s %s\n", "busy", "quiet", "size", "alone p50", "alone p99", "beside p50", "beside p99", "p99", "busy deliv/s", "lost", "limited by")
	for _, size := range o.sizes {
		for i := range o.repeat {
			r, err := g.neighbourOnce(o, size)
			if err != nil {
				return err
			}
			r.Repeat = i + 1
			rep.add(r)
			fmt.Printf("%6d %6d %6d %10s %10s %10s %10s %6.1f × %12.0f %6d %s\n", r.N, r.Quiet, r.Size, us(r.Alone.P50), us(r.Alone.P99), us(r.Beside.P50), us(r.Beside.P99),
				r.P99Ratio, r.BusyPerSecond, r.Lost, r.Limit)
		}
	}
	return nil
}

func (g *gen) neighbourOnce(o *opts, size int) (neighbourResult, error) {
	c := g.cfg
	quiet := max(1, int(o.rate*o.dur.Seconds()))
	if _, err := g.publishBoth(o, size, o.warm, false); err != nil {
		return neighbourResult{}, fmt.Errorf("warm-up: %w", err)
	}
	alone, err := g.publishBoth(o, size, quiet, false)
	if err != nil {
		return neighbourResult{}, err
	}
	beside, err := g.publishBoth(o, size, quiet, true)
	if err != nil {
		return neighbourResult{}, err
	}
	res := neighbourResult{N: c.n - c.quiet, Quiet: c.quiet, Size: len(c.message(size, "").b), Rate: o.rate, Alone: alone.quiet.lat.Summary(), Beside: beside.quiet.lat.Summary(),
		Busy: beside.busy.lat.Summary(), BusyBroadcasts: beside.broadcasts, CPUUs: map[string]float64{}, LateUs: float64(max(alone.late, beside.late)) / 1e3, Cost: beside.cost,
		BusyPerSecond: float64(beside.busy.received) / beside.cost.WallS, Limit: limitOf(beside.cost, c)}
	if res.Alone.P50 > 0 && res.Alone.P99 > 0 {
		res.P50Ratio, res.P99Ratio = res.Beside.P50/res.Alone.P50, res.Beside.P99/res.Alone.P99
	}
	for _, s := range []*loopStats{&alone.quiet, &alone.busy, &beside.quiet, &beside.busy} {
		res.Received += s.received
		res.OutOfOrder += s.ooo
		res.Duplicates += s.duplicates
		res.Foreign += s.foreign
		res.Dropped += s.dropped
	}
	res.Expected = alone.expected + beside.expected
	res.Lost = res.Expected - res.Received
	for l, s := range beside.cost.CPUS {
		res.CPUUs[l] = s * 1e6 / float64(max(1, beside.busy.received+beside.quiet.received))
	}
	return res, nil
}

// both is what came of the two streams in one measurement.
type both struct {
	quiet, busy loopStats
	broadcasts  int // of the busy one
	expected    int64
	late        int64
	cost        cost
}

// publishBoth publishes so many to the quiet stream at its rate and, where busy is set, to the other one at the same time: the
// next as soon as everybody has the one before.
func (g *gen) publishBoth(o *opts, size, quiet int, busy bool) (both, error) {
	// A broadcast to anybody takes longer than this; where it does not, there is no load to speak of.
	const atMost = 30_000 // per second
	c := g.cfg
	room := 0
	if busy {
		room = int(atMost * (o.dur + time.Second).Seconds())
	}
	bufs := g.publishBufs(size)
	r := g.newRun(quiet + room)
	for i := range r.left {
		r.left[i] = g.subsOf[quietStream]
		if i >= quiet {
			r.left[i] = g.subsOf[busyStream]
		}
	}
	g.take()
	c.measurement.Store(r)
	defer c.measurement.Store(nil)
	a := g.sample()

	stop, stopped := make(chan struct{}), make(chan error, 1)
	sent := 0
	go func() {
		for ; sent < room; sent++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			if err := g.publish(r, &bufs[busyStream], busyStream, quiet+sent); err != nil {
				stopped <- err
				return
			}
			r.awaitMessage(quiet+sent, o.timeout) // what does not come counts as lost
		}
		if busy {
			stopped <- errors.New("the busy stream's broadcasts take no time: more connections are needed, -n")
			return
		}
		stopped <- nil
	}()
	if busy {
		time.Sleep(min(o.dur/10, 500*time.Millisecond)) // its backlog, if any, is there
	}
	p := pace{start: nanos(), rate: o.rate}
	var err error
	for i := 0; i < quiet && err == nil; i++ {
		p.await(i)
		err = g.publish(r, &bufs[quietStream], quietStream, i)
	}
	for end := time.Now().Add(o.timeout); err == nil && !r.allDone(quiet) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	close(stop)
	if err = errors.Join(err, <-stopped); err != nil {
		return both{}, err
	}
	b := g.sample()
	quietLoop := len(g.loops) - 1
	out := both{quiet: takeFrom(g.loops[quietLoop:]), busy: takeFrom(g.loops[:quietLoop]), broadcasts: sent, late: p.late, cost: g.cost(a, b)}
	out.expected = int64(quiet)*int64(g.subsOf[quietStream]) + int64(sent)*int64(g.subsOf[busyStream])
	return out, g.pub.Drain(5 * time.Second)
}
