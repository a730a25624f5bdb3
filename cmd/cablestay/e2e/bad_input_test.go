//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// Each of these is answered with nothing at all; the connection and its subscriptions live on, and the log of Rails
// says what logged says. What the bridge does not take to Rails it logs itself, with a reason.
func TestBadInput_CommandThatCannotBeExecutedIsLoggedAndAnsweredWithNothing(t *testing.T) {
	const notExecuted = `Could not execute command`
	echo := identify("EchoChannel")
	command := func(pairs ...any) string { return object(pairs...) }
	subscribe := func(identifier any) string { return command("command", "subscribe", "identifier", identifier) }
	perform := func(data any) string {
		return command("command", "message", "identifier", echo, "data", data)
	}
	for name, scenario := range map[string]struct {
		statement int
		frame     string
		logged    string
	}{
		"NotJSON":                         {53, `{"command":`, `JSON::ParserError|unexpected`},
		"Empty":                           {53, ``, `JSON::ParserError|unexpected`},
		"Number":                          {54, `5`, notExecuted},
		"Array":                           {54, `[1]`, notExecuted},
		"True":                            {54, `true`, notExecuted},
		"Null":                            {54, `null`, notExecuted},
		"String":                          {54, `"abc"`, `Received unrecognized command|` + notExecuted},
		"NoCommand":                       {55, `{}`, `Received unrecognized command in \{\}`},
		"UnknownCommand":                  {55, command("command", "bogus", "identifier", echo), `Received unrecognized command in .*bogus`},
		"CommandNotAString":               {55, command("command", 5, "identifier", echo), `Received unrecognized command in`},
		"SubscribeWithoutIdentifier":      {56, command("command", "subscribe"), notExecuted},
		"IdentifierANumber":               {56, subscribe(5), notExecuted},
		"IdentifierAnObject":              {56, subscribe(map[string]string{"channel": "EchoChannel"}), notExecuted},
		"IdentifierNotJSON":               {56, subscribe("EchoChannel"), notExecuted},
		"IdentifierNotAnObject":           {56, subscribe(`"5"`), notExecuted},
		"IdentifierWithoutChannel":        {57, subscribe(`{"name":"x"}`), notExecuted},
		"ChannelANumber":                  {57, subscribe(`{"channel":5}`), notExecuted},
		"ChannelUnknown":                  {57, subscribe(identify("NopeChannel")), `Subscription class not found: "NopeChannel"`},
		"ChannelEmpty":                    {57, subscribe(identify("")), `Subscription class not found: ""`},
		"ChannelInLowerCase":              {57, subscribe(identify("echo_channel")), `Subscription class not found: "echo_channel"`},
		"ChannelNotAChannel":              {57, subscribe(identify("String")), `Subscription class not found: "String"`},
		"ChannelNotAClass":                {57, subscribe(identify("RUBY_VERSION")), notExecuted},
		"UnsubscribeUnknown":              {63, command("command", "unsubscribe", "identifier", "zzz"), `Unable to find subscription with identifier: zzz`},
		"UnsubscribeWithoutIdentifier":    {63, command("command", "unsubscribe"), `Unable to find subscription with identifier`},
		"MessageToUnknown":                {66, command("command", "message", "identifier", "zzz", "data", `{"action":"echo"}`), `Unable to find subscription with identifier: zzz`},
		"MessageWithoutData":              {67, command("command", "message", "identifier", echo), notExecuted},
		"MessageWithDataAnObject":         {67, perform(map[string]string{"action": "echo"}), notExecuted},
		"MessageWithDataNotJSON":          {67, perform("echo"), notExecuted},
		"MessageWithEmptyData":            {67, perform(""), notExecuted},
		"MessageWithDataANumber":          {67, perform("5"), notExecuted},
		"MessageWithDataAnArray":          {67, perform("[1]"), notExecuted},
		"ActionANumber":                   {68, perform(`{"action":5}`), notExecuted},
		"ActionUnknown":                   {70, perform(`{"action":"nope"}`), `Unable to process EchoChannel#nope`},
		"ActionPrivate":                   {70, perform(`{"action":"secret"}`), `Unable to process EchoChannel#secret`},
		"ActionOfTheBaseClass":            {70, perform(`{"action":"stream_from"}`), `Unable to process EchoChannel#stream_from`},
		"ActionOfEveryObject":             {70, perform(`{"action":"instance_eval"}`), `Unable to process EchoChannel#instance_eval`},
		"ActionThatReadsAnIdentifiedUser": {70, perform(`{"action":"user"}`), `Unable to process EchoChannel#user`},
	} {
		t.Run(name, func(t *testing.T) {
			states(t, scenario.statement)
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{})
				c.join(echo)
				marks := server.marks()
				c.send(scenario.frame)
				logged := scenario.logged
				if server.kind == bridged {
					logged += `|could not execute a command.* error="?\w`
				}
				server.awaitLogged(t, marks, logged)
				c.expectNothing()
				c.perform(echo, "echo", "text", "still here")
				c.expect(message(echo, `{"text":"still here","action":"echo"}`))
			})
		})
	}
}

func TestBadInput_BaseClassIsNoChannelFromRails7On(t *testing.T) {
	states(t, 58)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		base := identify("ActionCable::Channel::Base")
		marks := server.marks()
		c.subscribe(base)
		if server.rails.atLeast(t, 7, 0) {
			server.awaitLogged(t, marks, `Subscription class not found: "ActionCable::Channel::Base"`)
		} else {
			c.expect(confirmation(base))
		}
		c.expectNothing()
	})
}

func TestBadInput_OversizedMessageClosesWith1009(t *testing.T) {
	states(t, 80)
	const limit = 0x3ffffff // what websocket-driver takes, in bytes
	for name, offend := range map[string]func(c *consumer){
		"OneFrame": func(c *consumer) { c.sendHeader(ws.Header{Fin: true, OpCode: ws.OpText, Length: limit + 1}) },
		"FragmentsTogether": func(c *consumer) {
			c.sendFrame(ws.NewFrame(ws.OpText, false, []byte(`{"command":`)))
			c.sendHeader(ws.Header{Fin: true, OpCode: ws.OpContinuation, Length: limit})
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				expectEnd(t, server, offend, ws.StatusMessageTooBig)
			})
		})
	}
}

// expectEnd has a consumer do something for which it is closed with that code, and cleaned up.
//
// Stock loses its close frame now and then: its stream puts a frame aside while another thread holds the lock of the
// write before, which a client's quick answer may find, and closing the stream drops it. So stock may try again.
func expectEnd(t *testing.T, server *server, do func(c *consumer), code ws.StatusCode) *consumer {
	t.Helper()
	for tries := 1; ; tries++ {
		c := server.connect(t, handshake{})
		c.join(identify("EchoChannel"))
		do(c)
		if server.kind != bridged && tries < 5 && c.endsWithoutClose() {
			continue
		}
		c.expectClose(code)
		expectCleanUp(t, server, c)
		return c
	}
}

func TestBadInput_InvalidFramesCloseWithTheirCode(t *testing.T) {
	states(t, 81)
	for name, scenario := range map[string]struct {
		offend func(c *consumer)
		code   ws.StatusCode
	}{
		"InvalidUTF8": {func(c *consumer) { c.send("\"\xff\xfe\"") }, ws.StatusInvalidFramePayloadData},
		"Unmasked": {func(c *consumer) {
			c.sendBytes(ws.MustCompileFrame(ws.NewTextFrame([]byte("{}"))))
		}, ws.StatusUnsupportedData},
		"ReservedBits": {func(c *consumer) {
			c.sendHeader(ws.Header{Fin: true, Rsv: ws.Rsv(true, false, false), OpCode: ws.OpText, Length: 2})
		}, ws.StatusProtocolError},
		"UnknownOpcode": {func(c *consumer) {
			c.sendHeader(ws.Header{Fin: true, OpCode: 0x5, Length: 2})
		}, ws.StatusProtocolError},
		"FragmentedControlFrame": {func(c *consumer) {
			c.sendHeader(ws.Header{Fin: false, OpCode: ws.OpPing, Length: 0})
		}, ws.StatusProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				expectEnd(t, server, scenario.offend, scenario.code)
			})
		})
	}
}

func TestBadInput_LargeAndFragmentedAndBinaryMessagesAreNoOffence(t *testing.T) {
	states(t, 78, 79, 80, 81)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{})
		echo := identify("EchoChannel")
		c.join(echo)

		large := strings.Repeat("Zoë ", 250_000) // over 1 MB
		c.perform(echo, "echo", "text", large)
		c.expect(message(echo, object("text", large, "action", "echo")))

		text := []byte(object("command", "message", "identifier", echo, "data", `{"action":"echo","text":"ë in parts"}`))
		middle := strings.Index(string(text), "ë") + 1 // within a character
		c.sendFrame(ws.NewFrame(ws.OpText, false, text[:10]))
		c.sendFrame(ws.NewPingFrame([]byte("between")))
		c.sendFrame(ws.NewFrame(ws.OpContinuation, false, text[10:middle]))
		c.sendFrame(ws.NewFrame(ws.OpContinuation, true, text[middle:]))
		c.expect(message(echo, `{"action":"echo","text":"ë in parts"}`))
		c.awaitUnder("pong", func() bool { return slices.Equal(c.pongs, []string{"between"}) })

		c.sendFrame(ws.NewBinaryFrame([]byte{0, 1, 2, 0xff})) // ignored, or read as bad JSON
		c.expectNothing()
	})
}

func TestBadInput_CloseCodeOfTheClientIsEchoed(t *testing.T) {
	states(t, 119)
	each(t, func(t *testing.T, server *server) {
		c := expectEnd(t, server, func(c *consumer) { c.sendFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(4001, "bye"))) }, 4001)
		if c.closing.reason != "bye" {
			t.Errorf("reason: got %q, want bye", c.closing.reason)
		}
	})
}

// awaitLogged waits until one of the server's processes has logged a line that matches.
func (s *server) awaitLogged(t *testing.T, marks map[string]int64, pattern string) {
	t.Helper()
	matcher := regexp.MustCompile(pattern)
	await(t, "a log line that matches "+pattern, func() bool {
		for _, process := range s.processes() {
			if matcher.MatchString(process.logSince(marks[process.log])) {
				return true
			}
		}
		return false
	})
}

// expectCleanUp checks that a connection that ended badly has ended in Ruby too.
func expectCleanUp(t *testing.T, server *server, c *consumer) {
	t.Helper()
	server.rails.awaitEvent(t, c.device, "disconnect")
	if got, want := server.rails.happened(t, c.device), []string{"connect", "subscribed", "unsubscribed", "disconnect"}; !slices.Equal(got, want) {
		t.Errorf("callbacks: got %q, want %q", got, want)
	}
}

// sendHeader sends the masked header of a frame and nothing of its payload.
func (c *consumer) sendHeader(header ws.Header) {
	c.t.Helper()
	header.Masked, header.Mask = true, [4]byte{1, 2, 3, 4}
	var bytes strings.Builder
	if err := ws.WriteHeader(&bytes, header); err != nil {
		c.t.Fatal(err)
	}
	c.sendBytes([]byte(bytes.String()))
}

func (c *consumer) sendBytes(bytes []byte) {
	c.t.Helper()
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.socket.Write(bytes); err != nil {
		c.t.Fatal(err)
	}
}
