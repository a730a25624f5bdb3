//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/bridge/freeport"
)

const startReason = "it is part of Rails and has no start of its own"

func TestStart_WrongSecretStopsItWithASentence(t *testing.T) {
	onlyBridged(t, startReason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		const wrong = "another-secret-that-rails-does-not-know"
		expectNoStart(t, server.bridge.with(t, wrong, nil), `(?i)secret`, wrong)
	})
}

func TestStart_OtherContractStopsItWithASentence(t *testing.T) {
	onlyBridged(t, startReason, func(t *testing.T) {
		road := &faultyRoad{}
		server := newServer(t, t, bridged, setup{road: road})
		road.set("hello", mismatch, false)
		expectNoStart(t, server.bridge.with(t, rpcSecret, nil), `(?i)contract.*2`, rpcSecret)
	})
}

func TestStart_AdapterThatKeepsBroadcastsInsideRailsStopsItWithASentence(t *testing.T) {
	onlyBridged(t, startReason, func(t *testing.T) {
		road := &faultyRoad{}
		server := newServer(t, t, bridged, setup{road: road})
		road.rewriteHello(func(answer map[string]any) { answer["adapter"], answer["redis"] = "async", map[string]any{} })
		expectNoStart(t, server.bridge.with(t, rpcSecret, nil), `(?i)async`, rpcSecret)
	})
}

func TestStart_BadSettingStopsItWithOneLineThatNamesIt(t *testing.T) {
	for name, scenario := range map[string]struct {
		secret    string
		arguments []string
		names     string
	}{
		"Listen":        {rpcSecret, []string{"--listen", "nowhere"}, `listen`},
		"RailsURL":      {rpcSecret, []string{"--rails-url", "ftp://127.0.0.1"}, `rails-url|CABLESTAY_RAILS_URL`},
		"RedisURL":      {rpcSecret, []string{"--redis-url", "http://127.0.0.1"}, `redis-url|CABLESTAY_REDIS_URL`},
		"SecretFile":    {"", []string{"--secret-file", "/nonexistent"}, `secret-file|CABLESTAY_SECRET_FILE`},
		"NoSecret":      {"", nil, `secret|CABLESTAY_SECRET`},
		"UnknownFlag":   {rpcSecret, []string{"--nope"}, `nope`},
		"StrayArgument": {rpcSecret, []string{"serve"}, `serve`},
	} {
		t.Run(name, func(t *testing.T) {
			onlyBridged(t, startReason, func(t *testing.T) {
				server := sharedServer(t, bridged)
				expectNoStart(t, server.bridge.with(t, scenario.secret, scenario.arguments), scenario.names, rpcSecret)
			})
		})
	}
}

func TestStart_SecretMayComeFromAFile(t *testing.T) {
	onlyBridged(t, startReason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(rpcSecret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		server.bridge.process.stop(t)
		other := server.bridge.with(t, "", []string{"--secret-file", file})
		await(t, "cablestay", other.ready)
		server.bridge = other
		server.connect(t, handshake{}).expectNothing()
	})
}

func TestStart_BeforeRailsItIsAliveButNotReady(t *testing.T) {
	onlyBridged(t, startReason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		server.bridge.process.stop(t)
		server.rails.stop(t)
		early := server.bridge.with(t, rpcSecret, nil)
		await(t, "livez", func() bool { return early.asks(t, "/livez") == http.StatusOK })
		if got := early.asks(t, "/readyz"); got != http.StatusServiceUnavailable {
			t.Errorf("readyz without Rails: got %d, want 503", got)
		}
		server.rails.start(t)
		await(t, "readyz", early.ready)
		server.bridge = early
		server.connect(t, handshake{}).expectNothing()
	})
}

func TestStart_RailsMayBeAtAUnixSocket(t *testing.T) {
	onlyBridged(t, startReason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{unixSocket: true})
		c := server.connect(t, handshake{})
		room := identify("RoomChannel", "room", "r")
		c.join(room)
		c.perform(room, "speak", "text", "through a socket file")
		c.expect(message(room, `{"text":"through a socket file"}`))
		server.rails.stop(t)
		c.expectPings(1)
		server.rails.start(t)
		c.expectNothing()
		c.leave()
		server.rails.awaitEvent(t, c.device, "disconnect")
	})
}

func TestStart_MetricsCountWhatHappened(t *testing.T) {
	onlyBridged(t, startReason, func(t *testing.T) {
		server := newServer(t, t, bridged, setup{})
		for range 3 {
			server.connect(t, handshake{})
		}
		answer, err := http.Get("http://127.0.0.1:" + server.bridge.ops + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		metrics, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^cablestay_connections 3$`).Match(metrics) {
			t.Errorf("cablestay_connections: want 3, got\n%s", metrics)
		}
	})
}

func TestStart_EndpointInRailsIsClosedToWhoeverHasNoProof(t *testing.T) {
	onlyBridged(t, startReason, func(t *testing.T) {
		server := sharedServer(t, bridged)
		for _, authorization := range []string{"", "Bearer", "Bearer nonsense", "Basic YTpi"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://rails.test/_cablestay/hello", strings.NewReader(`{"contract":1,"id":"x"}`))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			if authorization != "" {
				request.Header.Set("Authorization", authorization)
			}
			answer, err := server.rails.http.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusUnauthorized {
				t.Errorf("Authorization %q: got %s, want 401", authorization, answer.Status)
			}
		}
	})
}

// with starts another cablestay beside this one, with other ports.
func (b *bridge) with(t *testing.T, secret string, arguments []string) *bridge {
	t.Helper()
	other := &bridge{life: t, folder: t.TempDir(), railsURL: b.railsURL, port: freeport.Find(t), ops: freeport.Find(t)}
	command := other.command(t, secret)
	command.Args = append(command.Args, arguments...)
	other.process = startProcess(t, t, other.folder, "cablestay", command)
	return other
}

// asks returns the status of an answer of the operator's port, 0 where there is none.
func (b *bridge) asks(t *testing.T, path string) int {
	t.Helper()
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://127.0.0.1:" + b.ops + path)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// expectNoStart checks that cablestay ended by itself, and with what last words.
func expectNoStart(t *testing.T, b *bridge, names, secret string) {
	t.Helper()
	if code := b.process.wait(t); code < 1 || code == 66 { // 66 is the race detector's
		t.Errorf("exit code: got %d, want one that says it failed", code)
	}
	words := b.process.logSince(0)
	if !regexp.MustCompile(names).MatchString(words) {
		t.Errorf("its words do not match %q:\n%s", names, words)
	}
	if strings.Count(strings.TrimSpace(words), "\n") > 0 {
		t.Errorf("more than one line:\n%s", words)
	}
	if secret != "" && strings.Contains(words, secret) {
		t.Errorf("its words hold the secret:\n%s", words)
	}
}
