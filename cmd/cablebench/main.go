//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

const usage = `usage: cablebench COMMAND [flags]      (cablebench COMMAND -h lists the flags)

  idle       open N connections, subscribe each, hold: memory, and CPU per connection and second
  fanout     N subscribers of one stream: latency, and CPU per delivery
  rooms      N connections over K streams: the same
  neighbour  2 subscribers of a quiet stream: their latency alone, and beside N of a busy one
  echo       C clients perform and wait for the reply: round trips, and CPU per action
  avalanche  drop all N connections at once, and have them come back at once
  page       N times one subscription, and several at once: the time until all are confirmed
  rails      stand in for Rails behind a bridge, with no Ruby in the way
  goloop     do WebSocket handshakes and nothing else: what an avalanche is compared to
`

func main() {
	if len(os.Args) < 2 || os.Args[1] == "-h" || os.Args[1] == "--help" {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	debug.SetGCPercent(400)
	switch err := run(os.Args[1], os.Args[2:]); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "cablebench:", err)
		os.Exit(1)
	}
}

// commands measure, each in its way.
var commands = map[string]func(*gen, *report, *opts) error{
	"idle": (*gen).idle, "fanout": (*gen).fanout, "rooms": (*gen).fanout, "neighbour": (*gen).neighbour, "echo": (*gen).echo, "avalanche": (*gen).avalanche,
	"page": (*gen).page,
}

// servers are what the load is put on, or what stands behind it.
var servers = map[string]func([]string) error{"rails": standIn, "goloop": goLoop}

func run(command string, args []string) error {
	if serve, ok := servers[command]; ok {
		return serve(args)
	}
	measure, ok := commands[command]
	if !ok {
		return fmt.Errorf("there is no command %q\n%s", command, usage)
	}
	c, o, err := parse(command, args)
	if err != nil {
		return err
	}
	have, err := raiseNoFile(uint64(c.n + 200))
	if err != nil {
		return err
	}
	if have < uint64(c.n+64) {
		return fmt.Errorf("-n %d: only %d files may be open here; use -n %d or less, or a higher ulimit -n", c.n, have, have-64)
	}
	runtime.GOMAXPROCS(c.threads() + 1)
	// Stopped in the middle, it must not leave sockets half served: an exit closes them all.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, unix.SIGTERM)
	go func() { <-stop; os.Exit(130) }()

	g, err := newGen(c)
	if err != nil {
		return err
	}
	defer g.stop()
	rep := newReport(command, c, args)
	err = measure(g, rep, o)
	rep.finish()
	if c.jsonOut == "" {
		return err
	}
	text, failed := json.MarshalIndent(rep, "", " ")
	if failed == nil {
		failed = os.WriteFile(c.jsonOut, append(text, '\n'), 0o600)
	}
	return errors.Join(err, failed)
}
