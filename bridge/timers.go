package bridge

import (
	"slices"
	"time"

	"github.com/cablestay/cablestay/rpc"
)

const (
	// quickestTimer is how often a timer ticks that wants to tick more often.
	quickestTimer = 10 * time.Millisecond
	// slowestTimer is as good as never, and more than a Duration can't say.
	slowestTimer = 100 * 365 * 24 * time.Hour
)

// A timer is one of a subscription's clocks (periodically). Its tick is a task in the subscription's line, of which at
// most one waits or runs: while Rails is slow, or away, ticks are skipped instead of piling up. Stock lets slow ones
// overlap.
type timer struct {
	// static
	subscription *subscription
	number       int     // its place among the channel's
	seconds      float64 // as the app has said
	every        time.Duration

	// guarded by connection.mu
	clock    *time.Timer
	due      time.Time
	underWay bool // a tick of it waits or runs
	stopped  bool
}

// startTimer begins one. The first tick comes after one interval.
func (s *subscription) startTimer(e rpc.Effect) {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	t := &timer{subscription: s, number: *e.Timer, seconds: e.Every, every: interval(e.Every)}
	t.due = time.Now().Add(t.every)
	t.clock = time.AfterFunc(t.every, t.tick)
	s.timers = append(s.timers, t)
}

// interval is so many seconds, as far as a clock can keep them.
func interval(seconds float64) time.Duration {
	if seconds >= slowestTimer.Seconds() {
		return slowestTimer
	}
	return max(time.Duration(seconds*float64(time.Second)), quickestTimer)
}

// stopTimer ends the last one begun of that number.
func (s *subscription) stopTimer(number int) {
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, t := range slices.Backward(s.timers) {
		if t.number == number {
			s.timers = slices.Delete(s.timers, i, i+1)
			t.stopLocked()
			return
		}
	}
}

func (s *subscription) stopTimersLocked() {
	for _, t := range s.timers {
		t.stopLocked()
	}
	s.timers = nil
}

func (t *timer) stopLocked() {
	t.stopped = true
	t.clock.Stop()
}

// tick keeps to the rate at which the timer began: a late tick does not delay the next.
func (t *timer) tick() {
	s := t.subscription
	c := s.connection
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.stopped {
		return
	}
	now := time.Now()
	if behind := now.Sub(t.due); behind >= 0 {
		t.due = t.due.Add(behind/t.every*t.every + t.every)
	}
	t.clock.Reset(t.due.Sub(now))
	if t.underWay {
		c.server.metrics.ticks.WithLabelValues(tickSkipped).Inc()
		return
	}
	c.server.metrics.ticks.WithLabelValues(tickSent).Inc()
	t.underWay = true
	s.queueLocked(task{tick: t})
}
