package protocol

import "strconv"

// An Envelope is all of a message frame that its subscription decides, made once and used for every payload:
//
//	{"identifier":"{\"channel\":\"ChatChannel\"}","message":<payload>}
//
// It mirrors ActionCable::Channel::Base#transmit. Unlike Rails, which decodes and encodes a broadcast on its way to
// each subscriber, it does not touch the payload. An Envelope is immutable.
type Envelope struct {
	opening string // up to the payload
}

// NewEnvelope makes the envelope for what a subscription is sent. id is UTF-8.
func NewEnvelope(id Identifier) Envelope {
	return Envelope{opening: string(append(appendIdentifier(nil, id), `,"message":`...))}
}

// Append appends the frame that carries payload, a JSON value that [CheckPayload] accepts, byte for byte. It
// allocates only if dst is too small.
func (e Envelope) Append(dst, payload []byte) []byte {
	dst = append(dst, e.opening...)
	dst = append(dst, payload...)
	return append(dst, '}')
}

// Size is the length in bytes of a frame with a payload of so many bytes.
func (e Envelope) Size(payload int) int { return len(e.opening) + payload + 1 }

// AppendWelcome appends
//
//	{"type":"welcome"}
//
// as ActionCable::Connection::Base#send_welcome_message sends it after connect.
func AppendWelcome(dst []byte) []byte { return append(dst, `{"type":"welcome"}`...) }

// AppendPing appends the beat of a Unix time in seconds, ActionCable::Connection::Base#beat:
//
//	{"type":"ping","message":1700000000}
func AppendPing(dst []byte, unix int64) []byte {
	dst = append(dst, `{"type":"ping","message":`...)
	dst = strconv.AppendInt(dst, unix, 10)
	return append(dst, '}')
}

// AppendConfirmation appends what ActionCable::Channel::Base#transmit_subscription_confirmation sends:
//
//	{"identifier":"{\"channel\":\"ChatChannel\"}","type":"confirm_subscription"}
func AppendConfirmation(dst []byte, id Identifier) []byte {
	return append(appendIdentifier(dst, id), `,"type":"confirm_subscription"}`...)
}

// AppendRejection appends what ActionCable::Channel::Base#transmit_subscription_rejection sends:
//
//	{"identifier":"{\"channel\":\"ChatChannel\"}","type":"reject_subscription"}
func AppendRejection(dst []byte, id Identifier) []byte {
	return append(appendIdentifier(dst, id), `,"type":"reject_subscription"}`...)
}

func appendIdentifier(dst []byte, id Identifier) []byte {
	return appendString(append(dst, `{"identifier":`...), string(id))
}
