//go:build e2e

package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHandshake_UpgradeIsAnsweredWithItsOwnHeadersAndNoOthers(t *testing.T) {
	states(t, 1, 16, 24, 26)
	each(t, func(t *testing.T, server *server) {
		header := server.upgrade()
		header.Set("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
		answer := server.request(t, http.MethodGet, "/cable", header) // by nobody who is logged in
		if answer.status != http.StatusSwitchingProtocols {
			t.Fatalf("got status %d, want 101", answer.status)
		}
		var names []string
		for name := range answer.header {
			names = append(names, name)
		}
		slices.Sort(names)
		if want := []string{"Connection", "Sec-Websocket-Accept", "Upgrade"}; !slices.Equal(names, want) {
			t.Errorf("headers of the 101: got %q, want %q", names, want)
		}
		if got, want := answer.header.Get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
			t.Errorf("Sec-WebSocket-Accept: got %q, want %q", got, want)
		}
	})
}

func TestHandshake_ConfiguredPathAndNoCheckOfTheOrigin(t *testing.T) {
	states(t, 2, 9)
	eachConfigured(t, "open_to_all", func(t *testing.T, server *server) {
		for _, origin := range []string{"", "https://evil.test"} {
			header := server.upgrade()
			header.Del("Origin")
			if origin != "" {
				header.Set("Origin", origin)
			}
			if got := server.request(t, http.MethodGet, "/sockets/live", header).status; got != http.StatusSwitchingProtocols {
				t.Errorf("origin %q: got status %d, want 101", origin, got)
			}
		}
		if got := server.request(t, http.MethodGet, "/cable", server.upgrade()).status; got != http.StatusNotFound {
			t.Errorf("/cable: got status %d, want 404", got)
		}
	})
}

func TestHandshake_OnlyGETUpgrades(t *testing.T) {
	states(t, 6)
	for _, method := range []string{http.MethodPost, http.MethodHead} {
		t.Run(method, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				if got := server.request(t, method, "/cable", server.upgrade()).status; got != http.StatusNotFound {
					t.Errorf("got status %d, want 404", got)
				}
			})
		})
	}
}

func TestHandshake_MountOfTheAppsOwnIsTheOnlyPath(t *testing.T) {
	states(t, 2, 25)
	eachConfigured(t, "own_mount", func(t *testing.T, server *server) {
		c := server.connect(t, handshake{path: "/t/acme/cable", origin: "http://pages.test", query: url.Values{"connect": {"look"}}})
		seen := server.rails.looked(t, c)
		if got := seen["path_parameters"].(map[string]any)["tenant"]; got != "acme" {
			t.Errorf("path_parameters: got %v, want the tenant acme", seen["path_parameters"])
		}
		if got := seen["parameters"].(map[string]any)["tenant"]; got != "acme" {
			t.Errorf("params: got %v, want the tenant acme", seen["parameters"])
		}
		header := server.upgrade()
		header.Set("Origin", "http://pages.test")
		for _, path := range []string{"/cable", "/t/cable", "/t/a/b/cable"} {
			if got := server.request(t, http.MethodGet, path, header).status; got != http.StatusNotFound {
				t.Errorf("%s: got status %d, want 404", path, got)
			}
		}
	})
}

func TestHandshake_OriginIsComparedAsConfigured(t *testing.T) {
	states(t, 11, 12)
	eachConfigured(t, "own_mount", func(t *testing.T, server *server) { // one Regexp, in no array
		for origin, want := range map[string]int{
			"http://" + server.address(): http.StatusNotFound,           // its own
			"https://pages.test.evil":    http.StatusSwitchingProtocols, // no anchors, so it is searched for
			"https://page.test":          http.StatusNotFound,
		} {
			header := server.upgrade()
			header.Set("Origin", origin)
			if got := server.request(t, http.MethodGet, "/t/acme/cable", header).status; got != want {
				t.Errorf("origin %s: got status %d, want %d", origin, got, want)
			}
		}
	})
}

func TestHandshake_OriginOfTheSameHostNeedsTheSameScheme(t *testing.T) {
	states(t, 10, 13)
	for name, scenario := range map[string]struct {
		origin, header, value string
		want                  int
	}{
		"SameHost":                {"http://app.test:3000", "", "", 101},
		"HTTPSBehindAProxy":       {"https://app.test:3000", "X-Forwarded-Proto", "https", 101},
		"HTTPSByAnotherHeader":    {"https://app.test:3000", "X-Forwarded-Ssl", "on", 101},
		"HTTPBehindAProxyOfHTTPS": {"http://app.test:3000", "X-Forwarded-Proto", "https", 404},
		"HTTPSWithoutAProxy":      {"https://app.test:3000", "", "", 404},
		"OtherPort":               {"http://app.test", "", "", 404},
		"ForwardedHost":           {"http://public.test", "X-Forwarded-Host", "public.test", 404},
		"HostBehindAProxy":        {"http://app.test:3000", "X-Forwarded-Host", "public.test", 101},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				header := server.upgrade()
				header.Set("Host", "app.test:3000")
				header.Set("Origin", scenario.origin)
				if scenario.header != "" {
					header.Set(scenario.header, scenario.value)
				}
				if got := server.request(t, http.MethodGet, "/cable", header).status; got != scenario.want {
					t.Errorf("got status %d, want %d", got, scenario.want)
				}
			})
		})
	}
}

func TestHandshake_PathMayEndInASlash(t *testing.T) {
	states(t, 3)
	each(t, func(t *testing.T, server *server) {
		server.connect(t, handshake{path: "/cable/"}).expectNothing()
	})
}

func TestHandshake_LongerPathIsTheAppsFromRails7On(t *testing.T) {
	states(t, 4)
	each(t, func(t *testing.T, server *server) {
		want := http.StatusSwitchingProtocols
		if server.rails.atLeast(t, 7, 0) { // 7.0.4, to be exact
			want = http.StatusNotFound
		}
		answer := server.request(t, http.MethodGet, "/cable/x", server.upgrade())
		if answer.status != want {
			t.Errorf("got status %d, want %d", answer.status, want)
		}
	})
}

func TestHandshake_HeadersOfAnUpgradeMayBeSpeltInManyWays(t *testing.T) {
	states(t, 7)
	for name, scenario := range map[string]struct {
		connection, upgrade string
		want                int
	}{
		"Firefox":          {"keep-alive, Upgrade", "websocket", 101},
		"LowerCase":        {"upgrade", "websocket", 101},
		"UpperCase":        {"UPGRADE", "WebSocket", 101},
		"ManyOptions":      {"close,  Upgrade ,x", "websocket", 101},
		"NoOptionOfIt":     {"keep-alive", "websocket", 404},
		"AnotherProtocol":  {"Upgrade", "h2c", 404},
		"OptionBeginsSo":   {"upgrade-insecure", "websocket", 404},
		"SeveralProtocols": {"Upgrade", "websocket, h2c", 404},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				header := server.upgrade()
				header.Set("Connection", scenario.connection)
				header.Set("Upgrade", scenario.upgrade)
				if got := server.request(t, http.MethodGet, "/cable", header).status; got != scenario.want {
					t.Errorf("got status %d, want %d", got, scenario.want)
				}
			})
		})
	}
}

func TestHandshake_OtherVersionOfTheProtocolIsABadRequest(t *testing.T) {
	states(t, 19)
	each(t, func(t *testing.T, server *server) {
		header := server.upgrade()
		header.Set("Sec-Websocket-Version", "8")
		answer := server.request(t, http.MethodGet, "/cable", header)
		reason := "stock's answer is its websocket-driver's: the installed 0.6.3 takes any version, all from 0.7.1 on answer as Cablestay does"
		if want := onPurpose(t, server, reason, http.StatusSwitchingProtocols, http.StatusBadRequest); answer.status != want {
			t.Errorf("got status %d, want %d", answer.status, want)
		}
		if server.kind == bridged && answer.body != "Unsupported WebSocket version: 13" {
			t.Errorf("got body %q, want websocket-driver's own words", answer.body)
		}
	})
}

func TestHandshake_ConnectSeesAllOfItAndNothingOfItsThread(t *testing.T) {
	states(t, 17, 18, 21, 22)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{
			login: "everything", user: "zoë", device: "looking < & é", query: url.Values{"connect": {"look"}, "list[]": {"1", "é&="}},
			header: http.Header{"User-Agent": {"Wagon/1.0"}, "X-Odd": {"a, \"b\";c=d"}, "X-Tenant": {"acme"},
				"X-Forwarded-For": {"192.0.2.7"}, "X-Request-Id": {"request-of-the-client"}},
			protocols: []string{"actioncable-v1-json", "token.abc"},
		})
		want := map[string]any{
			"protocol": "actioncable-v1-json", "offered": "actioncable-v1-json, token.abc", "agent": "Wagon/1.0", "odd": `a, "b";c=d`,
			"query":      url.Values{"connect": {"look"}, "device": {c.device}, "list[]": {"1", "é&="}}.Encode(),
			"parameters": map[string]any{"list": []any{"1", "é&="}}, "path_parameters": map[string]any{},
			"plain": "plain zoë", "signed": "signed zoë", "encrypted": "zoë", "session": "session of zoë",
			"address": "192.0.2.7", "uuid": "request-of-the-client", "host": "127.0.0.1", "secure": false, "method": "GET",
			"left_in_env": "tenant of acme", "left_in_thread": nil, "left_in_current": nil, "executor": true,
		}
		seen := server.rails.looked(t, c)
		for name := range want {
			if !reflect.DeepEqual(seen[name], want[name]) {
				t.Errorf("%s: got %#v, want %#v", name, seen[name], want[name])
			}
		}
	})
}

func TestHandshake_ProtocolIsNilWhereNoneIsChosen(t *testing.T) {
	states(t, 17)
	each(t, func(t *testing.T, server *server) {
		c := server.connect(t, handshake{query: url.Values{"connect": {"look"}}, protocols: []string{"foo"}})
		if seen := server.rails.looked(t, c); seen["protocol"] != nil || seen["offered"] != "foo" {
			t.Errorf("got protocol %v of the offered %v, want nil of foo", seen["protocol"], seen["offered"])
		}
	})
}

func TestHandshake_CookiesThatConnectWritesGoNowhere(t *testing.T) {
	states(t, 1, 23)
	each(t, func(t *testing.T, server *server) {
		header := server.upgrade()
		header.Set("Cookie", server.rails.login(t, "ann", "everything"))
		device := "writes " + t.Name()
		answer := server.request(t, http.MethodGet, "/cable?"+url.Values{"device": {device}, "connect": {"write cookies"}}.Encode(), header)
		if answer.status != http.StatusSwitchingProtocols || len(answer.header.Values("Set-Cookie")) > 0 {
			t.Errorf("got status %d with Set-Cookie %q, want 101 with none", answer.status, answer.header.Values("Set-Cookie"))
		}
		server.rails.awaitEvent(t, device, "connect") // so they were written
	})
}

func TestHandshake_IsLoggedAsTheStockOneIs(t *testing.T) {
	states(t, 201)
	each(t, func(t *testing.T, server *server) {
		mark := server.rails.process.logSize()
		c := server.connect(t, handshake{})
		tags := regexp.QuoteMeta("[ActionCable] [device=" + c.device + "] ")
		path := `"/cable\?device=` + c.device + `" \[WebSocket\] for 127\.0\.0\.1 at \d{4}-`
		if !server.rails.atLeast(t, 7, 0) { // an unanchored mount
			path = strings.Replace(path, "/cable", "/cable/", 1)
		}
		server.rails.process.awaitLog(t, mark, tags+`Started GET `+path)
		server.rails.process.awaitLog(t, mark, tags+`Successfully upgraded to WebSocket \(REQUEST_METHOD: GET, HTTP_CONNECTION: Upgrade, HTTP_UPGRADE: websocket\)`)
		server.rails.process.awaitLog(t, mark, tags+`Registered connection \(ann:`+c.device+`\)`)
		c.leave()
		server.rails.process.awaitLog(t, mark, tags+`Finished `+path)
	})
}

// looked is what a connection saw in connect.
func (r *rails) looked(t *testing.T, c *consumer) map[string]any {
	t.Helper()
	for _, e := range r.awaitEvent(t, c.device, "looked") {
		if e.Event == "looked" {
			return e.Seen
		}
	}
	return nil
}

// request makes an HTTP request on a socket of its own, of which nothing follows, and reads the answer. The headers are
// sent as they are spelled.
func (s *server) request(t *testing.T, method, path string, header http.Header) answer {
	t.Helper()
	socket, err := net.Dial("tcp", s.address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	_ = socket.SetDeadline(time.Now().Add(patience))
	host := s.address()
	if header.Get("Host") != "" {
		host = header.Get("Host")
	}
	var request strings.Builder
	request.WriteString(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n")
	for name, values := range header {
		for _, value := range values {
			if name != "Host" {
				request.WriteString(name + ": " + value + "\r\n")
			}
		}
	}
	request.WriteString("\r\n")
	if _, err := io.WriteString(socket, request.String()); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(socket), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	result := answer{status: response.StatusCode, header: response.Header}
	if response.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		result.body = string(body)
	}
	return result
}
