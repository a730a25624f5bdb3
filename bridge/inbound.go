package bridge

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// maxMessage is what websocket-driver takes: 0x3ffffff bytes, all frames of a message together.
const maxMessage = 0x3ffffff

// inbound takes WebSocket frames out of what a socket reads. It keeps bytes only while a frame or a message is
// incomplete; an idle connection has nothing here.
type inbound struct {
	begun *begun // nil, nearly always
	over  bool   // a close frame or a violation has come: the rest is nobody's business
}

// begun is what has not come in whole.
type begun struct {
	partial    []byte // of a frame
	message    []byte // of a fragmented message
	fragmented bool
	opCode     ws.OpCode // of that message
	deflated   bool      // that message
}

// A frameReceiver gets what inbound finds. The bytes are its own during the call only.
type frameReceiver interface {
	takesDeflated() bool // whether compressed messages were agreed upon
	receiveMessage(p []byte)
	receivePing(p []byte)
	receiveClose(code ws.StatusCode, reason string)
}

// violation is what a client did against RFC 6455, as the close frame that answers it.
type violation struct {
	code   ws.StatusCode
	reason string
}

// The words are websocket-driver's.
var (
	tooLarge = &violation{ws.StatusMessageTooBig, "WebSocket frame length too large"}
	notUTF8  = &violation{ws.StatusInvalidFramePayloadData, "Could not decode a text frame as UTF-8"}
	unmasked = &violation{ws.StatusUnsupportedData, "Received unmasked frame but masking is required"}
)

// read takes bytes in, unmasks them where they lie, and hands on every message, ping and close that is complete.
// After a violation, or a close, it takes no more.
func (in *inbound) read(p []byte, to frameReceiver) *violation {
	if in.over {
		return nil
	}
	wrong := in.readFrames(p, to)
	if wrong != nil {
		in.over = true
	}
	if in.over {
		in.begun = nil
	}
	return wrong
}

func (in *inbound) readFrames(p []byte, to frameReceiver) *violation {
	buffered := in.begun != nil && len(in.begun.partial) > 0
	if buffered {
		in.begun.partial = append(in.begun.partial, p...)
		p = in.begun.partial
	}
	rest := p
	for len(rest) > 0 && !in.over {
		n, wrong := in.readFrame(rest, to)
		if wrong != nil {
			return wrong
		}
		if n == 0 {
			break
		}
		rest = rest[n:]
	}
	switch {
	case len(rest) == 0:
		in.forgetPartial()
	case buffered && len(rest) == len(p): // a long frame is still coming in: it is all there already
	default:
		in.half().partial = bytes.Clone(rest)
	}
	return nil
}

// half is what has not come in whole, to be added to.
func (in *inbound) half() *begun {
	if in.begun == nil {
		in.begun = new(begun)
	}
	return in.begun
}

func (in *inbound) forgetPartial() {
	if in.begun == nil {
		return
	}
	if in.begun.partial = nil; !in.begun.fragmented {
		in.begun = nil
	}
}

// readFrame handles the frame at the start of p and tells its length: 0 where it is not all there yet.
func (in *inbound) readFrame(p []byte, to frameReceiver) (int, *violation) {
	reader := bytes.NewReader(p)
	header, err := ws.ReadHeader(reader)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, nil
	}
	if err != nil {
		return 0, &violation{ws.StatusProtocolError, err.Error()}
	}
	if wrong := in.check(header, to); wrong != nil {
		return 0, wrong
	}
	start := len(p) - reader.Len()
	if header.Length > int64(reader.Len()) {
		return 0, nil
	}
	end := start + int(header.Length)
	payload := p[start:end]
	ws.Cipher(payload, header.Mask, 0)
	return end, in.receive(header, payload, to)
}

func (in *inbound) fragmented() bool { return in.begun != nil && in.begun.fragmented }

// check says what is wrong with a frame before its payload is there.
func (in *inbound) check(header ws.Header, to frameReceiver) *violation {
	if !header.Masked {
		return unmasked
	}
	// Of no other frame may the bit be set, RFC 7692, 6.1.
	if (header.OpCode == ws.OpText || header.OpCode == ws.OpBinary) && header.Rsv1() && to.takesDeflated() {
		header.Rsv &^= rsv1
	}
	state := ws.StateServerSide
	kept := 0
	if in.fragmented() {
		state = state.Set(ws.StateFragmented)
		kept = len(in.begun.message)
	}
	if err := ws.CheckHeader(header, state); err != nil {
		return &violation{ws.StatusProtocolError, err.Error()}
	}
	if header.Length < 0 || !header.OpCode.IsControl() && header.Length > maxMessage-int64(kept) {
		return tooLarge
	}
	return nil
}

func (in *inbound) receive(header ws.Header, payload []byte, to frameReceiver) *violation {
	switch header.OpCode {
	case ws.OpPing:
		to.receivePing(payload)
		return nil
	case ws.OpPong:
		return nil
	case ws.OpClose:
		in.over = true
		return receiveClose(payload, to)
	}
	opCode, deflated := header.OpCode, header.Rsv1()
	if !header.Fin {
		b := in.half()
		if opCode != ws.OpContinuation {
			b.opCode, b.deflated = opCode, deflated
		}
		b.fragmented = true
		b.message = append(b.message, payload...)
		return nil
	}
	if in.fragmented() {
		b := in.begun
		opCode, deflated, payload = b.opCode, b.deflated, append(b.message, payload...)
		b.message, b.fragmented = nil, false
	}
	if deflated {
		i := takeInflater()
		defer i.release()
		var wrong *violation
		if payload, wrong = i.inflate(payload, maxMessage); wrong != nil {
			return wrong
		}
	}
	if opCode == ws.OpText && !utf8.Valid(payload) {
		return notUTF8
	}
	to.receiveMessage(payload)
	return nil
}

// receiveClose reads a close frame's body. RFC 6455, 7.4.1 and 7.4.2 say which codes a client may send.
func receiveClose(payload []byte, to frameReceiver) *violation {
	if len(payload) == 0 {
		to.receiveClose(ws.StatusNormalClosure, "")
		return nil
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		return &violation{ws.StatusProtocolError, err.Error()}
	}
	to.receiveClose(code, reason)
	return nil
}
