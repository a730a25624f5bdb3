//go:build linux

package main

import (
	"sync/atomic"
	"time"
)

// measurement is one measurement: what was sent and what is still to arrive.
type measurement struct {
	id      uint8
	echo    bool
	left    []int32 // per message: deliveries still missing
	sentAt  []int64
	firstAt []int64
	doneAt  []int64
	doneN   atomic.Int64
	wake    chan struct{}

	echoUntil  int64
	echoActive atomic.Int64
	echoTpl    func(stream uint32) template
}

func (r *measurement) delivered(msg uint32, now int64) {
	if atomic.LoadInt64(&r.firstAt[msg]) == 0 {
		atomic.CompareAndSwapInt64(&r.firstAt[msg], 0, now)
	}
	if atomic.AddInt32(&r.left[msg], -1) == 0 {
		atomic.StoreInt64(&r.doneAt[msg], now)
		r.doneN.Add(1)
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

func (g *gen) newRun(m int) *measurement {
	g.nextRun = g.nextRun%99 + 1
	r := &measurement{id: g.nextRun, left: make([]int32, m), sentAt: make([]int64, m), firstAt: make([]int64, m), doneAt: make([]int64, m), wake: make(chan struct{}, 1)}
	g.each(func(l *loop) {
		for _, c := range l.live {
			for i := range c.subs {
				c.subs[i].forget()
			}
		}
	})
	return r
}

// awaitMessage waits until everyone has message i.
func (r *measurement) awaitMessage(i int, timeout time.Duration) {
	t := time.NewTimer(timeout)
	defer t.Stop()
	for atomic.LoadInt64(&r.doneAt[i]) == 0 {
		select {
		case <-r.wake:
		case <-t.C:
			return
		}
	}
}

// allDone is true when everyone has the first n messages.
func (r *measurement) allDone(n int) bool {
	for i := range n {
		if atomic.LoadInt64(&r.doneAt[n-1-i]) == 0 { // the last ones are the last to be done
			return false
		}
	}
	return true
}

// await waits until want messages reached everyone.
func (g *gen) await(r *measurement, want int64, timeout time.Duration) bool {
	if want <= 0 || r.doneN.Load() >= want {
		return true
	}
	t := time.NewTimer(timeout)
	defer t.Stop()
	for r.doneN.Load() < want {
		select {
		case <-r.wake:
		case <-t.C:
			return false
		}
	}
	return true
}
