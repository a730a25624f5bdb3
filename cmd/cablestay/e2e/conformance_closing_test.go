//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestClosing_ByAChannelSaysWhatItIsTold(t *testing.T) {
	states(t, 99, 119, closeForms)
	for name, scenario := range map[string]struct {
		data []any
		want string
	}{
		"Bare":        {nil, `{"type":"disconnect","reason":null,"reconnect":true}`},
		"Reason":      {[]any{"reason", "<full>", "reconnect", true}, `{"type":"disconnect","reason":"\u003cfull\u003e","reconnect":true}`},
		"NoReconnect": {[]any{"reason", "full", "reconnect", false}, `{"type":"disconnect","reason":"full","reconnect":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				channel := identify("ConnectionChannel")
				c.join(channel)
				c.perform(channel, "close", scenario.data...)
				c.expect(scenario.want)
				c.expectClose(ws.StatusNormalClosure)
				if c.closing.reason != "" {
					t.Errorf("reason of the close frame: got %q, want none", c.closing.reason)
				}
			})
		})
	}
}

func TestClosing_UnsubscribedThatRaises(t *testing.T) {
	states(t, 121)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		first, raising, last := identify("EchoChannel", "n", 1), identify("RaisingChannel", "in", "unsubscribed"), identify("EchoChannel", "n", 2)
		for _, identifier := range []string{first, raising, last} {
			c.join(identifier)
		}
		mark := server.rails.process.logSize()
		c.leave()
		server.rails.process.awaitLog(t, mark, `RuntimeError.*unsubscribed always fails`)
		want := onPurpose(t, server, "one channel's error costs the others nothing: their unsubscribed and disconnect run",
			[]string{"unsubscribed", "unsubscribed"}, []string{"unsubscribed", "unsubscribed", "unsubscribed", "disconnect"})
		var got []string
		await(t, fmt.Sprintf("%q", want), func() bool {
			got = nil
			for _, e := range server.rails.journal(t, c.device) {
				if e.Event == "unsubscribed" || e.Event == "disconnect" {
					got = append(got, e.Event)
				}
			}
			return len(got) >= len(want)
		})
		// On stock, what would run next would do so at once on the same thread: another client's goodbye comes behind it.
		other := server.connect(t, handshake{})
		other.leave()
		server.rails.awaitEvent(t, other.device, "disconnect")
		if got := len(server.rails.journal(t, c.device)); got != 4+len(want) { // connect and three times subscribed
			t.Errorf("callbacks: got %q, want %q", server.rails.happened(t, c.device), want)
		}
	})
}

func TestClosing_CommandsAfterTheServersCloseFrameAreNotExecuted(t *testing.T) {
	states(t, 122)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo, channel := identify("EchoChannel"), identify("ConnectionChannel")
		c.join(echo)
		c.join(channel)
		c.keepOpen()
		c.perform(channel, "close", "reason", "full", "reconnect", false)
		c.expect(disconnection("full", false))
		c.awaitUnder("the close frame", func() bool { return c.closing != nil })
		c.perform(echo, "count", "name", "too late")
		c.perform(echo, "count", "name", "far too late")
		c.drop()
		server.rails.awaitEvent(t, c.device, "disconnect")
		if got, want := server.rails.happened(t, c.device), []string{"connect", "subscribed", "unsubscribed", "disconnect"}; !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
	})
}

func TestClosing_IdentifierOfAConnectionIsMadeOfSortedGlobalIDsAndStrings(t *testing.T) {
	states(t, 125)
	each(t, func(t *testing.T, server *server) {
		channel := identify("ConnectionChannel")
		c := server.connect(t, handshake{device: "zzz " + t.Name()})
		c.join(channel)
		c.perform(channel, "names")
		c.expect(message(channel, object("identifier", "ann:"+c.device, "identifiers", []string{"user", "device"}, "user", "ann")))
		c = server.connect(t, handshake{device: "0 " + t.Name()})
		c.join(channel)
		c.perform(channel, "names")
		c.expect(message(channel, object("identifier", c.device+":ann", "identifiers", []string{"user", "device"}, "user", "ann")))
	})
}

func TestClosing_RemoteDisconnectOfARecord(t *testing.T) {
	states(t, 123, 124, 125)
	each(t, func(t *testing.T, server *server) {
		one := server.connect(t, handshake{query: url.Values{"member": {"7"}}, device: "shared " + t.Name()})
		other := server.connect(t, handshake{query: url.Values{"member": {"8"}}, device: "shared " + t.Name()})
		for _, member := range []string{"7", "8"} {
			// Global ids begin with a capital Z, before any small letter.
			awaitRegistered(t, server, "action_cable/"+gidParam("Member", member)+":"+one.device)
		}
		server.rails.post(t, "/remote_disconnects", url.Values{"member": {"7"}, "device": {one.device}})
		if server.rails.atLeast(t, 7, 1) {
			one.expect(disconnection("remote", true))
		}
		one.expectClose(ws.StatusNormalClosure)
		other.expectNothing()
	})
}

func TestClosing_DisconnectOfTheServerIsARemoteDisconnect(t *testing.T) {
	states(t, 123, serverDisconnect)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		awaitRegistered(t, server, "action_cable/ann:"+c.device)
		server.rails.post(t, "/remote_disconnects", url.Values{"by": {"server"}, "user": {"ann"}, "device": {c.device}})
		if server.rails.atLeast(t, 7, 1) {
			c.expect(disconnection("remote", true))
		}
		c.expectClose(ws.StatusNormalClosure)
	})
}

func TestClosing_RemoteDisconnectReachesEveryProcess(t *testing.T) {
	states(t, 124)
	eachOwn(t, setup{workers: 2}, func(t *testing.T, server *server) {
		second := server
		if server.bridge != nil { // its processes are bridges
			another := *server
			another.bridge = newBridge(t, t, t.TempDir(), server.rails.url())
			second = &another
		}
		var consumers []*consumer
		for range 4 {
			consumers = append(consumers, server.connect(t, handshake{device: "shared"}), second.connect(t, handshake{device: "shared"}))
		}
		other := second.connect(t, handshake{})
		echo := identify("EchoChannel")
		for _, c := range consumers { // stock does not wait for Redis before the welcome
			c.join(echo)
			c.expectPings(1)
		}
		awaitFollowers(t, server, "action_cable/ann:shared", followersOfAll(server, consumers))
		server.rails.post(t, "/remote_disconnects", url.Values{"user": {"ann"}, "device": {"shared"}})
		for _, c := range consumers {
			if server.rails.atLeast(t, 7, 1) {
				c.expect(disconnection("remote", true))
			}
			c.expectClose(ws.StatusNormalClosure)
		}
		other.expectNothing()
	})
}

// followersOfAll is how many processes hold one or more of the consumers.
func followersOfAll(server *server, consumers []*consumer) int64 {
	processes := map[int]bool{}
	for _, e := range server.rails.journal(consumers[0].t, consumers[0].device) {
		if e.Event == "connect" {
			processes[e.Pid] = true
		}
	}
	if server.bridge != nil {
		return 2
	}
	return int64(len(processes))
}

func TestClosing_InternalMessagesOtherThanDisconnectAreIgnoredAndBrokenOnesClose(t *testing.T) {
	states(t, 126, internalMessages)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		internal := "action_cable/ann:" + c.device
		awaitRegistered(t, server, internal)
		for _, payload := range []string{`{"type":"else"}`, `{}`, `"text"`, `not JSON`} {
			server.redis.publish(t, internal, payload)
		}
		c.expectNothing()
		c.alive()
		if server.rails.atLeast(t, 7, 1) { // the member came with disconnect(reconnect:)
			server.redis.publish(t, internal, `{"type":"disconnect","reconnect":null}`)
			c.expect(`{"type":"disconnect","reason":"remote","reconnect":null}`)
			c.expectClose(ws.StatusNormalClosure)
		}
	})
}

func TestClosing_RestartOfTheServerDisconnectsEveryone(t *testing.T) {
	states(t, 127)
	eachOwn(t, setup{}, func(t *testing.T, server *server) {
		if server.kind != bridged && server.rails.workers() > 0 {
			doesNotApply(t, "a restart is one of the process, and another worker may answer the request")
		}
		consumers := []*consumer{server.connect(t, handshake{}), server.connect(t, handshake{user: "bob"})}
		for _, c := range consumers {
			c.join(identify("EchoChannel"))
			c.expectPings(1) // which prove that it is registered: stock restarts no other
		}
		server.rails.post(t, "/restarts", nil)
		for _, c := range consumers {
			c.expect(disconnection("server_restart", true))
			c.expectClose(ws.StatusNormalClosure)
		}
		again := server.connect(t, handshake{})
		again.join(identify("RoomChannel", "room", "r"))
		server.redis.publish(t, "room_r", `"open again"`)
		again.expect(message(identify("RoomChannel", "room", "r"), `"open again"`))
	})
}

// ownCopy is the usual app in a folder that a test may write to.
func ownCopy(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(repository(t, "cmd/cablestay/e2e/app"))); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestClosing_CodeReloadDisconnectsEveryone(t *testing.T) {
	states(t, 128)
	eachOwn(t, setup{configuration: "reloading", app: ownCopy}, func(t *testing.T, server *server) {
		if server.rails.workers() > 0 {
			doesNotApply(t, "nobody develops with several workers")
		}
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		c.perform(echo, "greet")
		c.expect(message(echo, `{"greeting":"hello "}`))
		c.expectPings(1)
		path := filepath.Join(server.rails.app, "app/channels/echo_channel.rb")
		code, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// The same size might be written within the same second, which a comparison of times would not see.
		if err := os.WriteFile(path, []byte(strings.Replace(string(code), "hello ", "good morning ", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		server.rails.ask(t, "GET", "/version", nil)
		c.expect(disconnection("server_restart", true))
		c.expectClose(ws.StatusNormalClosure)
		again := server.connect(t, handshake{})
		again.join(echo)
		again.perform(echo, "greet")
		again.expect(message(echo, `{"greeting":"good morning "}`))
	})
}

// counts is what the app says when it is asked how many are there.
type counts struct {
	Size          int
	Subscriptions int
	Connections   []counted
	Open          []statistics
}

type counted struct {
	User, Device, Identifier string
	Identifiers              []string
	Statistics               statistics
}

type statistics struct {
	Identifier    string
	StartedAt     bool `json:"started_at"` // a time, and not long ago
	Subscriptions []string
	RequestID     bool `json:"request_id"` // there is one
}

// awaitCounts asks until the answer is as wanted. On stock with several workers each knows its own connections only.
func (s *server) awaitCounts(t *testing.T, what string, wanted func(counts) bool) counts {
	t.Helper()
	var got counts
	await(t, what, func() bool {
		got = counts{}
		if err := json.Unmarshal([]byte(s.rails.ask(t, http.MethodGet, "/counts", nil)), &got); err != nil {
			t.Fatal(err)
		}
		return wanted(got)
	})
	return got
}

func TestServer_ListsItsConnectionsWithTheirSubscriptions(t *testing.T) {
	states(t, 129, connectionsListed)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{user: "zoë"})
		echo, room := identify("EchoChannel", "name", "<x>"), identify("RoomChannel", "room", t.Name())
		c.join(room)
		c.join(echo)
		var found counted
		all := server.awaitCounts(t, "the connection with two subscriptions", func(got counts) bool {
			for _, connection := range got.Connections {
				if connection.Device == c.device && len(connection.Identifiers) == 2 {
					found = connection
					return true
				}
			}
			return false
		})
		want := statistics{Identifier: c.device + ":zoë", StartedAt: true, Subscriptions: []string{room, echo}, RequestID: true}
		if encode(found.Statistics) != encode(want) {
			t.Errorf("statistics: got %+v, want %+v", found.Statistics, want)
		}
		if found.User != "zoë" || found.Identifier != want.Identifier || !slices.Equal(found.Identifiers, want.Subscriptions) {
			t.Errorf("connection: got %+v", found)
		}
		if all.Size != len(all.Connections) || all.Size != len(all.Open) {
			t.Errorf("size %d, %d connections, %d of them open", all.Size, len(all.Connections), len(all.Open))
		}
		if !slices.ContainsFunc(all.Open, func(s statistics) bool { return encode(s) == encode(want) }) {
			t.Errorf("open_connections_statistics: got %+v, want %+v among them", all.Open, want)
		}
		c.unsubscribe(echo)
		server.awaitCounts(t, "one subscription less", func(got counts) bool {
			return slices.ContainsFunc(got.Connections, func(connection counted) bool {
				return connection.Device == c.device && slices.Equal(connection.Identifiers, []string{room})
			})
		})
	})
}

func TestServer_CountsExactlyThoseWhoAreThere(t *testing.T) {
	states(t, 129, connectionsCounted)
	eachOwn(t, setup{}, func(t *testing.T, server *server) {
		if server.kind != bridged && server.rails.workers() > 0 {
			doesNotApply(t, "each worker of stock counts its own")
		}
		exactly := func(size, subscriptions int) {
			t.Helper()
			server.awaitCounts(t, fmt.Sprintf("%d connections with %d subscriptions", size, subscriptions), func(got counts) bool {
				return got.Size == size && got.Subscriptions == subscriptions
			})
		}
		exactly(0, 0)
		consumers := make([]*consumer, 3)
		for n := range consumers {
			consumers[n] = server.connect(t, handshake{})
			for m := range n {
				consumers[n].join(identify("EchoChannel", "m", m))
			}
		}
		exactly(3, 3)
		server.dial(t, handshake{login: "none"}).expect(disconnection("unauthorized", false)) // is none of them
		exactly(3, 3)
		consumers[2].leave()
		exactly(2, 1)
		consumers[1].drop()
		exactly(1, 0)
	})
}

func TestConnection_StatisticsAndSiblingsAreSeenInsideAnEvent(t *testing.T) {
	states(t, 129, siblings)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo, channel, room := identify("EchoChannel"), identify("ConnectionChannel"), identify("RoomChannel", "room", t.Name())
		for _, identifier := range []string{echo, channel, room} {
			c.join(identifier)
		}
		c.perform(channel, "siblings")
		c.expect(message(channel, object("identifiers", []string{echo, channel, room})))
		c.perform(channel, "statistics")
		c.expect(message(channel, object("identifier", "ann:"+c.device, "subscriptions", []string{echo, channel, room}, "started", true, "request_id", true)))
		c.unsubscribe(echo)
		await(t, "one identifier less", func() bool { // after unsubscribed has run
			c.perform(channel, "siblings")
			return c.next() == message(channel, object("identifiers", []string{channel, room}))
		})
		c.join(echo) // is the last one now
		c.perform(channel, "siblings")
		c.expect(message(channel, object("identifiers", []string{channel, room, echo})))
	})
}

func TestConnection_TransmitsFramesOfItsOwnAndPingsByHand(t *testing.T) {
	states(t, rawFrames)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		channel := identify("ConnectionChannel")
		c.join(channel)
		c.perform(channel, "raw", "text", "<b>")
		c.expect(fmt.Sprintf(`{"type":"custom","text":"\u003cb\u003e","device":%q}`, c.device), message(channel, `{"after":"the raw one"}`))
		c.mutex.Lock()
		before := len(c.pings)
		c.mutex.Unlock()
		for range 30 { // many more than the clock sends meanwhile
			c.perform(channel, "beat")
		}
		c.awaitUnder("30 pings", func() bool { return len(c.pings) >= before+30 })
		c.expectNothing()
	})
}

func TestConnection_RequestOfTheHandshakeIsThereInLaterActions(t *testing.T) {
	states(t, requestLater)
	each(t, func(t *testing.T, server *server) {
		cookie := server.rails.login(t, "ann", "cookie") + "; " + server.rails.login(t, "bob", "session") + "; plain=biscuit"
		c := server.connect(t, handshake{
			login: "own", query: url.Values{"page": {"7"}}, protocols: []string{"actioncable-v1-json"},
			header: http.Header{"User-Agent": {"Testbrowser/1"}, "X-Tenant": {"seven"}, "Cookie": {cookie}},
		})
		channel := identify("ConnectionChannel")
		c.join(channel)
		want := message(channel, object("path", "/cable"+onRails(server, t, 7, 1, "", "/"), "query", map[string]string{"device": c.device, "page": "7"},
			"parameters", struct{}{}, "agent", "Testbrowser/1", "address", "127.0.0.1", "method", "GET", "tenant", "tenant of seven",
			"cookie", "biscuit", "encrypted", "ann", "session", "bob", "uuid", true, "protocol", "actioncable-v1-json"))
		for range 2 {
			c.perform(channel, "request")
			c.expect(want)
		}
	})
}

// onRails is the first of two from a version of Rails on, and the second before it.
func onRails(server *server, t *testing.T, major, minor int, then, before string) string {
	t.Helper()
	if server.rails.atLeast(t, major, minor) {
		return then
	}
	return before
}

func TestConnection_EveryMountIsACableAndItsParametersAreThereInLaterActions(t *testing.T) {
	states(t, 25, severalMounts)
	each(t, func(t *testing.T, server *server) {
		channel, room := identify("ConnectionChannel"), identify("RoomChannel", "room", t.Name())
		for path, parameters := range map[string]map[string]string{
			"/cable": {}, "/second/cable": {}, "/tenants/seven/cable": {"tenant": "seven"}, "/tenants/eight/cable": {"tenant": "eight"},
		} {
			c := server.connect(t, handshake{path: path})
			c.join(channel)
			c.perform(channel, "request")
			var got struct {
				Message struct{ Parameters map[string]string }
			}
			if err := json.Unmarshal([]byte(c.next()), &got); err != nil {
				t.Fatal(err)
			}
			if encode(got.Message.Parameters) != encode(parameters) {
				t.Errorf("%s: path parameters: got %v, want %v", path, got.Message.Parameters, parameters)
			}
			c.join(room)
			server.redis.publish(t, "room_"+t.Name(), quote(path))
			c.expect(message(room, quote(path)))
			c.leave()
		}
	})
}
