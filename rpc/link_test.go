package rpc

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

func TestLink_AnEventThatWasGivenUpAsNotRunIsNotWrittenLater(t *testing.T) {
	here, there := net.Pipe() // whose Write waits for a Read
	options := Options{}.withDefaults()
	l := newLink("w1", 1, here, bufio.NewReader(here), func(time.Duration) {}, &options)
	written := make(chan struct{})
	go func() {
		defer close(written)
		l.write()
	}()
	t.Cleanup(func() {
		l.end(ErrClosed)
		<-written
	})
	post := func(text string) {
		if err := l.post([]byte(text + "\n")); err != nil {
			t.Fatal(err)
		}
	}

	// The writer is at what was posted before the event, which fills a parcel.
	first := "f" + strings.Repeat("i", parcelSize) + "rst\n"
	givenUp := errors.New("given up")
	ctx, giveUp := context.WithCancelCause(context.Background())
	waiting := newLinkCall("e1", []byte("the event\n"))
	l.mu.Lock()
	l.posted, l.waiting = [][]byte{[]byte(first)}, len(first)
	l.mu.Unlock()
	notRun := make(chan bool)
	go func() {
		_, was, _ := l.ask(ctx, waiting)
		notRun <- was
	}()
	begun := make([]byte, 1) // a buffered reader would let the writer go on
	if _, err := there.Read(begun); string(begun) != "f" {
		t.Fatalf("the writer began with %q (%v)", begun, err)
	}
	giveUp(givenUp)
	if !<-notRun {
		t.Fatal("the event may have run, says the link, which has written nothing of it")
	}

	post("second")
	reader := bufio.NewReader(there)
	for _, want := range []string{first[1:], "second\n"} {
		if got, err := reader.ReadString('\n'); got != want {
			t.Fatalf("got %.20q, %d bytes (%v), want %.20q", got, len(got), err, want)
		}
	}
}
