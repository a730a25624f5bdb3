package rpc

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What an [Options] field means that is zero.
const (
	DefaultConcurrency   = 5                // Puma's own default of threads
	DefaultDialTimeout   = 2 * time.Second  // Rails is next door
	DefaultTimeout       = 30 * time.Second // stock sets app code no limit; this only bounds a Rails that hangs
	DefaultWait          = 10 * time.Second // a browser that waits longer has been reloaded
	DefaultBudget        = 10 * time.Second // longer than Puma takes to restart
	DefaultCleanUpWait   = 5 * time.Minute  // nobody waits for a clean-up, and it must run: after an avalanche, in its turn
	DefaultCleanUpBudget = 60 * time.Second // the same
	DefaultAnswerLimit   = 64 << 20         // as large as a message of Action Cable may be
)

// idleTimeout ends an unused connection before Puma does, which is after 20 s: what is sent as Puma closes is lost, and
// nobody can tell whether it has run.
const idleTimeout = 15 * time.Second

// Options of a [Client]. Every zero value but the first two means the default above.
type Options struct {
	RailsURL string // http://host:port or unix:///path, of Puma itself; required
	Secret   string // shared with the app; its bytes are the key; required

	// Concurrency is how many events are in Rails at a time at most; SetConcurrency changes it. More than Rails
	// has threads makes events wait in Puma's queue, which is neither fair nor bounded.
	Concurrency int

	DialTimeout   time.Duration // to a connection with Rails
	Timeout       time.Duration // of one try, from the first byte out to the last one in
	Wait          time.Duration // for one of the Concurrency places, in each try
	Budget        time.Duration // of hello, connect, subscribe and perform: after that long no new try begins
	CleanUpWait   time.Duration // as Wait, of unsubscribe and disconnect
	CleanUpBudget time.Duration // as Budget, of unsubscribe and disconnect; the first wait does not count
	AnswerLimit   int64         // bytes of an answer's body

	Logger     *slog.Logger          // nil: no logs
	Registerer prometheus.Registerer // nil: no metrics
}

func (o Options) withDefaults() Options {
	or := func(value *time.Duration, fallback time.Duration) {
		if *value == 0 {
			*value = fallback
		}
	}
	or(&o.DialTimeout, DefaultDialTimeout)
	or(&o.Timeout, DefaultTimeout)
	or(&o.Wait, DefaultWait)
	or(&o.Budget, DefaultBudget)
	or(&o.CleanUpWait, DefaultCleanUpWait)
	or(&o.CleanUpBudget, DefaultCleanUpBudget)
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.AnswerLimit == 0 {
		o.AnswerLimit = DefaultAnswerLimit
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) check() error {
	if o.Secret == "" {
		return errors.New("the secret is empty: give the one that `rake cablestay:secret` prints in the app")
	}
	if o.Concurrency < 0 {
		return fmt.Errorf("the concurrency %d is negative", o.Concurrency)
	}
	for _, limit := range []struct {
		name  string
		value time.Duration
	}{
		{"dial timeout", o.DialTimeout}, {"timeout", o.Timeout}, {"wait", o.Wait},
		{"budget", o.Budget}, {"clean-up wait", o.CleanUpWait}, {"clean-up budget", o.CleanUpBudget},
	} {
		if limit.value < 0 {
			return fmt.Errorf("the %s %s is negative", limit.name, limit.value)
		}
	}
	if o.AnswerLimit < 0 {
		return fmt.Errorf("the answer limit %d is negative", o.AnswerLimit)
	}
	return nil
}

// address is where Rails listens.
type address struct {
	network, address string // for net.Dial
	base             string // what comes in front of /_cablestay
}

func parseRailsURL(text string) (address, error) {
	bad := func(problem string) (address, error) {
		if at := strings.LastIndexByte(text, '@'); at >= 0 {
			text = "…" + text[at:] // what is before may be a password
		}
		return address{}, fmt.Errorf("the Rails URL %q %s; it must be like http://127.0.0.1:3000 or unix:///run/puma.sock", text, problem)
	}
	u, err := url.Parse(text)
	switch {
	case text == "":
		return bad("is empty")
	case err != nil:
		return bad("can't be read")
	case u.User != nil:
		return bad("has a user or password in it")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return bad("has a query or fragment")
	}
	switch u.Scheme {
	case "unix":
		if u.Host != "" || u.Opaque != "" || len(u.Path) < 2 {
			return bad("does not name an absolute path")
		}
		return address{network: "unix", address: u.Path, base: "http://localhost"}, nil
	case "http":
		if u.Hostname() == "" {
			return bad("has no host")
		}
		if u.Path != "" && u.Path != "/" {
			return bad("has a path")
		}
		return address{network: "tcp", base: "http://" + u.Host}, nil
	case "https":
		return bad("is https, which the bridge does not speak with Rails: they are neighbours")
	}
	return bad("is neither http nor unix")
}
