package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// healthWithin is how long the answer may take; a container's health check gives up soon after.
const healthWithin = 3 * time.Second

// health asks /readyz of the bridge that runs with the same settings here.
func health(opsListen string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithTimeout(context.Background(), healthWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+local(opsListen)+"/readyz", nil)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "cablestay:", err)
		return exitFailed
	}
	// Not the default transport: it would ask a proxy that the environment names.
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "cablestay: no answer:", err)
		return exitFailed
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "cablestay:", err)
		return exitFailed
	}
	_, _ = stdout.Write(said)
	if answer.StatusCode != http.StatusOK {
		return exitFailed
	}
	return exitOK
}

// local is how this machine reaches what listens on all its addresses.
func local(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}
