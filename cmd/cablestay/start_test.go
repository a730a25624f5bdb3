package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/cablestay/cablestay/bridge"
	"github.com/cablestay/cablestay/bridge/certificatetest"
	"github.com/cablestay/cablestay/bridge/freeport"
	"github.com/cablestay/cablestay/bridge/iouringtest"
	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// startRails starts an app whose cable.yml names this Redis.
func startRails(t *testing.T, redisPort string, change func(*rpctest.Rails, *rpc.Hello)) *rpctest.Server {
	t.Helper()
	hello := rpctest.Hello()
	hello.Redis = map[string]any{"url": "redis://127.0.0.1:" + redisPort + "/1"}
	app := rpctest.Rails{Hello: func(context.Context, *rpc.HelloRequest) (*rpc.Hello, error) { return hello, nil }}
	if change != nil {
		change(&app, hello)
	}
	return rpctest.NewRails(t, app)
}

// startAll starts Redis, Rails and a bridge that is ready.
func startAll(t *testing.T, change func(*rpctest.Rails, *rpc.Hello), arguments ...string) (bridge *running, redis *process) {
	t.Helper()
	port := freeport.Find(t)
	redis = startRedis(t, port)
	rails := startRails(t, port, change)
	bridge = startCablestay(t, secret(), append([]string{"--rails-url", rails.URL()}, arguments...)...)
	bridge.awaitReady()
	return bridge, redis
}

// expectNoStart checks that it ended with a sentence, and only one.
func expectNoStart(t *testing.T, p *process, code int, says string) {
	t.Helper()
	if got := p.exit(); got != code {
		t.Errorf("exit code: got %d, want %d", got, code)
	}
	if !strings.Contains(p.said(), says) {
		t.Errorf("got %q, want it to say %s", p.said(), says)
	}
	if strings.Count(strings.TrimSpace(p.said()), "\n") > 0 {
		t.Errorf("more than one line:\n%s", p.said())
	}
	if strings.Contains(p.said(), rpctest.Secret) {
		t.Errorf("the secret is in\n%s", p.said())
	}
}

func TestStart_BadSettingStopsItWithALineThatNamesIt(t *testing.T) {
	for name, scenario := range map[string]struct {
		environment []string
		arguments   []string
		says        string
	}{
		"Flag":         {secret(), []string{"--listen", "nowhere"}, `--listen "nowhere"`},
		"Variable":     {append(secret(), "CABLESTAY_LOG_LEVEL=loud"), nil, `CABLESTAY_LOG_LEVEL "loud"`},
		"NoSecret":     {nil, nil, "CABLESTAY_SECRET"},
		"TwoSecrets":   {secret(), []string{"--secret-file", "/dev/null"}, "--secret-file"},
		"SecretFile":   {nil, []string{"--secret-file", "/nonexistent/secret"}, "--secret-file"},
		"UnknownFlag":  {secret(), []string{"--nope"}, "--nope"},
		"NoValue":      {secret(), []string{"--listen"}, "--listen"},
		"StrayCommand": {secret(), []string{"serve"}, `"serve"`},
		"RailsURL":     {secret(), []string{"--rails-url", "https://rails"}, "--rails-url"},
		"TLS":          {secret(), []string{"--tls-cert", "/nonexistent/cert.pem", "--tls-key", "/nonexistent/key.pem"}, "--tls-cert: "},
	} {
		t.Run(name, func(t *testing.T) {
			expectNoStart(t, start(t, cablestayCommand(scenario.environment, scenario.arguments...)), exitSettings, scenario.says)
		})
	}
}

func TestStart_IOURingThatTheSystemRefusesIsNamed(t *testing.T) {
	iouringtest.Refused(t, func() {
		expectNoStart(t, start(t, cablestayCommand(secret(), "--io-uring=true")), exitSettings, `--io-uring "true": `)
		expectNoStart(t, start(t, cablestayCommand(append(secret(), "CABLESTAY_IO_URING=1"))), exitSettings, `CABLESTAY_IO_URING "1": `)
	})
}

func TestStart_AddressInUseIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address := listener.Addr().String()
	expectNoStart(t, startCablestay(t, secret(), "--listen", address).process, exitFailed, "--listen "+address)
	expectNoStart(t, startCablestay(t, secret(), "--ops-listen", address).process, exitFailed, "--ops-listen "+address)
}

func TestStart_RailsThatCantBeServedStopsItWithASentence(t *testing.T) {
	refuses := func(code int) func(*rpctest.Rails, *rpc.Hello) {
		return func(app *rpctest.Rails, _ *rpc.Hello) {
			app.Hello = func(context.Context, *rpc.HelloRequest) (*rpc.Hello, error) {
				return nil, &rpctest.Status{Code: code, Body: `{"contract":9,"error":"contract 9 is spoken"}`}
			}
		}
	}
	for name, scenario := range map[string]struct {
		change func(*rpctest.Rails, *rpc.Hello)
		says   string
	}{
		"WrongSecret":    {func(app *rpctest.Rails, _ *rpc.Hello) { app.Secret = "another" }, "CABLESTAY_SECRET"},
		"NoGem":          {refuses(http.StatusNotFound), "Gemfile"},
		"OtherContract":  {refuses(http.StatusConflict), "contract 9"},
		"AdapterAsync":   {func(_ *rpctest.Rails, hello *rpc.Hello) { hello.Adapter = "async" }, "async"},
		"BadRedis":       {func(_ *rpctest.Rails, hello *rpc.Hello) { hello.Redis = map[string]any{"port": "many"} }, "CABLESTAY_REDIS_URL"},
		"MountedNowhere": {func(_ *rpctest.Rails, hello *rpc.Hello) { hello.Mounts = []rpc.Mount{} }, "mount"},
	} {
		t.Run(name, func(t *testing.T) {
			rails := startRails(t, "1", scenario.change)
			// A variable that is none is warned of, but not on top of what stops the start.
			bridge := startCablestay(t, append(secret(), "CABLESTAY_TYPO=1"), "--rails-url", rails.URL())
			expectNoStart(t, bridge.process, exitFailed, scenario.says)
		})
	}
}

func TestStart_IsAliveAndNotReadyUntilRailsAndRedisAre(t *testing.T) {
	redisPort := freeport.Find(t)
	held, release := make(chan struct{}), make(chan struct{})
	rails := startRails(t, redisPort, func(app *rpctest.Rails, hello *rpc.Hello) {
		asked := false
		app.Hello = func(ctx context.Context, _ *rpc.HelloRequest) (*rpc.Hello, error) {
			if !asked {
				asked = true
				close(held)
				select {
				case <-release:
				case <-ctx.Done():
					return nil, errors.New("gave up")
				}
			}
			return hello, nil
		}
	})
	bridge := startCablestay(t, append(secret(), "CABLESTAY_TYPO=1"), "--rails-url", rails.URL())
	<-held
	if status, _ := bridge.get("/livez"); status != http.StatusOK {
		t.Errorf("livez: got %d, want 200", status)
	}
	if status, body := bridge.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "rails") {
		t.Errorf("readyz: got %d %q, want 503 for rails", status, body)
	}
	answer, err := http.Get("http://" + bridge.listen + "/cable")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("a socket before that: got %s and Retry-After %q, want 503 and some", answer.Status, answer.Header.Get("Retry-After"))
	}
	close(release)
	await(t, "Redis to be all that is missing", func() bool {
		status, body := bridge.get("/readyz")
		return status == http.StatusServiceUnavailable && body == "redis: not connected\n"
	})
	if got := strings.Count(bridge.said(), "CABLESTAY_TYPO"); got != 1 {
		t.Errorf("CABLESTAY_TYPO is warned of %d times, want once:\n%s", got, bridge.said())
	}
	startRedis(t, redisPort)
	bridge.awaitReady()
}

func TestStart_SettingsWinOverRails(t *testing.T) {
	port := freeport.Find(t)
	startRedis(t, port)
	rails := startRails(t, "1", nil) // where nobody is
	bridge := startCablestay(t, secret(), "--rails-url", rails.URL(), "--redis-url", "redis://127.0.0.1:"+port, "--path", "/sockets")
	bridge.awaitReady()
	if status, _ := get("http://" + bridge.listen + "/cable"); status != http.StatusNotFound {
		t.Errorf("/cable: got %d, want 404", status)
	}
	if status, _ := get("http://" + bridge.listen + "/sockets"); status == http.StatusNotFound {
		t.Errorf("/sockets: got %d, want anything else", status)
	}
}

func TestStart_SecretOnTheCommandLineIsHiddenFromPS(t *testing.T) {
	port := freeport.Find(t)
	startRedis(t, port)
	rails := startRails(t, port, nil)
	for _, given := range [][]string{{"--secret", rpctest.Secret}, {"--secret=" + rpctest.Secret}} {
		bridge := startCablestay(t, nil, append(given, "--rails-url", rails.URL())...)
		bridge.awaitReady()
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(bridge.command.Process.Pid), "cmdline"))
		if err != nil {
			t.Skip("this system has no /proc")
		}
		if strings.Contains(string(line), rpctest.Secret) {
			t.Errorf("ps shows %q", line)
		}
		if !strings.Contains(bridge.said(), "--secret-file") {
			t.Errorf("no warning in\n%s", bridge.said())
		}
	}
}

func TestStart_OpenFilesGoAsFarAsTheyMay(t *testing.T) {
	port := freeport.Find(t)
	startRedis(t, port)
	rails := startRails(t, port, nil)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	listen, ops := "127.0.0.1:"+freeport.Find(t), "127.0.0.1:"+freeport.Find(t)
	command := exec.Command("sh", "-c", `ulimit -S -n 256 && exec "$@"`, "sh", binary,
		"--listen", listen, "--ops-listen", ops, "--rails-url", rails.URL())
	command.Env = append(os.Environ(), secret()...)
	bridge := &running{process: start(t, command), listen: listen, ops: ops}
	bridge.awaitReady()
	_, metrics := bridge.get("/metrics")
	if got := metric(t, metrics, "process_max_fds"); got < 1024 {
		t.Errorf("open files: got %v, want the hard limit, %d", got, limit.Max)
	}
}

// metric finds the value of a metric without labels.
func metric(t *testing.T, metrics, name string) float64 {
	t.Helper()
	for scanner := bufio.NewScanner(strings.NewReader(metrics)); scanner.Scan(); {
		if text, ok := strings.CutPrefix(scanner.Text(), name+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Errorf("no metric %s", name)
	return -1
}

func TestMetrics_TellOfAllParts(t *testing.T) {
	bridge, _ := startAll(t, nil)
	status, metrics := bridge.get("/metrics")
	if status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	for name, want := range map[string]float64{
		"cablestay_connections": 0, "cablestay_redis_connected": 1, "cablestay_redis_reconnects_total": 0, "cablestay_redis_messages_total": 0,
		`cablestay_connections_closed_total{reason="slow_consumer"}`: 0, `cablestay_handshakes_total{outcome="unavailable"}`: 0,
		`cablestay_commands_failed_total{command="message"}`: 0, `cablestay_transmissions_dropped_total{reason="slow"}`: 0,
	} {
		if got := metric(t, metrics, name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for _, part := range []string{`cablestay_build_info{`, `version="1.2.3"`, "go_goroutines", "process_open_fds", "cablestay_rpc_requests_total"} {
		if !strings.Contains(metrics, part) {
			t.Errorf("%s is missing", part)
		}
	}
}

func TestMetrics_CountTransmissionsByChannelIfAskedTo(t *testing.T) {
	for argument, want := range map[string]string{"false": "cablestay_transmissions_total", "true": `cablestay_transmissions_total{channel=""}`} {
		bridge, _ := startAll(t, nil, "--metrics-by-channel="+argument)
		_, metrics := bridge.get("/metrics")
		if got := metric(t, metrics, want); got != 0 {
			t.Errorf("%s: got %v, want 0", want, got)
		}
	}
}

func TestCompression_IsNegotiatedIfAskedTo(t *testing.T) {
	for argument, want := range map[string]int{"false": 0, "true": 1} {
		bridge, _ := startAll(t, nil, "--compression="+argument)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		dialer := ws.Dialer{Extensions: []httphead.Option{wsflate.DefaultParameters.Option()}}
		socket, _, answer, err := dialer.Dial(ctx, "ws://"+bridge.listen+"/cable")
		if err != nil {
			t.Fatal(err)
		}
		if got := len(answer.Extensions); got != want {
			t.Errorf("%s: got %d extensions, want %d", argument, got, want)
		}
		_ = socket.Close()
	}
}

func TestTLS_IsSpokenToClientsAndNotToOperators(t *testing.T) {
	certificate, key := certificatetest.Write(t, t.TempDir(), "bridge.test")
	bridge, _ := startAll(t, nil, "--tls-cert", certificate, "--tls-key", key) // ready, as the operator's address says over plain HTTP
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dialer := ws.Dialer{TLSConfig: &tls.Config{RootCAs: certificatetest.Pool(t, certificate)}}
	socket, _, _, err := dialer.Dial(ctx, "wss://"+bridge.listen+"/cable")
	if err != nil {
		t.Fatal(err)
	}
	_ = socket.Close()
	if socket, _, _, err := dialer.Dial(ctx, "ws://"+bridge.listen+"/cable"); err == nil {
		_ = socket.Close()
		t.Error("who speaks no TLS got a socket")
	}
	bridge.signal(syscall.SIGTERM)
	if code := bridge.exit(); code != exitOK {
		t.Errorf("got exit code %d, want 0", code)
	}
}

func TestIOURing_IsWrittenThroughIfAskedTo(t *testing.T) {
	if err := bridge.CheckIOURing(); err != nil {
		t.Skip(err)
	}
	for argument, want := range map[string]bool{"false": false, "true": true} {
		bridge, _ := startAll(t, nil, "--io-uring="+argument)
		_ = connect(t, bridge).Close()
		if got := hasIOURing(t, bridge); got != want {
			t.Errorf("--io-uring=%s: has one: %v", argument, got)
		}
	}
}

func hasIOURing(t *testing.T, bridge *running) bool {
	t.Helper()
	folder := filepath.Join("/proc", strconv.Itoa(bridge.command.Process.Pid), "fd")
	descriptors, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(descriptors, func(descriptor os.DirEntry) bool {
		is, _ := os.Readlink(filepath.Join(folder, descriptor.Name()))
		return is == "anon_inode:[io_uring]"
	})
}

func TestHealth_AsksTheRunningOne(t *testing.T) {
	bridge, redis := startAll(t, nil)
	ask := func() (int, string) {
		p := start(t, cablestayCommand([]string{"CABLESTAY_OPS_LISTEN=" + bridge.ops}, "health"))
		return p.exit(), p.said()
	}
	if code, said := ask(); code != exitOK || said != "ready\n" {
		t.Errorf("ready: got %d %q", code, said)
	}
	redis.signal(syscall.SIGKILL)
	await(t, "unreadiness", func() bool { status, _ := bridge.get("/readyz"); return status == http.StatusServiceUnavailable })
	if code, said := ask(); code != exitFailed || !strings.Contains(said, "redis") {
		t.Errorf("without Redis: got %d %q", code, said)
	}
	bridge.signal(syscall.SIGTERM)
	bridge.exit()
	if code, _ := ask(); code != exitFailed {
		t.Errorf("nobody there: got %d, want 1", code)
	}
}

func TestVersionAndHelp(t *testing.T) {
	version := start(t, cablestayCommand(nil, "version"))
	if code := version.exit(); code != exitOK || !strings.HasPrefix(version.said(), "cablestay 1.2.3 (go1.") {
		t.Errorf("version: got %d %q", code, version.said())
	}
	help := start(t, cablestayCommand(nil, "--help"))
	if code := help.exit(); code != exitOK {
		t.Errorf("help: got %d", code)
	}
	for _, s := range allSettings {
		if !strings.Contains(help.said(), "--"+s.name+", "+s.variable()+"\n") {
			t.Errorf("help does not show --%s", s.name)
		}
	}
}
