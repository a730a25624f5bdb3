package protocol

// What a client offers in Sec-WebSocket-Protocol, and a server answers: ActionCable::INTERNAL[:protocols].
const (
	Subprotocol = "actioncable-v1-json"     // what this package speaks
	Unsupported = "actioncable-unsupported" // offered last, so that the handshake succeeds and the client can tell
)

// ChooseSubprotocol is the first of the client's offers that the server knows, in the client's order, as
// websocket-driver chooses (WebSocket::Driver::Hybi). Where there is none, Action Cable answers the handshake with no
// such header and goes on as if there were.
func ChooseSubprotocol(offered []string) (string, bool) {
	for _, name := range offered {
		if name == Subprotocol || name == Unsupported {
			return name, true
		}
	}
	return "", false
}
