package rpc

import (
	"encoding/json"
	"fmt"
)

// EncodedHandshake is a [Handshake] as events carry it, in JSON. A connection keeps it in this form: one string in the place of
// dozens, encoded once.
type EncodedHandshake string

// Encode has bytes that are not UTF-8 replaced.
func (h *Handshake) Encode() EncodedHandshake {
	text, _ := json.Marshal(h) // strings can always be
	return EncodedHandshake(text)
}

// Decode is the way back.
func (e EncodedHandshake) Decode() (*Handshake, error) {
	h := new(Handshake)
	if err := json.Unmarshal([]byte(e), h); err != nil {
		return nil, fmt.Errorf("decode the handshake: %w", err)
	}
	return h, nil
}

// MarshalJSON implements [json.Marshaler].
func (e EncodedHandshake) MarshalJSON() ([]byte, error) { return []byte(e), nil }

// UnmarshalJSON implements [json.Unmarshaler].
func (e *EncodedHandshake) UnmarshalJSON(text []byte) error {
	if _, err := EncodedHandshake(text).Decode(); err != nil {
		return err
	}
	*e = EncodedHandshake(text)
	return nil
}
