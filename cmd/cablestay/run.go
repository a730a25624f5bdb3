package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cablestay/cablestay/bridge"
	"github.com/cablestay/cablestay/bridge/redis"
	"github.com/cablestay/cablestay/rpc"
)

var _ bridge.Rails = (*rpc.Client)(nil)

// run is the bridge's life. What it returns is the exit code.
func run(s *settings, log *slog.Logger) int {
	limitMemory()
	ctx, stop := untilSignal(log)
	defer stop()
	if err := serve(ctx, s, log); err != nil {
		log.Error(err.Error())
		return exitFailed
	}
	return exitOK
}

// serve runs until ctx ends; then everything ends in its order. An error says what could not be done.
func serve(ctx context.Context, s *settings, log *slog.Logger) error {
	ready, sockets := new(readiness), new(gate)
	registry := newRegistry()
	ops, err := listen("--ops-listen", s.opsListen, nil, newOps(ready, registry), log)
	if err != nil {
		return err
	}
	defer ops.close()
	cable, err := listen("--listen", s.listen, s.certificate, sockets, log)
	if err != nil {
		return err
	}
	defer cable.close()

	client, err := rpc.NewClient(rpc.Options{
		RailsURL: s.railsURL, Secret: s.secret, Concurrency: s.rpcConcurrency, Logger: log, Registerer: registry,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	hello, err := greet(ctx, client, s, log)
	if ctx.Err() != nil {
		return nil // told to end before there was anything to end
	}
	if err != nil {
		return err
	}
	b, err := build(s, hello, client, registry, log)
	if err != nil {
		return err
	}
	s.warn(log)
	log.Info("connected to Rails", "rails", s.railsURL, "version", hello.Rails, "environment", hello.Environment,
		"gem", hello.Gem, "concurrency", b.concurrency, "bridge", version)

	background, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	failed := make(chan error, 3)
	running.Go(func() { trimWhenQuiet(background) })
	running.Go(func() {
		if err := b.pubsub.Run(background, b.server.Receiver()); err != nil {
			failed <- err
		}
	})
	running.Go(func() { keepGreeting(background, client, s, hello, log) })
	ready.setGreeted(b.pubsub.Connected)
	sockets.open(b.server)
	log.Info("serving", "listen", cable.address(), "ops", ops.address(), "mounts", b.mounts, "tls", s.certificate != nil)

	select {
	case <-ctx.Done():
	case err = <-failed:
	case err = <-cable.failed:
	case err = <-ops.failed:
	}
	ready.setDraining()
	log.Info("ending: clients are told to reconnect", "drain", s.drain)
	began := time.Now()
	within, cancel := context.WithTimeout(context.Background(), s.shutdownTimeout)
	defer cancel()
	if unfinished := b.server.Shutdown(within); unfinished != nil {
		return errors.Join(err, unfinished)
	}
	log.Info("ended: every disconnect has run in Rails", "took", time.Since(began).Round(time.Millisecond))
	return err
}

// parts are what hello lets us build.
type parts struct {
	server      *bridge.Server
	pubsub      *redis.PubSub
	mounts      []string
	concurrency int
}

func build(s *settings, hello *rpc.Hello, client *rpc.Client, registry *prometheus.Registry, log *slog.Logger) (*parts, error) {
	options, err := redisOptions(s, hello, log)
	if err != nil {
		return nil, err
	}
	p := &parts{concurrency: s.rpcConcurrency}
	if p.pubsub, err = redis.New(options); err != nil {
		return nil, err
	}
	measureRedis(registry, p.pubsub)
	if p.concurrency == 0 {
		p.concurrency = hello.Concurrency
		client.SetConcurrency(hello.Concurrency)
	}
	paths := mounts(s, hello)
	for _, mount := range paths {
		p.mounts = append(p.mounts, mount.Path)
	}
	if len(paths) == 0 {
		return nil, errors.New("the app mounts Action Cable nowhere: mount ActionCable.server in its routes, or set " +
			"config.action_cable.mount_path, or give --path (CABLESTAY_PATH)")
	}
	p.server, err = bridge.NewServer(bridge.Config{
		Rails: client, PubSub: p.pubsub, Mounts: paths, RemoteDisconnect: hello.RemoteDisconnect,
		Logger: log, Registerer: registry, MetricsByChannel: s.metricsByChannel, Compression: s.compression, IOURing: s.ioURing,
		Drain: s.drain,
	})
	return p, err
}

// What a request may be like, and an answer, as long as they are HTTP; Puma's own limit for all headers is 80 KiB.
const (
	requestWithin = 10 * time.Second // its body as well, of which nobody wants more than its end
	answerWithin  = 90 * time.Second // from then on; Rails may take almost a minute of it
	headerLimit   = 80 << 10
	idleWithin    = 60 * time.Second
)

// listener is one of the two addresses.
type listener struct {
	socket net.Listener
	server *http.Server
	failed chan error
	done   chan struct{} // closed when nothing listens any more
}

// listen names the flag where it can't. It speaks TLS where there is a certificate.
func listen(flag, address string, c *certificate, handler http.Handler, log *slog.Logger) (*listener, error) {
	// Pings, and deadlines before them, find out who is gone, so that keep-alives would be four calls for each handshake and nothing else;
	// and clients of a web server in Ruby never had multipath TCP, which Go would offer.
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	socket, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	if c != nil {
		c.log = log
	}
	socket = c.secure(socket)
	l := &listener{socket: socket, failed: make(chan error, 1), done: make(chan struct{})}
	l.server = newHTTPServer(handler, log)
	go func() {
		defer close(l.done)
		if err := l.server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			l.failed <- fmt.Errorf("%s %s: %w", flag, address, err)
		}
	}()
	return l, nil
}

// newHTTPServer lets go of clients that keep a request or an answer waiting, or TLS' handshake. A socket's life is not counted: the server has
// nothing to do with it once it is upgraded.
func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadTimeout: requestWithin, WriteTimeout: answerWithin, MaxHeaderBytes: headerLimit, IdleTimeout: idleWithin,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

func (l *listener) address() string { return l.socket.Addr().String() }

// close lets requests that are under way finish, if they do soon.
func (l *listener) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		_ = l.server.Close()
	}
	<-l.done
}
