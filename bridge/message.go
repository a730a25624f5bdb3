package bridge

import (
	"bytes"
	"sync"

	"github.com/cablestay/cablestay/protocol"
	"github.com/gobwas/ws"
)

// message is one broadcast on its way to all that follow its broadcasting. All lanes share it.
type message struct {
	broadcasting string
	payload      []byte

	mu         sync.Mutex // guards the following: the last frame made, and the compressed ones
	identifier protocol.Identifier
	frame      []byte
	deflated   []deflatedFrame
}

type deflatedFrame struct {
	identifier protocol.Identifier
	frame      []byte
}

// keptDeflated is of how many identifiers a message remembers the compressed frame. A broadcasting whose followers have
// each an identifier of their own must not have a frame for each of them wait for the slowest lane.
const keptDeflated = 16

// frameFor is the message as a WebSocket frame for subscriptions with this identifier. Nearly always all
// followers have the same one, so remembering the last frame makes it once for all lanes.
func (m *message) frameFor(identifier protocol.Identifier, envelope protocol.Envelope) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.frame == nil || m.identifier != identifier {
		m.identifier, m.frame = identifier, textFrame(envelope.Append(nil, m.payload))
	}
	return m.frame
}

// deflatedFor is the frame that frameFor has made, compressed where that pays. It costs more than a frame, so lanes that
// go through several identifiers must not have each other do it again; another lane waits until it is done.
func (m *message) deflatedFor(identifier protocol.Identifier, frame []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.deflated {
		if each := &m.deflated[i]; each.identifier == identifier {
			return each.frame
		}
	}
	deflated := deflate(frame)
	if len(m.deflated) < keptDeflated {
		m.deflated = append(m.deflated, deflatedFrame{identifier, deflated})
	}
	return deflated
}

// textFrame is the payload as one unmasked text frame, ready for any number of sockets.
func textFrame(payload []byte) []byte { return frame(ws.OpText, payload) }

func frame(code ws.OpCode, payload []byte) []byte {
	return compile(ws.Header{Fin: true, OpCode: code, Length: int64(len(payload))}, payload)
}

func compile(header ws.Header, payload []byte) []byte {
	var b bytes.Buffer
	b.Grow(ws.HeaderSize(header) + len(payload))
	_ = ws.WriteHeader(&b, header) // a buffer takes all
	b.Write(payload)
	return b.Bytes()
}

// closeFrame is a close frame; reason may be empty.
func closeFrame(code ws.StatusCode, reason string) []byte {
	return frame(ws.OpClose, ws.NewCloseFrameBody(code, reason))
}
