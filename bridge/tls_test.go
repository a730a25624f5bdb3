package bridge_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cablestay/cablestay/rpc"
	"github.com/gobwas/ws"
)

// DialOver opens a WebSocket on a TLS session that lies on what under makes of its connection.
func (b *testBridge) DialOver(under func(net.Conn) net.Conn, change ...func(*tls.Config)) *client {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.address()) //nolint:noctx // loopback
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	config := b.tls.Clone()
	config.ServerName = "127.0.0.1"
	for _, c := range change {
		c(config)
	}
	return b.upgrade(tls.Client(under(conn), config), "Host: example.test\r\nConnection: Upgrade\r\n", nil)
}

func asItIs(conn net.Conn) net.Conn { return conn }

func tls12(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }

// eachVersion is for what is not the same in TLS 1.2 and 1.3.
func eachVersion(t *testing.T, test func(t *testing.T, change func(*tls.Config))) {
	t.Helper()
	t.Run("1.2", func(t *testing.T) { test(t, tls12) })
	t.Run("1.3", func(t *testing.T) { test(t, func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }) })
}

// dribbling is a connection that sends a few bytes at a time.
type dribbling struct {
	net.Conn
	size int
}

func (c dribbling) Write(p []byte) (int, error) {
	for n := 0; n < len(p); n += c.size {
		if _, err := c.Conn.Write(p[n:min(n+c.size, len(p))]); err != nil {
			return n, err
		}
	}
	return len(p), nil
}

func TestTLS_RailsIsToldOfIt(t *testing.T) {
	eachTLS(t, func(t *testing.T, kind polling) {
		scheme := make(chan string, 1)
		b := startBridge(t, &fakeRails{OnConnect: func(_ context.Context, request *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
			scheme <- decoded(request).Scheme
			return welcome("ann"), nil
		}}, on(kind))
		b.Welcomed()
		if got := <-scheme; got != "https" {
			t.Errorf("got scheme %q, want https", got)
		}
	})
}

func TestTLS_IsHTTP11AndNotOlderThan12(t *testing.T) {
	b := startBridge(t, &fakeRails{}, on(nativeTLS))
	both := b.tls.Clone()
	both.NextProtos = []string{"h2", "http/1.1"}
	conn, err := tls.Dial("tcp", b.address(), both)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("got protocol %q, want http/1.1", got)
	}
	_ = conn.Close()
	old := b.tls.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if conn, err := tls.Dial("tcp", b.address(), old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 was taken")
	}
}

func TestTLS_ARecordMayComeInPieces(t *testing.T) {
	eachVersion(t, func(t *testing.T, version func(*tls.Config)) {
		eachTLS(t, func(t *testing.T, kind polling) {
			b := startBridge(t, &fakeRails{OnPerform: echo}, on(kind))
			for _, size := range []int{1, 5, 100} {
				c := b.DialOver(func(conn net.Conn) net.Conn { return dribbling{conn, size} }, version)
				c.Expect(`{"type":"welcome"}`)
				c.Subscribe("room")
				for i := range 5 {
					c.Command("message", "room", fmt.Sprint(i))
					c.Expect(fmt.Sprint(i))
				}
				c.Hangup()
			}
			b.AwaitDisconnects(3)
		})
	})
}

// A record that was read together with the request is in the session when the poller takes over, and nothing more may come.
func TestTLS_WhatComesWithTheRequestIsReadHoweverMuchItIs(t *testing.T) {
	eachTLS(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{}, on(kind))
		// One that is within what the HTTP server reads at a time, one that fills the first record, and one that takes several.
		for _, commands := range []int{5, 40, 150} {
			var early bytes.Buffer
			want := map[string]bool{`{"type":"welcome"}`: true}
			for i := range commands {
				identifier := fmt.Sprintf("room %d %s", i, strings.Repeat("x", 200))
				want[confirmation(identifier)] = true
				text := fmt.Sprintf(`{"command":"subscribe","identifier":%q}`, identifier)
				if err := ws.WriteFrame(&early, ws.MaskFrame(ws.NewTextFrame([]byte(text)))); err != nil {
					t.Fatal(err)
				}
			}
			c := b.DialWith(early.Bytes())
			for len(want) > 0 {
				f, err := c.Next()
				if err != nil || !want[string(f.Payload)] {
					t.Fatalf("got %q %v while %d frames were still to come", f.Payload, err, len(want))
				}
				delete(want, string(f.Payload))
			}
		}
	})
}

func TestTLS_ABroadcastReachesAllInOrder(t *testing.T) {
	eachTLS(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind))
		const connections, broadcasts = 100, 20
		var clients []*client
		for range connections {
			c := b.Welcomed()
			c.Subscribe("room")
			clients = append(clients, c)
		}
		for i := range broadcasts {
			b.PubSub.Publish("room", []byte(fmt.Sprint(i)))
		}
		for _, c := range clients {
			for i := range broadcasts {
				c.Expect(transmission("room", fmt.Sprint(i)))
			}
		}
	})
}

// Frames are smaller and larger than records, and wait for a client that does not read for a while.
func TestTLS_FramesStayWholeAndInOrderWhereTheClientReadsLate(t *testing.T) {
	eachTLS(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind))
		for _, size := range []int{100, 16 << 10, 100 << 10} {
			late, quick := b.Welcomed(), b.Welcomed()
			late.Subscribe("room")
			quick.Subscribe("room")
			frames := 3 << 20 / size
			payload := func(i int) string { return fmt.Sprintf(`"%d %s"`, i, strings.Repeat("x", size)) }
			var sending sync.WaitGroup
			sending.Go(func() {
				for i := range frames {
					b.PubSub.Publish("room", []byte(payload(i)))
				}
			})
			for i := range frames {
				quick.Expect(transmission("room", payload(i)))
			}
			sending.Wait()
			for i := range frames {
				late.Expect(transmission("room", payload(i)))
			}
			late.Hangup()
			quick.Hangup()
			b.AwaitDisconnects(2)
		}
	})
}

func TestTLS_AClientMayLeaveInAnyWay(t *testing.T) {
	for name, leave := range map[string]func(*tls.Conn) error{
		"Close":     (*tls.Conn).Close,
		"Goodbye":   (*tls.Conn).CloseWrite, // its connection stays open
		"Truncated": func(c *tls.Conn) error { return c.NetConn().Close() },
		"Reset": func(c *tls.Conn) error {
			return errors.Join(c.NetConn().(*net.TCPConn).SetLinger(0), c.NetConn().Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachTLS(t, func(t *testing.T, kind polling) {
				b := startBridge(t, &fakeRails{OnSubscribe: following}, on(kind))
				c, neighbour := b.DialOver(asItIs), b.Welcomed()
				c.Expect(`{"type":"welcome"}`)
				c.Subscribe("room")
				if err := leave(c.conn.(*tls.Conn)); err != nil {
					t.Fatal(err)
				}
				b.AwaitDisconnects(1)
				neighbour.Subscribe("room")
			})
		})
	}
}

// recorded is a connection that remembers what came.
type recorded struct {
	net.Conn
	came *bytes.Buffer
}

func (c recorded) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.came.Write(p[:n])
	return n, err
}

func TestTLS_TheBridgesLastRecordIsItsGoodbye(t *testing.T) {
	eachTLS(t, func(t *testing.T, kind polling) {
		b := startBridge(t, &fakeRails{}, on(kind))
		var came bytes.Buffer
		c := b.DialOver(func(conn net.Conn) net.Conn { return recorded{conn, &came} }, tls12) // of 1.3 the types are secret
		c.Expect(`{"type":"welcome"}`)
		c.SendFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "")))
		c.ExpectClose(1000, "")
		last := byte(0)
		for rest := came.Bytes(); len(rest) >= 5; {
			last = rest[0]
			rest = rest[min(len(rest), 5+int(rest[3])<<8+int(rest[4])):]
		}
		if last != 21 {
			t.Errorf("the last record is of type %d, want an alert, 21", last)
		}
	})
}

func TestTLS_GarbageHarmsNobodyElse(t *testing.T) {
	for name, garbage := range map[string]string{
		"HTTP":   "GET /cable HTTP/1.1\r\nHost: example.test\r\n\r\n",
		"Random": "\x00\xff\x16\x03\x01 what is this\r\n\r\n",
		"Hello":  "\x16\x03\x01\x00\x05hello",
	} {
		t.Run(name, func(t *testing.T) {
			eachTLS(t, func(t *testing.T, kind polling) {
				b := startBridge(t, &fakeRails{}, on(kind))
				neighbour := b.Welcomed()
				conn, err := net.Dial("tcp", b.address()) //nolint:noctx // loopback
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				if _, err := io.WriteString(conn, garbage); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("it is still open")
				}
				neighbour.Subscribe("room")
			})
		})
	}
}

func TestTLS_GarbageWithinASessionEndsThatAlone(t *testing.T) {
	eachVersion(t, func(t *testing.T, version func(*tls.Config)) {
		eachTLS(t, func(t *testing.T, kind polling) {
			b := startBridge(t, &fakeRails{}, on(kind))
			c, neighbour := b.DialOver(asItIs, version), b.Welcomed()
			c.Expect(`{"type":"welcome"}`)
			record := append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...) // encrypted with no key of theirs
			if _, err := c.conn.(*tls.Conn).NetConn().Write(record); err != nil {
				t.Fatal(err)
			}
			if f, err := c.Next(); err == nil || !strings.Contains(err.Error(), "bad record MAC") {
				t.Errorf("got %q %v, want to be told of a bad record", f.Payload, err)
			}
			b.AwaitDisconnects(1)
			neighbour.Subscribe("room")
		})
	})
}
