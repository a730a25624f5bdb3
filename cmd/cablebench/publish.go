//go:build linux

package main

import (
	"math/rand"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/resp"
)

// publishBuf is a ready message for one stream.
type publishBuf struct {
	channel []byte
	tpl     template
	seq     uint32
}

func (g *gen) publishBufs(size int) []publishBuf {
	c := g.cfg
	out := make([]publishBuf, c.k)
	for k := range out {
		m := c.message(size, "")
		name := c.streamName(k)
		if c.prefix != "" {
			name = c.prefix + ":" + name
		}
		out[k] = publishBuf{channel: []byte(name), tpl: m}
	}
	return out
}

// publish sends message i of a measurement.
func (g *gen) publish(r *measurement, b *publishBuf, stream, i int) error {
	b.seq++
	at := nanos()
	r.sentAt[i] = at
	token{r.id, uint32(stream), b.seq, uint32(i), at}.put(b.tpl.b[b.tpl.pos:])
	return g.pub.Publish(b.channel, b.tpl.b)
}

func (g *gen) picker(o *opts) func() int {
	k := g.cfg.k
	if k == 1 {
		return func() int { return 0 }
	}
	rng := rand.New(rand.NewSource(42)) // the same sequence for every peer
	if o.dist == "zipf" {
		z := rand.NewZipf(rng, o.zipfS, 1, uint64(k-1))
		return func() int { return int(z.Uint64()) }
	}
	return func() int { return rng.Intn(k) }
}

// ---- echo ----

// openToPublish opens the connections, and the one on which to publish to them.
func (g *gen) openToPublish(rep *report, o *opts) error {
	open, err := g.open(o)
	if err != nil {
		return err
	}
	rep.Open = &open
	if g.pub, err = resp.Dial(g.cfg.redis, g.cfg.redisPass, g.cfg.redisDB); err != nil {
		return err
	}
	time.Sleep(g.cfg.settle)
	return nil
}
