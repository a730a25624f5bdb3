package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cablestay/cablestay/protocol"
	"github.com/cablestay/cablestay/rpc"
	"github.com/prometheus/client_golang/prometheus"
)

// Config is what a Server needs. Rails, PubSub and Mounts are required.
type Config struct {
	Rails  Rails
	PubSub PubSub
	Mounts []rpc.Mount
	// RemoteDisconnect is what the app's Rails does with a remote disconnect: rpc.RemoteDisconnectTransmits, which is
	// the default, or rpc.RemoteDisconnectCloses.
	RemoteDisconnect string
	Logger           *slog.Logger          // slog.Default() where nil
	Registerer       prometheus.Registerer // no metrics where nil
	// MetricsByChannel counts transmissions by the class of the channel whose stream they came from.
	MetricsByChannel bool
	// Compression negotiates permessage-deflate with clients that offer it.
	Compression bool
	// Drain is over how long Shutdown spreads the goodbyes, so that not all clients come back at once.
	Drain time.Duration
	// IOURing has what goes to many clients at a time written through an io_uring, which Linux alone has, and not everywhere: see CheckIOURing.
	IOURing bool
	// Portable takes a goroutine for each socket even where the system has something better.
	Portable bool
}

// Server is the bridge: an [http.Handler] for the cable's paths, and a [Receiver] for its broadcasts. It is safe
// for concurrent use.
type Server struct {
	rails            Rails
	mounts           mounts
	remoteDisconnect string
	compression      bool
	drain            time.Duration
	log              *slog.Logger
	metrics          *metrics
	streams          *Streams
	connections      *connections
	pollers          *pollers
	lanes            []*lane
	nextLane         atomic.Uint32

	background context.Context // of all events
	abort      context.CancelFunc
	live       sync.WaitGroup // connections whose disconnect event has not been answered
	sockets    sync.WaitGroup // sockets that have not hung up

	mu       sync.Mutex // guards the following, and pending against it
	draining bool
	pending  sync.WaitGroup // handshakes under way
}

// abortGrace is how long Shutdown waits for events that it has given up.
const abortGrace = time.Second

var serverRestart = protocol.Disconnect{Reason: protocol.ServerRestart, Reconnect: true}

// NewServer starts a bridge. It runs until Shutdown.
func NewServer(config Config) (*Server, error) {
	switch {
	case config.Rails == nil:
		return nil, errNoRails
	case config.PubSub == nil:
		return nil, errNoPubSub
	}
	mounts, err := newMounts(config.Mounts)
	if err != nil {
		return nil, err
	}
	switch config.RemoteDisconnect {
	case "", rpc.RemoteDisconnectTransmits, rpc.RemoteDisconnectCloses:
	default:
		return nil, fmt.Errorf("bridge: RemoteDisconnect %q is neither %q nor %q", config.RemoteDisconnect,
			rpc.RemoteDisconnectTransmits, rpc.RemoteDisconnectCloses)
	}
	metrics, err := newMetrics(config.Registerer, config.MetricsByChannel)
	if err != nil {
		return nil, fmt.Errorf("bridge: register metrics: %w", err)
	}
	pollers, err := newPollers(config.Portable)
	if err != nil {
		return nil, err
	}
	s := &Server{
		rails: config.Rails, mounts: mounts, remoteDisconnect: config.RemoteDisconnect, compression: config.Compression,
		drain: config.Drain, log: config.Logger, metrics: metrics, connections: newConnections(), pollers: pollers,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.background, s.abort = context.WithCancel(context.Background())
	if err := s.startLanes(config.IOURing); err != nil {
		pollers.stop()
		return nil, err
	}
	s.streams = newStreams(config.PubSub, s.lanes, s.log, metrics)
	s.streams.remote = s.disconnectRemotely
	s.rails.Link(linkReceiver{s})
	return s, nil
}

func (s *Server) startLanes(iouring bool) (err error) {
	working := new(atomic.Int32)
	for range runtime.GOMAXPROCS(0) {
		var b *burst
		if iouring {
			if b, err = newBurst(); err != nil {
				break
			}
		}
		s.lanes = append(s.lanes, newLane(s.metrics, working, b))
	}
	if err != nil {
		for _, l := range s.lanes {
			l.stop()
		}
		return fmt.Errorf("bridge: make a lane: %w", err)
	}
	return nil
}

// Receiver is what the PubSub is to deliver to.
func (s *Server) Receiver() Receiver { return s.streams }

// begin counts a handshake in, unless the server is shutting down.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.pending.Add(1)
	return true
}

// remove takes an ended connection off all that could reach it.
func (s *Server) remove(c *Connection) {
	if !s.connections.remove(c) {
		return // it was rejected
	}
	s.metrics.connections.Dec()
	if c.connectionIdentifier != "" {
		s.streams.release(c.connectionIdentifier)
	}
	s.lanes[c.lane].post(laneEvent{unbeat: c})
}

// finished is called when a connection's disconnect event is over.
func (s *Server) finished(*Connection) { s.live.Done() }

// Shutdown takes no more handshakes, tells every client to reconnect, and returns when every unsubscribed and disconnect
// has run in Rails and the clients have left. When ctx ends first, it stops what is still running and says how much that was. It may be called
// once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	s.goodbye(ctx)
	err := s.settle(ctx)
	s.abort()
	s.pollers.stop()
	for _, l := range s.lanes {
		l.stop()
	}
	return err
}

// goodbye tells every client to reconnect, spread over the drain time.
func (s *Server) goodbye(ctx context.Context) {
	all := s.connections.shut()
	began := time.Now()
	hurry := false
	for i, c := range all {
		c.disconnect(closeShutdown, serverRestart)
		due := began.Add(s.drain * time.Duration(i+1) / time.Duration(len(all)))
		if left := len(all) - i - 1; left > 0 && !hurry && !sleepUntil(ctx, due) {
			hurry = true
			s.log.Warn("shutdown hurries: its time is over", "connections", left)
		}
	}
}

// sleepUntil is false when ctx ended.
func sleepUntil(ctx context.Context, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// settle waits until every handshake and every connection is over, and then for the clients to take their leave: what
// they have not read yet must not be cut off. A client that does not answer is dropped when its linger time is over.
func (s *Server) settle(ctx context.Context) error {
	if !waitFor(ctx, &s.pending, &s.live) {
		s.abort()
		grace, cancel := context.WithTimeout(context.Background(), abortGrace)
		defer cancel()
		waitFor(grace, &s.pending, &s.live) // calls to Rails end with their context
		return fmt.Errorf("bridge: shutdown: not every disconnect has run in Rails: %w", ctx.Err())
	}
	waitFor(ctx, &s.sockets)
	return nil
}

// waitFor is false when ctx ended first.
func waitFor(ctx context.Context, groups ...*sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, group := range groups {
			group.Wait()
		}
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
