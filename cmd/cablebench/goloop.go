//go:build linux

package main

import (
	"flag"
	"fmt"
	"net"
	"os"

	"github.com/gobwas/ws"
)

// goLoop is what a bridge's reconnects are compared to: a server that does the handshake, says welcome, and nothing else. It asks
// nobody, keeps nothing and answers no subscribe, so clients come with -subs 0.
func goLoop(args []string) error {
	fs := flag.NewFlagSet("cablebench goloop", flag.ContinueOnError)
	listen := fs.String("listen", "127.0.0.1:8080", "address; loopback ones only")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := loopbackOnly(*listen); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "cablebench: a Go loop on", listener.Addr())
	return acceptAll(listener)
}

// acceptAll has a goroutine for each connection, until the listener is closed.
func acceptAll(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go greet(conn)
	}
}

var (
	welcomeFrame = ws.MustCompileFrame(ws.NewTextFrame([]byte(`{"type":"welcome"}`)))
	anyProtocol  = ws.Upgrader{Protocol: func([]byte) bool { return true }} // Action Cable's is the first that is offered
)

func greet(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if _, err := anyProtocol.Upgrade(conn); err != nil {
		return
	}
	if _, err := conn.Write(welcomeFrame); err != nil {
		return
	}
	var unread [512]byte
	for { // until the client goes
		if _, err := conn.Read(unread[:]); err != nil {
			return
		}
	}
}
