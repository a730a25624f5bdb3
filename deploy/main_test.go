//go:build e2e

package deploy

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that must happen.
const patience = 45 * time.Second

// repository is the root of the checkout: go test runs in the package's folder.
func repository(t *testing.T, elements ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{".."}, elements...)...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, elements ...string) string {
	t.Helper()
	content, err := os.ReadFile(repository(t, elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// folder is one that a server of another user can enter, unlike t.TempDir.
func folder(t *testing.T) string {
	t.Helper()
	path, err := os.MkdirTemp("", "cablestay-deploy-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(path) })
	if err := os.Chmod(path, 0o755); err != nil { //nolint:gosec // on purpose
		t.Fatal(err)
	}
	return path
}

// await polls until the condition holds.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

func listens(port string) bool {
	connection, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

// program is one that a test started; it is over when the test is.
type program struct {
	name    string
	command *exec.Cmd
	log     string        // a file
	done    chan struct{} // closed once it has ended
}

func startProgram(t *testing.T, name string, command *exec.Cmd) *program {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	command.Stdout, command.Stderr = log, log
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL // a run that is itself killed leaves nothing behind
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	p := &program{name: name, command: command, log: log.Name(), done: make(chan struct{})}
	go func() {
		_ = command.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.terminate()
		select {
		case <-p.done:
		case <-time.After(patience):
			_ = command.Process.Kill()
			<-p.done
		}
		if t.Failed() {
			t.Logf("the log of %s:\n%s", name, p.output())
		}
	})
	return p
}

func (p *program) terminate() { _ = p.command.Process.Signal(syscall.SIGTERM) }

func (p *program) output() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// listening waits until the program answers at its port.
func (p *program) listening(t *testing.T, port string) {
	t.Helper()
	await(t, p.name+" at its port", func() bool {
		select {
		case <-p.done:
			t.Fatalf("%s ended at once: %s", p.name, p.command.ProcessState)
		default:
		}
		return listens(port)
	})
}

// exit waits for the end of a program that is about to end, and returns its code.
func (p *program) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
		return p.command.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("%s has not ended in %s", p.name, patience)
		return -1
	}
}

// binary builds cablestay once for all tests of the run.
func binary(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		built.folder, built.err = os.MkdirTemp("", "cablestay-deploy-")
		if built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-race", "-o", filepath.Join(built.folder, "cablestay"), "./cmd/cablestay")
		build.Dir = repository(t)
		if output, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build cablestay: %w\n%s", err, output)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.folder, "cablestay")
}

var built struct {
	once   sync.Once
	folder string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.folder != "" {
		_ = os.RemoveAll(built.folder)
	}
	os.Exit(code)
}
