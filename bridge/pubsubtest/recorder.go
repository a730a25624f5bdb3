package pubsubtest

import (
	"sync"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge"
)

// patience is how long a test waits for what must happen; one that passes never waits for it.
const patience = 30 * time.Second

// Delivery is one call of a Receiver's methods; which one shows in what is set.
type Delivery struct {
	Broadcast  string // of a message
	Payload    []byte
	Subscribed string // acknowledged
	Passed     uint64 // a barrier's token; tokens begin with 1
}

// Recorder is a Receiver that keeps what it was told, in its order.
type Recorder struct {
	t         testing.TB
	delivers  sync.Mutex // held during a delivery: there must be one at a time
	mu        sync.Mutex // guards the following
	changed   sync.Cond
	all       []Delivery
	timedOut  bool
	nextToken uint64
}

var _ bridge.Receiver = (*Recorder)(nil)

// NewRecorder makes one for the test.
func NewRecorder(t testing.TB) *Recorder {
	r := &Recorder{t: t}
	r.changed.L = &r.mu
	return r
}

// Broadcast implements [bridge.Receiver].
func (r *Recorder) Broadcast(broadcasting string, payload []byte) {
	r.record(Delivery{Broadcast: broadcasting, Payload: payload})
}

// Subscribed implements [bridge.Receiver].
func (r *Recorder) Subscribed(broadcasting string) { r.record(Delivery{Subscribed: broadcasting}) }

// Passed implements [bridge.Receiver].
func (r *Recorder) Passed(token uint64) { r.record(Delivery{Passed: token}) }

func (r *Recorder) record(d Delivery) {
	if !r.delivers.TryLock() {
		r.t.Error("two deliveries at a time")
		return
	}
	defer r.delivers.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, d)
	r.changed.Broadcast()
}

// All is what was delivered so far.
func (r *Recorder) All() []Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Delivery(nil), r.all...)
}

// Await waits until the condition holds for what was delivered so far, and returns that.
func (r *Recorder) Await(what string, holds func([]Delivery) bool) []Delivery {
	r.t.Helper()
	deadline := time.AfterFunc(patience, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.timedOut = true
		r.changed.Broadcast()
	})
	defer deadline.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !holds(r.all) {
		if r.timedOut {
			r.t.Fatalf("waited %s in vain for %s", patience, what)
		}
		r.changed.Wait()
	}
	return append([]Delivery(nil), r.all...)
}

// AwaitSubscribed waits until the broadcasting was acknowledged so often.
func (r *Recorder) AwaitSubscribed(broadcasting string, times int) []Delivery {
	r.t.Helper()
	return r.Await("the acknowledgement of "+broadcasting, func(all []Delivery) bool {
		return Acknowledgements(all, broadcasting) >= times
	})
}

// Acknowledgements counts those of a broadcasting whose name is not empty.
func Acknowledgements(all []Delivery, broadcasting string) int {
	n := 0
	for _, d := range all {
		if d.Subscribed == broadcasting {
			n++
		}
	}
	return n
}

// Barrier asks for one, waits until it has passed and returns what was delivered before.
func (r *Recorder) Barrier(pubsub bridge.PubSub) []Delivery {
	r.t.Helper()
	r.mu.Lock()
	r.nextToken++
	token := r.nextToken
	r.mu.Unlock()
	pubsub.Barrier(token)
	all := r.Await("a barrier", func(all []Delivery) bool { return passed(all, token) >= 0 })
	return all[:passed(all, token)]
}

func passed(all []Delivery, token uint64) int {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Passed == token {
			return i
		}
	}
	return -1
}
