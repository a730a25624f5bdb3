//go:build e2e

package e2e

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cablestay/cablestay/bridge/certificatetest"
	"github.com/cablestay/cablestay/bridge/freeport"
)

// setup is what a scenario may want otherwise than usual.
type setup struct {
	workers       int         // Puma's; 0 is what the run is about: single mode, or CABLESTAY_E2E_WORKERS
	threads       int         // of each of Puma's processes; 0 is pumaThreads
	unixSocket    bool        // Puma listens on a Unix socket; for the bridge only
	road          *faultyRoad // lies between the bridge and Puma, where there is one
	app           app         // nil is the one in app/
	configuration string      // of the app in app/: a file in app/config/configurations
	tls           bool        // consumers speak TLS, with the bridge or with Puma itself
}

// server is a cable under test with all that it needs.
type server struct {
	kind   kind
	redis  *redisServer
	rails  *rails
	bridge *bridge     // nil on stock
	tls    *tls.Config // what consumers trust; nil without TLS
}

// newServer starts Redis, Puma and, where it is the one under test, cablestay.
func newServer(t *testing.T, life lifetime, kind kind, setup setup) *server {
	t.Helper()
	// Not t.TempDir: its long names do not fit the 107 bytes that a Unix socket's path may have.
	folder, err := os.MkdirTemp(run.folder, "")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{kind: kind}
	s.redis = newRedisServer(t, life, folder)
	if setup.tls {
		certificate, _ := certificatetest.Write(t, folder, "cable.test")
		s.tls = &tls.Config{RootCAs: certificatetest.Pool(t, certificate)}
	}
	s.rails = newRails(t, life, kind, setup, folder, s.redis.url())
	if life == lifetime(t) {
		s.showLogsOnFailure(t) // registered before the bridge's own end, so shown after it
	}
	if kind == bridged {
		railsURL := s.rails.url()
		if setup.road != nil {
			railsURL = setup.road.build(t, s.rails)
		}
		var arguments []string
		if setup.tls {
			arguments = []string{"--tls-cert", filepath.Join(folder, "cert.pem"), "--tls-key", filepath.Join(folder, "key.pem")}
		}
		s.bridge = newBridge(t, life, folder, railsURL, arguments...)
	}
	return s
}

// scheme is what its pages would have; that of sockets is "ws" + scheme()[len("http"):].
func (s *server) scheme() string {
	if s.tls != nil {
		return "https"
	}
	return "http"
}

// address is where consumers connect to.
func (s *server) address() string {
	switch {
	case s.bridge != nil:
		return s.bridge.address()
	case s.tls != nil:
		return s.rails.secureAddress()
	default:
		return s.rails.address()
	}
}

// processes are those whose logs tell what happened.
func (s *server) processes() []*process {
	processes := []*process{s.rails.process}
	if s.bridge != nil {
		processes = append(processes, s.bridge.process)
	}
	return processes
}

// marks are the ends of the logs now.
func (s *server) marks() map[string]int64 {
	marks := map[string]int64{}
	for _, process := range s.processes() {
		marks[process.log] = process.logSize()
	}
	return marks
}

func (s *server) showLogsOnFailure(t *testing.T) {
	t.Helper()
	marks := s.marks()
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, process := range s.processes() {
			t.Log(process.tail(marks[process.log]))
		}
	})
}

// get asks the cable's address for something.
func (s *server) get(t *testing.T, path string, header http.Header) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.scheme()+"://"+s.address()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.Clone()
	response, err := (&http.Transport{DisableKeepAlives: true, TLSClientConfig: s.tls}).RoundTrip(request)
	if err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}
}

// answer is a whole HTTP answer.
type answer struct {
	status int
	header http.Header
	body   string
}

// expect checks status and body.
func (a answer) expect(t *testing.T, status int, body string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status: got %d, want %d", a.status, status)
	}
	if a.body != body {
		t.Errorf("body: got %q, want %q", a.body, body)
	}
}

// expectUnavailable checks that the client is asked to come again.
func (a answer) expectUnavailable(t *testing.T) {
	t.Helper()
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("got status %d with Retry-After %q, want 503 and one", a.status, a.header.Get("Retry-After"))
	}
}

// upgrade is the header of a proper WebSocket handshake from the server's own origin.
func (s *server) upgrade() http.Header {
	return http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Origin": {s.scheme() + "://" + s.address()},
	}
}

// bridge is the cablestay binary. It keeps its ports when it is stopped and started.
type bridge struct {
	life      lifetime
	folder    string
	railsURL  string
	port, ops string
	arguments []string // beside those that it always has
	process   *process
}

func newBridge(t *testing.T, life lifetime, folder, railsURL string, arguments ...string) *bridge {
	t.Helper()
	b := &bridge{life: life, folder: folder, railsURL: railsURL, arguments: arguments, port: freeport.Find(t), ops: freeport.Find(t)}
	b.start(t)
	return b
}

func (b *bridge) address() string { return "127.0.0.1:" + b.port }

// binary builds cablestay once, with the race detector.
func binary(t *testing.T) string {
	t.Helper()
	run.building.Lock()
	defer run.building.Unlock()
	if run.binary == "" {
		run.binary = os.Getenv("CABLESTAY_E2E_BINARY")
	}
	if run.binary == "" {
		path := filepath.Join(run.folder, "cablestay-race")
		command := exec.Command("go", "build", "-race", "-o", path, "./cmd/cablestay")
		command.Dir = repository(t)
		runProgram(t, command)
		run.binary = path
	}
	return run.binary
}

// command is cablestay with nothing but what it cannot find out by itself.
func (b *bridge) command(t *testing.T, secret string) *exec.Cmd {
	t.Helper()
	command := exec.Command(binary(t), "--listen", b.address(), "--ops-listen", "127.0.0.1:"+b.ops, "--rails-url", b.railsURL)
	command.Args = append(command.Args, b.arguments...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=exitcode=66"} // none of whoever runs the suite
	if secret != "" {
		command.Env = append(command.Env, "CABLESTAY_SECRET="+secret)
	}
	return command
}

func (b *bridge) start(t *testing.T) {
	t.Helper()
	var process *process
	b.life.Cleanup(func() { // after the process has ended
		if process != nil && strings.Contains(process.logSince(0), "WARNING: DATA RACE") {
			run.complain("data race in cablestay:\n" + process.logSince(0))
		}
	})
	process = startProcess(t, b.life, b.folder, "cablestay", b.command(t, rpcSecret))
	b.process = process
	awaitFor(t, patienceWithStarts, "cablestay", func() bool {
		if process.ended() {
			t.Fatalf("cablestay ended at once:\n%s", process.tail(0))
		}
		return b.ready()
	})
}

// ready is what /readyz says.
func (b *bridge) ready() bool {
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://127.0.0.1:" + b.ops + "/readyz")
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
