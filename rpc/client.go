package rpc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Client calls the gem in a Rails app. It may be used by any number of goroutines at a time.
//
// The error of a call names the event, and is [ErrNotRun] where that is certain. A call that its context ends has an
// error that is the context's.
type Client struct {
	options   Options
	bridge    string // its id in every request but hello
	address   address
	places    *places
	links     *links
	transport *transport
	http      *retryablehttp.Client
	metrics   *metrics

	life context.Context // until Close
	end  context.CancelCauseFunc

	resizing sync.Mutex
	size     int // guarded by resizing
}

// NewClient checks the options and makes a client. It does not call Rails.
func NewClient(options Options) (*Client, error) {
	options = options.withDefaults()
	if err := options.check(); err != nil {
		return nil, err
	}
	to, err := parseRailsURL(options.RailsURL)
	if err != nil {
		return nil, err
	}
	c := &Client{options: options, bridge: rand.Text(), address: to, places: newPlaces(options.Concurrency), links: newLinks()}
	if c.metrics, err = newMetrics(options.Registerer, c.places, c.links); err != nil {
		return nil, err
	}
	c.life, c.end = context.WithCancelCause(context.Background())
	c.transport = &transport{
		secret:      []byte(options.Secret),
		address:     to,
		places:      c.places,
		links:       c.links,
		dialTimeout: options.DialTimeout,
		timeout:     options.Timeout,
		now:         time.Now,
	}
	c.transport.fresh = c.transport.newPool()
	c.transport.fresh.DisableKeepAlives = true
	c.SetConcurrency(options.Concurrency)
	c.http = &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport:     c.transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Jar:           nil, // Rails' cookies are the browser's
			Timeout:       0,   // transport sets one for each try
		},
		Logger:          nil, // it would log each request, on stderr
		RetryWaitMin:    shortestPause,
		RetryWaitMax:    longestPause,
		RetryMax:        math.MaxInt32, // an event's budget ends its tries
		RequestLogHook:  nil,
		ResponseLogHook: nil,
		CheckRetry:      c.judge,
		Backoff:         pause,
		ErrorHandler:    retryablehttp.PassthroughErrorHandler, // judge has kept the error
		PrepareRetry:    nil,                                   // transport signs each try
	}
	return c, nil
}

// SetConcurrency sets how many events may be in Rails at a time, at least one. Those that are, stay.
func (c *Client) SetConcurrency(n int) {
	n = max(n, 1)
	c.resizing.Lock()
	defer c.resizing.Unlock()
	if n == c.size {
		return
	}
	c.size = n
	c.transport.resize(n)
	c.places.resize(n)
}

// Close ends all calls that are under way, all links, and the connections to Rails. Later calls fail with [ErrClosed].
func (c *Client) Close() {
	c.end(ErrClosed)
	c.places.close()
	c.links.close()
	c.transport.pool.Load().CloseIdleConnections()
}

// call is one event on its way; a call belongs to one goroutine.
type call struct {
	event event
	id    string
	body  []byte
	// connection whose event it is, if it is of one.
	connection string
	answer     answer // what the answer is decoded into, and then checked by
	wait       time.Duration
	started    time.Time
	tried      time.Time // for the first time: when the event first had a place, if it had one
	tries      int
	mayHave    bool // run, for all that is known
	last       try
	placed     bool // it has a place already
	refused    bool // by all links, a moment ago
}

// carries says whether a link could.
func (c *call) carries() bool { return c.event.linkable && len(c.body) <= maxCarried }

// try is what came of one request.
type try struct {
	err    error
	notRun bool
	final  bool // no other try can do better
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// do is the one way to Rails.
func (c *Client) do(ctx context.Context, e event, id string, request any, into answer) error {
	started := time.Now()
	defer func() { c.metrics.duration.WithLabelValues(e.name).Observe(time.Since(started).Seconds()) }()

	var members []member
	if e != hello {
		members = []member{{"bridge", c.bridge}}
	}
	body, err := encode(e, request, members...)
	if err != nil {
		return &notSentError{fmt.Errorf("%s: %w", e.name, err)}
	}
	this := &call{event: e, id: id, body: body, connection: connectionOf(request), answer: into, wait: e.wait(&c.options), started: started}

	done, err := c.carryFirst(ctx, this)
	if !done {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(c.life, func() { cancel(ErrClosed) })()
		err = c.request(ctx, this)
	}
	if this.tries > 0 && this.last.err == nil {
		return nil
	}
	return c.failure(ctx, this, err)
}

// request has tries go out as requests, though a link may carry them after all.
func (c *Client) request(ctx context.Context, this *call) error {
	ctx, e := context.WithValue(ctx, callKey{}, this), this.event
	r, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, c.address.base+"/_cablestay/"+e.name, this.body)
	if err != nil {
		c.transport.leave(this)
		return &notSentError{fmt.Errorf("%s: %w", e.name, err)}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "cablestay")
	if e != hello && c.links.offered() {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", linkProtocol)
	}
	response, err := c.http.Do(r)
	if response != nil {
		_ = response.Body.Close() // judge has read it
	}
	c.transport.leave(this)
	return err
}

// judge implements [retryablehttp.CheckRetry]: it reads the answer, keeps what came of it in the call, and says
// whether to try again.
func (c *Client) judge(ctx context.Context, response *http.Response, err error) (bool, error) {
	this := callOf(ctx)
	if err != nil {
		if named := (*url.Error)(nil); errors.As(err, &named) {
			err = named.Err // callError names the URL
		}
		return c.settle(this, outcomeOf(ctx, err), 0), nil
	}
	if s, ok := response.Body.(*switched); ok {
		err = c.takeLink(s, this)
		s.done()
		response.Body = http.NoBody
	} else {
		err = c.read(response, this)
		_ = response.Body.Close()
	}
	return c.settle(this, outcomeOfAnswer(ctx, response.StatusCode, err), response.StatusCode), nil
}

// outcomeOf a try that has no answer.
func outcomeOf(ctx context.Context, err error) try {
	return try{err: err, notRun: errors.Is(err, ErrNotRun), final: ctx.Err() != nil || errors.Is(err, ErrClosed)}
}

// outcomeOfAnswer is that of one that has; err is what is wrong with it.
func outcomeOfAnswer(ctx context.Context, status int, err error) try {
	return try{
		err: err, notRun: errors.Is(err, ErrNotRun),
		final: lasting(status) || errors.Is(err, ErrOtherContract) || ctx.Err() != nil,
	}
}

// settle keeps what came of a try, and says whether there is to be another. status is 0 where there was no answer.
func (c *Client) settle(this *call, t try, status int) (again bool) {
	this.tries++
	outcome := outcomeOK
	switch {
	case t.err == nil:
	case lasting(status):
		outcome = outcomeRefused
	case t.notRun:
		outcome = outcomeNotRun
	default:
		outcome = outcomeFailed
	}
	c.metrics.requests.WithLabelValues(this.event.name, outcome).Inc()
	this.mayHave = this.mayHave || t.err != nil && !t.notRun
	this.last = t
	if this.tried.IsZero() {
		this.tried = time.Now()
	}
	again = this.event.policy.allows(&t) && time.Now().Before(this.event.deadline(&c.options, this.started, this.tried))
	if again {
		c.options.Logger.Debug("Rails did not answer an event; it is tried again",
			"call", this.event.name, "id", this.id, "tries", this.tries, "error", t.err)
	}
	return again
}

// read takes in an answer, whatever it is.
func (c *Client) read(response *http.Response, this *call) error {
	limit := c.options.AnswerLimit
	name := this.event.name
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if response.StatusCode != http.StatusOK {
		return &StatusError{Event: name, Status: response.StatusCode, Body: complaint(body)}
	}
	switch {
	case int64(len(body)) > limit:
		return &AnswerError{Event: name, Problem: fmt.Sprintf("its body is larger than %d bytes", limit)}
	case err != nil:
		return &AnswerError{Event: name, Problem: "its body could not be read to the end", Body: excerpt(body), Err: err}
	}
	return decode(name, body, this.answer)
}

// failure is a call's error: what the last try ended with, and what is known of the event.
func (c *Client) failure(ctx context.Context, this *call, err error) error {
	if this.tries > 0 {
		err = this.last.err
	}
	e := &callError{event: this.event.name, rails: c.options.RailsURL, tries: this.tries, err: err, notRun: !this.mayHave}
	switch {
	case ctx.Err() != nil:
		e.ended = context.Cause(ctx)
	case c.life.Err() != nil:
		e.ended = ErrClosed
	}
	return e
}
