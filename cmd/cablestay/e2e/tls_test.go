//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// On stock it is Puma that speaks TLS (ssl_bind).

func TestTLS_ACableIsTheSameOverIt(t *testing.T) {
	eachOwn(t, setup{tls: true}, func(t *testing.T, server *server) {
		c, other := server.connect(t, handshake{}), server.connect(t, handshake{})
		room, echo := identify("RoomChannel", "room", "secret"), identify("EchoChannel")
		c.join(room)
		other.join(room)
		c.perform(room, "speak", "text", "hello")
		c.expect(message(room, object("text", "hello")))
		other.expect(message(room, object("text", "hello")))
		long := strings.Repeat("long ", 100_000) // many records, both ways
		c.join(echo)
		c.perform(echo, "echo", "text", long)
		c.expect(message(echo, object("text", long, "action", "echo")))
		c.expectPings(1)
		other.drop()
		server.rails.awaitEvent(t, other.device, "disconnect")
		c.sendFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
		server.rails.awaitEvent(t, c.device, "disconnect")
	})
}

func TestTLS_OriginOfTheSameHostIsHTTPS(t *testing.T) {
	eachOwn(t, setup{tls: true}, func(t *testing.T, server *server) {
		server.connect(t, handshake{origin: "https://" + server.address()}).expectNothing()
		header := server.upgrade()
		header.Set("Origin", "http://"+server.address())
		expectPageNotFound(t, server, server.get(t, "/cable", header))
		expectPageNotFound(t, server, server.get(t, "/cable", http.Header{}))
	})
}

func TestTLS_ClientsAreToldToReconnectWhenTheBridgeEnds(t *testing.T) {
	onlyBridged(t, "the sockets die with Puma", func(t *testing.T) {
		server := newServer(t, t, bridged, setup{tls: true})
		c := server.connect(t, handshake{})
		if code := server.bridge.process.stop(t); code != 0 {
			t.Errorf("exit code: got %d, want 0", code)
		}
		c.expect(disconnection("server_restart", true))
		c.expectClose(ws.StatusNormalClosure)
		server.rails.awaitEvent(t, c.device, "disconnect")
	})
}
