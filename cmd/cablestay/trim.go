package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// trimEvery is how often it is looked whether the bridge has become quiet.
	trimEvery = 5 * time.Second
	// quietBytes is what a quiet bridge allocates in that time at most: pings, a scrape of its metrics.
	quietBytes = 1 << 20
	// worthBytes is how much must have been allocated since the last time for another to be worth its while.
	worthBytes = 16 << 20
)

// trimmer gives the memory back that a burst has needed: many clients that come at once leave stacks and buffers behind that
// are several times what their connections keep. Go itself would get to it after two minutes.
type trimmer struct {
	allocated func() uint64 // bytes, ever
	free      func()

	last, trimmed uint64 // what allocated said: at the last look, and when it was freed
}

// trimWhenQuiet returns when ctx ends.
func trimWhenQuiet(ctx context.Context) {
	t := &trimmer{allocated: allocatedBytes, free: debug.FreeOSMemory}
	ticker := time.NewTicker(trimEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			t.look()
		case <-ctx.Done():
			return
		}
	}
}

func (t *trimmer) look() {
	now := t.allocated()
	quiet := now-t.last <= quietBytes
	t.last = now
	if quiet && now-t.trimmed >= worthBytes {
		t.free()
		t.trimmed = now
	}
}

func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
