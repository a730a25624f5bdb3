//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// While 200 consumers join four streams, a publisher numbers its broadcasts and never pauses. Whatever it begins to
// publish after a consumer saw its confirmation must reach that consumer, once, and in order.
func TestJoin_NothingIsMissedAfterAConfirmationNothingComesTwiceAndOrderIsKept(t *testing.T) {
	states(t, 83, streamOrder)
	reason := "it confirms a second follower before Redis has acknowledged the first, and its thread pools reorder what they deliver"
	onlyBridged(t, reason, func(t *testing.T) {
		const consumers, streams = 200, 4
		server := newServer(t, t, bridged, setup{})

		var started atomic.Int64 // the last number whose publishing has begun
		finish, finished := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(finished)
			tick := time.NewTicker(2 * time.Millisecond) // bounds the load of a small machine
			defer tick.Stop()
			for {
				select {
				case <-finish:
					return
				case <-tick.C:
				}
				n := started.Add(1)
				for stream := range streams {
					channel := fmt.Sprintf("%sroom_stream %d", prefix, stream)
					if err := server.redis.client.Publish(t.Context(), channel, fmt.Sprint(n)).Err(); err != nil {
						t.Errorf("publish: %v", err)
						return
					}
				}
			}
		}()

		joined := make([]*consumer, consumers)
		rooms := make([]string, consumers)
		var joining sync.WaitGroup
		for n := range consumers {
			rooms[n] = identify("RoomChannel", "room", fmt.Sprintf("stream %d", n%streams))
			joined[n] = server.dial(t, handshake{})
			joined[n].watch(started.Load)
			joining.Go(func() { joined[n].subscribe(rooms[n]) })
		}
		joining.Wait()
		for n, c := range joined {
			c.awaitFrame(confirmation(rooms[n]))
		}
		after := started.Load() + 100 // more, now that all have joined
		await(t, "100 more broadcasts", func() bool { return started.Load() >= after })
		close(finish)
		<-finished
		total := started.Load()
		for n, c := range joined {
			c.awaitFrame(message(rooms[n], fmt.Sprint(total)))
			expectGapless(t, c, rooms[n], total)
		}
		t.Logf("%d consumers, %d streams, %d broadcasts on each", consumers, streams, total)
	})
}

// watch says what is noted down with each frame that comes from now on.
func (c *consumer) watch(observe func() int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.observe = observe
}

// awaitFrame waits until a frame has come, whatever came before it.
func (c *consumer) awaitFrame(want string) {
	c.t.Helper()
	looked := 0
	c.awaitUnder(want, func() bool {
		for ; looked < len(c.frames); looked++ {
			if c.frames[looked] == want {
				return true
			}
		}
		return false
	})
}

// expectGapless checks that the numbers that a consumer got rise by one, up to the last one, and begin no later than
// with the first that was published after the consumer saw its confirmation.
func expectGapless(t *testing.T, c *consumer, identifier string, total int64) {
	t.Helper()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	confirmedAt, first, last := int64(-1), int64(-1), int64(-1)
	for n, frame := range c.frames {
		if frame == welcome {
			continue
		}
		if frame == confirmation(identifier) {
			confirmedAt = c.seen[n]
			continue
		}
		var got struct {
			Identifier string
			Message    int64
		}
		if err := json.Unmarshal([]byte(frame), &got); err != nil || got.Identifier != identifier {
			t.Fatalf("%s: got %s (%v)", c.device, frame, err)
		}
		switch {
		case first < 0:
			first = got.Message
		case got.Message != last+1:
			t.Fatalf("%s: %d came after %d", c.device, got.Message, last)
		}
		last = got.Message
	}
	if confirmedAt < 0 {
		t.Fatalf("%s: never confirmed", c.device)
	}
	if first > confirmedAt+1 {
		t.Errorf("%s: confirmed when %d was out, but the first that came is %d", c.device, confirmedAt, first)
	}
	if last != total {
		t.Errorf("%s: the last that came is %d, want %d", c.device, last, total)
	}
}
