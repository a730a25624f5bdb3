//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	"github.com/gobwas/ws/wsutil"
)

// fake is a tiny Action Cable server with faults to order.
type fake struct {
	mu      sync.Mutex
	conns   []net.Conn
	n       int
	held    []byte
	lose    int                 // drop this broadcast for the first connection
	loseAll bool                // and for all others
	swap    int                 // deliver this broadcast after the next one
	twice   int                 // deliver this broadcast twice to the first connection
	rooms   bool                // keep streams apart
	busy    time.Duration       // takes so long for each broadcast to the first of two streams
	joined  map[net.Conn]string // who follows what
	pub     net.Listener
	ln      net.Listener
	style   string
	deflate *wsflate.Parameters // what it agrees to, and compresses broadcasts with
}

func newFake(t *testing.T) *fake { return newDeflatingFake(t, nil) }

func newDeflatingFake(t *testing.T, agreesTo *wsflate.Parameters) *fake {
	f := &fake{lose: -1, swap: -1, twice: -1, joined: make(map[net.Conn]string), deflate: agreesTo}
	var err error
	if f.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if f.pub, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = f.ln.Close(), f.pub.Close() })
	go servePublish(f.pub, f.publish)
	go func() {
		for {
			c, err := f.ln.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	return f
}

func (f *fake) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	u := ws.Upgrader{Protocol: func(p []byte) bool { return string(p) == "actioncable-v1-json" }}
	if f.deflate != nil {
		u.Negotiate = (&wsflate.Extension{Parameters: *f.deflate}).Negotiate
	}
	if _, err := u.Upgrade(c); err != nil {
		return
	}
	_ = wsutil.WriteServerText(c, []byte(`{"type": "welcome"}`))
	for {
		b, err := wsutil.ReadClientText(c)
		if err != nil {
			return
		}
		var m struct{ Command, Identifier, Data string }
		_ = json.Unmarshal(b, &m)
		id, _ := json.Marshal(m.Identifier)
		switch m.Command {
		case "subscribe":
			_ = wsutil.WriteServerText(c, []byte(`{"type":"ping","message":1}`))
			f.mu.Lock()
			f.conns = append(f.conns, c)
			f.joined[c] = streamIn(m.Identifier)
			_ = wsutil.WriteServerText(c, fmt.Appendf(nil, `{"identifier":%s,"type":"confirm_subscription"}`, id))
			f.mu.Unlock()
		case "message":
			f.mu.Lock()
			_ = wsutil.WriteServerText(c, fmt.Appendf(nil, `{"identifier":%s,"message":%s}`, id, m.Data))
			f.mu.Unlock()
		}
	}
}

func streamIn(identifier string) string {
	var params struct{ Stream string }
	_ = json.Unmarshal([]byte(identifier), &params)
	return params.Stream
}

func (f *fake) publish(channel, payload []byte) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if string(channel) == "bench-0" {
		time.Sleep(f.busy)
	}
	i := f.n
	f.n++
	out := [][]byte{payload}
	if i == f.swap {
		f.held = append([]byte(nil), payload...)
		return len(f.conns)
	}
	if f.held != nil {
		out = append(out, f.held)
		f.held = nil
	}
	for _, p := range out {
		for j, c := range f.conns {
			if i == f.lose && (j == 0 || f.loseAll) || f.rooms && f.joined[c] != string(channel) {
				continue
			}
			if j == 0 && i == f.twice {
				f.write(c, delivery(p))
			}
			f.write(c, delivery(p))
		}
	}
	return len(f.conns)
}

func (f *fake) write(c net.Conn, text []byte) {
	first := ws.NewTextFrame(text)
	if f.deflate != nil && len(text) > 100 {
		text, _ = wsflate.DefaultHelper.Compress(text)
		if f.style == "broken" {
			text[0] |= 0x06 // there is no such kind of block
		}
		first = ws.NewTextFrame(text)
		first.Header.Rsv = ws.Rsv(true, false, false)
	}
	switch f.style {
	case "fragments":
		h := len(text) / 2
		first.Header.Fin, first.Header.Length, first.Payload = false, int64(h), text[:h]
		_, _ = c.Write(ws.MustCompileFrame(first))
		_, _ = c.Write(ws.MustCompileFrame(ws.NewFrame(ws.OpPing, true, []byte("x"))))
		_, _ = c.Write(ws.MustCompileFrame(ws.NewFrame(ws.OpContinuation, true, text[h:])))
	case "bytes":
		b := ws.MustCompileFrame(first)
		for i := 0; i < len(b); i += 50 {
			_, _ = c.Write(b[i:min(i+50, len(b))])
		}
	default:
		_, _ = c.Write(ws.MustCompileFrame(first))
	}
}

func drive(t *testing.T, f *fake, mode string, extra ...string) map[string]any {
	t.Helper()
	out := filepath.Join(t.TempDir(), "r.json")
	args := append([]string{"-url", "ws://" + f.ln.Addr().String() + "/cable", "-redis", f.pub.Addr().String(), "-n", "3", "-settle", "20ms",
		"-json", out, "-pid", fmt.Sprint(os.Getpid())}, extra...)
	if err := run(mode, args); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var r struct{ Results []map[string]any }
	if err := json.Unmarshal(b, &r); err != nil || len(r.Results) == 0 {
		t.Fatalf("%v: %s", err, b)
	}
	return r.Results[len(r.Results)-1]
}

func want(t *testing.T, r map[string]any, field string, v float64) {
	t.Helper()
	if got, _ := r[field].(float64); got != v {
		t.Errorf("%s = %v, want %v", field, r[field], v)
	}
}

func delivery(payload []byte) []byte {
	return []byte(`{"identifier":"{\"channel\":\"BenchChannel\",\"stream\":\"bench\"}","message":` + string(payload) + `}`)
}

func TestFanout_CountsEveryDeliveryHoweverTheFramesCome(t *testing.T) {
	for _, style := range []string{"", "fragments", "bytes"} {
		f := newFake(t)
		f.style = style
		r := drive(t, f, "fanout", "-m", "8", "-warmup", "2", "-size", "300", "-window", "3")
		want(t, r, "received", 24)
		want(t, r, "lost", 0)
		want(t, r, "duplicates", 0)
		want(t, r, "out_of_order", 0)
		want(t, r, "unexpected_messages", 0)
	}
}

func TestFanout_TellsOfAMessageThatIsLost(t *testing.T) {
	f := newFake(t)
	f.lose = 2
	r := drive(t, f, "fanout", "-m", "5", "-warmup", "0", "-timeout", "300ms")
	want(t, r, "received", 14)
	want(t, r, "lost", 1)
	want(t, r, "duplicates", 0)
	want(t, r, "out_of_order", 0)
}

func TestFanout_TellsOfAMessageThatComesTwice(t *testing.T) {
	f := newFake(t)
	f.twice = 1
	r := drive(t, f, "fanout", "-m", "5", "-warmup", "0")
	want(t, r, "received", 15)
	want(t, r, "lost", 0)
	want(t, r, "duplicates", 1)
	want(t, r, "out_of_order", 0)
}

func TestFanout_TellsOfMessagesThatSwapPlaces(t *testing.T) {
	f := newFake(t)
	f.swap = 1
	r := drive(t, f, "fanout", "-m", "5", "-warmup", "0", "-rate", "200")
	want(t, r, "received", 15)
	want(t, r, "lost", 0)
	want(t, r, "duplicates", 0)
	want(t, r, "out_of_order", 3)
}

func TestRooms_EachConnectionGetsTheMessagesOfItsStream(t *testing.T) {
	f := newFake(t)
	r := drive(t, f, "rooms", "-k", "3", "-m", "6", "-warmup", "0", "-timeout", "300ms")
	want(t, r, "k", 3)
	if unexpected, _ := r["unexpected_messages"].(float64); unexpected == 0 { // the fake sends everything to everyone
		t.Error("messages of other streams were not noticed")
	}
}

func TestEcho_CountsReplies(t *testing.T) {
	r := drive(t, newFake(t), "echo", "-duration", "200ms")
	if replies, _ := r["replies"].(float64); replies < 3 {
		t.Errorf("got %v replies", r["replies"])
	}
	want(t, r, "clients_without_last_reply", 0)
}

func TestAvalanche_EverybodyComesBack(t *testing.T) {
	r := drive(t, newFake(t), "avalanche", "-rounds", "2")
	want(t, r, "n", 3)
	want(t, r, "failed_attempts", 0)
}

func TestIdle_HoldsEverybody(t *testing.T) {
	want(t, drive(t, newFake(t), "idle", "-hold", "50ms"), "dropped", 0)
}

func TestRun_NamesWhatIsWrong(t *testing.T) {
	for args, says := range map[string]string{
		"idle -url ws://192.0.2.1:80/cable": "192.0.2.1:80 is not a loopback address",
		"idle -redis 192.0.2.1:6379":        "192.0.2.1:6379 is not a loopback address",
		"idle -url http://127.0.0.1":        "-url",
		"fanout -size 12,x":                 `-size: "x"`,
		"idle -pid 0":                       "no process 0",
		"rails -listen 192.0.2.1:80":        "not a loopback address",
		"goloop -listen 192.0.2.1:80":       "not a loopback address",
		"jump":                              `no command "jump"`,
	} {
		words := strings.Fields(args)
		if err := run(words[0], words[1:]); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want that it says %s", args, err, says)
		}
	}
}
