package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// dialWithin bounds a dial, and TLS' handshake.
const dialWithin = 5 * time.Second

// dialer opens sockets to the server. With Sentinel it asks anew each time, as the master may have changed.
type dialer struct {
	options  Options
	failover *goredis.Client // nil without Sentinel
}

// silence stops go-redis from writing to stderr by itself what it finds out from Sentinel: what matters of it is in its
// errors. It has one logger for the whole process.
var silence = sync.OnceFunc(func() { goredis.SetLogger(quiet{}) })

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func newDialer(options Options) *dialer {
	d := &dialer{options: options}
	if s := options.Sentinel; s != nil {
		silence()
		d.failover = goredis.NewFailoverClient(&goredis.FailoverOptions{
			MasterName: s.Master, SentinelAddrs: s.Addresses, SentinelUsername: s.Username, SentinelPassword: s.Password,
			ReplicaOnly: s.Replica, Dialer: d.open, DialTimeout: dialWithin, MaxRetries: -1,
		})
	}
	return d
}

func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	if d.failover != nil {
		socket, err := d.failover.Options().Dialer(ctx, "tcp", "")
		if err != nil {
			return nil, fmt.Errorf("ask Sentinel for %q: %w", d.options.Sentinel.Master, err)
		}
		return socket, nil
	}
	return d.open(ctx, d.options.Network, d.options.Address)
}

// open keeps to its context, which go-redis' own dialer does not with TLS.
func (d *dialer) open(ctx context.Context, network, address string) (net.Conn, error) {
	if d.options.TLS == nil {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	config := d.options.TLS.Clone()
	return (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
}

func (d *dialer) close() {
	if d.failover != nil {
		_ = d.failover.Close() // it has nothing left to lose
	}
}
