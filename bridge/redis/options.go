package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Options say where Redis is and how it is spoken to. A database number is not among them: pub/sub knows none.
type Options struct {
	Network  string // "tcp", which is the default, or "unix"
	Address  string // host:port, or the socket's path; not used with Sentinel
	Username string
	Password string
	TLS      *tls.Config // nil is without
	Sentinel *Sentinel   // nil is without

	// ChannelPrefix is put before every broadcasting, with a colon, as ActionCable's ChannelPrefix does: nil is no
	// prefix, an empty one is a colon.
	ChannelPrefix *string

	// Ignored has the names of options that Rails gave and that mean nothing here. They are logged once.
	Ignored []string
	Logger  *slog.Logger // slog.Default() where nil

	PingEvery time.Duration // zero means 3 s
	DeadAfter time.Duration // a connection that is silent for so long is given up; zero means 10 s
}

// Sentinel is how the server is found where it may change.
type Sentinel struct {
	Master    string // its name
	Addresses []string
	Username  string // the Sentinels' own
	Password  string
	Replica   bool // listen to a replica instead: Redis passes what is published on to them
}

const (
	defaultPingEvery = 3 * time.Second
	defaultDeadAfter = 10 * time.Second
)

// errURL does not repeat the URL, or what go-redis has to say about it, because a password may be in it.
var errURL = errors.New("want redis://user:password@host:port/db, rediss://… for TLS, or unix:///path")

// OptionsFromURL reads a redis://, rediss:// or unix:// URL.
func OptionsFromURL(text string) (Options, error) {
	parsed, err := goredis.ParseURL(text)
	if err != nil {
		return Options{}, errURL
	}
	if parsed.Network == "tcp" {
		if u, err := url.Parse(text); err != nil || u.Opaque != "" {
			return Options{}, errURL
		}
	}
	return Options{
		Network: parsed.Network, Address: parsed.Addr, Username: parsed.Username, Password: parsed.Password, TLS: parsed.TLSConfig,
	}, nil
}

// Where says it for people, without secrets.
func (o Options) Where() string {
	switch {
	case o.Sentinel != nil:
		return fmt.Sprintf("%s, found by Sentinel at %s", o.Sentinel.Master, strings.Join(o.Sentinel.Addresses, ", "))
	case o.Network == "unix":
		return "unix://" + o.Address
	case o.TLS != nil:
		return "rediss://" + o.Address
	default:
		return "redis://" + o.Address
	}
}

func (o Options) check() error {
	if o.Sentinel != nil {
		if o.Sentinel.Master == "" {
			return errors.New("redis: Sentinel needs the master's name")
		}
		if len(o.Sentinel.Addresses) == 0 {
			return errors.New("redis: no Sentinel's address")
		}
		return nil
	}
	if o.Address == "" {
		return errors.New("redis: no address")
	}
	if o.Network == "tcp" {
		if _, _, err := net.SplitHostPort(o.Address); err != nil {
			return fmt.Errorf("redis: address: %w", err)
		}
	}
	return nil
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Network == "" {
		o.Network = "tcp"
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.PingEvery <= 0 {
		o.PingEvery = defaultPingEvery
	}
	if o.DeadAfter <= 0 {
		o.DeadAfter = max(defaultDeadAfter, 3*o.PingEvery)
	}
	return o
}
