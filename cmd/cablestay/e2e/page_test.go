//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
)

// opened is a page that has just asked for so many subscriptions, each behind a gate of its own, by which it is known.
type opened struct {
	server *server
	c      *consumer
	gates  map[string]string // by identifier
}

func openPage(t *testing.T, server *server, subscriptions int) *opened {
	t.Helper()
	p := &opened{server: server, c: server.connect(t, handshake{}), gates: map[string]string{}}
	var identifiers []string
	for n := range subscriptions {
		gate := fmt.Sprintf("%s %d", p.c.device, n)
		identifier := identify("SlowChannel", "gate", gate)
		identifiers = append(identifiers, identifier)
		p.gates[identifier] = gate
	}
	for _, identifier := range identifiers {
		p.c.subscribe(identifier)
	}
	return p
}

// begun are the subscriptions whose subscribed has begun, in that order.
func (p *opened) begun(t *testing.T) (identifiers []string) {
	t.Helper()
	for _, entry := range p.server.rails.journal(t, p.c.device) {
		if entry.Event == "subscribed" {
			identifiers = append(identifiers, entry.Identifier)
		}
	}
	return identifiers
}

// awaitBegun waits until so many have begun.
func (p *opened) awaitBegun(t *testing.T, want int) (identifiers []string) {
	t.Helper()
	await(t, fmt.Sprintf("%d subscriptions in subscribed", want), func() bool {
		identifiers = p.begun(t)
		return len(identifiers) >= want
	})
	return identifiers
}

// A page is confirmed in the time of one subscription, however long each of them takes: none waits for another.
func TestPage_ItsTenSubscriptionsRunAtATime(t *testing.T) {
	eachOwn(t, setup{threads: 10, configuration: "ten_at_a_time"}, func(t *testing.T, server *server) {
		page := openPage(t, server, 10)
		begun := page.awaitBegun(t, 10) // and no gate is open
		for _, last := range slices.Backward(begun) {
			server.rails.openGate(t, page.gates[last])
			page.c.expect(confirmation(last))
		}
	})
}

// Where Rails runs fewer at a time, it is always that many: one that ends makes room for the next, whichever it is.
func TestPage_AsManyOfItsSubscriptionsRunAtATimeAsRailsHasRoomFor(t *testing.T) {
	each(t, func(t *testing.T, server *server) {
		room := 4 // Action Cable's worker_pool_size
		if server.kind == bridged {
			room = min(10, pumaThreads*max(1, server.rails.workers()))
		}
		page := openPage(t, server, 10)
		running := page.awaitBegun(t, room)
		for ended := range 10 {
			if most := min(10, room+ended); len(page.begun(t)) > most {
				t.Errorf("%d have begun when %d have ended, and there is room for %d", len(page.begun(t)), ended, room)
			}
			last := running[len(running)-1]
			server.rails.openGate(t, page.gates[last])
			page.c.expect(confirmation(last))
			begun := page.awaitBegun(t, min(10, room+ended+1))
			running = append(running[:len(running)-1], begun[min(len(begun), room+ended):]...)
		}
	})
}
