package bridge

import (
	"context"
	"sync"
)

// MemoryPubSub is a PubSub within one process: for tests, and for a bridge that nobody broadcasts to from elsewhere.
type MemoryPubSub struct {
	wake chan struct{}

	mu       sync.Mutex // guards the following
	room     sync.Cond  // the queue has been emptied
	followed map[string]bool
	queue    []func(Receiver)
}

// memoryBacklog is how much may be queued before Publish waits for the receiver.
const memoryBacklog = 1024

// NewMemoryPubSub makes one. It delivers while Run runs.
func NewMemoryPubSub() *MemoryPubSub {
	p := &MemoryPubSub{wake: make(chan struct{}, 1), followed: make(map[string]bool)}
	p.room.L = &p.mu
	return p
}

// Run delivers to the receiver until ctx ends.
func (p *MemoryPubSub) Run(ctx context.Context, receiver Receiver) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		p.mu.Lock()
		queue := p.queue
		p.queue = nil
		p.room.Broadcast()
		p.mu.Unlock()
		for _, deliver := range queue {
			deliver(receiver)
		}
	}
}

// Publish delivers the payload to those who follow the broadcasting. It waits while the receiver is far behind.
func (p *MemoryPubSub) Publish(broadcasting string, payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) >= memoryBacklog {
		p.room.Wait()
	}
	if p.followed[broadcasting] {
		p.addLocked(func(r Receiver) { r.Broadcast(broadcasting, payload) })
	}
}

// Subscribe implements [PubSub].
func (p *MemoryPubSub) Subscribe(broadcasting string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.followed[broadcasting] = true
	p.addLocked(func(r Receiver) { r.Subscribed(broadcasting) })
}

// Unsubscribe implements [PubSub].
func (p *MemoryPubSub) Unsubscribe(broadcasting string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.followed, broadcasting)
}

// Barrier implements [PubSub].
func (p *MemoryPubSub) Barrier(token uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addLocked(func(r Receiver) { r.Passed(token) })
}

// Followed has the broadcastings that are followed now.
func (p *MemoryPubSub) Followed() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make([]string, 0, len(p.followed))
	for name := range p.followed {
		names = append(names, name)
	}
	return names
}

func (p *MemoryPubSub) addLocked(deliver func(Receiver)) {
	p.queue = append(p.queue, deliver)
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
