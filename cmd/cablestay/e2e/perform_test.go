//go:build e2e

package e2e

import (
	"fmt"
	"testing"
)

func TestPerform_DataReachesTheActionWhole(t *testing.T) {
	states(t, 43, 69)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		c.performRaw(echo, `{ "action":"echo", "big":18446744073709551615, "none":null, "text":"<é😀>", "list":[1,[2,{}]] }`)
		c.expect(message(echo, `{"action":"echo","big":18446744073709551615,"none":null,"text":"\u003cé😀\u003e","list":[1,[2,{}]]}`))
	})
}

func TestPerform_WithoutAnActionIsReceive(t *testing.T) {
	states(t, 68)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		for _, data := range []string{`{"text":"x"}`, `{"text":"x","action":""}`, `{"text":"x","action":null}`} {
			c.performRaw(echo, data)
			c.expect(message(echo, `{"received":`+data+`}`))
		}
	})
}

func TestPerform_TransmissionsArriveInTheOrderInWhichTheyWereMade(t *testing.T) {
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		c.perform(echo, "burst", "size", 200)
		for n := range 200 {
			c.expect(message(echo, fmt.Sprintf(`{"n":%d}`, n)))
		}
	})
}

func TestPerform_SubscribeAndPerformBackToBackFindEachOther(t *testing.T) {
	states(t, 132)
	onlyBridged(t, "it runs the commands of a connection in parallel, and the action may not find its subscription", func(t *testing.T) {
		c := sharedServer(t, bridged).connect(t, handshake{})
		for n := range 10 {
			echo := identify("EchoChannel", "n", n)
			c.subscribe(echo)
			c.perform(echo, "echo", "n", n)
			c.expect(confirmation(echo), message(echo, fmt.Sprintf(`{"n":%d,"action":"echo"}`, n)))
		}
	})
}

func TestPerform_RescuedErrorIsAnsweredByTheChannel(t *testing.T) {
	states(t, 73)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		c.perform(echo, "refuse")
		c.expect(message(echo, `{"error":"refused"}`))
	})
}

func TestPerform_UnrescuedErrorIsLoggedAndTheSubscriptionStays(t *testing.T) {
	states(t, 75)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)
		mark := server.rails.process.logSize()
		c.perform(echo, "fail")
		server.rails.process.awaitLog(t, mark, `Could not execute command.*this action always fails`)
		c.expectNothing()
		c.perform(echo, "echo")
		c.expect(message(echo, `{"action":"echo"}`))
	})
}

func TestPerform_SlowActionOfOneSubscriptionDoesNotDelayAnother(t *testing.T) {
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		slow, quick := identify("EchoChannel", "n", "slow"), identify("EchoChannel", "n", "quick")
		c.join(slow)
		c.join(quick)
		gate := "wait " + string(server.kind)
		c.perform(slow, "wait", "gate", gate)
		c.perform(quick, "echo")
		c.expect(message(quick, `{"action":"echo"}`))
		server.rails.openGate(t, gate)
		c.expect(message(slow, object("waited", gate)))
	})
}
