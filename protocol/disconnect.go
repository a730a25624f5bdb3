package protocol

// Reason tells a client why its connection ends. An app may give reasons of its own; "" is null.
type Reason string

// The reasons of ActionCable::INTERNAL[:disconnect_reasons].
const (
	Unauthorized   Reason = "unauthorized"    // connect rejected it
	InvalidRequest Reason = "invalid_request" // never seen on the wire: there is no socket yet
	ServerRestart  Reason = "server_restart"
	Remote         Reason = "remote" // remote_connections.disconnect, Rails 7.1 and later
)

// A Disconnect is the last frame before the server closes, ActionCable::Connection::Base#close:
//
//	{"type":"disconnect","reason":"remote","reconnect":true}
//	{"type":"disconnect","reason":null,"reconnect":true}
type Disconnect struct {
	Reason Reason
	// Reconnect asks the client to come back. Without it the stock client never does.
	Reconnect bool
	// RawReconnect, if there is any, is sent in place of Reconnect: the JSON value that a remote disconnect gave,
	// which need not be a boolean. To the stock client null, 0 and "" mean false, other values true.
	RawReconnect string
}

// Append appends the frame.
func (d Disconnect) Append(dst []byte) []byte {
	dst = append(dst, `{"type":"disconnect","reason":`...)
	if d.Reason == "" {
		dst = append(dst, `null`...)
	} else {
		dst = appendString(dst, string(d.Reason))
	}
	dst = append(dst, `,"reconnect":`...)
	switch {
	case d.RawReconnect != "":
		dst = append(dst, d.RawReconnect...)
	case d.Reconnect:
		dst = append(dst, `true`...)
	default:
		dst = append(dst, `false`...)
	}
	return append(dst, '}')
}
