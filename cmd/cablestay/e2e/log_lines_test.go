//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// viaStream is the line that Action Cable logs for each delivery of a stream. Those that the bridge delivers are not logged in Ruby.
const viaStream = "(via streamed from "

func TestLog_ASessionIsLoggedAsInStockButForWhatStreamsBring(t *testing.T) {
	each(t, func(t *testing.T, server *server) {
		room, marked := identify("RoomChannel", "room", t.Name()), server.rails.process.logSize()
		c := server.connect(t, handshake{})
		c.join(room)
		c.perform(room, "visit", "room", "next door")
		c.awaitFrame(message(room, `{"visiting":"next door"}`))
		c.perform(room, "speak", "text", "hello")
		c.awaitFrame(message(room, `{"text":"hello"}`))
		c.perform(room, "leave")
		c.awaitFrame(message(room, object("left", t.Name())))
		c.unsubscribe(room)
		server.rails.awaitEvent(t, c.device, "unsubscribed")
		c.leave()
		server.rails.awaitEvent(t, c.device, "disconnect")

		want := []string{
			`Started GET "/cable/?device=DEVICE" [WebSocket] for 127.0.0.1 at TIME`,
			`Successfully upgraded to WebSocket (REQUEST_METHOD: GET, HTTP_CONNECTION: Upgrade, HTTP_UPGRADE: websocket)`,
			`Registered connection (ann:DEVICE)`,
			`RoomChannel is streaming from room_ROOM`,
			`RoomChannel is transmitting the subscription confirmation`,
			`RoomChannel#visit({"room"=>"next door"})`,
			`RoomChannel is streaming from room_next door`,
			`RoomChannel transmitting {:visiting=>"next door"}`,
			`RoomChannel#speak({"text"=>"hello"})`,
			`Broadcasting to room_ROOM: {:text=>"hello"}`,
			`RoomChannel transmitting {"text"=>"hello"} (via streamed from room_ROOM)`,
			`RoomChannel#leave`,
			`RoomChannel stopped streaming from room_ROOM`,
			`RoomChannel transmitting {:left=>"ROOM"}`,
			`Unsubscribing from channel: {"channel":"RoomChannel","room":"ROOM"}`,
			`RoomChannel stopped streaming from room_next door`,
			`Finished "/cable/?device=DEVICE" [WebSocket] for 127.0.0.1 at TIME`,
		}
		if server.kind == bridged {
			want = slices.DeleteFunc(want, func(line string) bool { return strings.Contains(line, viaStream) })
		}
		for n, line := range want {
			if server.rails.atLeast(t, 7, 1) { // where the route has no anchor, there is a slash
				want[n] = strings.ReplaceAll(line, "/cable/?", "/cable?")
			}
		}
		var got []string
		await(t, "as many lines as stock logs", func() bool {
			got = loggedFor(server.rails.process.logSince(marked), c.device, t.Name())
			return len(got) >= len(want)
		})
		// The confirmation, and what streams bring, are logged by threads of their own in stock.
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

var (
	logTags = regexp.MustCompile(`^(\[(ActionCable|device=[^\]]*)\] )+`)
	logTime = regexp.MustCompile(` at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}`)
)

// loggedFor are the lines with a device's tag, without what is new each time.
func loggedFor(log, device, room string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if !strings.Contains(line, "[device="+device+"]") && !strings.Contains(line, "Broadcasting to room_"+room+":") {
			continue
		}
		line = logTime.ReplaceAllString(logTags.ReplaceAllString(line, ""), " at TIME")
		lines = append(lines, strings.NewReplacer(device, "DEVICE", room, "ROOM").Replace(line))
	}
	return lines
}
