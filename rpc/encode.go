package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// member is one that requests have in common and no message has.
type member struct{ name, value string }

// plain is a message that writes its own members, each with a comma before it: nearly all requests are of the kinds that do, and
// most of what they say has been JSON for long.
type plain interface {
	appendMembers(body []byte) []byte
}

// encode is the body of a request: the message, with the contract's version in front, and these members.
func encode(e event, request any, members ...member) ([]byte, error) {
	body := make([]byte, 0, 2048)
	body = append(body, `{"contract":`...)
	body = strconv.AppendInt(body, Contract, 10)
	for _, m := range members {
		body = appendMember(body, m.name, m.value)
	}
	if message, ok := request.(plain); ok {
		return append(message.appendMembers(body), '}'), nil
	}
	message, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the %s: %w", e.name, err)
	}
	if !bytes.HasPrefix(message, []byte(`{"`)) {
		return nil, fmt.Errorf("encode the %s: there is none", e.name)
	}
	return append(append(body, ','), message[1:]...), nil
}

func appendEvent(body []byte, e *Event) []byte {
	body = appendMember(body, "id", e.ID)
	body = appendMember(body, "connection", e.Connection)
	if e.Handshake != "" {
		body = append(appendName(body, "handshake"), e.Handshake...)
	}
	return body
}

func (r *ConnectRequest) appendMembers(body []byte) []byte {
	body = appendEvent(body, &r.Event)
	if r.Protocol == nil {
		return append(appendName(body, "protocol"), "null"...)
	}
	return appendMember(body, "protocol", *r.Protocol)
}

func (r *CommandRequest) appendMembers(body []byte) []byte {
	body = appendEvent(body, &r.Event)
	body = appendMember(body, "identifier", r.Identifier)
	if len(r.Identifiers) > 0 {
		body = append(appendName(body, "identifiers"), '[')
		for i, identifier := range r.Identifiers {
			if i > 0 {
				body = append(body, ',')
			}
			body = appendString(body, identifier)
		}
		body = append(body, ']')
	}
	body = appendMember(body, "connection_state", r.ConnectionState)
	if r.State != "" {
		body = appendMember(body, "state", r.State)
	}
	if r.Data != "" {
		body = appendMember(body, "data", r.Data)
	}
	if r.Timer != nil {
		body = strconv.AppendInt(appendName(body, "timer"), int64(*r.Timer), 10)
	}
	if r.Every != 0 {
		body = strconv.AppendFloat(appendName(body, "every"), r.Every, 'g', -1, 64)
	}
	return body
}

func (r *DisconnectRequest) appendMembers(body []byte) []byte {
	body = appendEvent(body, &r.Event)
	body = appendMember(body, "connection_state", r.ConnectionState)
	body = append(appendName(body, "subscriptions"), '[')
	for i, s := range r.Subscriptions {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendString(append(body, `{"identifier":`...), s.Identifier)
		body = append(appendString(append(body, `,"state":`...), s.State), '}')
	}
	body = append(body, ']')
	if r.Partial {
		body = append(appendName(body, "partial"), "true"...)
	}
	return body
}

func appendMember(body []byte, name, value string) []byte {
	return appendString(appendName(body, name), value)
}

func appendName(body []byte, name string) []byte {
	return append(append(append(body, `,"`...), name...), `":`...)
}

// appendString appends s as JSON. Bytes that are not UTF-8 are replaced, as encoding/json does.
func appendString(body []byte, s string) []byte {
	body = append(body, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		body = append(body, s[start:i]...)
		switch {
		case c == '"' || c == '\\':
			body = append(body, '\\', c)
		case c >= utf8.RuneSelf:
			body = append(body, "\uFFFD"...)
		default:
			body = fmt.Appendf(body, `\u%04x`, c)
		}
		i += size
		start = i
	}
	return append(append(body, s[start:]...), '"')
}
