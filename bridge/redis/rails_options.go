package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// How long the redis gem waits and tries is its own affair, as is the number of a database to pub/sub.
var meaningless = []string{
	"db", "timeout", "connect_timeout", "read_timeout", "write_timeout", "reconnect_attempts", "reconnect_delay",
	"reconnect_delay_max", "driver", "id", "inherit_socket", "tcp_keepalive", "protocol",
}

// OptionsFromRails reads the options that cable.yml gives to the redis gem's Redis.new, as hello carries them: what the
// URL says is the default for the others (Redis::Client#_parse_options), and without any Redis is on this machine. Errors
// name the option and never repeat a value that may be secret.
func OptionsFromRails(rails map[string]any) (Options, error) {
	r := &railsOptions{values: rails, read: make(map[string]bool)}
	options, host := r.server()
	r.security(&options, host)
	r.sentinels(&options, host)
	for name := range rails {
		if !r.read[name] && !slices.Contains(meaningless, name) {
			options.Ignored = append(options.Ignored, name)
		}
	}
	slices.Sort(options.Ignored)
	if r.err != nil {
		return Options{}, r.err
	}
	return options, nil
}

// railsOptions keeps the first error.
type railsOptions struct {
	values map[string]any
	under  string // where values are, when they are not cable.yml's own
	read   map[string]bool
	err    error
}

func (r *railsOptions) fail(name string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("redis option %q in cable.yml: %w", r.under+name, err)
	}
}

// text reads a string; numbers count as such, as YAML makes them of what looks like one.
func (r *railsOptions) text(name string) string {
	r.read[name] = true
	switch value := r.values[name].(type) {
	case nil:
		return ""
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	default:
		r.fail(name, errors.New("want a string"))
		return ""
	}
}

func (r *railsOptions) truth(name string) bool {
	r.read[name] = true
	switch value := r.values[name].(type) {
	case nil:
		return false
	case bool:
		return value
	default:
		r.fail(name, errors.New("want true or false"))
		return false
	}
}

func (r *railsOptions) port(name string) string {
	text := r.text(name)
	if text == "" {
		return ""
	}
	if number, err := strconv.Atoi(text); err != nil || number < 1 || number > 65535 {
		r.fail(name, errors.New("want a port number"))
	}
	return text
}

// server is where Redis is; host is what a certificate must be for, or with Sentinel and without name the master's.
func (r *railsOptions) server() (options Options, host string) {
	options = Options{Network: "tcp"}
	host, port := "", ""
	if text := r.text("url"); text != "" {
		parsed, err := OptionsFromURL(text)
		if err != nil {
			r.fail("url", err)
			return options, ""
		}
		options = parsed
		if parsed.Network == "tcp" {
			host, port, _ = net.SplitHostPort(parsed.Address)
			if u, err := url.Parse(text); err == nil && u.Hostname() == "" {
				host = ""
			}
		}
	}
	if given := r.text("host"); given != "" {
		host, options.Network = given, "tcp"
	}
	if given := r.port("port"); given != "" {
		port = given
	}
	if path := r.text("path"); path != "" {
		options.Network, options.Address = "unix", path
	}
	if options.Network == "tcp" {
		options.Address = net.JoinHostPort(orElse(host, "127.0.0.1"), orElse(port, "6379"))
	}
	options.Username = orElse(r.text("username"), options.Username)
	options.Password = orElse(r.text("password"), options.Password)
	return options, host
}

func (r *railsOptions) security(options *Options, host string) {
	if r.truth("ssl") && options.TLS == nil {
		options.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	parameters := r.group("ssl_params")
	if options.TLS == nil {
		return
	}
	options.TLS.ServerName = host // empty is the address that is dialled
	if parameters != nil {
		parameters.tls(options.TLS)
		options.Ignored = append(options.Ignored, parameters.unread()...)
		if r.err == nil {
			r.err = parameters.err
		}
	}
}

func (r *railsOptions) group(name string) *railsOptions {
	r.read[name] = true
	switch value := r.values[name].(type) {
	case nil:
		return nil
	case map[string]any:
		return &railsOptions{values: value, under: r.under + name + ".", read: make(map[string]bool)}
	default:
		r.fail(name, errors.New("want a hash"))
		return nil
	}
}

func (r *railsOptions) unread() []string {
	var names []string
	for name := range r.values {
		if !r.read[name] {
			names = append(names, r.under+name)
		}
	}
	return names
}

func (r *railsOptions) sentinels(options *Options, host string) {
	r.read["sentinels"] = true
	name, role := r.text("name"), r.text("role")
	username, password := r.text("sentinel_username"), r.text("sentinel_password")
	var list []any
	switch value := r.values["sentinels"].(type) {
	case nil:
		return
	case []any:
		list = value
	default:
		r.fail("sentinels", errors.New("want a list"))
		return
	}
	if len(list) == 0 {
		return
	}
	sentinel := &Sentinel{Master: orElse(name, host), Username: username, Password: password}
	for i, entry := range list {
		values, ok := entry.(map[string]any)
		if !ok {
			r.fail("sentinels", errors.New("want a list of hashes with host and port"))
			return
		}
		one := &railsOptions{values: values, under: fmt.Sprintf("sentinels[%d].", i), read: make(map[string]bool)}
		host, port := one.text("host"), one.port("port")
		if host == "" {
			one.fail("host", errors.New("is missing"))
		}
		sentinel.Addresses = append(sentinel.Addresses, net.JoinHostPort(host, orElse(port, "26379")))
		// go-redis has one password for all Sentinels.
		sentinel.Username = orElse(sentinel.Username, one.text("username"))
		if given := one.text("password"); given != "" && sentinel.Password != "" && given != sentinel.Password {
			one.fail("password", errors.New("differs from another Sentinel's, which is not supported"))
		} else {
			sentinel.Password = orElse(sentinel.Password, given)
		}
		options.Ignored = append(options.Ignored, one.unread()...)
		if r.err == nil {
			r.err = one.err
		}
	}
	switch strings.ToLower(role) {
	case "", "master":
	case "slave", "replica":
		sentinel.Replica = true
	default:
		r.fail("role", errors.New("want master, replica or slave"))
	}
	if sentinel.Master == "" {
		r.fail("name", errors.New("is missing: Sentinel needs the master's name"))
	}
	if options.TLS != nil {
		options.TLS.ServerName = "" // the host was a name, not an address
	}
	options.Sentinel = sentinel
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
