package main

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// serveHTTP is the binary's server with other times, and a client's socket that has sent the request.
func serveHTTP(t *testing.T, times time.Duration, request string, handler http.HandlerFunc) net.Conn {
	t.Helper()
	return serveClient(t, nil, times, request, handler)
}

// serveClient speaks TLS where there is a certificate; the client does not.
func serveClient(t *testing.T, c *certificate, times time.Duration, request string, handler http.HandlerFunc) net.Conn {
	t.Helper()
	server := newHTTPServer(handler, slog.New(slog.DiscardHandler))
	if server.ReadTimeout <= 0 || server.WriteTimeout <= server.ReadTimeout {
		t.Errorf("got %s for a request and %s for its answer", server.ReadTimeout, server.WriteTimeout)
	}
	server.ReadTimeout, server.WriteTimeout = times, 10*times
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	listener = c.secure(listener)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	socket, err := net.Dial("tcp", listener.Addr().String()) //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	if err := socket.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(socket, request); err != nil {
		t.Fatal(err)
	}
	return socket
}

func TestServer_AnswersWhoDoesNotSendItsBody(t *testing.T) {
	socket := serveHTTP(t, 50*time.Millisecond, "POST /cable HTTP/1.1\r\nHost: example.test\r\nContent-Length: 100\r\n\r\n", http.NotFound)
	response, err := http.ReadResponse(bufio.NewReader(socket), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("got %d, want 404", response.StatusCode)
	}
}

func TestServer_LetsGoOfWhoDoesNotReadItsAnswer(t *testing.T) {
	wrote := make(chan error, 1)
	serveHTTP(t, 50*time.Millisecond, "GET /cable HTTP/1.1\r\nHost: example.test\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 64<<20))
		wrote <- err
	})
	select {
	case err := <-wrote:
		if err == nil {
			t.Error("a socket took 64 MiB that nobody read")
		}
	case <-time.After(20 * time.Second):
		t.Error("the answer is still being written")
	}
}

func TestServer_ASocketOutlivesTheTimesOfItsRequest(t *testing.T) {
	const times = 50 * time.Millisecond
	request := "GET /cable HTTP/1.1\r\nHost: example.test\r\n\r\nhello"
	socket := serveHTTP(t, times, request, func(w http.ResponseWriter, _ *http.Request) {
		<-time.After(2 * times) // as Rails may take longer
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.CopyN(conn, buffered, 10)
	})
	echo := make([]byte, 10)
	if _, err := io.ReadFull(socket, echo[:5]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(socket, "again"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(socket, echo[5:]); err != nil || string(echo) != "helloagain" {
		t.Errorf("got %q %v", echo, err)
	}
}
