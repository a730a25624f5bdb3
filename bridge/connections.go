package bridge

import (
	"maps"
	"slices"
	"sync"
)

// connections are the open ones, by id, and by connection identifier for remote disconnects.
type connections struct {
	mu           sync.Mutex             // guards the following
	all          map[string]*Connection // by id
	byIdentifier map[string][]*Connection
	closed       bool // takes no more
}

func newConnections() *connections {
	return &connections{all: make(map[string]*Connection), byIdentifier: make(map[string][]*Connection)}
}

// add is false once shut.
func (r *connections) add(c *Connection) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.all[c.id] = c
	if c.connectionIdentifier != "" {
		r.byIdentifier[c.connectionIdentifier] = append(r.byIdentifier[c.connectionIdentifier], c)
	}
	return true
}

// remove is false where it was not there.
func (r *connections) remove(c *Connection) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.all[c.id]; !ok {
		return false
	}
	delete(r.all, c.id)
	if c.connectionIdentifier == "" {
		return true
	}
	same := r.byIdentifier[c.connectionIdentifier]
	i := slices.Index(same, c)
	same[i] = same[len(same)-1]
	same[len(same)-1] = nil
	same = same[:len(same)-1]
	if len(same) == 0 {
		delete(r.byIdentifier, c.connectionIdentifier)
	} else {
		r.byIdentifier[c.connectionIdentifier] = same
	}
	return true
}

// identifiedBy has all connections of one connection identifier.
func (r *connections) identifiedBy(connectionIdentifier string) []*Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.byIdentifier[connectionIdentifier])
}

// find is the open connection with this id, or nil.
func (r *connections) find(id string) *Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[id]
}

// shut lets no more in, and has those that are.
func (r *connections) shut() []*Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return slices.Collect(maps.Values(r.all))
}

func (r *connections) list() []*Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.all))
}
