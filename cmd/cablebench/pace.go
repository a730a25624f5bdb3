//go:build linux

package main

import "time"

// pace is a schedule: message i is due i/rate seconds after the start, whatever became of those before.
type pace struct {
	start int64
	rate  float64
	late  int64 // the most that one has gone out after it was due
}

func (p *pace) await(i int) {
	due := p.start + int64(float64(i)/p.rate*1e9)
	for {
		d := due - nanos()
		if d <= 0 {
			p.late = max(p.late, -d)
			return
		}
		time.Sleep(time.Duration(d))
	}
}
