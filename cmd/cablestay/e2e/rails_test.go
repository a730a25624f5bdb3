//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge/freeport"
)

const (
	secretKeyBase = "e2e-key-base-e2e-key-base-e2e-key-base-e2e-key-base-e2e-key-base"
	rpcSecret     = "e2e-rpc-secret-of-thirty-two-bytes-or-more"
)

// app makes a Rails app's folder.
type app func(t *testing.T) string

// rails is Puma with an app, that in app/ unless the setup has another. It keeps its port when it is stopped and started.
type rails struct {
	life    lifetime
	kind    kind
	setup   setup
	app     string // folder
	folder  string // what Rails may write to: journal, gates, socket
	redis   string // URL
	port    string
	secure  string // the port at which Puma itself speaks TLS, where it does
	process *process
	http    *http.Client
	version string // of Rails
	cookies map[string]string
}

func newRails(t *testing.T, life lifetime, kind kind, setup setup, folder, redisURL string) *rails {
	t.Helper()
	r := &rails{life: life, kind: kind, setup: setup, folder: folder, redis: redisURL, cookies: map[string]string{}}
	if err := os.MkdirAll(filepath.Join(folder, "gates"), 0o700); err != nil {
		t.Fatal(err)
	}
	if setup.app != nil {
		r.app = setup.app(t)
	} else {
		r.app = repository(t, "cmd/cablestay/e2e/app")
	}
	if !setup.unixSocket {
		r.port = freeport.Find(t)
	}
	if setup.tls && kind != bridged {
		r.secure = freeport.Find(t)
	}
	transport := &http.Transport{DialContext: r.dial, DisableKeepAlives: true}
	r.http = &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	r.start(t)
	return r
}

func (r *rails) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var dialer net.Dialer
	if r.setup.unixSocket {
		return dialer.DialContext(ctx, "unix", filepath.Join(r.folder, "puma.sock"))
	}
	return dialer.DialContext(ctx, "tcp", r.address())
}

func (r *rails) address() string { return "127.0.0.1:" + r.port }

func (r *rails) secureAddress() string { return "127.0.0.1:" + r.secure }

// url is what cablestay is told.
func (r *rails) url() string {
	if r.setup.unixSocket {
		return "unix://" + filepath.Join(r.folder, "puma.sock")
	}
	return "http://" + r.address()
}

// command makes a command that runs in the app's folder, in the root folder where one was chosen. There the app is
// at /srv, the gem at /opt and the folder that Rails may write to at /mnt: places that every root has.
func (r *rails) command(t *testing.T, program ...string) *exec.Cmd {
	t.Helper()
	app, gem, folder := r.app, repository(t, "rpc/rails"), r.folder
	var command *exec.Cmd
	if root := os.Getenv("CABLESTAY_E2E_RAILS_ROOT"); root != "" {
		arguments := []string{"--run", root, "-b", app + ":/srv", "-b", gem + ":/opt", "-b", folder + ":/mnt", "-C", "/srv", "--"}
		command = exec.Command(repository(t, ".ci/rails-root"), append(arguments, program...)...)
		gem, folder = "/opt", "/mnt"
	} else {
		command = exec.Command(program[0], program[1:]...)
		command.Dir = app
	}
	command.Env = append(os.Environ(),
		"RAILS_ENV=production", "LANG=C.UTF-8", "SECRET_KEY_BASE="+secretKeyBase, "REDIS_URL="+r.redis,
		"E2E_JOURNAL="+folder+"/journal", "E2E_GATES="+folder+"/gates")
	if r.setup.configuration != "" {
		command.Env = append(command.Env, "E2E_CONFIGURATION="+r.setup.configuration)
	}
	if r.kind != stock {
		command.Env = append(command.Env, "E2E_GEM=cablestay", "RUBYLIB="+gem+"/lib", "CABLESTAY_SECRET="+rpcSecret)
	}
	return command
}

// workers is how many processes Puma forks; 0 is none.
func (r *rails) workers() int {
	if r.setup.workers > 0 {
		return r.setup.workers
	}
	return workers()
}

// pumaThreads is how many each process has, unless the setup says otherwise.
const pumaThreads = 5

func (r *rails) threads() int {
	if r.setup.threads > 0 {
		return r.setup.threads
	}
	return pumaThreads
}

func (r *rails) start(t *testing.T) {
	t.Helper()
	bind := "tcp://" + r.address()
	if r.setup.unixSocket {
		bind = "unix://" + r.folder + "/puma.sock"
		if os.Getenv("CABLESTAY_E2E_RAILS_ROOT") != "" {
			bind = "unix:///mnt/puma.sock"
		}
	}
	puma := []string{"puma", "--bind", bind}
	if r.secure != "" {
		folder := r.folder
		if os.Getenv("CABLESTAY_E2E_RAILS_ROOT") != "" {
			folder = "/mnt"
		}
		puma = append(puma, "--bind", "ssl://"+r.secureAddress()+"?cert="+folder+"/cert.pem&key="+folder+"/key.pem")
	}
	puma = append(puma, "--threads", fmt.Sprintf("%[1]d:%[1]d", r.threads()), "--workers", strconv.Itoa(r.workers()), "config.ru")
	command := r.command(t, puma...)
	r.process = startProcess(t, r.life, r.folder, "puma", command)
	awaitFor(t, patienceWithStarts, "Puma", func() bool {
		if r.process.ended() {
			t.Fatalf("Puma ended at once:\n%s", r.process.tail(0))
		}
		answer, err := r.http.Get("http://rails.test/version")
		if err != nil {
			return false
		}
		defer func() { _ = answer.Body.Close() }()
		var version struct{ Rails, Ruby string }
		if answer.StatusCode != http.StatusOK || json.NewDecoder(answer.Body).Decode(&version) != nil {
			return false
		}
		r.version = version.Rails
		conformance.mutex.Lock()
		conformance.rails, conformance.ruby = version.Rails, version.Ruby
		conformance.mutex.Unlock()
		return true
	})
}

// threadsForRequests is what Puma calls them, in single mode.
const threadsForRequests = "puma srv tp"

// stop ends Puma in its own way. On Ruby 3.3, Puma 6.6 now and then hangs after that, in closing a pipe, when nothing is
// left for it to do (puma/puma#3677): then it is killed.
func (r *rails) stop(t *testing.T) {
	t.Helper()
	if r.workers() > 0 { // they are threads of its workers then
		r.process.stop(t)
		return
	}
	if !r.process.hasThread(threadsForRequests) {
		t.Fatalf("Puma has no threads called %s", threadsForRequests)
	}
	r.process.signal(t, syscall.SIGTERM)
	var done time.Time
	await(t, "the end of Puma", func() bool {
		switch {
		case r.process.ended():
			return true
		case r.process.hasThread(threadsForRequests):
		case done.IsZero():
			done = time.Now()
		case time.Since(done) > 5*time.Second:
			_ = r.process.command.Process.Kill()
		}
		return false
	})
	await(t, "Puma's port to be free", func() bool {
		connection, err := r.dial(t.Context(), "", "")
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	})
}

// atLeast says whether the app runs on this Rails version or a later one.
func (r *rails) atLeast(t *testing.T, major, minor int) bool {
	t.Helper()
	return !r.release(t).before(version{major, minor})
}

// release is the version of Rails that the app runs on.
func (r *rails) release(t *testing.T) version {
	t.Helper()
	release, err := parseVersion(r.version)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// post calls a controller of the app in Puma itself, past the bridge, and returns the cookies that it set.
func (r *rails) post(t *testing.T, path string, form url.Values) []*http.Cookie {
	t.Helper()
	answer, err := r.http.PostForm("http://rails.test"+path, form)
	if err != nil {
		t.Fatalf("post to %s: %v", path, err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatalf("post to %s: got %s, want 204", path, answer.Status)
	}
	return answer.Cookies()
}

// do sends a request to Puma itself and reads the whole answer.
func (r *rails) do(t *testing.T, request *http.Request) answer {
	t.Helper()
	response, err := r.http.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL.Path, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL.Path, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}
}

// login returns the Cookie header of a user who logged in; into is "cookie", "session" or "everything".
func (r *rails) login(t *testing.T, user, into string) string {
	t.Helper()
	key := into + " " + user
	if r.cookies[key] == "" {
		var pairs []string
		for _, cookie := range r.post(t, "/login", url.Values{"user": {user}, "into": {into}}) {
			pairs = append(pairs, cookie.Name+"="+cookie.Value)
		}
		r.cookies[key] = strings.Join(pairs, "; ")
	}
	return r.cookies[key]
}

// runner runs Ruby code in a process of its own, as `bin/rails runner` does for anyone.
func (r *rails) runner(t *testing.T, code string) {
	t.Helper()
	runProgram(t, r.command(t, "bin/rails", "runner", code))
}

// openGate lets Ruby code go on that waits at Gate.pass.
func (r *rails) openGate(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.folder, "gates", name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// entry is one line of the journal: a callback that ran in Ruby.
type entry struct {
	Event      string         `json:"event"`
	Text       string         `json:"text"`
	Seen       map[string]any `json:"seen"`
	Device     string         `json:"device"`
	User       string         `json:"user"`
	Visits     int            `json:"visits"`
	Identifier string         `json:"identifier"`
	Greeting   string         `json:"greeting"`
	Action     string         `json:"action"`
	Count      int            `json:"count"`
	Since      int            `json:"since"`
	Names      []string       `json:"names"`
	Pid        int            `json:"pid"`
}

// journal is what ran for a device so far, in order.
func (r *rails) journal(t *testing.T, device string) []entry {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.folder, "journal"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var entries []entry
	for line := range strings.Lines(string(content)) {
		var e entry
		if !strings.HasSuffix(line, "\n") { // Ruby is writing it just now
			break
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("journal: %q: %v", line, err)
		}
		if e.Device == device {
			entries = append(entries, e)
		}
	}
	return entries
}

// happened are the events of a device, without details.
func (r *rails) happened(t *testing.T, device string) []string {
	t.Helper()
	var events []string
	for _, e := range r.journal(t, device) {
		events = append(events, e.Event)
	}
	return events
}

// awaitEvent waits for an event of a device and returns the whole journal of it.
func (r *rails) awaitEvent(t *testing.T, device, event string) []entry {
	t.Helper()
	var found []entry
	await(t, fmt.Sprintf("%s of %s in the journal", event, device), func() bool {
		found = r.journal(t, device)
		for _, e := range found {
			if e.Event == event {
				return true
			}
		}
		return false
	})
	return found
}
