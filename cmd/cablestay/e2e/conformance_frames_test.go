//go:build e2e

package e2e

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestFrames_OfATourAreAllOfTheKnownKindsWithTheirKeysInOrder(t *testing.T) {
	states(t, 38, 40, 52)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo, room, locked := identify("EchoChannel"), identify("RoomChannel", "room", t.Name()), identify("RoomChannel", "room", "locked")
		c.join(echo)
		c.join(room)
		c.subscribe(locked)
		c.expect(rejection(locked))
		c.perform(echo, "echo", "text", "x")
		c.expect(message(echo, `{"text":"x","action":"echo"}`))
		c.perform(room, "speak", "text", "y")
		c.expect(message(room, `{"text":"y"}`))
		c.perform(echo, "fail")
		c.perform(identify("NopeChannel"), "echo")
		c.send("nonsense")
		c.unsubscribe(room)
		c.expectPings(1)
		c.perform(echo, "leave")
		c.expect(disconnection("enough", false))
		c.expectClose(ws.StatusNormalClosure)
		known := regexp.MustCompile(`^(\{"type":"welcome"\}|\{"type":"ping","message":\d{10}\}|` +
			`\{"identifier":"[^"\\]*(\\.[^"\\]*)*",("type":"(confirm|reject)_subscription"|"message":.+)\}|` +
			`\{"type":"disconnect","reason":("[^"]*"|null),"reconnect":(true|false)\})$`)
		for _, frame := range slices.Concat(c.frames, c.pings) {
			if !known.MatchString(frame) {
				t.Errorf("got a frame of no known kind: %s", frame)
			}
		}
	})
}

func TestFrames_DisconnectWithoutAReasonHasNull(t *testing.T) {
	states(t, 41)
	for text, want := range map[string]string{
		"nothing":   `{"type":"disconnect","reason":null,"reconnect":true}`,
		"reason":    `{"type":"disconnect","reason":"full \u003c up","reconnect":true}`,
		"reconnect": `{"type":"disconnect","reason":null,"reconnect":false}`,
	} {
		t.Run(text, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				dispatch := identify("DispatchChannel")
				c.join(dispatch)
				c.perform(dispatch, "close", "with", text)
				c.expect(want)
				c.expectClose(ws.StatusNormalClosure)
			})
		})
	}
}

func TestFrames_TransmittedValueIsEncodedAsActiveSupportDoes(t *testing.T) {
	states(t, 43, 44, 45)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		values := identify("ValuesChannel")
		c.join(values)
		for _, want := range []string{
			`{"html":"\u003cb\u003e \u0026 '/"}`, `["a",1,[]]`, `"text"`, `5`, `1.5`, `true`, `false`, `null`, `""`, `{}`,
			`"\u2028 and \u2029"`, `18446744073709551616`, `"1970-01-01T00:00:00.000Z"`, `"2020-01-01"`, `"1.1"`, `"symbol"`,
			`{"1":{"true":null}}`, `"\"\\\b\f\n\r\t\u0000\u001f` + "\u007f" + `é😀"`,
		} {
			c.perform(values, "following")
			c.expect(message(values, want))
		}
	})
}

func TestFrames_BroadcastIsPublishedExactlyAsActiveSupportEncodesIt(t *testing.T) {
	states(t, 47, 115)
	each(t, func(t *testing.T, server *server) {
		broadcasting := "values " + t.Name()
		subscription := server.redis.client.Subscribe(t.Context(), prefix+broadcasting)
		defer func() { _ = subscription.Close() }()
		if _, err := subscription.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := server.connect(t, handshake{})
		values := identify("ValuesChannel")
		c.join(values)
		c.perform(values, "broadcast_awkward", "broadcasting", broadcasting)
		published, err := subscription.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if published.Payload != awkward {
			t.Errorf("got  %s\nwant %s", published.Payload, awkward)
		}
	})
}

func TestFrames_PublishedPayloadKeepsItsOrderAndItsIntegers(t *testing.T) {
	states(t, 46)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		room := identify("RoomChannel", "room", t.Name())
		c.join(room)
		payload := `{"z":18446744073709551617,"a":{"10":1,"9":2},"m":-9007199254740993}`
		server.redis.publish(t, "room_"+t.Name(), payload)
		c.expect(message(room, payload))
	})
}

// The frame of a broadcast is not made by Rails where there is a bridge, so its identifier is a case of its own.
func TestFrames_IdentifierOfABroadcastIsEchoedByteForByte(t *testing.T) {
	states(t, 42)
	for name, identifier := range map[string]string{
		"OddSpacing": `  { "channel" :"RoomChannel",   "room":"identifiers" }`,
		"Unicode":    `{"channel":"RoomChannel","room":"identifiers","name":"Zoë 😀 ` + "\u2028\u2029\u007f" + `"}`,
		"Markup":     `{"channel":"RoomChannel","room":"identifiers","name":"<b>&amp;</b>"}`,
		"Escapes":    `{"channel":"Room\u0043hannel","room":"identifiers","name":"\"\\/\/\t\u0001"}`,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				c.join(identifier)
				server.redis.publish(t, "room_identifiers", `"for whoever spells it so"`)
				c.expect(message(identifier, `"for whoever spells it so"`))
			})
		})
	}
}

func TestFrames_PayloadThatRailsWouldNotDecodeIsDropped(t *testing.T) {
	states(t, 48, 49, 50)
	for name, payload := range map[string]string{
		"Empty":            ``,
		"Blank":            `  `,
		"PlainText":        `plain text`,
		"Cut":              `{"a":`,
		"TrailingComma":    `[1,]`,
		"InvalidUTF8":      "\"invalid \xff utf-8\"",
		"InvalidUTF8InKey": "{\"\xc3\":1}",
		"NotANumber":       `{"a":NaN}`,
		"TooDeep":          strings.Repeat("[", 101) + strings.Repeat("]", 101),
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				room := identify("RoomChannel", "room", t.Name())
				c.join(room)
				server.redis.publish(t, "room_"+t.Name(), payload)
				server.redis.publish(t, "room_"+t.Name(), `"good"`)
				c.expect(message(room, `"good"`))
				c.expectNothing()
			})
		})
	}
}

func TestFrames_PayloadOfAnotherProgramArrivesAsAnEqualValue(t *testing.T) {
	states(t, 51)
	for name, payload := range map[string]string{
		"Whitespace":     " { \"a\" : [ 1 ,\t2 ] }\n",
		"RawMarkup":      `{"html":"<b>&</b>"}`,
		"OtherEscapes":   `"\/\u00e9\ud83d\ude00"`,
		"Numbers":        `[1e3,-0,2.50,1E-2]`,
		"DuplicateKeys":  `{"a":1,"a":2}`,
		"RawSeparators":  "\"\u2028\u2029\"",
		"AsDeepAsItMay":  strings.Repeat("[", 99) + strings.Repeat("]", 99),
		"LargeStringify": `"` + strings.Repeat("<é", 100_000) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				room := identify("RoomChannel", "room", t.Name())
				c.join(room)
				server.redis.publish(t, "room_"+t.Name(), payload)
				frame := c.next()
				var got struct {
					Identifier string
					Message    any
				}
				var want any
				if err := json.Unmarshal([]byte(frame), &got); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal([]byte(payload), &want); err != nil {
					t.Fatal(err)
				}
				if got.Identifier != room || !reflect.DeepEqual(got.Message, want) {
					t.Errorf("got %s, want the message %s", frame, payload)
				}
			})
		})
	}
}

// pingTime is the time in a ping, as a Unix time.
func pingTime(t *testing.T, frame string) int64 {
	t.Helper()
	var ping struct{ Message int64 }
	if err := json.Unmarshal([]byte(frame), &ping); err != nil {
		t.Fatal(err)
	}
	return ping.Message
}
