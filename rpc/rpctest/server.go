package rpctest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// Server is what listens; it ends with the test.
type Server struct {
	url  string
	http *httptest.Server
}

// NewServer starts what is not a Rails, or one with a fault: handler answers every request in its own way. It may
// panic with [http.ErrAbortHandler] to cut an answer short, hijack the connection, or [Hang].
func NewServer(t testing.TB, handler http.HandlerFunc) *Server {
	t.Helper()
	return listen(t, "", handler, nil)
}

// Hang answers nothing until the client goes away.
func Hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // before that the server does not watch for the client's going
	<-r.Context().Done()
}

// URL is what a client calls it by: http://127.0.0.1:port or unix:///path.
func (s *Server) URL() string { return s.url }

// Close ends the server before its test does: connections are cut, later ones refused.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// CloseConnections cuts the connections, and listens on.
func (s *Server) CloseConnections() { s.http.CloseClientConnections() }

// SocketPath is a path that is short enough for a Unix socket, which t.TempDir's need not be. Nothing is there yet.
func SocketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rails")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "puma.sock")
}

func listen(t testing.TB, socket string, handler http.Handler, perConnection func(context.Context, net.Conn) context.Context) *Server {
	t.Helper()
	network, address := "tcp", "127.0.0.1:0"
	if socket != "" {
		network, address = "unix", socket
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{http: &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler, ConnContext: perConnection}}}
	s.http.Start()
	s.url = "http://" + listener.Addr().String()
	if socket != "" {
		s.url = "unix://" + address
	}
	t.Cleanup(s.Close)
	return s
}
