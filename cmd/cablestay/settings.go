package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cablestay/cablestay/bridge"
	"github.com/cablestay/cablestay/bridge/redis"
	"github.com/cablestay/cablestay/rpc"
)

// settings are what the command line and the environment say. What they leave to Rails is nil or zero.
type settings struct {
	listen, opsListen string
	certificate       *certificate // nil without TLS
	railsURL          string
	secret            string
	secretFile        string
	redis             *redis.Options
	channelPrefix     *string
	paths             []string
	rpcConcurrency    int
	drain             time.Duration
	shutdownTimeout   time.Duration
	compression       bool
	ioURing           bool
	metricsByChannel  bool
	logLevel          slog.Level
	logFormat         string

	warnings []string // logged once it is clear that the start does not fail
	warned   sync.Once
}

// setting is one flag and its variable.
type setting struct {
	name      string
	fallback  string // the default, as it would be given
	otherwise string // the default in words, where it is no value
	help      string
	secret    bool // errors must not repeat its value
	repeats   bool // several flags make a list
	apply     func(s *settings, value string) error
}

func (s *setting) variable() string {
	return "CABLESTAY_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

func (s *setting) byDefault() string {
	if s.otherwise != "" {
		return s.otherwise
	}
	return s.fallback
}

const (
	fromRails  = "from Rails"
	required   = "one of the two is required"
	withoutTLS = "none: `ws://` alone"
)

var allSettings = []*setting{
	{
		name: "listen", fallback: "0.0.0.0:8080", help: "address for cable sockets",
		apply: func(s *settings, value string) error { s.listen = value; return checkAddress(value) },
	}, {
		name: "ops-listen", fallback: "127.0.0.1:9292", help: "address for /livez, /readyz and /metrics",
		apply: func(s *settings, value string) error { s.opsListen = value; return checkAddress(value) },
	}, {
		name: "tls-cert", otherwise: withoutTLS, help: "file with the certificate for wss:// and its chain, in PEM; taken up anew when it changes",
		apply: func(s *settings, value string) error { s.tls().path = value; return nil },
	}, {
		name: "tls-key", otherwise: withoutTLS, help: "file with the certificate's key",
		apply: func(s *settings, value string) error { s.tls().keyPath = value; return nil },
	}, {
		name: "rails-url", fallback: "http://127.0.0.1:3000", help: "where Puma listens; or unix:///path", secret: true,
		apply: func(s *settings, value string) error { s.railsURL = value; return checkRailsURL(value) },
	}, {
		name: "secret", otherwise: required, help: "shared with the app, where bin/rails cablestay:secret prints it", secret: true,
		apply: func(s *settings, value string) error { s.secret = strings.Clone(value); return nil },
	}, {
		name: "secret-file", otherwise: required, help: "file that holds the secret",
		apply: func(s *settings, value string) error { s.secretFile = value; return nil },
	}, {
		name: "redis-url", otherwise: fromRails, help: "redis://, rediss:// or unix://", secret: true,
		apply: applyRedisURL,
	}, {
		name: "channel-prefix", otherwise: fromRails, help: `channel_prefix of cable.yml; --channel-prefix="" is none`,
		apply: func(s *settings, value string) error { s.channelPrefix = &value; return nil },
	}, {
		name: "path", otherwise: fromRails + " (`/cable`)", help: "where the app mounts Action Cable; several with commas", repeats: true,
		apply: applyPaths,
	}, {
		name: "rpc-concurrency", fallback: "0", help: "events in Rails at a time; 0 is as many as Puma has threads",
		apply: func(s *settings, value string) (err error) {
			if s.rpcConcurrency, err = strconv.Atoi(value); err != nil || s.rpcConcurrency < 0 {
				return errors.New("want a number, not negative")
			}
			return nil
		},
	}, {
		name: "drain", fallback: "5s", help: "over how long clients are told to reconnect when the bridge ends",
		apply: func(s *settings, value string) (err error) { s.drain, err = parseDuration(value); return err },
	}, {
		name: "shutdown-timeout", fallback: "30s", help: "how long the end may take in all",
		apply: func(s *settings, value string) (err error) { s.shutdownTimeout, err = parseDuration(value); return err },
	}, {
		name: "compression", fallback: "false", help: "compress long messages for clients that offer permessage-deflate: true or false",
		apply: func(s *settings, value string) (err error) { s.compression, err = parseBool(value); return err },
	}, {
		name: "io-uring", fallback: "false", help: "write broadcasts through an io_uring, where the kernel allows it (Linux 5.12 or later): true or false",
		apply: applyIOURing,
	}, {
		name: "metrics-by-channel", fallback: "false", help: "count what streams transmit by channel class: true or false",
		apply: func(s *settings, value string) (err error) { s.metricsByChannel, err = parseBool(value); return err },
	}, {
		name: "log-level", fallback: "info", help: "debug, info, warn or error",
		apply: func(s *settings, value string) error {
			if err := s.logLevel.UnmarshalText([]byte(value)); err != nil {
				return errors.New("want debug, info, warn or error")
			}
			return nil
		},
	}, {
		name: "log-format", fallback: "text", help: "text or json",
		apply: func(s *settings, value string) error {
			if s.logFormat = value; value != "text" && value != "json" {
				return errors.New("want text or json")
			}
			return nil
		},
	},
}

// errNoSecret is what newSettings finds wrong last.
var errNoSecret = errors.New("no secret: --secret-file, --secret or their variables CABLESTAY_SECRET_FILE, CABLESTAY_SECRET must " +
	"give the one that `bin/rails cablestay:secret` prints in the app")

// newSettings reads every setting: from its flag, else its variable, else its default. Errors name the flag or variable.
func newSettings(given flags, lookup func(string) (string, bool)) (*settings, error) {
	s := new(settings)
	sources := make(map[string]string) // of those that were given
	for _, one := range allSettings {
		value, ok := given[one.name]
		source := "--" + one.name
		if !ok {
			source = one.variable()
			// What is empty is what a compose file makes of a variable that nobody has set.
			value, _ = lookup(source)
			ok = value != ""
		}
		if ok {
			sources[one.name] = source
		} else if value = one.fallback; value == "" {
			continue
		}
		if err := one.apply(s, value); err != nil {
			if one.secret {
				return s, fmt.Errorf("%s: %w", source, err)
			}
			return s, fmt.Errorf("%s %q: %w", source, value, err)
		}
		if one.name == "secret-file" {
			if err := s.readSecret(source); err != nil {
				return s, err
			}
		}
	}
	if s.certificate != nil {
		s.certificate.source, s.certificate.keySource = sources["tls-cert"], sources["tls-key"]
		if err := s.certificate.load(); err != nil {
			return s, err
		}
	}
	if s.shutdownTimeout < s.drain {
		return s, fmt.Errorf("--shutdown-timeout (CABLESTAY_SHUTDOWN_TIMEOUT) %s is shorter than --drain (CABLESTAY_DRAIN) %s",
			s.shutdownTimeout, s.drain)
	}
	if s.secret == "" {
		return s, errNoSecret
	}
	return s, nil
}

func (s *settings) tls() *certificate {
	if s.certificate == nil {
		s.certificate = &certificate{lookEvery: lookAtCertificateEvery}
	}
	return s.certificate
}

func (s *settings) readSecret(source string) error {
	if s.secret != "" {
		return fmt.Errorf("%s %q: there is --secret or CABLESTAY_SECRET as well; give one of the two", source, s.secretFile)
	}
	content, err := os.ReadFile(s.secretFile)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if secret == "" {
		return fmt.Errorf("%s %q: the file is empty", source, s.secretFile)
	}
	s.secret = secret
	return nil
}

func checkAddress(value string) error {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		return errors.New("want host:port, as in 0.0.0.0:8080")
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is no port number", port)
	} else if number == 0 && host == "" {
		return errors.New("want a host or a port")
	}
	return nil
}

// checkRailsURL leaves it to rpc what is one.
func checkRailsURL(value string) error {
	client, err := rpc.NewClient(rpc.Options{RailsURL: value, Secret: "unused"})
	if err != nil {
		return err
	}
	client.Close()
	return nil
}

func applyRedisURL(s *settings, value string) error {
	options, err := redis.OptionsFromURL(value)
	if err != nil {
		return err
	}
	s.redis = &options
	return nil
}

func applyPaths(s *settings, value string) error {
	for path := range strings.SplitSeq(value, ",") {
		path = strings.TrimSpace(path)
		if !strings.HasPrefix(path, "/") {
			return errors.New("a path begins with a slash")
		}
		if strings.ContainsAny(path, "?# ") {
			return errors.New("want a path alone")
		}
		s.paths = append(s.paths, path)
	}
	return nil
}

// applyIOURing finds out at once what the kernel would refuse later.
func applyIOURing(s *settings, value string) (err error) {
	if s.ioURing, err = parseBool(value); err != nil || !s.ioURing {
		return err
	}
	return bridge.CheckIOURing()
}

func parseDuration(value string) (time.Duration, error) {
	duration, err := time.ParseDuration(value)
	if err != nil || duration < 0 {
		return 0, errors.New("want a duration like 5s or 1m30s")
	}
	return duration, nil
}

func parseBool(value string) (bool, error) {
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, errors.New("want true or false")
	}
	return on, nil
}

// unknownVariables finds what may be a mistyped setting.
func unknownVariables(environment []string) []string {
	var warnings []string
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "CABLESTAY_") {
			continue
		}
		if !slices.ContainsFunc(allSettings, func(s *setting) bool { return s.variable() == name }) {
			warnings = append(warnings, name+" is no setting; cablestay --help lists them")
		}
	}
	slices.Sort(warnings)
	return warnings
}

func (s *settings) logger(to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.logLevel}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}
