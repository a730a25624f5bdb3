//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a program that a test started. It logs into a file and is ended by its own process id.
type process struct {
	name    string
	command *exec.Cmd
	log     string        // path of the file
	done    chan struct{} // closed once it has ended
}

// startProcess starts a program whose output goes to name.log in folder, after what an earlier one wrote there.
func startProcess(t *testing.T, life lifetime, folder, name string, command *exec.Cmd) *process {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(folder, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	command.Stdout, command.Stderr = log, log
	// A run that is itself killed leaves nothing behind.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	p := &process{name: name, command: command, log: log.Name(), done: make(chan struct{})}
	go func() {
		_ = command.Wait() // the state is kept in command.ProcessState
		close(p.done)
	}()
	life.Cleanup(func() { p.end() })
	return p
}

// ended says whether the program is over.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// signal asks the program to stop and does not wait.
func (p *process) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		t.Fatalf("send %v to %s: %v", signal, p.name, err)
	}
}

// wait returns the exit code of a program that is about to end by itself; -1 where a signal ended it.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
		return p.command.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("%s has not ended in %s:\n%s", p.name, patience, p.tail(0))
		return 0
	}
}

// stop ends the program in its own way and returns its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	return p.wait(t)
}

// end is for the end of a lifetime, when nobody looks at the exit code any more.
func (p *process) end() {
	if p.ended() {
		return
	}
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.command.Process.Kill()
		<-p.done
	}
}

// hasThread says whether the program runs a thread whose name begins so.
func (p *process) hasThread(name string) bool {
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/comm", p.command.Process.Pid))
	if err != nil {
		return false
	}
	for _, file := range names {
		if got, err := os.ReadFile(file); err == nil && strings.HasPrefix(string(got), name) {
			return true
		}
	}
	return false
}

// logSize marks a place in the log.
func (p *process) logSize() int64 {
	info, err := os.Stat(p.log)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (p *process) logSince(mark int64) string {
	content, err := os.ReadFile(p.log)
	if err != nil || int64(len(content)) < mark {
		return ""
	}
	return string(content[mark:])
}

// tail is the end of what was logged after the mark.
func (p *process) tail(mark int64) string {
	lines := strings.Split(strings.TrimRight(p.logSince(mark), "\n"), "\n")
	if len(lines) > 60 {
		lines = lines[len(lines)-60:]
	}
	return fmt.Sprintf("--- %s.log\n%s\n", p.name, strings.Join(lines, "\n"))
}

// awaitLog waits until a line that matches is in the log after the mark, and returns what was logged since then.
func (p *process) awaitLog(t *testing.T, mark int64, pattern string) string {
	t.Helper()
	matcher := regexp.MustCompile(pattern)
	await(t, fmt.Sprintf("%q in the log of %s", pattern, p.name), func() bool {
		return matcher.MatchString(p.logSince(mark))
	})
	return p.logSince(mark)
}

// runProgram runs a program to its end and returns what it printed.
func runProgram(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command.Args, " "), err, output.String())
	}
	return output.String()
}
