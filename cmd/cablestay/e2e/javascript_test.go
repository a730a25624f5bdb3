//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// clients are the real JavaScript clients, by the names that client/package.json gives them.
var clients = []string{"actioncable-6.1", "actioncable-7.0", "actioncable-7.1", "actioncable-7.2", "actioncable-8.0", "actioncable-8.1"}

func TestJavaScript_ClientSubscribesPerformsReceivesAndIsRejected(t *testing.T) {
	states(t, 137)
	for _, client := range clients {
		t.Run(client, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				js := newJavaScript(t, server, client)
				js.order("order", "subscribe", "name", "echo", "params", map[string]any{"channel": "EchoChannel", "name": "JS"})
				js.expect(told{Event: "connected", Name: "echo"})
				js.order("order", "perform", "name", "echo", "action", "greet", "data", map[string]any{})
				js.expect(told{Event: "performed", Name: "echo", Sent: true})
				js.expect(told{Event: "received", Name: "echo", Message: map[string]any{"greeting": "hello JS"}})

				js.order("order", "subscribe", "name", "locked", "params", map[string]any{"channel": "RoomChannel", "room": "locked"})
				js.expect(told{Event: "rejected", Name: "locked"})

				js.order("order", "subscribe", "name", "room", "params", map[string]any{"channel": "RoomChannel", "room": t.Name()})
				js.expect(told{Event: "connected", Name: "room"})
				server.redis.publish(t, "room_"+t.Name(), `{"text":"<b>"}`)
				js.expect(told{Event: "received", Name: "room", Message: map[string]any{"text": "<b>"}})

				js.order("order", "unsubscribe", "name", "echo")
				server.rails.awaitEvent(t, js.device, "unsubscribed")
				js.order("order", "disconnect")
				server.rails.awaitEvent(t, js.device, "disconnect")
			})
		})
	}
}

func TestJavaScript_ClientsComeBackByThemselvesAfterTheServerRestarted(t *testing.T) {
	states(t, 137, 138)
	eachOwn(t, setup{}, func(t *testing.T, server *server) {
		if server.kind != bridged && server.rails.workers() > 0 {
			doesNotApply(t, "a restart is one of the process, and another worker may answer the request")
		}
		var running []*javaScript
		for _, client := range clients { // together, since each waits for its own clock, some ten seconds
			js := newJavaScript(t, server, client)
			js.order("order", "subscribe", "name", "room", "params", map[string]any{"channel": "RoomChannel", "room": "r"})
			js.expect(told{Event: "connected", Name: "room"})
			running = append(running, js)
		}
		server.restart(t)
		for n, js := range running {
			js.expect(told{Event: "disconnected", Name: "room", WillAttemptReconnect: true})
			js.expect(told{Event: "connected", Name: "room", Reconnected: clients[n] >= "actioncable-7.1"})
		}
		server.redis.publish(t, "room_r", `"welcome back"`)
		for _, js := range running {
			js.expect(told{Event: "received", Name: "room", Message: "welcome back"})
		}
	})
}

func TestJavaScript_ClientStaysAwayWhenItIsToldTo(t *testing.T) {
	states(t, 137)
	for _, client := range clients {
		t.Run(client, func(t *testing.T) {
			each(t, func(t *testing.T, server *server) {
				js := newJavaScript(t, server, client)
				js.order("order", "subscribe", "name", "echo", "params", map[string]any{"channel": "EchoChannel"})
				js.expect(told{Event: "connected", Name: "echo"})
				js.order("order", "perform", "name", "echo", "action", "leave", "data", map[string]any{})
				js.expect(told{Event: "performed", Name: "echo", Sent: true})
				js.expect(told{Event: "disconnected", Name: "echo", WillAttemptReconnect: false})
			})
		})
	}
}

// restart makes the server tell its clients that it restarts, and brings it back.
func (s *server) restart(t *testing.T) {
	t.Helper()
	if s.bridge == nil {
		s.rails.post(t, "/restarts", nil)
		return
	}
	s.bridge.process.stop(t)
	s.bridge.start(t)
}

// javaScript is a real client under Node.
type javaScript struct {
	t      *testing.T
	device string
	orders io.Writer

	mutex   sync.Mutex // guards the following
	said    []told
	taken   int
	arrived chan struct{}
	done    chan struct{}
}

// told is what one of the client's callbacks was told.
type told struct {
	Event                string
	Name                 string
	Message              any
	Sent                 bool
	WillAttemptReconnect bool
	Reconnected          bool // told from 7.1 on
}

func newJavaScript(t *testing.T, server *server, client string) *javaScript {
	t.Helper()
	device := fmt.Sprintf("js-%d", devices.Add(1))
	header := encode(map[string]string{"Cookie": server.rails.login(t, "ann", "cookie"), "Origin": "http://" + server.address()})
	command := exec.Command("node", "consumer.mjs", client, "ws://"+server.address()+"/cable?device="+device, header)
	command.Dir = installClients(t)
	js := startJavaScript(t, command)
	js.device = device
	return js
}

// startJavaScript runs a client that takes orders from its standard input.
func startJavaScript(t *testing.T, command *exec.Cmd) *javaScript {
	t.Helper()
	js := &javaScript{t: t, arrived: make(chan struct{}, 1), done: make(chan struct{})}
	orders, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	command.Stderr = &complaints
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	js.orders = orders
	go js.listen(output)
	t.Cleanup(func() {
		_ = orders.Close() // ends it
		select {
		case <-js.done:
		case <-time.After(10 * time.Second):
			_ = command.Process.Kill()
		}
		if err := command.Wait(); err != nil {
			t.Errorf("node: %v\n%s", err, complaints.String())
		}
	})
	return js
}

func (js *javaScript) listen(output io.Reader) {
	defer close(js.done)
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var said told
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			said = told{Event: "unreadable: " + lines.Text()}
		}
		js.mutex.Lock()
		js.said = append(js.said, said)
		js.mutex.Unlock()
		select {
		case js.arrived <- struct{}{}:
		default:
		}
	}
}

func (js *javaScript) order(pairs ...any) {
	js.t.Helper()
	if _, err := io.WriteString(js.orders, object(pairs...)+"\n"); err != nil {
		js.t.Fatal(err)
	}
}

// expect waits for the next thing that the client says.
func (js *javaScript) expect(want told) {
	js.t.Helper()
	deadline := time.After(2 * patience) // its reconnection takes up to half a minute
	for {
		js.mutex.Lock()
		if js.taken < len(js.said) {
			got := js.said[js.taken]
			js.taken++
			js.mutex.Unlock()
			if !reflect.DeepEqual(got, want) {
				js.t.Fatalf("the client says %+v, want %+v", got, want)
			}
			return
		}
		js.mutex.Unlock()
		select {
		case <-js.arrived:
		case <-js.done:
			js.t.Fatalf("the client ended, want %+v", want)
		case <-deadline:
			js.t.Fatalf("the client says nothing, want %+v", want)
		}
	}
}

var installation sync.Once

// installClients installs what client/package-lock.json names, once, in a copy of the folder.
func installClients(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(run.folder, "client")
	installation.Do(func() {
		if err := os.CopyFS(folder, os.DirFS("client")); err != nil {
			t.Fatal(err)
		}
		command := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		command.Dir = folder
		runProgram(t, command)
	})
	return folder
}
