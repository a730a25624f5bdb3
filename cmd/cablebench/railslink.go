//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
)

const (
	standInLink   = "cablestay-link"
	standInWorker = "stand-in"
)

// standInAnswer has its members in the gem's order.
type standInAnswer struct {
	ID     string          `json:"id"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Status int             `json:"status,omitempty"`
	Error  string          `json:"error,omitempty"`
}

// link makes one of the request's connection, where the bridge has none yet: rpc/README.md, "Links".
func (r *stand) link(w http.ResponseWriter, bridge string, answer json.RawMessage) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.linked[bridge] {
		return false
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	if r.linked == nil {
		r.linked = make(map[string]bool)
	}
	r.linked[bridge] = true
	_, _ = fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", standInLink)
	_ = json.NewEncoder(buffered).Encode(map[string]any{"worker": standInWorker, "threads": r.concurrency, "answer": answer})
	if buffered.Flush() != nil {
		_ = conn.Close()
	}
	go func() {
		r.serveLink(conn, buffered)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.linked, bridge)
	}()
	return true
}

// serveLink answers one event after the other until the bridge ends the link.
func (r *stand) serveLink(conn net.Conn, buffered *bufio.ReadWriter) {
	defer func() { _ = conn.Close() }()
	in, out := json.NewDecoder(buffered), json.NewEncoder(buffered)
	for {
		var line struct {
			Event   string
			Request standInEvent
		}
		if in.Decode(&line) != nil {
			return
		}
		if line.Event == "" {
			continue // nothing is held here
		}
		answer := standInAnswer{ID: line.Request.ID, Answer: r.answer(line.Event, line.Request.Identifier, line.Request.Data)}
		if answer.Answer == nil {
			answer.Status, answer.Error = http.StatusNotFound, "no such event"
		}
		if out.Encode(answer) != nil || buffered.Flush() != nil {
			return
		}
	}
}
