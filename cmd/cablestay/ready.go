package main

import (
	"net/http"
	"strings"
	"sync"
)

// readiness says whether new sockets are welcome, and if not, why not.
type readiness struct {
	mu       sync.Mutex // guards the following
	greeted  bool       // Rails has answered hello
	redis    func() bool
	draining bool
}

// setGreeted is called once Rails has said where Redis is.
func (r *readiness) setGreeted(redisConnected func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.greeted, r.redis = true, redisConnected
}

func (r *readiness) setDraining() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
}

// missing is empty where nothing is. Rails counts until it has answered once: sockets and broadcasts do without it
// while it restarts, and a bridge that is taken out of service for that would lose them.
func (r *readiness) missing() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var reasons []string
	if r.draining {
		reasons = append(reasons, "draining: the bridge was told to end")
	}
	if !r.greeted {
		reasons = append(reasons, "rails: has not answered yet")
	} else if !r.redis() {
		reasons = append(reasons, "redis: not connected")
	}
	return reasons
}

// ServeHTTP is /readyz.
func (r *readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	reasons := r.missing()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(strings.Join(reasons, "\n") + "\n"))
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}
