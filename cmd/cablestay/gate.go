package main

import (
	"net/http"
	"sync/atomic"
)

// gate is what listens for sockets before there is a bridge: clients come back a little later.
type gate struct {
	bridge atomic.Pointer[http.Handler]
}

func (g *gate) open(bridge http.Handler) { g.bridge.Store(&bridge) }

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if bridge := g.bridge.Load(); bridge != nil {
		(*bridge).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "2")
	http.Error(w, "The bridge is starting.", http.StatusServiceUnavailable)
}
