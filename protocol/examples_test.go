package protocol_test

import (
	"fmt"

	"github.com/cablestay/cablestay/protocol"
)

func ExampleParseCommand() {
	command, err := protocol.ParseCommand([]byte(`{"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\",\"room\":1}"}`))
	fmt.Println(command.Name, command.Identifier, err)
	fmt.Println(command.Identifier.Channel())

	_, err = protocol.ParseCommand([]byte(`{"command":"subscribe","identifier":{"channel":"ChatChannel"}}`))
	fmt.Println(err)
	// Output:
	// subscribe {"channel":"ChatChannel","room":1} <nil>
	// ChatChannel
	// malformed command: member identifier is an object, not a string
}

func ExampleEnvelope() {
	envelope := protocol.NewEnvelope(`{"channel":"ChatChannel"}`)
	payload := []byte(`{"id":18446744073709551616,"body":"hello"}`)
	if err := protocol.CheckPayload(payload); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", envelope.Append(nil, payload))
	// Output:
	// {"identifier":"{\"channel\":\"ChatChannel\"}","message":{"id":18446744073709551616,"body":"hello"}}
}

func ExampleDisconnect() {
	fmt.Printf("%s\n", protocol.Disconnect{Reason: protocol.ServerRestart, Reconnect: true}.Append(nil))
	fmt.Printf("%s\n", protocol.Disconnect{Reconnect: true}.Append(nil))
	// Output:
	// {"type":"disconnect","reason":"server_restart","reconnect":true}
	// {"type":"disconnect","reason":null,"reconnect":true}
}

func ExampleParseRemote() {
	remote, ok := protocol.ParseRemote([]byte(`{"type":"disconnect","reconnect":false}`))
	fmt.Printf("%t %s\n", ok, remote.Disconnect.Append(nil))
	// Output:
	// true {"type":"disconnect","reason":"remote","reconnect":false}
}

func ExampleChooseSubprotocol() {
	fmt.Println(protocol.ChooseSubprotocol([]string{"jwt.abc", "actioncable-v1-json", "actioncable-unsupported"}))
	fmt.Println(protocol.ChooseSubprotocol(nil))
	// Output:
	// actioncable-v1-json true
	//  false
}
