package bridge

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
)

const (
	// deflateFrom is the length of a frame from which on it is compressed. Below, it fits into one packet as it is.
	deflateFrom = 512
	// keptBuffer is what a buffer may have grown to and still be used again.
	keptBuffer = 64 << 10
	// rsv1 marks the first frame of a compressed message (RFC 7692, 6).
	rsv1 = 1 << 2
)

// deflateTail is what a sender leaves out of every message (RFC 7692, 7.2.1), and for [flate] an end.
var deflateTail = []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}

// notDeflate has the code for data that are not what their frame says they are. RFC 7692 names none.
var notDeflate = &violation{ws.StatusInvalidFramePayloadData, "Could not inflate a compressed message"}

// acceptDeflate answers the first offer of permessage-deflate that the bridge can keep to (RFC 7692, 7.1). It is empty
// where there is none. No message refers to the ones before: a broadcast's frame is for all, and a connection keeps nothing.
func acceptDeflate(headers []string) string {
	offers, ok := httphead.ParseOptions([]byte(strings.Join(headers, ",")), nil)
	if !ok {
		return ""
	}
	for _, offer := range offers {
		if string(offer.Name) != "permessage-deflate" {
			continue
		}
		if answer, ok := answerDeflate(&offer.Parameters); ok {
			return answer
		}
	}
	return ""
}

// answerDeflate is not ok where the offer is to be declined. wsflate.Parameters has no eye for a repeated
// client_max_window_bits or a leading zero, and wsflate.Extension takes windows that [flate] can't keep to.
func answerDeflate(parameters *httphead.Parameters) (answer string, ok bool) {
	answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	ok = true
	seen := make(map[string]bool)
	parameters.ForEach(func(key, value []byte) bool {
		name := string(key)
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			ok = value == nil
		case "client_max_window_bits": // any window is inflated
			ok = value == nil || isWindowBits(string(value))
		case "server_max_window_bits":
			// The writer's window can't be made smaller.
			ok = string(value) == "15"
			answer += "; server_max_window_bits=15"
		default:
			ok = false
		}
		ok = ok && !seen[name]
		seen[name] = true
		return ok
	})
	return answer, ok
}

func isWindowBits(value string) bool {
	switch value {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}

// deflater is a writer of some 1.2 MB, far too much for each connection; so they are shared.
type deflater struct {
	writer *flate.Writer
	out    bytes.Buffer
}

// In what Action Cable sends, the better levels take longer and save next to nothing more.
var deflaters = sync.Pool{New: func() any {
	d := new(deflater)
	d.writer, _ = flate.NewWriter(&d.out, flate.BestSpeed) // fails for an unknown level only
	return d
}}

// deflate is the same message as the text frame, compressed. Where that would be no shorter it is the frame itself.
func deflate(frame []byte) []byte {
	if len(frame) < deflateFrom {
		return frame
	}
	d := deflaters.Get().(*deflater)
	defer d.release()
	d.out.Reset()
	d.writer.Reset(&d.out)
	// A buffer takes all.
	_, _ = d.writer.Write(payloadOf(frame))
	_ = d.writer.Flush()
	compressed := bytes.TrimSuffix(d.out.Bytes(), deflateTail[:4])
	header := ws.Header{Fin: true, Rsv: rsv1, OpCode: ws.OpText, Length: int64(len(compressed))}
	if ws.HeaderSize(header)+len(compressed) >= len(frame) {
		return frame
	}
	return compile(header, compressed)
}

func (d *deflater) release() {
	if d.out.Cap() > keptBuffer {
		d.out = bytes.Buffer{}
	}
	deflaters.Put(d)
}

// payloadOf is what an unmasked frame of ours carries.
func payloadOf(frame []byte) []byte {
	header, _ := ws.ReadHeader(bytes.NewReader(frame)) // we have made it
	return frame[ws.HeaderSize(header):]
}

// inflater is a reader of some 40 KB, shared as writers are. What it makes is good until its release.
type inflater struct {
	reader io.ReadCloser // a flate.Resetter
	source source
	out    []byte
}

var inflaters = sync.Pool{New: func() any {
	i := new(inflater)
	i.reader = flate.NewReader(&i.source)
	return i
}}

// inflating has as many places as there are cores. Whoever inflates may need the room of a whole message, and more of them at a
// time would be no faster. Pollers are as many; it is the portable one's goroutines that may have to wait.
var inflating = make(chan struct{}, runtime.GOMAXPROCS(0))

// takeInflater is to be followed by a release.
func takeInflater() *inflater {
	inflating <- struct{}{}
	return inflaters.Get().(*inflater)
}

// inflate makes the message of a compressed payload, or of as much of it as is needed to see that the message has more bytes than
// most. It never has room for more than that.
func (i *inflater) inflate(payload []byte, most int) ([]byte, *violation) {
	i.source = source{payload, deflateTail}
	i.restart()
	i.out = i.out[:0]
	var beyond [1]byte
	for {
		if len(i.out) == cap(i.out) && cap(i.out) < most {
			i.grow(most)
		}
		room := i.out[len(i.out):min(cap(i.out), most)]
		if len(room) == 0 {
			room = beyond[:]
		}
		n, err := i.reader.Read(room)
		if len(i.out)+n > most {
			return nil, tooLarge
		}
		i.out = i.out[:len(i.out)+n]
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return nil, notDeflate
		case len(i.source.payload) == 0:
			return i.out, nil
		default:
			i.restart() // a block that says it is the last need not be (RFC 7692, 7.2.3.4)
		}
	}
}

func (i *inflater) restart() {
	_ = i.reader.(flate.Resetter).Reset(&i.source, nil) // never fails
}

// grow makes little of what a client only promises.
func (i *inflater) grow(most int) {
	grown := make([]byte, len(i.out), min(max(2*cap(i.out), 4096), most))
	copy(grown, i.out)
	i.out = grown
}

func (i *inflater) release() {
	i.source = source{}
	if cap(i.out) > keptBuffer {
		i.out = nil
	}
	inflaters.Put(i)
	<-inflating
}

// source is a payload and then the tail, byte by byte if need be: a reader that had to buffer would read beyond a last block.
type source struct{ payload, tail []byte }

func (s *source) rest() *[]byte {
	if len(s.payload) > 0 {
		return &s.payload
	}
	return &s.tail
}

func (s *source) ReadByte() (byte, error) {
	rest := s.rest()
	if len(*rest) == 0 {
		return 0, io.EOF
	}
	b := (*rest)[0]
	*rest = (*rest)[1:]
	return b, nil
}

func (s *source) Read(p []byte) (int, error) {
	rest := s.rest()
	if len(*rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, *rest)
	*rest = (*rest)[n:]
	return n, nil
}
