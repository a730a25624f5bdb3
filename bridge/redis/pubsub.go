package redis

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cablestay/cablestay/bridge"
)

// PubSub follows broadcastings on Redis. Its methods are safe for concurrent use and do not wait for the network; what
// is asked before Run runs, or while Redis is away, is done once it can be.
type PubSub struct {
	options Options
	prefix  string
	log     *slog.Logger

	running    atomic.Bool
	connected  atomic.Bool
	restorings atomic.Uint64
	messages   atomic.Uint64

	mu       sync.Mutex // guards the following, and a link's queues
	followed map[string]struct{}
	owed     []ask // what is acknowledged once all is followed again
	link     *link // nil while there is none
}

var _ bridge.PubSub = (*PubSub)(nil)

// New makes a PubSub. It connects when Run runs.
func New(options Options) (*PubSub, error) {
	options = options.withDefaults()
	if err := options.check(); err != nil {
		return nil, err
	}
	p := &PubSub{options: options, log: options.Logger, followed: make(map[string]struct{})}
	if options.ChannelPrefix != nil {
		p.prefix = *options.ChannelPrefix + ":"
	}
	if len(options.Ignored) > 0 {
		p.log.Warn("options of cable.yml that mean nothing to the bridge", "options", options.Ignored)
	}
	return p, nil
}

// Subscribe implements [bridge.PubSub].
func (p *PubSub) Subscribe(broadcasting string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.followed[broadcasting] = struct{}{}
	p.askLocked(ask{kind: askSubscribe, name: broadcasting})
}

// Unsubscribe implements [bridge.PubSub].
func (p *PubSub) Unsubscribe(broadcasting string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.followed, broadcasting)
	p.askLocked(ask{kind: askUnsubscribe, name: broadcasting})
}

// Barrier implements [bridge.PubSub].
func (p *PubSub) Barrier(token uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.askLocked(ask{kind: askBarrier, token: token})
}

func (p *PubSub) askLocked(a ask) {
	if p.link == nil {
		if a.owes() {
			p.owed = append(p.owed, a)
		}
		return
	}
	p.link.queue.push(a)
	select {
	case p.link.wake <- struct{}{}:
	default:
	}
}

// Connected says whether everything that should be followed is.
func (p *PubSub) Connected() bool { return p.connected.Load() }

// Reconnects is how often Redis was lost and found again.
func (p *PubSub) Reconnects() uint64 { return max(p.restorings.Load(), 1) - 1 }

// Messages is how many published messages Redis has sent.
func (p *PubSub) Messages() uint64 { return p.messages.Load() }

var errRuns = errors.New("redis: Run runs already")

// Run delivers to the receiver, from this goroutine, until ctx ends; that is no error. Whatever goes wrong before, it
// logs and tries again.
func (p *PubSub) Run(ctx context.Context, receiver bridge.Receiver) error {
	if p.running.Swap(true) {
		return errRuns
	}
	defer p.running.Store(false)
	dialer := newDialer(p.options)
	defer dialer.close()
	var out outage
	for {
		restored := p.restorings.Load()
		err := p.connect(ctx, dialer, receiver)
		p.connected.Store(false)
		if ctx.Err() != nil {
			return nil
		}
		if p.restorings.Load() != restored {
			out = outage{}
		}
		out.report(p.log, p.options.Where(), err)
		if !out.pause(ctx) {
			return nil
		}
	}
}

// connect works through the life of one connection.
func (p *PubSub) connect(ctx context.Context, dialer *dialer, receiver bridge.Receiver) error {
	socket, err := dialer.dial(ctx)
	if err != nil {
		return err
	}
	// Whichever comes first closes the socket, and ends all that waits for it.
	defer context.AfterFunc(ctx, func() { _ = socket.Close() })()
	defer func() { _ = socket.Close() }()
	l := newLink(p, socket)
	if err := l.greet(); err != nil {
		return err
	}
	p.attach(l)
	defer p.detach(l)
	return l.serve(ctx, receiver)
}

// attach makes l the link on which everything is asked: first for all that is followed, then for an answer that lies
// behind that, at which what was asked for meanwhile is acknowledged.
func (p *PubSub) attach(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name := range p.followed {
		l.queue.push(ask{kind: askAgain, name: name})
	}
	l.queue.push(ask{kind: askRestored, owed: p.owed})
	p.owed = nil
	p.link = l
}

// detach keeps what l still owed, in its order. Nothing reads or writes l any more.
func (p *PubSub) detach(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.link = nil
	for _, queue := range []*askQueue{&l.asked, &l.queue} {
		for _, a := range queue.waiting() {
			if a.owes() {
				p.owed = append(p.owed, a)
			}
			p.owed = append(p.owed, a.owed...)
		}
	}
}

// restored is called by a link once everything is followed on it.
func (p *PubSub) restored(broadcastings int) {
	p.restorings.Add(1)
	p.connected.Store(true)
	p.log.Info("connected to Redis", "redis", p.options.Where(), "broadcastings", broadcastings)
}

// The pauses between tries.
const (
	shortestPause = 50 * time.Millisecond
	longestPause  = 3 * time.Second
	reportEvery   = 30 * time.Second
)

// outage is a time without Redis.
type outage struct {
	tries    int
	reported time.Time
}

// report logs the first try that failed, and then one now and then.
func (o *outage) report(log *slog.Logger, where string, err error) {
	o.tries++
	if time.Since(o.reported) < reportEvery {
		return
	}
	o.reported = time.Now()
	log.Warn("no Redis, trying again; sockets stay open", "redis", where, "error", err, "tries", o.tries)
}

// pause waits, each time twice as long, and never for as long as another bridge. It is false when ctx ended.
func (o *outage) pause(ctx context.Context) bool {
	pause := min(shortestPause<<min(o.tries-1, 16), longestPause)
	timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
