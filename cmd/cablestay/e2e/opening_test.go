//go:build e2e

package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

func TestOpening_WelcomeIsTheFirstFrameAndPingsFollow(t *testing.T) {
	states(t, 27, 38, 39)
	each(t, func(t *testing.T, server *server) {
		c := server.dial(t, handshake{})
		c.expect(welcome)
		c.expectPings(2)
		for _, ping := range c.pings {
			if !regexp.MustCompile(`^\{"type":"ping","message":\d{10}\}$`).MatchString(ping) {
				t.Errorf("ping: got %s", ping)
			}
		}
		c.expectNothing()
	})
}

func TestOpening_SubprotocolIsTheFirstOfTheClientsThatIsKnown(t *testing.T) {
	states(t, 14, 15, 16)
	for name, scenario := range map[string]struct {
		offered []string
		want    string
	}{
		"StockClient":   {[]string{"actioncable-v1-json", "actioncable-unsupported"}, "actioncable-v1-json"},
		"ReversedOrder": {[]string{"actioncable-unsupported", "actioncable-v1-json"}, "actioncable-unsupported"},
		"TokenFirst":    {[]string{"jwt.abc", "actioncable-v1-json"}, "actioncable-v1-json"},
		"OnlyUnknown":   {[]string{"foo"}, ""},
		"None":          {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{protocols: scenario.offered})
				if c.protocol != scenario.want {
					t.Errorf("offered %q: got %q, want %q", scenario.offered, c.protocol, scenario.want)
				}
				c.expectNothing()
			})
		})
	}
}

func TestOpening_EncryptedCookieAndSessionLogIn(t *testing.T) {
	states(t, 22, 36)
	for _, login := range []string{"cookie", "session"} {
		t.Run(login, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				c := server.connect(t, handshake{login: login, user: "bob"})
				echo := identify("EchoChannel", "name", "n")
				c.join(echo)
				c.perform(echo, "identify")
				c.expect(message(echo, object("user", "bob", "device", c.device, "name", "n", "keys", []string{"channel", "name"})))
			})
		})
	}
}

func TestOpening_UnauthorizedIsToldAndClosed(t *testing.T) {
	states(t, 26, 29, 30)
	each(t, func(t *testing.T, server *server) {
		c := server.dial(t, handshake{login: "none"})
		c.expect(disconnection("unauthorized", false))
		c.expectClose(ws.StatusNormalClosure)
		server.rails.awaitEvent(t, c.device, "disconnect")
		if got, want := server.rails.happened(t, c.device), []string{"disconnect"}; !slices.Equal(got, want) {
			t.Errorf("callbacks: got %q, want %q", got, want)
		}
	})
}

func TestOpening_ConnectSeesTheHandshakeAsItCame(t *testing.T) {
	states(t, 17, 18, 21)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{
			query:     url.Values{"device": {"seeing device"}, "é<": {"1&2"}},
			header:    http.Header{"User-Agent": {"Wagon/1.0"}, "X-Tenant": {"acme"}, "X-Forwarded-For": {"192.0.2.7"}},
			protocols: []string{"actioncable-v1-json", "token.abc"},
		})
		echo := identify("EchoChannel")
		c.join(echo)
		c.perform(echo, "seen")
		path := "/cable?" + url.Values{"device": {"seeing device"}, "é<": {"1&2"}}.Encode()
		if !server.rails.atLeast(t, 7, 0) { // an unanchored mount
			path = strings.Replace(path, "/cable?", "/cable/?", 1)
		}
		c.expect(message(echo, object("tenant", "tenant of acme", "protocol", "actioncable-v1-json", "agent", "Wagon/1.0",
			"address", "192.0.2.7", "path", path, "offered", "actioncable-v1-json, token.abc")))
	})
}

func TestOpening_WhatConnectTransmitsPrecedesTheWelcome(t *testing.T) {
	states(t, 28)
	each(t, func(t *testing.T, server *server) {
		c := server.dial(t, handshake{query: url.Values{"notice": {"<maintenance> at noon"}}})
		c.expect(`{"type":"notice","text":"\u003cmaintenance\u003e at noon"}`, welcome)
	})
}

func TestOpening_CloseInConnectIsFollowedByNoWelcome(t *testing.T) {
	states(t, 32)
	each(t, func(t *testing.T, server *server) {
		c := server.dial(t, handshake{query: url.Values{"close": {"full"}}})
		c.expect(disconnection("full", false))
		c.expectClose(ws.StatusNormalClosure)
	})
}

func TestOpening_MiddlewareMayAnswerInsteadOfTheCable(t *testing.T) {
	states(t, 20)
	for gate, want := range map[string]struct {
		status int
		header [2]string
		body   string
	}{
		"throttled":       {http.StatusTooManyRequests, [2]string{"Retry-After", "7"}, "slow down"},
		"unauthenticated": {http.StatusUnauthorized, [2]string{"Www-Authenticate", "Basic"}, "who are you?"},
		"forbidden":       {http.StatusForbidden, [2]string{"X-Reason", "banned"}, "not you"},
		"moved":           {http.StatusFound, [2]string{"Location", "http://elsewhere.test/cable"}, ""},
	} {
		t.Run(gate, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				header := server.upgrade()
				header.Set("X-Gate", gate)
				header.Set("Cookie", server.rails.login(t, "ann", "cookie"))
				device := "gated " + t.Name()
				answer := server.get(t, "/cable?"+url.Values{"device": {device}}.Encode(), header)
				answer.expect(t, want.status, want.body)
				if got := server.rails.happened(t, device); got != nil {
					t.Errorf("callbacks: got %q, want none", got)
				}
				if got := answer.header.Get(want.header[0]); got != want.header[1] {
					t.Errorf("%s: got %q, want %q", want.header[0], got, want.header[1])
				}
			})
		})
	}
}

func TestOpening_OnlyAllowedOriginsAreLetIn(t *testing.T) {
	states(t, 8, 9, 12)
	for origin, allowed := range map[string]bool{
		"http://allowed.test":            true,
		"https://chat.allowed.test":      true,
		"app://anything":                 true, // for a Proc
		"http://evil.test":               false,
		"http://allowed.test.evil.test":  false,
		"https://chat.allowed.test:8443": false,
		"":                               false, // no Origin at all
	} {
		t.Run(origin, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				if allowed {
					server.connect(t, handshake{origin: origin}).expectNothing()
					return
				}
				header := server.upgrade()
				header.Del("Origin")
				if origin != "" {
					header.Set("Origin", origin)
				}
				answer := server.get(t, "/cable", header)
				expectPageNotFound(t, server, answer)
			})
		})
	}
}

func TestOpening_PlainGETIsNotFound(t *testing.T) {
	states(t, 5)
	each(t, func(t *testing.T, server *server) {
		expectPageNotFound(t, server, server.get(t, "/cable", http.Header{}))
	})
}

func TestOpening_CommandsBeforeTheWelcomeRunAfterIt(t *testing.T) {
	states(t, 33)
	each(t, func(t *testing.T, server *server) {
		c := server.dial(t, handshake{})
		echo := identify("EchoChannel")
		c.subscribe(echo)
		c.expect(welcome, confirmation(echo))
	})
}

// expectPageNotFound is Action Cable's own 404.
func expectPageNotFound(t *testing.T, server *server, answer answer) {
	t.Helper()
	answer.expect(t, http.StatusNotFound, "Page not found")
	want := "text/plain"
	if server.rails.atLeast(t, 7, 1) {
		want = "text/plain; charset=utf-8"
	}
	if got := answer.header.Get("Content-Type"); got != want {
		t.Errorf("Content-Type: got %q, want %q", got, want)
	}
}
