// Package bridge holds the sockets of an Action Cable app and carries its broadcasts to them.
//
// A browser's HTTP request becomes a [rpc.ConnectRequest] before it becomes a WebSocket: whatever the Rails app answers
// goes back to the browser as it is, and only a handshake that Rails takes is upgraded. From then on the socket is the
// bridge's alone. Each command of the client is an event that runs in Rails and comes back as effects; each
// broadcast comes along a [PubSub] and never touches Ruby.
//
// The parts, in the order in which a connection meets them:
//
//   - handshake.go, mounts.go: from the HTTP request to the socket.
//   - connection.go: one consumer's socket, and how it ends.
//   - subscription.go, identifiers.go, effects.go: commands in order, and what Rails answers to them.
//   - streams.go, lane.go, audience.go, message.go: who follows which broadcasting, and the fan-out.
//   - inbound.go, outbound.go: WebSocket frames in, frames out.
//   - poller.go and its kin: sockets without a goroutine or a buffer each.
//   - tls.go, tls_linux.go: the same with TLS.
//
// README.md in this folder tells why it is cut so and what is guaranteed.
package bridge
