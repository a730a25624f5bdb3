package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge/freeport"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

const patience = 30 * time.Second

// binary is the real one, built with the race detector.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	folder, err := os.MkdirTemp("", "cablestay")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary = filepath.Join(folder, "cablestay")
	build := exec.Command("go", "build", "-race", "-ldflags", "-X main.version=1.2.3", "-o", binary, ".")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// process is one run of a program that a test started.
type process struct {
	t       *testing.T
	command *exec.Cmd
	done    chan struct{} // closed once it has ended

	mu     sync.Mutex // guards the following
	output bytes.Buffer
}

// Write takes in what the program says.
func (p *process) Write(said []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(said)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

func start(t *testing.T, command *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, command: command, done: make(chan struct{})}
	command.Stdout, command.Stderr = p, p
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = command.Wait() // kept in ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(command.Path), p.said())
		}
		if strings.Contains(p.said(), "DATA RACE") {
			t.Errorf("data race:\n%s", p.said())
		}
	})
	return p
}

func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the end and returns the exit code.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.command.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("it has not ended in %s", patience)
		return 0
	}
}

// running is a cablestay with addresses of its own.
type running struct {
	*process
	listen, ops string
}

func startCablestay(t *testing.T, environment []string, arguments ...string) *running {
	t.Helper()
	r := &running{listen: "127.0.0.1:" + freeport.Find(t), ops: "127.0.0.1:" + freeport.Find(t)}
	arguments = append([]string{"--listen", r.listen, "--ops-listen", r.ops}, arguments...)
	r.process = start(t, cablestayCommand(environment, arguments...))
	return r
}

// cablestayCommand has no variable but those given.
func cablestayCommand(environment []string, arguments ...string) *exec.Cmd {
	command := exec.Command(binary, arguments...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GORACE=exitcode=66"}, environment...)
	return command
}

func secret() []string { return []string{"CABLESTAY_SECRET=" + rpctest.Secret} }

// get asks the operator's address; the status is 0 where nobody answers.
func (r *running) get(path string) (status int, body string) {
	return get("http://" + r.ops + path)
}

func get(url string) (status int, body string) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

func (r *running) awaitReady() {
	r.t.Helper()
	await(r.t, "readiness", func() bool {
		status, _ := r.get("/readyz")
		return status == http.StatusOK
	})
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

// startRedis starts a Redis of the test's own.
func startRedis(t *testing.T, port string) *process {
	t.Helper()
	p := start(t, exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir()))
	await(t, "Redis", func() bool {
		socket, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = socket.Close()
		}
		return err == nil
	})
	return p
}
