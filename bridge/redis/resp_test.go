package redis

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReplyReader_ReadsWhatPubSubSends(t *testing.T) {
	reader := newReplyReader(strings.NewReader("+OK\r\n" +
		"*3\r\n$9\r\nsubscribe\r\n$4\r\nroom\r\n:1\r\n" +
		"*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$6\r\n\"a\r\nb\"\r\n" +
		"*2\r\n$4\r\npong\r\n$5\r\nalive\r\n" +
		"*3\r\n$11\r\nunsubscribe\r\n$4\r\nroom\r\n:0\r\n" +
		"$5\r\nalive\r\n" +
		"-ERR no\r\n"))
	for i, want := range []reply{
		{kind: replyStatus},
		{kind: replySubscribe, name: []byte("room")},
		{kind: replyMessage, name: []byte("room"), payload: []byte("\"a\r\nb\"")},
		{kind: replyPong, payload: []byte("alive")},
		{kind: replyUnsubscribe, name: []byte("room")},
		{kind: replyPong, payload: []byte("alive")},
	} {
		got, err := reader.next()
		if err != nil {
			t.Fatal(err)
		}
		if got.kind != want.kind || !bytes.Equal(got.name, want.name) || !bytes.Equal(got.payload, want.payload) {
			t.Errorf("reply %d: got %q, want %q", i, got, want)
		}
	}
	var said serverError
	if _, err := reader.next(); !errors.As(err, &said) || said != "ERR no" {
		t.Errorf("error: got %v, want Redis' own", err)
	}
	if _, err := reader.next(); !errors.Is(err, io.EOF) {
		t.Errorf("end: got %v, want EOF", err)
	}
}

func FuzzReplyReader(f *testing.F) {
	f.Add([]byte("*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$2\r\n{}\r\n"))
	f.Add([]byte("*3\r\n$9\r\nsubscribe\r\n$-1\r\n:1\r\n"))
	f.Add([]byte("*2\r\n$4\r\npong\r\n$99999999999999999999\r\n"))
	f.Add([]byte("$\r\n\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		if len(sent) > 1<<12 {
			return
		}
		reader := newReplyReader(bytes.NewReader(sent))
		for {
			r, err := reader.next()
			var said serverError
			if errors.As(err, &said) {
				continue
			}
			if err != nil {
				return
			}
			if len(r.payload)+len(r.name) > len(sent) {
				t.Fatalf("%q is more than was sent", r)
			}
		}
	})
}

func TestAppendAsks_NeighboursBecomeOneCommand(t *testing.T) {
	got := string(appendAsks(nil, "p:", []ask{
		{kind: askAgain, name: "a"}, {kind: askSubscribe, name: "b"}, {kind: askUnsubscribe, name: "a"}, {kind: askBarrier, token: 7},
	}))
	want := "*3\r\n$9\r\nSUBSCRIBE\r\n$3\r\np:a\r\n$3\r\np:b\r\n" +
		"*2\r\n$11\r\nUNSUBSCRIBE\r\n$3\r\np:a\r\n" +
		"*2\r\n$4\r\nPING\r\n$9\r\nbarrier 7\r\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
