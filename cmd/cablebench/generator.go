//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/resp"
	"golang.org/x/sys/unix"
)

// gen owns the loops and all connections.
type gen struct {
	cfg     *config
	loops   []*loop
	subsOf  []int32 // subscribers per stream
	nextRun uint8
	pub     *resp.Publisher
}

func newGen(c *config) (*gen, error) {
	g := &gen{cfg: c, subsOf: make([]int32, c.k)}
	for i := range c.threads() {
		l, err := newLoop(i, c)
		if err != nil {
			return nil, err
		}
		g.loops = append(g.loops, l)
	}
	for i := 0; i < c.n; i++ {
		l := g.loops[i%c.loops]
		if i >= c.n-c.quiet {
			l = g.loops[c.loops]
		}
		cn := &conn{fd: -1, idx: int32(i), opIdx: -1, unconf: int32(c.subsPer), subs: make([]sub, c.subsPer)}
		for j := range cn.subs {
			k := c.streamOf(i, j)
			cn.subs[j].stream = uint32(k)
			g.subsOf[k]++
		}
		l.live = append(l.live, cn)
	}
	for _, l := range g.loops {
		go l.run()
	}
	return g, nil
}

func (g *gen) ready() (n int64) {
	for _, l := range g.loops {
		n += l.readyN.Load()
	}
	return
}

// each runs f once on every loop's own thread.
func (g *gen) each(f func(l *loop)) {
	for _, l := range g.loops {
		l.do(func() { f(l) })
	}
}

// take merges and resets what the loops measured.
func (g *gen) take() loopStats { return takeFrom(g.loops) }

func takeFrom(loops []*loop) loopStats {
	out := newLoopStats()
	for _, l := range loops {
		l.do(func() { out.merge(&l.s); l.s = newLoopStats() })
	}
	return out
}

func (g *gen) waitReady(want int64, timeout time.Duration) error {
	end := time.Now().Add(timeout)
	step := time.Duration(0)
	for g.ready() < want {
		if time.Now().After(end) {
			return fmt.Errorf("only %d of %d connections ready after %v", g.ready(), want, timeout)
		}
		if step < 5*time.Millisecond {
			step += 200 * time.Microsecond
		}
		time.Sleep(step)
	}
	return nil
}

func (g *gen) closeAll(how string) {
	g.each(func(l *loop) {
		for _, c := range l.live {
			if c.state == stClosed {
				continue
			}
			if how == "rst" {
				_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
			}
			l.endOpening(c)
			l.shut(c)
			l.reset(c)
		}
	})
}

// stop ends the loops and closes all connections.
func (g *gen) stop() {
	g.closeAll("fin")
	for _, l := range g.loops {
		l.do(func() { l.stop = true })
		<-l.stopped
	}
}
