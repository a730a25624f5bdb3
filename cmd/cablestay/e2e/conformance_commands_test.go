//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"github.com/gobwas/ws"
)

func TestCommands_ActionGetsTheDataWhereItTakesOneArgument(t *testing.T) {
	states(t, 69)
	for action, want := range map[string]string{
		"one":      `{"arguments":[{"name":"x","action":"one"}],"class":"Hash","indifferent":false}`,
		"none":     `{"arguments":[]}`,
		"optional": `{"arguments":["default"]}`,
		"splat":    `{"arguments":[]}`,
	} {
		t.Run(action, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				dispatch := identify("DispatchChannel")
				c.join(dispatch)
				c.perform(dispatch, action, "name", "x")
				c.expect(message(dispatch, want))
			})
		})
	}
}

func TestCommands_ActionOfTwoArgumentsFails(t *testing.T) {
	states(t, 69)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		dispatch := identify("DispatchChannel")
		c.join(dispatch)
		mark := server.rails.process.logSize()
		c.perform(dispatch, "two")
		server.rails.process.awaitLog(t, mark, `Could not execute command from .*\[ArgumentError - wrong number of arguments`)
		c.expectNothing()
	})
}

func TestCommands_WhatIsNoActionCannotBeInvoked(t *testing.T) {
	states(t, 68, 70)
	for _, action := range []string{
		"secret", "guarded", "transmit", "stream_from", "stop_all_streams", "perform_action", "subscribe_to_channel",
		"unsubscribe_from_channel", "connection", "params", "identifier", "logger", "user", "device", "reject", "instance_eval", "send",
		"public_send", "method_missing", "receive", "", " ",
	} {
		t.Run(action, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				dispatch := identify("DispatchChannel") // it has no receive
				c.join(dispatch)
				mark := server.rails.process.logSize()
				c.perform(dispatch, action, "text", "x")
				called := action
				if action == "" || action == " " {
					called = "receive"
				}
				server.rails.process.awaitLog(t, mark, `Unable to process DispatchChannel#`+called+`[ \n(]`)
				c.expectNothing()
			})
		})
	}
}

func TestCommands_PublicSubscribedIsAnAction(t *testing.T) {
	states(t, 71)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		dispatch := identify("DispatchChannel", "name", "n")
		c.subscribe(dispatch)
		c.expect(message(dispatch, `{"subscribed":"n"}`), confirmation(dispatch))
		c.perform(dispatch, "subscribed")
		c.expect(message(dispatch, `{"subscribed":"n"}`))
		c.perform(dispatch, "unsubscribed")
		server.rails.awaitEvent(t, c.device, "unsubscribed")
		c.expectNothing()
		c.perform(dispatch, "none") // so it is still there
		c.expect(message(dispatch, `{"arguments":[]}`))
	})
}

func TestCommands_ShadowedAndIncludedMethodsAreActions(t *testing.T) {
	states(t, 72)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		dispatch := identify("DispatchChannel")
		c.join(dispatch)
		c.perform(dispatch, "stream_or_reject_for", "text", "mine")
		c.expect(message(dispatch, `{"shadowed":"mine"}`))
		c.perform(dispatch, "greet", "name", "ann")
		c.expect(message(dispatch, `{"hello":"ann"}`))
	})
}

func TestCommands_ConnectionRescuesFromEveryCommand(t *testing.T) {
	states(t, 74)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		dispatch := identify("DispatchChannel")
		fails := identify("DispatchChannel", "fails", "unsubscribed")
		c.join(dispatch)
		c.join(fails)
		for text, command := range map[string]func(){
			"message":      func() { c.perform(dispatch, "raise_for_the_connection", "text", "message") },
			"unsubscribed": func() { c.unsubscribe(fails) },
		} {
			mark := server.rails.process.logSize()
			command()
			await(t, "the error of "+text+" to be rescued", func() bool {
				return slices.ContainsFunc(server.rails.journal(t, c.device), func(e entry) bool { return e.Event == "rescued" && e.Text == text })
			})
			// Logged all the same, up to Rails 8.1.
			server.rails.process.awaitLog(t, mark, `Could not execute command from .*\[ApplicationCable::Commands::Rescued - `+text+`\]`)
		}
		c.expectNothing()
	})
}

func TestCommands_ConnectionRescuesFromSubscribed(t *testing.T) {
	states(t, 74)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		c.subscribe(identify("DispatchChannel", "fails", "subscribed"))
		for _, e := range server.rails.awaitEvent(t, c.device, "rescued") {
			if e.Event == "rescued" && e.Text != "subscribed" {
				t.Errorf("rescued: got %q, want the error of subscribed", e.Text)
			}
		}
		c.alive()
	})
}

func TestCommands_AbortedOneIsNotExecuted(t *testing.T) {
	states(t, 76)
	each(t, func(t *testing.T, server *server) {
		c := server.dial(t, withCommands("aborted"))
		c.expect(welcome)
		echo := identify("EchoChannel")
		c.subscribe(echo)
		server.rails.awaitEvent(t, c.device, "after_command")
		c.subscribe(identify("RoomChannel", "room", "r"))
		await(t, "two commands", func() bool { return len(server.rails.journal(t, c.device)) == 3 })
		c.leave()
		server.rails.awaitEvent(t, c.device, "disconnect")
		want := []string{"connect", "after_command", "after_command", "disconnect"}
		if got := server.rails.happened(t, c.device); !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
		if got := c.history(); got != "\n"+welcome {
			t.Errorf("frames: got %s, want no more than the welcome", got)
		}
	})
}

func TestCommands_AreWrappedEachInTheirTurn(t *testing.T) {
	states(t, 77)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, withCommands("wrapped"))
		echo := identify("EchoChannel")
		c.join(echo)
		await(t, "the end of subscribe", func() bool { return len(server.rails.journal(t, c.device)) == 6 })
		c.perform(echo, "count", "name", "x")
		c.next()
		await(t, "the end of the action", func() bool { return len(server.rails.journal(t, c.device)) == 11 })
		c.unsubscribe(echo)
		await(t, "the end of unsubscribe", func() bool { return len(server.rails.journal(t, c.device)) == 16 })
		c.leave()
		server.rails.awaitEvent(t, c.device, "disconnect")
		around := func(event string) []string {
			return []string{"before_command", "around_command begins", event, "after_command", "around_command ends"}
		}
		want := slices.Concat([]string{"connect"}, around("subscribed"), around("performed"), around("unsubscribed"), []string{"disconnect"})
		if got := server.rails.happened(t, c.device); !slices.Equal(got, want) {
			t.Errorf("callbacks:\n got %q\nwant %q", got, want)
		}
	})
}

func TestCommands_CallbacksRunAroundOneThatIsUnknownToo(t *testing.T) {
	states(t, 202)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, withCommands("wrapped"))
		marks := server.marks()
		c.send(object("command", "bogus", "identifier", identify("EchoChannel")))
		logged := onPurpose(t, server, "what can't be a command ends at the bridge and costs Rails nothing, so no callback of the app runs around it",
			`Received unrecognized command in .*bogus`, `could not execute a command.* error="?\w`)
		server.awaitLogged(t, marks, logged)
		c.leave()
		server.rails.awaitEvent(t, c.device, "disconnect")
		want := []string{"connect", "before_command", "around_command begins", "after_command", "around_command ends", "disconnect"}
		if server.kind == bridged {
			want = []string{"connect", "disconnect"}
		}
		if got := server.rails.happened(t, c.device); !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
	})
}

func TestCommands_AbstractChannelIsAChannel(t *testing.T) {
	states(t, 203)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		abstract := identify("ApplicationCable::Channel")
		c.join(abstract)
		c.expectNothing()
	})
}

func TestCommands_ExtraMembersAreIgnored(t *testing.T) {
	states(t, 204)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.send(object("extra", []int{1}, "identifier", echo, "command", "subscribe", "data", 5))
		c.expect(confirmation(echo))
		c.send(object("data", `{"action":"echo"}`, "identifier", echo, "type", "x", "command", "message"))
		c.expect(message(echo, `{"action":"echo"}`))
	})
}

func TestCommands_JSONIsReadAsRubyReadsIt(t *testing.T) {
	states(t, 205)
	for name, scenario := range map[string]struct{ data, want string }{
		"DuplicateKeys": {`{"action":"none","action":"one"}`, `{"arguments":[{"action":"one"}],"class":"Hash","indifferent":false}`},
		"Comments":      {`/* why? */{"action":"one"}`, `{"arguments":[{"action":"one"}],"class":"Hash","indifferent":false}`},
		"Numbers":       {`{"action":"one","n":[1e3,-0,1.50,18446744073709551616]}`, `{"arguments":[{"action":"one","n":[1000.0,0,1.5,18446744073709551616]}],"class":"Hash","indifferent":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				dispatch := identify("DispatchChannel")
				c.join(dispatch)
				c.performRaw(dispatch, scenario.data)
				c.expect(message(dispatch, scenario.want))
			})
		})
	}
}

func TestCommands_BinaryFrameIsReadByTheDriversVersion(t *testing.T) {
	states(t, 78)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.sendFrame(ws.NewBinaryFrame([]byte(object("command", "subscribe", "identifier", echo))))
		reason := "stock's answer is its websocket-driver's: the installed 0.6.3 ignores binary frames, from 0.8 on they are read as text, as they are here"
		if onPurpose(t, server, reason, false, true) {
			c.expect(confirmation(echo))
		}
		c.expectNothing()
	})
}

// withCommands connects with something going on around every command: see ApplicationCable::Commands.
func withCommands(way string) handshake {
	return handshake{query: map[string][]string{"commands": {way}}}
}
