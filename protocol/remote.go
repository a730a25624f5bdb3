package protocol

// InternalPrefix, with a connection identifier behind it, is the broadcasting on which Rails tells the connections
// of that identifier to end: ActionCable::Connection::InternalChannel. The adapter's channel_prefix goes in front.
const InternalPrefix = "action_cable/"

// RemoteDisconnect is what a message on an internal broadcasting asks for.
type RemoteDisconnect struct {
	Disconnect Disconnect
	// Failed is set where Action Cable raises on the message, logs that and closes the connection, with the
	// frame in every version of Rails: reason null, reconnect true.
	Failed bool
}

// ParseRemote reads a message of an internal broadcasting as
// ActionCable::Connection::InternalChannel#process_internal_message does, and tells whether there is anything to do:
//
//	{"type":"disconnect","reconnect":false}   reason remote, with the value of reconnect, whatever it is
//	{"type":"disconnect"}                     reason remote, reconnect true (Rails before 7.1 publishes this)
//	{"type":"other"}  "text"  no JSON         ignored
//	[]  5  true  null                         Failed
func ParseRemote(payload []byte) (RemoteDisconnect, bool) {
	s := scanner{text: payload}
	if !s.begin() {
		return RemoteDisconnect{}, false
	}
	var disconnects bool
	var reconnect []byte
	opening := s.peek()
	if opening != '{' {
		if !s.value(0) || !s.end() || opening == '"' {
			return RemoteDisconnect{}, false
		}
		return RemoteDisconnect{Failed: true, Disconnect: Disconnect{Reconnect: true}}, true
	}
	if !s.object(0, func(key, value []byte) {
		switch {
		case isKey(key, "type"):
			disconnects = value[0] == '"' && isKey(value, "disconnect")
		case isKey(key, "reconnect"):
			reconnect = value
		}
	}) || !s.end() || !disconnects {
		return RemoteDisconnect{}, false
	}
	d := Disconnect{Reason: Remote, Reconnect: true}
	switch string(reconnect) {
	case "", "true":
	case "false":
		d.Reconnect = false
	default:
		d.Reconnect = truthy(reconnect)
		d.RawReconnect = string(reconnect)
	}
	return RemoteDisconnect{Disconnect: d}, true
}

// truthy is what a client's JavaScript makes of the value.
func truthy(raw []byte) bool {
	switch string(raw) {
	case "null", `""`, "0", "-0":
		return false
	}
	return true
}
