package bridge

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// inflateAtMost is the message of a compressed payload.
func inflateAtMost(payload []byte, most int) (string, *violation) {
	i := takeInflater()
	defer i.release()
	message, wrong := i.inflate(payload, most)
	return string(message), wrong
}

// deflatePayload is what a client may send.
func deflatePayload(t testing.TB, message string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(message))
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func TestInflate_ReadsTheExamplesOfRFC7692(t *testing.T) {
	for name, payload := range map[string]string{
		"7.2.3.1, one block":                "\xf2\x48\xcd\xc9\xc9\x07\x00",
		"7.2.3.3, not compressed":           "\x00\x05\x00\xfa\xffHello\x00",
		"7.2.3.4, a last block":             "\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
		"7.2.3.5, two blocks":               "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
		"a last block and nothing after it": "\xf3\x48\xcd\xc9\xc9\x07\x00",
	} {
		if got, wrong := inflateAtMost([]byte(payload), 5); wrong != nil || got != "Hello" {
			t.Errorf("%s: got %q %v, want Hello", name, got, wrong)
		}
	}
	if got, wrong := inflateAtMost([]byte{0}, 0); wrong != nil || got != "" {
		t.Errorf("7.2.3.6, nothing: got %q %v", got, wrong)
	}
	twice := strings.Repeat("\xf3\x48\xcd\xc9\xc9\x07\x00", 2)
	if got, wrong := inflateAtMost([]byte(twice), 10); wrong != nil || got != "HelloHello" {
		t.Errorf("two last blocks: got %q %v, want Hello twice", got, wrong)
	}
}

func TestInflate_HasRoomForNoMoreThanAMessageMayHave(t *testing.T) {
	for _, most := range []int{1, 4095, 4096, 4097, 100_000, 1 << 20} {
		fits, bomb := deflatePayload(t, strings.Repeat("0", most)), deflatePayload(t, strings.Repeat("0", most+1))
		i := &inflater{}
		i.reader = flate.NewReader(&i.source)
		if message, wrong := i.inflate(fits, most); wrong != nil || len(message) != most {
			t.Errorf("%d bytes: got %d and %v", most, len(message), wrong)
		}
		if _, wrong := i.inflate(bomb, most); wrong != tooLarge {
			t.Errorf("%d bytes and one more: got %v, want %v", most, wrong, tooLarge)
		}
		if cap(i.out) > most {
			t.Errorf("there was room for %d bytes, want no more than %d", cap(i.out), most)
		}
	}
}

func TestInflater_IsAsGoodAsNewAfterAnyMessage(t *testing.T) {
	i := &inflater{}
	i.reader = flate.NewReader(&i.source)
	good := deflatePayload(t, "Hello")
	for _, before := range [][]byte{nil, {0xff}, good[:3], deflatePayload(t, strings.Repeat("long ", 100_000))} {
		_, _ = i.inflate(before, 1<<20)
		if message, wrong := i.inflate(good, 5); wrong != nil || string(message) != "Hello" {
			t.Errorf("after %.20q: got %q %v, want Hello", before, message, wrong)
		}
	}
}

func TestDeflate_LeavesAloneWhatWouldBeNoShorter(t *testing.T) {
	noise := make([]byte, 10_000)
	_, _ = rand.Read(noise) // never fails
	for _, payload := range [][]byte{nil, []byte("short"), bytes.Repeat([]byte("0"), deflateFrom-5), noise} {
		plain := textFrame(payload)
		if got := deflate(plain); &got[0] != &plain[0] {
			t.Errorf("%d bytes became %d", len(plain), len(got))
		}
	}
}

func TestDeflate_RefersToNoOtherMessage(t *testing.T) {
	text := `"` + strings.Repeat("the same again ", 200) + `"`
	first := deflate(textFrame([]byte(text)))
	for range 10 {
		again := deflate(textFrame([]byte(text)))
		message, wrong := inflateAtMost(payloadOf(again), len(text))
		if wrong != nil || message != text || !bytes.Equal(first, again) {
			t.Fatalf("got %.100q %v, want the text, and the same bytes each time", message, wrong)
		}
	}
}

// deflating is a received that agreed to compressed messages.
type deflating struct{ received }

func (*deflating) takesDeflated() bool { return true }

// readDeflatedInPieces is readInPieces for one that agreed to compressed messages.
func readDeflatedInPieces(input []byte, pieces ...int) received {
	var got deflating
	return readInPiecesTo(&got, &got.received, input, pieces...)
}

func compressedFrame(f ws.Frame) ws.Frame {
	f.Header.Rsv = rsv1
	return f
}

func TestInbound_FindsTheSameInCompressedMessagesHoweverTheBytesArrive(t *testing.T) {
	halves := deflatePayload(t, "two halves")
	input := masked(t,
		compressedFrame(ws.NewTextFrame(deflatePayload(t, "one"))), ws.NewPingFrame([]byte("p")),
		compressedFrame(ws.NewFrame(ws.OpText, false, halves[:4])), ws.NewPongFrame(nil), ws.NewFrame(ws.OpContinuation, true, halves[4:]),
		ws.NewTextFrame([]byte("plain")), ws.NewFrame(ws.OpText, false, []byte("pla")), ws.NewFrame(ws.OpContinuation, true, []byte("in too")),
		compressedFrame(ws.NewTextFrame(deflatePayload(t, strings.Repeat("long ", 20000)))),
	)
	want := received{
		"message one", "ping p", "message two halves", "message plain", "message plain too", "message " + strings.Repeat("long ", 20000), "0 bytes kept",
	}
	for _, pieces := range [][]int{{len(input)}, {1}, {2, 3}, {4096}, {7, 1, 64}} {
		if got := readDeflatedInPieces(input, pieces...); !slices.Equal(got, want) {
			t.Errorf("in pieces of %d: got %.200q", pieces, got)
		}
	}
}

func FuzzInboundDeflated(f *testing.F) {
	command := deflatePayload(f, `{"command":"subscribe","identifier":"{}"}`)
	f.Add(masked(f, compressedFrame(ws.NewTextFrame(command))), uint8(3), uint8(200))
	f.Add(masked(f, compressedFrame(ws.NewFrame(ws.OpText, false, command[:3])), ws.NewFrame(ws.OpContinuation, true, command[3:])), uint8(1), uint8(1))
	f.Add(masked(f, compressedFrame(ws.NewBinaryFrame([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00")))), uint8(5), uint8(9))
	f.Add(masked(f, compressedFrame(ws.NewPingFrame(nil))), uint8(5), uint8(9))
	f.Fuzz(func(t *testing.T, input []byte, a, b uint8) {
		whole := readDeflatedInPieces(input, max(len(input), 1))
		pieces := readDeflatedInPieces(input, int(a), int(b))
		if !slices.Equal(whole, pieces) {
			t.Errorf("at once: %q\nin pieces: %q", whole, pieces)
		}
	})
}

func FuzzInflate(f *testing.F) {
	f.Add(deflatePayload(f, "Hello"), uint16(5))
	f.Add(deflatePayload(f, strings.Repeat("0", 1<<16)), uint16(1000))
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), uint16(0))
	f.Add(bytes.Repeat([]byte{3, 0}, 100), uint16(9))
	f.Fuzz(func(t *testing.T, payload []byte, most uint16) {
		i := &inflater{}
		i.reader = flate.NewReader(&i.source)
		given := bytes.Clone(payload)
		message, wrong := i.inflate(payload, int(most))
		if cap(i.out) > int(most) || !bytes.Equal(given, payload) {
			t.Errorf("room for %d bytes, want at most %d, and the payload as it was", cap(i.out), most)
		}
		if wrong != nil {
			return
		}
		again, wrong := inflateAtMost(deflatePayload(t, string(message)), int(most))
		if wrong != nil || again != string(message) {
			t.Errorf("got %q %v, want %q again", again, wrong, message)
		}
	})
}

func FuzzDeflate(f *testing.F) {
	f.Add(`"short"`, uint8(1))
	f.Add(`"again and again"`, uint8(200))
	f.Fuzz(func(t *testing.T, text string, times uint8) {
		text = strings.Repeat(text, int(times))
		plain := textFrame([]byte(text))
		compressed := deflate(plain)
		if len(compressed) > len(plain) {
			t.Errorf("%d bytes became %d", len(plain), len(compressed))
		}
		if &compressed[0] == &plain[0] {
			return
		}
		message, wrong := inflateAtMost(payloadOf(compressed), len(text))
		if wrong != nil || message != text {
			t.Errorf("got %q %v, want %q", message, wrong, text)
		}
	})
}

func FuzzAcceptDeflate(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", "")
	f.Add(`permessage-deflate; server_max_window_bits="10", permessage-deflate`, `x; y="a\"b,"`)
	f.Fuzz(func(t *testing.T, one, other string) {
		answer := acceptDeflate([]string{one, other})
		if answer != "" && !strings.Contains(one+","+other, "permessage-deflate") {
			t.Errorf("accepted %q, which nobody has offered", answer)
		}
	})
}
