package rpctest

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cablestay/cablestay/rpc"
)

// A Worker is a process of a [Rails], and the far end of a link. It gives one to the first event that offers it, runs the
// events that come along it with the functions of its Rails, and does nothing outside of events but what the test tells it to.
type Worker struct {
	ID string
	// Threads is how many events it says that it runs at a time of which it holds nothing. It does not refuse others.
	Threads int

	app Rails

	mu       sync.Mutex // guards the following
	changed  sync.Cond  // signals all of it
	conn     net.Conn   // nil without a link
	attached []string
	dropped  []string
	answers  map[string]json.RawMessage // to what was asked, by id
	asked    int
	stopped  bool
	running  sync.WaitGroup
}

type workerKey struct{}

func workerOf(ctx context.Context) *Worker {
	worker, _ := ctx.Value(workerKey{}).(*Worker)
	return worker
}

// AlongLink tells whether the event of the context has come along a worker's link.
func AlongLink(ctx context.Context) bool { return ctx.Value(linkKey{}) != nil }

type linkKey struct{}

// WorkerID is the worker's that runs the event of the context, or empty.
func WorkerID(ctx context.Context) string {
	if worker := workerOf(ctx); worker != nil {
		return worker.ID
	}
	return ""
}

// workerOf gives connections to the workers in turn.
func (app Rails) workerOf() func(context.Context, net.Conn) context.Context {
	var next atomic.Int64
	return func(ctx context.Context, _ net.Conn) context.Context {
		if len(app.Workers) == 0 {
			return ctx
		}
		return context.WithValue(ctx, workerKey{}, app.Workers[int(next.Add(1)-1)%len(app.Workers)])
	}
}

func (w *Worker) start(app Rails) (stop func()) {
	w.app, w.changed.L = app, &w.mu
	return func() {
		w.mu.Lock()
		w.stopped = true
		w.mu.Unlock()
		w.Drop()
		w.running.Wait()
	}
}

// link makes one of the request's connection, where there is none yet.
func (w *Worker) link(response http.ResponseWriter, answer []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil || w.stopped {
		return false
	}
	conn, buffered, err := http.NewResponseController(response).Hijack()
	if err != nil {
		return false
	}
	w.conn = conn
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: cablestay-link\r\n\r\n"+
		`{"worker":%q,"threads":%d,"answer":%s}`+"\n", w.ID, w.Threads, answer)
	w.changed.Broadcast()
	w.running.Go(func() { w.read(conn, buffered.Reader) })
	return true
}

// read runs what comes along the link until it ends.
func (w *Worker) read(conn net.Conn, reader *bufio.Reader) {
	ctx, cancel := context.WithCancel(context.WithValue(context.WithValue(context.Background(), workerKey{}, w), linkKey{}, true))
	defer cancel()
	decoder := json.NewDecoder(reader)
	for {
		var said struct {
			Attach, Drop, Event, ID string
			Request                 json.RawMessage
			Connections, Applied    json.RawMessage
		}
		if decoder.Decode(&said) != nil {
			break
		}
		w.mu.Lock()
		switch {
		case said.Attach != "":
			w.attached = append(w.attached, said.Attach)
		case said.Drop != "":
			w.dropped = append(w.dropped, said.Drop)
		case said.ID != "":
			w.answers[said.ID] = json.RawMessage(cmp.Or(string(said.Connections), string(said.Applied), "null"))
		case said.Event != "":
			w.running.Go(func() { w.run(ctx, conn, said.Event, said.Request) })
		}
		w.changed.Broadcast()
		w.mu.Unlock()
	}
	_ = conn.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == conn {
		w.conn, w.attached = nil, nil
	}
	w.changed.Broadcast()
}

func (w *Worker) run(ctx context.Context, conn net.Conn, event string, request []byte) {
	var common struct{ ID string }
	_ = json.Unmarshal(request, &common)
	answer, err := w.answer(ctx, event, request, common.ID)
	line := fmt.Sprintf(`{"id":%q,"answer":%s}`, common.ID, answer)
	if err != nil {
		status := statusOf(err)
		line = fmt.Sprintf(`{"id":%q,"status":%d,"error":%q}`, common.ID, status.Code, status.Body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = io.WriteString(conn, line+"\n")
}

func (w *Worker) answer(ctx context.Context, event string, request []byte, id string) ([]byte, error) {
	run := w.app.event(event)
	if run == nil {
		return nil, failure(http.StatusNotFound, "no event "+event)
	}
	if err := checkRequest(request, id, event, "application/json"); err != nil {
		return nil, err
	}
	answer, err := run(ctx, request)
	if err != nil {
		return nil, err
	}
	return withContract(answer)
}

// patience is how long a worker waits for what must come.
const patience = 10 * time.Second

// await waits until condition holds; w.mu is held during it. It is false where it came to nothing.
func (w *Worker) await(condition func() bool) bool {
	late := false
	defer time.AfterFunc(patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		late = true
		w.changed.Broadcast()
	}).Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !condition() && !late {
		w.changed.Wait()
	}
	return condition()
}

// AwaitLink waits for one.
func (w *Worker) AwaitLink() bool { return w.await(func() bool { return w.conn != nil }) }

// AwaitAttached waits until the bridge has applied the answer with which the hold began.
func (w *Worker) AwaitAttached(hold string) bool {
	return w.await(func() bool { return slices.Contains(w.attached, hold) })
}

// AwaitDropped waits until the bridge has said that it does not take an offer.
func (w *Worker) AwaitDropped(hold string) bool {
	return w.await(func() bool { return slices.Contains(w.dropped, hold) })
}

// Push sends a line, whatever it is.
func (w *Worker) Push(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		_, _ = io.WriteString(w.conn, line+"\n")
	}
}

// PushEffects sends what was done outside of any event.
func (w *Worker) PushEffects(connection string, effects ...rpc.Effect) {
	line, _ := json.Marshal(map[string]any{"connection": connection, "effects": effects})
	w.Push(string(line))
}

// AskConnections asks which are open, and waits for the answer, which is a list in JSON, or null where the bridge does not say. It is empty where none came.
func (w *Worker) AskConnections(states bool) string {
	return string(w.ask("connections", "states", states))
}

// AskApplied asks whether all is applied that was pushed before, and, where live is set, all streams in it are followed. It is
// false where no answer came.
func (w *Worker) AskApplied(live bool) bool {
	return string(w.ask("applied", "live", live)) == "true"
}

// ask asks, with one more member, and waits for the answer.
func (w *Worker) ask(what, member string, value bool) json.RawMessage {
	w.mu.Lock()
	w.asked++
	id := fmt.Sprintf("q%d", w.asked)
	if w.answers == nil {
		w.answers = make(map[string]json.RawMessage)
	}
	w.mu.Unlock()
	w.Push(fmt.Sprintf(`{"ask":%q,"id":%q,%q:%t}`, what, id, member, value))
	w.await(func() bool { return w.answers[id] != nil })
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answers[id]
}

// Drop ends the link, as a process does that dies.
func (w *Worker) Drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		_ = w.conn.Close()
	}
}
