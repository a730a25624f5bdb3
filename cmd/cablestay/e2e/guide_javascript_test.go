//go:build e2e

package e2e

import (
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestGuide_ItsJavaScriptWorksUnedited(t *testing.T) {
	eachOwn(t, setup{app: guide()}, func(t *testing.T, server *server) {
		js := newGuideJavaScript(t, server)
		js.order("order", []any{"chat", "connect"})
		js.expect(told{Event: "Connected"})
		bob := server.connect(t, handshake{user: "bob"})
		bob.subscribe(lobby)
		bob.awaitFrame(confirmation(lobby))

		js.order("order", []any{"chat", "sendMessage", "hello", "text"})
		said := js.await("Message").(map[string]any)
		if said["content"] != "hello" || said["user_name"] != "ann" {
			t.Errorf("message: got %v", said)
		}
		bob.awaitMessage(lobby, "type", "message", "id", said["id"])

		// Once by hand, and once by the timer that ends what has begun.
		js.order("order", []any{"chat", "sendTyping", true})
		for _, typing := range []bool{true, false} {
			if got := js.await("Typing").(map[string]any); got["typing"] != typing {
				t.Errorf("typing: got %v, want %t", got, typing)
			}
		}
		bob.perform(lobby, "mark_read", "message_ids", []any{said["id"]})
		js.await("ReadReceipt")

		js.order("order", []any{"notifications", "connect"})
		if count := js.await("UnreadCount"); count != float64(1) {
			t.Errorf("unread notifications: got %v, want 1", count)
		}
		js.order("order", []any{"notifications", "markAsRead", 1})
		js.await("MarkedRead")
		js.order("order", []any{"notifications", "markAllRead"})
		js.await("AllMarkedRead")

		js.order("order", []any{"chat", "disconnect"})
		bob.awaitMessage(lobby, "type", "presence", "action", "leave", "user_id", 1)
	})
}

// newGuideJavaScript runs the guide's JavaScript with the token of ann, as its page would give it.
func newGuideJavaScript(t *testing.T, server *server) *javaScript {
	t.Helper()
	folder, err := filepath.Abs("guide/pasted/app/javascript/channels")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("node", "guide.mjs", folder, "ws://"+server.address()+"/cable", guideToken(t, server, url.Values{}),
		"http://"+server.address())
	command.Dir = installClients(t)
	return startJavaScript(t, command)
}

// await waits for something that the client says, whatever it says before, and returns what came with it.
func (js *javaScript) await(event string) any {
	js.t.Helper()
	var message any
	await(js.t, event+" of the client", func() bool {
		js.mutex.Lock()
		defer js.mutex.Unlock()
		for js.taken < len(js.said) {
			said := js.said[js.taken]
			js.taken++
			if said.Event == event {
				message = said.Message
				return true
			}
		}
		return false
	})
	return message
}
