package bridge

import (
	"iter"
	"slices"

	"github.com/cablestay/cablestay/protocol"
)

// few is how many subscriptions are looked through: most connections have one, and a map of one costs as much as the
// subscription itself.
const few = 8

// subscriptions are those of one connection, by identifier. The zero value has none.
type subscriptions struct {
	all          []*subscription                       // in no order
	byIdentifier map[protocol.Identifier]*subscription // of all, once they are more than few
}

// find is the one with this identifier, or nil.
func (t *subscriptions) find(identifier protocol.Identifier) *subscription {
	if t.byIdentifier != nil {
		return t.byIdentifier[identifier]
	}
	for _, s := range t.all {
		if s.identifier == identifier {
			return s
		}
	}
	return nil
}

// add takes one whose identifier is not there yet.
func (t *subscriptions) add(s *subscription) {
	s.place = int32(len(t.all)) //nolint:gosec // fewer than a client could send
	t.all = append(t.all, s)
	switch {
	case t.byIdentifier != nil:
		t.byIdentifier[s.identifier] = s
	case len(t.all) > few:
		t.byIdentifier = make(map[protocol.Identifier]*subscription, 2*few)
		for _, each := range t.all {
			t.byIdentifier[each.identifier] = each
		}
	}
}

// remove does nothing where s is not there any more.
func (t *subscriptions) remove(s *subscription) {
	if t.find(s.identifier) != s {
		return
	}
	last := len(t.all) - 1
	t.all[s.place] = t.all[last]
	t.all[s.place].place = s.place
	t.all[last] = nil
	t.all = t.all[:last]
	delete(t.byIdentifier, s.identifier)
}

func (t *subscriptions) len() int { return len(t.all) }

// each has all of them, in no order.
func (t *subscriptions) each() iter.Seq[*subscription] { return slices.Values(t.all) }
