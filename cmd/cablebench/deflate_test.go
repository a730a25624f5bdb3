//go:build linux

package main

import (
	"compress/flate"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gobwas/ws/wsflate"
)

var withoutTakeover = &wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}

func TestFanout_CountsCompressedDeliveriesHoweverTheFramesCome(t *testing.T) {
	for _, style := range []string{"", "fragments", "bytes"} {
		f := newDeflatingFake(t, withoutTakeover)
		f.style = style
		r := drive(t, f, "fanout", "-deflate", "-payload", "json", "-m", "40", "-warmup", "2", "-size", "4096", "-window", "3")
		want(t, r, "received", 120)
		want(t, r, "compressed", 120)
		want(t, r, "lost", 0)
		want(t, r, "duplicates", 0)
		want(t, r, "out_of_order", 0)
		want(t, r, "unexpected_messages", 0)
		want(t, r, "text_bytes_per_delivery", 4096+float64(len(delivery(nil))))
		if wire, _ := r["wire_bytes_per_delivery"].(float64); wire < 500 || wire > 2048 {
			t.Errorf("%q: %v bytes on the wire, want less than half of the text", style, wire)
		}
	}
}

func TestFanout_CountsWhatIsOnTheWireWhereNothingIsCompressed(t *testing.T) {
	r := drive(t, newFake(t), "fanout", "-deflate", "-m", "4", "-size", "300") // the server does not take the offer
	want(t, r, "compressed", 0)
	want(t, r, "received", 12)
	text := 300 + float64(len(delivery(nil)))
	want(t, r, "text_bytes_per_delivery", text)
	want(t, r, "wire_bytes_per_delivery", text+4)
}

func TestFanout_DropsAConnectionWhoseCompressedMessageIsBroken(t *testing.T) {
	f := newDeflatingFake(t, withoutTakeover)
	f.style = "broken"
	r := drive(t, f, "fanout", "-deflate", "-m", "1", "-warmup", "0", "-size", "300", "-timeout", "300ms")
	want(t, r, "received", 0)
	want(t, r, "lost", 3)
	want(t, r, "dropped", 3)
}

func TestHandshake_TakesOnlyWhatWasOffered(t *testing.T) {
	response := "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + wantAccept + "\r\n"
	for extension, says := range map[string]string{
		"permessage-deflate; server_no_context_takeover":                             "",
		"permessage-deflate; server_no_context_takeover; client_no_context_takeover": "",
		"permessage-deflate; server_max_window_bits=10; server_no_context_takeover":  "",
		"permessage-deflate": "did not agree to server_no_context_takeover",
		"permessage-deflate; server_no_context_takeover; client_max_window_bits=10": "client_max_window_bits",
		"permessage-deflate; server_no_context_takeover, x-webkit-deflate-frame":    "not offered",
		"x-webkit-deflate-frame": "not offered",
	} {
		head := []byte(response + "Sec-WebSocket-Extensions: " + extension + "\r\n")
		why, deflate := (&config{deflate: true}).checkUpgrade(head)
		if deflate != (says == "") || (why == "") != (says == "") || !strings.Contains(why, says) {
			t.Errorf("%s: got %q, %v, want that it says %q", extension, why, deflate, says)
		}
		if why, deflate := new(config).checkUpgrade(head); deflate || !strings.Contains(why, "not offered") {
			t.Errorf("%s without an offer: got %q, %v", extension, why, deflate)
		}
	}
	if why, deflate := (&config{deflate: true}).checkUpgrade([]byte(response)); why != "" || deflate {
		t.Errorf("a server that takes no offer: got %q, %v", why, deflate)
	}
}

func TestInflater_RemembersWhatComesAgainAndTellsOthersApart(t *testing.T) {
	var in inflater
	compressed := make([][]byte, 3*len(in.recent))
	text := func(i int) string { return fmt.Sprintf("message %d: %s", i, strings.Repeat("again and ", 100+i)) }
	for i := range compressed {
		compressed[i], _ = wsflate.DefaultHelper.Compress([]byte(text(i)))
	}
	for i := range compressed {
		for _, n := range []int{i, max(0, i-20), i} { // one that has just come, one from before, one again
			if got, err := in.text(compressed[n]); err != nil || string(got) != text(n) {
				t.Fatalf("message %d: got %.40q, %v", n, got, err)
			}
		}
	}
	last := compressed[len(compressed)-1]
	if n := testing.AllocsPerRun(100, func() { _, _ = in.text(last) }); n != 0 {
		t.Errorf("%v allocations for a message that has come before, want none", n)
	}
	var corrupt flate.CorruptInputError
	if _, err := in.text([]byte{0x06}); !errors.As(err, &corrupt) {
		t.Errorf("got %v for what is no deflate, want a corrupt input", err)
	}
}

func TestRun_KnowsItsPayloads(t *testing.T) {
	if err := run("fanout", []string{"-payload", "poems", "-pid", fmt.Sprint(os.Getpid())}); err == nil || !strings.Contains(err.Error(), `-payload: "poems"`) {
		t.Errorf("got %v", err)
	}
}
