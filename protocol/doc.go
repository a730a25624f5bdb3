// Package protocol is actioncable-v1-json, the language that an Action Cable client and its server speak over a
// WebSocket, in both directions and without any I/O. It is for the bridge, which must say byte for byte what Rails
// would have said, and for whoever writes a client.
//
// # Opening
//
// The client offers subprotocols ([ChooseSubprotocol]). Once the app's connect has returned, the server says
// welcome; if it was refused, the server says disconnect instead and closes.
//
//	server   {"type":"welcome"}
//	server   {"type":"disconnect","reason":"unauthorized","reconnect":false}
//
// # Steady state
//
// The client sends commands ([ParseCommand]). An identifier is a string that holds JSON: it names a channel and its
// params, and it is compared byte for byte ([Identifier]). data is a string that holds JSON as well.
//
//	client   {"command":"subscribe","identifier":"{\"channel\":\"ChatChannel\"}"}
//	client   {"command":"unsubscribe","identifier":"{\"channel\":\"ChatChannel\"}"}
//	client   {"command":"message","identifier":"{\"channel\":\"ChatChannel\"}","data":"{\"action\":\"speak\"}"}
//
// The server confirms or rejects a subscription, then sends what its channel transmits and what its streams carry
// ([Envelope]). It pings every three seconds, so that a client can tell silence from death. Nothing else is
// answered: not unsubscribe, not message, no error.
//
//	server   {"identifier":"{\"channel\":\"ChatChannel\"}","type":"confirm_subscription"}
//	server   {"identifier":"{\"channel\":\"ChatChannel\"}","type":"reject_subscription"}
//	server   {"identifier":"{\"channel\":\"ChatChannel\"}","message":{"body":"hello"}}
//	server   {"type":"ping","message":1700000000}
//
// # Closing
//
// A server that ends a connection says why, and whether the client should come back ([Disconnect]); the close frame
// follows at once.
//
//	server   {"type":"disconnect","reason":"server_restart","reconnect":true}
//
// What an app calls ActionCable.server.remote_connections.where(…).disconnect travels through Redis as a message of
// its own ([ParseRemote]).
//
// # Encoding
//
// Frames of the server are what ActiveSupport::JSON.encode makes of a Hash: no spaces, members in the order above,
// and <, >, &, U+2028 and U+2029 escaped within strings (\u003c …), as a stock app has it. testdata/transcripts holds
// frames recorded from Rails; testdata/record.rb records them.
package protocol
