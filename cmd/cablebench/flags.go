//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cablestay/cablestay/cmd/cablebench/stats"
	"golang.org/x/sys/unix"
)

type config struct {
	addr             unix.SockaddrInet4
	host, path       string
	origin           string
	subprotocol      string
	headers          []string
	raw              bool
	identTpl         string
	perConnIdent     bool
	subFrames        [][]byte
	stream           string
	k, subsPer       int
	n                int
	rate             float64
	concurrency      int
	loops            int
	payload          string // a key of fillers
	deflate          bool   // offered
	quiet            int    // the last so many connections follow the quiet stream alone
	sources          int
	handshakeTimeout time.Duration
	retryDelay       time.Duration
	openTimeout      time.Duration
	settle           time.Duration
	groups           []stats.Group
	metrics          string // URL of the server's
	jsonOut          string
	label            string
	round            int
	measurement      atomic.Pointer[measurement]

	redis, redisPass, prefix string
	redisDB                  int
}

type listFlag []string

func (l *listFlag) String() string { return strings.Join(*l, " ") }

func (l *listFlag) Set(s string) error { *l = append(*l, s); return nil }

type opts struct {
	hold, after time.Duration
	m, warm     int
	sizes       []int
	windows     []int
	rate        float64
	timeout     time.Duration
	repeat      int
	dist        string
	zipfS       float64
	dur         time.Duration
	action      string
	rounds      int
	kill        string
	pause       time.Duration
}

// numbers reads a list like "1,16".
func numbers(flag, list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-%s: %q is no number from 1 on", flag, text)
		}
		all = append(all, n)
	}
	return all, nil
}

func loopbackOnly(hostport string) error {
	h, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(h); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%s is not a loopback address; this tool only loads this machine", hostport)
	}
	return nil
}

func (c *config) setURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "ws" {
		return fmt.Errorf("bad -url %q: want ws://127.x.x.x:port/path", s)
	}
	host := u.Host
	if u.Port() == "" {
		host += ":80"
	}
	if strings.HasPrefix(host, "localhost:") {
		host = "127.0.0.1" + strings.TrimPrefix(host, "localhost")
	}
	if err := loopbackOnly(host); err != nil {
		return err
	}
	h, p, _ := net.SplitHostPort(host)
	ip := net.ParseIP(h).To4()
	if ip == nil {
		return errors.New("IPv4 loopback only")
	}
	port, err := strconv.Atoi(p)
	if err != nil {
		return err
	}
	copy(c.addr.Addr[:], ip)
	c.addr.Port = port
	c.host = u.Host
	c.path = u.RequestURI()
	return nil
}

// threads is how many loops there are. Who follow the quiet stream have one of their own, or they would wait behind
// all others here.
func (c *config) threads() int {
	if c.quiet > 0 {
		return c.loops + 1
	}
	return c.loops
}

// streamOf is what a connection's subscription follows.
func (c *config) streamOf(connection, subscription int) int {
	switch {
	case c.quiet == 0:
		return (connection*c.subsPer + subscription) % c.k
	case connection >= c.n-c.quiet:
		return quietStream
	default:
		return busyStream
	}
}

// parse reads the flags of a command.
func parse(command string, args []string) (*config, *opts, error) {
	c := &config{}
	fs := flag.NewFlagSet("cablebench "+command, flag.ContinueOnError)
	rawURL := fs.String("url", "ws://127.0.0.1:8080/cable", "server; loopback addresses only")
	fs.IntVar(&c.n, "n", 1000, "connections")
	fs.Float64Var(&c.rate, "rate-connect", 0, "new connections per second (0: no limit)")
	fs.IntVar(&c.concurrency, "concurrency", 256, "handshakes under way at once (0: no limit)")
	fs.StringVar(&c.subprotocol, "subprotocol", "actioncable-v1-json", "Sec-WebSocket-Protocol offered")
	fs.StringVar(&c.origin, "origin", "", "Origin header")
	var headers listFlag
	fs.Var(&headers, "header", `extra request header "Name: value", {{i}} is the connection's number (repeatable)`)
	fs.StringVar(&c.identTpl, "identifier", `{"channel":"BenchChannel","stream":"{{stream}}"}`, "subscription identifier; {{stream}}, {{k}} (stream number), {{i}} (connection number)")
	fs.BoolVar(&c.raw, "raw", false, "no handshake, welcome or subscribe: a connection counts as soon as TCP is up")
	fs.StringVar(&c.stream, "stream", "bench", "stream name (with -k > 1: NAME-0, NAME-1, ...)")
	fs.IntVar(&c.k, "k", 1, "number of streams")
	fs.IntVar(&c.subsPer, "subs", 1, "subscriptions per connection (0: none)")
	fs.IntVar(&c.loops, "loops", 1, "client event loops (threads)")
	fs.IntVar(&c.sources, "sources", 8, "source addresses 127.0.0.2, .3, ... to spread ports over (0: let the kernel choose)")
	fs.DurationVar(&c.handshakeTimeout, "handshake-timeout", 60*time.Second, "limit for connect to confirm of one connection")
	fs.DurationVar(&c.retryDelay, "retry-delay", 250*time.Millisecond, "pause before a failed connection is tried again")
	fs.DurationVar(&c.openTimeout, "open-timeout", 5*time.Minute, "limit for the whole connect phase")
	fs.DurationVar(&c.settle, "settle", 2*time.Second, "pause after connecting")
	fs.StringVar(&c.payload, "payload", "letters", "what messages consist of: letters (the alphabet over and over) or json (records as an app would render them)")
	fs.BoolVar(&c.deflate, "deflate", false, "offer permessage-deflate without context takeover")
	metrics := fs.String("metrics", "", "URL of the bridge's metrics, to tell of its garbage collector's pauses while clients connect, and in fanout and rooms; loopback addresses only")
	var pids listFlag
	fs.Var(&pids, "pid", `processes to account: [label=]PID[+][,PID...]; "+" adds descendants; the first is the server (repeatable)`)
	fs.StringVar(&c.jsonOut, "json", "", "write results as JSON to this file (- for standard output)")
	fs.IntVar(&c.round, "round", 0, "number of this round, for summary's ratios")
	fs.StringVar(&c.label, "label", "", "name of the server under test, for the report")
	fs.StringVar(&c.redis, "redis", "127.0.0.1:6379", "Redis address to publish through")
	fs.StringVar(&c.redisPass, "redis-password", "", "Redis password")
	fs.IntVar(&c.redisDB, "redis-db", 0, "Redis database")
	fs.StringVar(&c.prefix, "prefix", "", "channel_prefix of cable.yml")

	// mode flags
	hold := fs.Duration("hold", 10*time.Second, "idle: how long to hold")
	after := fs.Duration("after-close", 0, "idle: look at the server's memory again this long after closing everything")
	m := fs.Int("m", 50, "broadcasts per measurement")
	warm := fs.Int("warmup", 5, "broadcasts before the measurement; page: pages")
	sizes := fs.String("size", "128", "message size in bytes, comma-separated list")
	windows := fs.String("window", "1", "broadcasts in flight in closed loop, comma-separated list")
	rate := fs.Float64("rate", 0, "broadcasts per second, open loop (0: closed loop); neighbour: of the quiet stream (0: 100)")
	timeout := fs.Duration("timeout", 30*time.Second, "limit for one broadcast to reach everyone, or for replies")
	repeat := fs.Int("repeat", 1, "measurements of each size and window")
	dist := fs.String("dist", "uniform", "rooms: which stream is published to: uniform or zipf")
	zipfS := fs.Float64("zipf-s", 1.1, "rooms: exponent of -dist zipf")
	dur := fs.Duration("duration", 5*time.Second, "echo, neighbour: length of one measurement")
	quiet := fs.Int("quiet", 2, "neighbour: connections that follow the quiet stream, besides the -n of the busy one")
	action := fs.String("action", "echo", "echo: action to perform")
	rounds := fs.Int("rounds", 3, "avalanche: how many times")
	kill := fs.String("kill", "rst", "avalanche: rst, fin (client closes), or external (wait until the server drops everyone)")
	pause := fs.Duration("pause", 20*time.Millisecond, "page: between two of them")
	if err := fs.Parse(args); err != nil {
		return nil, nil, err
	}
	c.headers = headers
	if fs.NArg() > 0 {
		return nil, nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err := c.setURL(*rawURL); err != nil {
		return nil, nil, err
	}
	if err := loopbackOnly(c.redis); err != nil {
		return nil, nil, err
	}
	if err := c.setMetrics(*metrics); err != nil {
		return nil, nil, err
	}
	for _, p := range pids {
		g, err := stats.ParseGroup(p)
		if err != nil {
			return nil, nil, err
		}
		c.groups = append(c.groups, g)
	}
	if fillers[c.payload] == nil {
		return nil, nil, fmt.Errorf("-payload: %q is neither letters nor json", c.payload)
	}
	if command == "neighbour" {
		if *quiet < 1 || *dur <= 0 || *rate < 0 {
			return nil, nil, errors.New("need quiet >= 1, duration > 0 and rate >= 0")
		}
		if *rate == 0 {
			*rate = 100
		}
		c.quiet, c.k, c.subsPer = *quiet, 2, 1
		c.n += c.quiet
	}
	if command == "page" {
		if c.subsPer < 2 || c.n <= *warm {
			return nil, nil, errors.New("need subs >= 2, and more pages than -warmup")
		}
		c.k = max(c.k, c.subsPer)
		c.n *= 2 // a page of each kind
	}
	if c.n < 1 || c.k < 1 || c.loops < 1 || c.subsPer < 0 || c.subsPer > c.k {
		return nil, nil, errors.New("need n, k, loops >= 1 and 0 <= subs <= k")
	}
	if c.raw {
		c.subsPer = 1
	}
	c.prepare()
	o := &opts{
		hold: *hold, after: *after, m: *m, warm: *warm, rate: *rate, timeout: *timeout, repeat: *repeat, dist: *dist, zipfS: *zipfS,
		dur: *dur, action: *action, rounds: *rounds, kill: *kill, pause: *pause,
	}
	var err error
	if o.sizes, err = numbers("size", *sizes); err != nil {
		return nil, nil, err
	}
	if o.windows, err = numbers("window", *windows); err != nil {
		return nil, nil, err
	}
	return c, o, nil
}
