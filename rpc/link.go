package rpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"
)

const (
	// maxPosted is how many bytes may wait in a link that a worker does not read.
	maxPosted = 64 << 20
	// maxLine is how many bytes a line may have that a worker is to read. A longer one would end the link, and with it what is
	// held for everybody else: one client can make one, of a message that JSON escapes.
	maxLine = 64 << 20
	// parcelSize is how many bytes of lines are written at once. A single line may have more.
	parcelSize = 64 << 10
)

// A LinkReceiver gets what workers say of their own accord. Its methods are called in the order of a link's lines, by one
// goroutine for each link, which reads nothing else meanwhile: they must not wait for Rails.
type LinkReceiver interface {
	// Pushed is what was done outside of any event, or by one that has not ended. Each effect names its identifier.
	Pushed(connection string, effects []Effect)
	// Offered says that a channel has done something after its event, and tells whether it is to be held from now on. It is not
	// where a later event has made another channel of its state.
	Offered(connection, identifier, event string, live *Live) bool
	// Connections are the open ones; states says whether their states are wanted.
	Connections(states bool) []OpenConnection
	// Restart is ActionCable.server.restart.
	Restart()
	// HoldGone says that there is nothing to attach: the link with which it began had ended meanwhile.
	HoldGone(hold Hold)
	// LinkEnded says that all that this worker held is gone.
	LinkEnded(worker string)
}

// OpenConnection is what a worker may ask of one.
type OpenConnection struct {
	Connection           string   `json:"connection"`
	ConnectionIdentifier string   `json:"connection_identifier"`
	Subscriptions        []string `json:"subscriptions"`
	ConnectionState      string   `json:"connection_state,omitempty"`
}

// A link is a connection with one worker, which carries events to what that holds and effects from it.
//
// It has two goroutines. The reader hands each answer to the call that waits for it, and goes on when that has applied
// it, so that all lines are applied in their order. The writer is the only one to write.
type link struct {
	// static
	worker   string
	conn     io.ReadWriteCloser
	reader   *bufio.Reader
	limit    int64                    // bytes of a line
	patience time.Duration            // for a worker to read a line
	roomMade func(took time.Duration) // is called when an event is no longer under way
	wake     chan struct{}            // holds one token while something may be there to write

	ended chan struct{} // closed when it is over

	mu      sync.Mutex // guards the following
	err     error      // why it is over
	calls   map[string]*linkCall
	asked   []*linkCall // to be written
	posted  [][]byte    // to be written before them, so that nothing comes to a hold before it is attached
	waiting int         // bytes of posted
	threads int         // the worker's, for events of which it holds nothing
}

// linkCall is an event on its way along a link.
type linkCall struct {
	id       string
	text     []byte
	answered chan *line    // holds the answer
	applied  chan struct{} // closed when the reader may go on
	once     sync.Once     // closes applied
	since    time.Time     // guarded by link.mu: under way
	written  bool          // guarded by link.mu: it may have run
}

func newLinkCall(id string, text []byte) *linkCall {
	return &linkCall{id: id, text: text, answered: make(chan *line, 1), applied: make(chan struct{})}
}

func (c *linkCall) apply() { c.once.Do(func() { close(c.applied) }) }

// linkEndedError is why the link of an event has ended.
type linkEndedError struct{ error }

func (e *linkEndedError) Unwrap() error { return e.error }

// newLink makes one with the worker, which runs as many events at a time as it has threads for them.
func newLink(worker string, threads int, conn io.ReadWriteCloser, reader *bufio.Reader, roomMade func(time.Duration), options *Options) *link {
	return &link{
		worker: worker, threads: threads, conn: conn, reader: reader, limit: options.AnswerLimit, patience: options.Timeout, roomMade: roomMade,
		wake: make(chan struct{}, 1), ended: make(chan struct{}), calls: make(map[string]*linkCall),
	}
}

// end is the end of it, whoever finds out first.
func (l *link) end(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = why
	close(l.ended)
	_ = l.conn.Close() // the reader and the writer find it closed
}

// load is how many events are under way, of how many at most. A link that is not open takes none that another could.
func (l *link) load() (events, most int, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.calls), l.threads, l.err == nil && l.threads > 0
}

// forget is called when the event is no longer under way.
func (l *link) forget(id string) *linkCall {
	l.mu.Lock()
	call := l.calls[id]
	delete(l.calls, id)
	l.mu.Unlock()
	if call != nil {
		l.roomMade(time.Since(call.since))
	}
	return call
}

// take counts the call in, where the worker has a thread for it. ask must follow.
func (l *link) take(call *linkCall) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || len(l.calls) >= l.threads {
		return false
	}
	l.calls[call.id], call.since = call, time.Now()
	return true
}

// retire leaves the link to what the worker holds: it is about to end.
func (l *link) retire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.threads = 0
}

func (l *link) isOver() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// read handles the worker's lines until the link is over, and says why that is.
func (l *link) read(receiver LinkReceiver) error {
	for {
		text, err := readLine(l.reader, l.limit)
		switch {
		case err == nil:
			err = l.receive(text, receiver)
		case errors.Is(err, errLineTooLong):
			err = l.receiveTooLong(text)
		}
		if err != nil {
			l.end(err)
			return l.err // it does not change any more
		}
	}
}

func (l *link) receive(text []byte, receiver LinkReceiver) error {
	said, err := parseLine(text)
	if err != nil {
		return fmt.Errorf("malformed line: %w", err)
	}
	switch {
	case said.Answer != nil || said.Status != 0:
		l.answer(said)
	case said.Ask == askApplied:
		text, err := jsonLine(appliedLine{ID: said.ID, Applied: true})
		if err != nil {
			return err
		}
		return l.post(text)
	case said.Ask != "":
		text, err := jsonLine(connectionsLine{ID: said.ID, Connections: receiver.Connections(said.States)})
		if err == nil && len(text) > maxLine {
			text, err = jsonLine(untoldLine{ID: said.ID})
		}
		if err != nil {
			return err
		}
		return l.post(text)
	case said.Restart:
		receiver.Restart()
	case said.Ending:
		l.retire()
	case said.Gone != "":
		receiver.HoldGone(Hold{Worker: l.worker, ID: said.Gone})
	case said.Offer != nil:
		if receiver.Offered(said.Connection, said.Identifier, said.Event, said.Offer) {
			return nil // who takes it attaches it
		}
		text, err := jsonLine(dropLine{Drop: said.Offer.Hold})
		if err != nil {
			return err
		}
		return l.post(text)
	default:
		receiver.Pushed(said.Connection, said.Effects)
	}
	return nil
}

// receiveTooLong fails the event of which such a line is the answer. Any other one is not to be done without: the link ends.
func (l *link) receiveTooLong(beginning []byte) error {
	id := answered(beginning)
	if id == "" {
		return fmt.Errorf("malformed line: it is longer than %d bytes", l.limit)
	}
	if err := skipLine(l.reader); err != nil {
		return err
	}
	l.answer(&line{ID: id, problem: fmt.Sprintf("its body is larger than %d bytes", l.limit)})
	return nil
}

// answer gives it to who waits for it, if somebody still does, and returns when it is applied.
func (l *link) answer(said *line) {
	call := l.forget(said.ID)
	if call == nil {
		return
	}
	call.answered <- said
	select {
	case <-call.applied:
	case <-l.ended:
	}
}

// write writes what is posted and what is sent until the link is over: what has come together goes together.
func (l *link) write() {
	watch := time.AfterFunc(l.patience, func() { l.end(fmt.Errorf("it has not read a line within %s", l.patience)) })
	watch.Stop()
	defer watch.Stop()
	parcel := make([]byte, 0, parcelSize)
	for {
		select {
		case <-l.ended:
			return
		case <-l.wake:
		}
		runtime.Gosched() // those that are about to ask do so first
		for lines := l.pack(parcel); len(lines) > 0; lines = l.pack(parcel) {
			watch.Reset(l.patience)
			_, err := l.conn.Write(lines)
			watch.Stop()
			if err != nil {
				l.end(err)
				return
			}
		}
	}
}

// pack takes the lines that are to be written next, at least one if there is any, into the parcel. An event among them may have run
// from then on; one that was given up before is left out.
func (l *link) pack(parcel []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.posted) > 0 {
		text := l.posted[0]
		if len(parcel) > 0 && len(parcel)+len(text) > parcelSize {
			return parcel
		}
		parcel, l.waiting = append(parcel, text...), l.waiting-len(text)
		l.posted = dropFirst(l.posted)
	}
	for len(l.asked) > 0 {
		call := l.asked[0]
		if l.calls[call.id] == call {
			if len(parcel) > 0 && len(parcel)+len(call.text) > parcelSize {
				return parcel
			}
			call.written = true
			parcel = append(parcel, call.text...)
		}
		l.asked = dropFirst(l.asked)
	}
	return parcel
}

// dropFirst forgets the first, and keeps the last one's room for the next: mostly there is one at a time.
func dropFirst[T any](queue []T) []T {
	var none T
	queue[0] = none
	if len(queue) == 1 {
		return queue[:0]
	}
	return queue[1:]
}

// post has a line written, and does not wait for it.
func (l *link) post(text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if len(l.posted) > 0 && l.waiting+len(text) > maxPosted {
		return fmt.Errorf("it has not read %d bytes", l.waiting)
	}
	l.posted = append(l.posted, text)
	l.waiting += len(text)
	l.wakeLocked()
	return nil
}

func (l *link) wakeLocked() {
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// ask sends an event and waits for its answer. notRun is true where the worker can't have seen it. The reader waits for
// call.apply once there is an answer; without one, ask has called it.
func (l *link) ask(ctx context.Context, call *linkCall) (said *line, notRun bool, err error) {
	defer func() {
		l.forget(call.id)
		l.mu.Lock()
		notRun = said == nil && !call.written
		l.mu.Unlock()
		if said == nil {
			call.apply()
		}
	}()
	if ctx.Err() == nil {
		l.send(call)
	}
	select {
	case said = <-call.answered:
		return said, false, nil
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	case <-l.ended:
	}
	select {
	case said = <-call.answered: // it had come before the end
		return said, false, nil
	default:
		return nil, false, &linkEndedError{l.err}
	}
}

func (l *link) send(call *linkCall) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[call.id], call.since = call, time.Now()
	l.asked = append(l.asked, call)
	l.wakeLocked()
}
