package protocol

import "bytes"

// An Identifier names one subscription of a connection: the client's own string, byte for byte, which holds a JSON
// object such as
//
//	{"channel":"ChatChannel","room":1}
//
// Rails keys ActionCable::Connection::Subscriptions by the string: another order of members or other spaces make
// another subscription. Never encode it anew.
type Identifier string

// Channel is the name of the channel's class in the identifier, for logs. It is "" if the identifier has none. That
// the app has such a class, or that it is a channel, only Rails can say.
func (id Identifier) Channel() string {
	s := scanner{text: []byte(id)}
	if !s.begin() || s.peek() != '{' {
		return ""
	}
	var channel []byte
	if !s.object(0, func(key, value []byte) {
		if isKey(key, "channel") {
			channel = value
		}
	}) || !s.end() || len(channel) == 0 || channel[0] != '"' {
		return ""
	}
	return unquote(channel)
}

// isKey tells whether the raw string key says name: exactly, as a Ruby Hash compares, but escaped or not.
func isKey(key []byte, name string) bool {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key[1:len(key)-1]) == name
	}
	return unquote(key) == name
}
