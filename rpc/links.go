package rpc

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// linkProtocol is what the Upgrade header calls it.
	linkProtocol = "cablestay-link"
	// seekEvery is how often links are looked for while some are missing.
	seekEvery = 15 * time.Second
	// mostOffers is how many are made at once.
	mostOffers = 16
	// attachWithin is how long a hold may be known before the link that carries it: they come on two connections.
	attachWithin = 2 * time.Second
)

// links are those with all workers. There is at most one for each.
type links struct {
	wanted chan struct{} // holds one token when some may be missing

	mu       sync.Mutex // guards the following
	receiver LinkReceiver
	byWorker map[string]*link
	workers  int           // how many there can be, as far as Rails has said
	added    chan struct{} // closed, and replaced, when there is one more
	room     room
	closed   bool
}

func newLinks() *links {
	return &links{wanted: make(chan struct{}, 1), byWorker: make(map[string]*link), added: make(chan struct{}), room: newRoom()}
}

// Link has the client offer links to Rails' workers and seek those that are missing; what they say goes to receiver. It is
// called once, before the first event.
func (c *Client) Link(receiver LinkReceiver) {
	c.links.mu.Lock()
	c.links.receiver = receiver
	c.links.mu.Unlock()
	c.links.want()
	go c.seek()
}

func (r *links) want() {
	select {
	case r.wanted <- struct{}{}:
	default: // it is known
	}
}

func (r *links) setWorkers(n int) {
	r.mu.Lock()
	more := n > r.workers
	r.workers = n
	r.mu.Unlock()
	if more {
		r.want()
	}
}

// offered says whether requests offer to become a link.
func (r *links) offered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.receiver != nil
}

// missing is how many workers may have none.
func (r *links) missing() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.workers - len(r.byWorker)
}

func (r *links) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.byWorker)
}

// any says whether there is one.
func (r *links) any() bool { return r.count() > 0 }

// of is the link with the worker, or nil.
func (r *links) of(worker string) *link {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.byWorker[worker]; l != nil && !l.isOver() {
		return l
	}
	return nil
}

// await is the same as of, for a link that may be about to come.
func (r *links) await(ctx context.Context, worker string) *link {
	ctx, cancel := context.WithTimeout(ctx, attachWithin)
	defer cancel()
	for {
		r.mu.Lock()
		added := r.added
		r.mu.Unlock()
		if l := r.of(worker); l != nil {
			return l
		}
		select {
		case <-added:
		case <-ctx.Done():
			return nil
		}
	}
}

// add is false once closed. A worker that has opened a second link has lost the first.
func (r *links) add(l *link) (receiver LinkReceiver, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.receiver == nil {
		return nil, false
	}
	if old := r.byWorker[l.worker]; old != nil {
		old.end(errors.New("the worker has opened another"))
	}
	r.byWorker[l.worker] = l
	close(r.added)
	r.added = make(chan struct{})
	return r.receiver, true
}

func (r *links) remove(l *link) {
	r.mu.Lock()
	if r.byWorker[l.worker] == l {
		delete(r.byWorker, l.worker)
	}
	r.mu.Unlock()
	r.want()
	r.linkGone()
}

func (r *links) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, l := range r.byWorker {
		l.end(ErrClosed)
	}
}

// takeLink makes a link of an answer with status 101, whose first line has the event's answer.
func (c *Client) takeLink(s *switched, this *call) error {
	name := this.event.name
	problem := func(text string, err error) error {
		_ = s.Close()
		return &AnswerError{Event: name, Status: http.StatusSwitchingProtocols, Problem: text, Err: err}
	}
	reader := bufio.NewReader(s.ReadWriteCloser)
	inTime := context.AfterFunc(s.ctx, func() { _ = s.Close() })
	text, err := readLine(reader, c.options.AnswerLimit)
	if !inTime() {
		err = context.Cause(s.ctx)
	}
	if err != nil {
		return problem("the first line of its link could not be read", err)
	}
	first, err := parseFirstLine(text)
	if err != nil {
		return problem("the first line of its link does not keep the contract", err)
	}
	c.startLink(newLink(first.Worker, first.Threads, s.ReadWriteCloser, reader, c.links.roomMade, &c.options))
	return decode(name, first.Answer, this.answer)
}

func (c *Client) startLink(l *link) {
	receiver, ok := c.links.add(l)
	if !ok {
		l.end(ErrClosed)
		return
	}
	log := c.options.Logger.With("worker", l.worker)
	log.Info("linked with a Rails process")
	go l.write()
	go func() {
		err := l.read(receiver)
		c.links.remove(l)
		if !errors.Is(err, ErrClosed) {
			c.metrics.linksEnded.Inc()
			if errors.Is(err, io.EOF) {
				err = errors.New("the process has closed it")
			}
			log.Warn("the link with a Rails process has ended", "error", err)
		}
		receiver.LinkEnded(l.worker)
	}()
}

type linkRequest struct {
	ID string `json:"id"`
}

type linkAnswer struct {
	Worker string `json:"worker"`
	Linked *bool  `json:"linked"` // false where the web server gives no connection away
}

func (*linkAnswer) check() error { return nil }

// askForLink meets one worker. Where that has none with this bridge, there is one when askForLink has returned.
func (c *Client) askForLink(ctx context.Context) (*linkAnswer, error) {
	request, answer := &linkRequest{ID: "link-" + rand.Text()}, new(linkAnswer)
	return answer, c.do(ctx, linking, request.ID, request, answer)
}

// seek looks for the links that are missing until the client is closed.
func (c *Client) seek() {
	every := time.NewTicker(seekEvery)
	defer every.Stop()
	refused := false
	for {
		select {
		case <-c.life.Done():
			return
		case <-c.links.wanted:
		case <-every.C:
		}
		refused = c.seekOnce(refused)
	}
}

// seekOnce asks, a few times, as many at once as it takes to keep the first process from answering all: who takes a new
// connection is for the kernel to say, and it likes to say the same.
func (c *Client) seekOnce(refused bool) bool {
	for pause := shortestPause; pause < longestPause; pause *= 2 {
		missing := c.links.missing()
		if missing <= 0 || c.life.Err() != nil {
			return refused
		}
		var asking sync.WaitGroup
		var unanswered, none atomic.Bool
		for range min(4*missing, mostOffers) {
			asking.Go(func() {
				answer, err := c.askForLink(c.life)
				switch {
				case err != nil:
					unanswered.Store(true)
					c.options.Logger.Debug("Rails did not answer the offer of a link", "error", err)
				case answer.Linked != nil && !*answer.Linked:
					none.Store(true)
				}
			})
		}
		asking.Wait()
		if none.Load() {
			if !refused {
				c.options.Logger.Warn("Rails' web server gives no connection away: subscriptions that need a living channel won't work")
			}
			return true
		}
		if unanswered.Load() {
			return refused
		}
		refused = false
		select {
		case <-time.After(pause):
		case <-c.life.Done():
		}
	}
	return refused
}

// Attach tells a worker that the answer has been applied with which its hold began. An error [errors.Is] ErrWorkerGone.
func (c *Client) Attach(ctx context.Context, hold Hold) error {
	gone := func(err error) error {
		return fmt.Errorf("attach: worker %s: %w", excerpt([]byte(hold.Worker)), &workerGoneError{err})
	}
	l := c.links.await(ctx, hold.Worker)
	if l == nil {
		return gone(errNoLink)
	}
	text, err := jsonLine(attachLine{Attach: hold.ID})
	if err != nil {
		return gone(err)
	}
	if err := l.post(text); err != nil {
		l.end(err)
		return gone(err)
	}
	return nil
}

// Drop tells a worker that its hold is not taken. Where there is no link, the hold has ended with it.
func (c *Client) Drop(hold Hold) {
	l := c.links.of(hold.Worker)
	if l == nil {
		return
	}
	text, err := jsonLine(dropLine{Drop: hold.ID})
	if err == nil {
		err = l.post(text)
	}
	if err != nil {
		l.end(err)
	}
}

// along sends an event to who holds its subscription or connection. It goes out once: where the link ends, so does what
// was held. applied is to be called when the answer has been.
func (c *Client) along(ctx context.Context, e event, id string, hold *Hold, request any, into answer) (applied func(), err error) {
	started := time.Now()
	defer func() { c.metrics.duration.WithLabelValues(e.name).Observe(time.Since(started).Seconds()) }()
	outcome := outcomeNotRun
	defer func() { c.metrics.requests.WithLabelValues(e.name, outcome).Inc() }()
	failure := func(err error, notRun bool) error {
		if !notRun {
			outcome = outcomeFailed
		}
		return &callError{event: e.name, rails: "worker " + excerpt([]byte(hold.Worker)), tries: 1, notRun: notRun, err: err}
	}

	body, err := encode(e, request, member{"bridge", c.bridge}, member{"hold", hold.ID})
	if err != nil {
		return nil, &notSentError{fmt.Errorf("%s: %w", e.name, err)}
	}
	text := eventLine(e.name, body)
	if len(text) > maxLine {
		return nil, failure(fmt.Errorf("a line of %d bytes is more than the worker reads", len(text)), true)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.life, func() { cancel(ErrClosed) })()
	if err := c.transport.take(ctx, &call{event: e, wait: e.wait(&c.options)}); err != nil {
		return nil, failure(err, true)
	}
	defer c.places.release(e.lane)
	l := c.links.of(hold.Worker)
	if l == nil {
		return nil, failure(&workerGoneError{errNoLink}, true)
	}
	held := newLinkCall(id, text)
	within, cancelTimeout := context.WithTimeoutCause(ctx, c.options.Timeout, timeoutError(c.options.Timeout))
	defer cancelTimeout()
	said, notRun, err := l.ask(within, held)
	if ended := (*linkEndedError)(nil); errors.As(err, &ended) {
		err = &workerGoneError{ended.error}
	}
	if err != nil {
		return nil, failure(err, notRun)
	}
	switch {
	case said.problem != "":
		err = &AnswerError{Event: e.name, Problem: said.problem}
	case said.Status == 0 || said.Status == http.StatusOK:
		err = decode(e.name, said.Answer, into)
	case said.Status == http.StatusNotFound:
		err = &workerGoneError{errors.New("it holds that no longer")}
	default:
		err = &StatusError{Event: e.name, Status: said.Status, Body: excerpt([]byte(said.Error))}
	}
	if err != nil {
		held.apply()
		return nil, failure(err, errors.Is(err, ErrNotRun))
	}
	outcome = outcomeOK
	return held.apply, nil
}
