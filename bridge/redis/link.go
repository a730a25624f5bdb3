package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/cablestay/cablestay/bridge"
)

// errOutOfStep says that an answer came that is not the one that was due.
var errOutOfStep = errors.New("answer out of step")

// link is one connection to Redis, from its handshake to its loss.
type link struct {
	pubsub *PubSub
	socket net.Conn
	prefix string
	wake   chan struct{} // something has been queued; never closed

	// owned by the reading goroutine
	replies *replyReader
	names   map[string]string // what Redis delivers now; so no message needs a string of its own
	ping    []byte            // scratch
	refusal serverError       // of the name, until something else is answered; "" is none

	// guarded by pubsub.mu
	queue askQueue // not written yet
	asked askQueue // written, in the order in which Redis answers
}

func newLink(p *PubSub, socket net.Conn) *link {
	l := &link{pubsub: p, socket: socket, prefix: p.prefix, wake: make(chan struct{}, 1), names: make(map[string]string)}
	l.replies = newReplyReader(watched{socket: socket, patience: p.options.DeadAfter})
	return l
}

// watched gives up a socket that is silent for too long. Pings see to it that a live one is not.
type watched struct {
	socket   net.Conn
	patience time.Duration
}

func (w watched) Read(into []byte) (int, error) {
	if err := w.socket.SetReadDeadline(time.Now().Add(w.patience)); err != nil {
		return 0, err
	}
	n, err := w.socket.Read(into)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("no answer for %s: %w", w.patience, err)
	}
	return n, err
}

// greet proves who we are. The name is for people who look at CLIENT LIST, as stock's is.
func (l *link) greet() error {
	if err := l.authenticate(); err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	buffer := appendCommand(nil, 3, "CLIENT")
	buffer = appendWord(buffer, "", "SETNAME")
	buffer = appendWord(buffer, "cablestay-PID-", strconv.Itoa(os.Getpid()))
	if err := l.send(buffer); err != nil {
		return err
	}
	_, err := l.replies.next()
	if errors.As(err, &l.refusal) { // some may not name themselves; what else is wrong shows in what follows
		return nil
	}
	return err
}

// authenticate tries the password alone where it is refused with the user's name, as the redis gem 4 does: a Redis before 6
// knows no users, and hosters put names into their URLs that nobody was ever meant to have.
func (l *link) authenticate() error {
	options := &l.pubsub.options
	if options.Password == "" {
		return nil
	}
	if options.Username == "" {
		return l.auth(options.Password)
	}
	err := l.auth(options.Username, options.Password)
	if refused := serverError(""); errors.As(err, &refused) && refused.isOfUser() {
		if again := l.auth(options.Password); again == nil || !errors.As(again, &refused) {
			return again
		}
	}
	return err
}

func (l *link) auth(words ...string) error {
	buffer := appendCommand(nil, 1+len(words), "AUTH")
	for _, word := range words {
		buffer = appendWord(buffer, "", word)
	}
	if err := l.send(buffer); err != nil {
		return err
	}
	_, err := l.replies.next()
	return err
}

// serve works until the connection is lost or ctx ends, and says why.
func (l *link) serve(ctx context.Context, receiver bridge.Receiver) error {
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	var writing sync.WaitGroup
	writing.Go(func() {
		if err := l.write(ctx); err != nil {
			lost(err)
			_ = l.socket.Close() // so that the reader learns of it
		}
	})
	lost(l.read(receiver))
	writing.Wait()
	if l.refusal != "" {
		return fmt.Errorf("%w; then: %w", l.refusal, context.Cause(ctx)) // "max number of clients reached"
	}
	return context.Cause(ctx)
}

// write sends what is queued. While one write is under way more gathers, and goes out together.
func (l *link) write(ctx context.Context) error {
	beat := time.NewTicker(l.pubsub.options.PingEvery)
	defer beat.Stop()
	var asks []ask
	var buffer []byte
	for {
		asks = l.take(asks[:0])
		if len(asks) > 0 {
			buffer = appendAsks(buffer[:0], l.prefix, asks)
			if err := l.send(buffer); err != nil {
				return err
			}
			clear(asks)
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.wake:
			runtime.Gosched() // those that are about to ask do so first
		case <-beat.C:
			l.pubsub.mu.Lock()
			l.queue.push(ask{kind: askAlive})
			l.pubsub.mu.Unlock()
		}
	}
}

// take moves what is to be written to what is to be answered, before it is written.
func (l *link) take(into []ask) []ask {
	l.pubsub.mu.Lock()
	defer l.pubsub.mu.Unlock()
	waiting := l.queue.waiting()
	waiting = waiting[:min(len(waiting), 4*manyNames)]
	into = append(into, waiting...)
	l.asked.push(waiting...)
	l.queue.drop(len(waiting))
	return into
}

func (l *link) send(buffer []byte) error {
	if err := l.socket.SetWriteDeadline(time.Now().Add(l.pubsub.options.DeadAfter)); err != nil {
		return err
	}
	_, err := l.socket.Write(buffer)
	return err
}

// read delivers what comes.
func (l *link) read(receiver bridge.Receiver) error {
	for {
		r, err := l.replies.next()
		if err != nil {
			return err
		}
		if r.kind != replyMessage {
			if err := l.answer(r, receiver); err != nil {
				return err
			}
			continue
		}
		l.pubsub.messages.Add(1)
		if name, ok := l.names[string(l.unprefixed(r.name))]; ok {
			receiver.Broadcast(name, r.payload)
		}
	}
}

func (l *link) unprefixed(name []byte) []byte {
	return name[min(len(l.prefix), len(name)):]
}

// answer is for the first of what was asked, or Redis and we disagree about what has happened.
func (l *link) answer(r reply, receiver bridge.Receiver) error {
	l.refusal = ""
	l.pubsub.mu.Lock()
	a, ok := l.asked.pop()
	l.pubsub.mu.Unlock()
	if !ok || a.reply() != r.kind {
		return fmt.Errorf("%w: a %s", errOutOfStep, r.kind)
	}
	if r.kind == replyPong {
		if l.ping = a.appendPing(l.ping[:0]); !bytes.Equal(l.ping, r.payload) {
			return fmt.Errorf("%w: a pong of %q, not of %q", errOutOfStep, r.payload, l.ping)
		}
	} else if string(l.unprefixed(r.name)) != a.name {
		return fmt.Errorf("%w: a %s of %q, not of %q", errOutOfStep, r.kind, r.name, l.prefix+a.name)
	}
	switch a.kind {
	case askSubscribe, askAgain:
		l.names[a.name] = a.name
	case askUnsubscribe:
		delete(l.names, a.name)
	case askRestored:
		l.pubsub.restored(len(l.names))
		for i := range a.owed {
			tell(receiver, &a.owed[i])
		}
	}
	tell(receiver, &a)
	return nil
}

func tell(receiver bridge.Receiver, a *ask) {
	switch a.kind {
	case askSubscribe:
		receiver.Subscribed(a.name)
	case askBarrier:
		receiver.Passed(a.token)
	}
}
