package rpc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

// receiver is a bridge that writes down what comes along links.
type receiver struct {
	mu   sync.Mutex // guards the following
	said []string
	more []rpc.OpenConnection // beside the one that is always there
}

func (r *receiver) note(format string, arguments ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, arguments...))
}

func (r *receiver) Said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.said)
}

func (r *receiver) Pushed(connection string, effects []rpc.Effect) {
	for _, e := range effects {
		r.note("%s: %s %s for %s", connection, e.Effect, e.Frame, e.Identifier)
	}
}

func (r *receiver) Offered(connection, identifier, event string, live *rpc.Live) bool {
	r.note("%s: offered %s after %s, because of %s", connection, identifier, event, live.Why)
	return identifier == "wanted"
}

func (r *receiver) Connections(states bool) []rpc.OpenConnection {
	open := rpc.OpenConnection{Connection: "c0ffee", ConnectionIdentifier: "ann", Subscriptions: []string{"room"}}
	if states {
		open.ConnectionState = "state"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]rpc.OpenConnection{open}, r.more...)
}

func (r *receiver) Restart()                { r.note("restart") }
func (r *receiver) HoldGone(hold rpc.Hold)  { r.note("gone %s of %s", hold.ID, hold.Worker) }
func (r *receiver) LinkEnded(worker string) { r.note("ended %s", worker) }

// linkedClient is one that has a link with every worker.
func linkedClient(t *testing.T, app rpctest.Rails, change func(*rpc.Options)) (*rpc.Client, *receiver) {
	t.Helper()
	app.Hello = func(context.Context, *rpc.HelloRequest) (*rpc.Hello, error) {
		hello := rpctest.Hello()
		hello.Workers = len(app.Workers)
		return hello, nil
	}
	client, to := newClient(t, rpctest.NewRails(t, app).URL(), change), new(receiver)
	client.Link(to)
	if _, err := client.Hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, worker := range app.Workers {
		awaitLink(t, worker)
		if err := client.Attach(t.Context(), rpc.Hold{Worker: worker.ID, ID: "ready"}); err != nil { // the client has seen it too
			t.Fatal(err)
		}
	}
	return client, to
}

func awaitLink(t *testing.T, worker *rpctest.Worker) {
	t.Helper()
	if !worker.AwaitLink() {
		t.Fatalf("worker %s has got no link", worker.ID)
	}
}

// held is a command for what a worker holds.
func held(id, worker string) *rpc.CommandRequest {
	request := newCommand(id)
	request.State, request.Hold = "", &rpc.Hold{Worker: worker, ID: "h1"}
	return request
}

func (r *receiver) await(t *testing.T, want ...string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("got %q, want %q", r.Said(), want)
		}
	}()
	eventually(t, func() bool { return slices.Equal(r.Said(), want) })
}

func TestLinks_TheFirstEventOpensOneAndIsAnsweredAllTheSame(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	rails := rpctest.NewRails(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}})
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.Concurrency = 1 })
	client.Link(new(receiver))
	answer, err := client.Subscribe(t.Context(), newCommand("1"))
	if err != nil || !answer.Subscribed || len(answer.Effects) != 1 {
		t.Fatalf("got %+v, %v, want what a subscribe is answered", answer, err)
	}
	awaitLink(t, worker)
	// Neither its place nor its connection is taken by the link.
	for name, call := range calls(client) {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := client.Perform(t.Context(), held("9", "w1")); err != nil {
		t.Error(err)
	}
}

func TestLinks_AreOfferedByEveryRequestButHello(t *testing.T) {
	var mu sync.Mutex
	offers := map[string]string{}
	server := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		offers[strings.TrimPrefix(r.URL.Path, "/_cablestay/")] = r.Header.Get("Connection") + ", " + r.Header.Get("Upgrade")
		_, _ = io.WriteString(w, `{"contract":1,"adapter":"redis","concurrency":5,"workers":1,"remote_disconnect":"close",
			"accepted":true,"subscribed":true,"connection_state":"s","worker":"w1","linked":false}`)
	})
	client := newClient(t, server.URL(), nil)
	client.Link(new(receiver))
	all := calls(client)
	for name, call := range all {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(offers) == len(all)+1 })
	mu.Lock() // links are still sought
	defer mu.Unlock()
	for name, got := range offers {
		want := "Upgrade, cablestay-link"
		if name == "hello" {
			want = ", "
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestLinks_CarryEventsToWhoHoldsTheirSubscription(t *testing.T) {
	var got []string
	note := func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		got = append(got, fmt.Sprintf("%s %s %t", request.ID, request.Data, request.Handshake == ""))
		return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{{Effect: rpc.EffectTransmit, Frame: "done"}}}, nil
	}
	partial := false
	app := rpctest.Rails{
		Perform: note, Timer: note, Unsubscribe: note, Subscribe: note, Workers: []*rpctest.Worker{{ID: "w1"}},
		Disconnect: func(_ context.Context, request *rpc.DisconnectRequest) error {
			partial = request.Partial
			return nil
		},
	}
	client, _ := linkedClient(t, app, nil)
	var want []string
	for i, call := range []func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error){
		client.Subscribe, client.Perform, client.Timer, client.Unsubscribe,
	} {
		request := held(fmt.Sprint(i), "w1")
		answer, err := call(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Effects) != 1 || answer.Effects[0].Frame != "done" {
			t.Errorf("got %+v", answer)
		}
		answer.Applied()
		if request.Handshake == "" {
			t.Error("the caller's own request was changed")
		}
		want = append(want, fmt.Sprintf("%d %s true", i, request.Data))
	}
	gone := &rpc.DisconnectRequest{Event: newEvent("9"), Partial: true}
	gone.Hold = &rpc.Hold{Worker: "w1", ID: "h1"}
	if err := client.Disconnect(t.Context(), gone); err != nil || !partial {
		t.Errorf("disconnect: %v, partial %t", err, partial)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLinks_OutliveTheTimeoutOfTheTryThatOpenedThem(t *testing.T) {
	client, to := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{{ID: "w1"}}}, func(o *rpc.Options) { o.Timeout = time.Second })
	for deadline := time.Now().Add(1200 * time.Millisecond); time.Now().Before(deadline); {
		if _, err := client.Perform(t.Context(), newCommand("1")); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := client.Perform(t.Context(), held("2", "w1"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Applied()
	to.await(t)
}

func TestLinks_WhatAnEventEndsWith(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	faults := make(chan func(context.Context) error, 1)
	client, _ := linkedClient(t, rpctest.Rails{
		Workers: []*rpctest.Worker{worker},
		Perform: func(ctx context.Context, _ *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return nil, (<-faults)(ctx)
		},
	}, func(o *rpc.Options) { o.Timeout = time.Second })
	for _, test := range []struct {
		name, worker string
		fault        func(ctx context.Context) error
		gone, notRun bool
		says         string
	}{
		{"no such worker", "w2", nil, true, true, "worker w2"},
		{"an error in Rails", "w1", func(context.Context) error { return errors.New("oh no") }, false, false, "oh no"},
		{"no such hold", "w1", func(context.Context) error { return &rpctest.Status{Code: 404} }, true, false, "no longer"},
		{"a request that it can't read", "w1", func(context.Context) error { return &rpctest.Status{Code: 400} }, false, false, "400"},
		{"no answer in time", "w1", func(ctx context.Context) error { <-ctx.Done(); return nil }, false, false, "within 1s"},
		{"the worker dies", "w1", func(context.Context) error { worker.Drop(); return nil }, true, false, "worker w1"},
	} {
		if test.fault != nil {
			faults <- test.fault
		}
		_, err := client.Perform(t.Context(), held(test.name, test.worker))
		switch {
		case err == nil:
			t.Errorf("%s: no error", test.name)
		case errors.Is(err, rpc.ErrWorkerGone) != test.gone || errors.Is(err, rpc.ErrNotRun) != test.notRun:
			t.Errorf("%s: got %v, want worker gone %t, not run %t", test.name, err, test.gone, test.notRun)
		case !strings.Contains(err.Error(), test.says):
			t.Errorf("%s: got %q, want that it says %q", test.name, err, test.says)
		}
	}
}

func TestLinks_TakeAPlaceForEachEvent(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	client, _ := linkedClient(t, rpctest.Rails{
		Workers: []*rpctest.Worker{{ID: "w1"}},
		Perform: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Millisecond) // app code that takes a moment
			mu.Lock()
			running--
			mu.Unlock()
			return &rpc.CommandAnswer{Subscribed: true}, nil
		},
	}, func(o *rpc.Options) { o.Concurrency = 2 })
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			answer, err := client.Perform(t.Context(), held(fmt.Sprint(i), "w1"))
			if err != nil {
				t.Error(err)
				return
			}
			answer.Applied()
		})
	}
	wg.Wait()
	if most > 2 {
		t.Errorf("%d events ran at a time, want at most 2", most)
	}
}

func TestLinks_WhatFollowsAnAnswerIsHandledWhenThatIsApplied(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	client, to := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}}, nil)
	answer, err := client.Perform(t.Context(), held("1", "w1"))
	if err != nil {
		t.Fatal(err)
	}
	worker.PushEffects("c0ffee", rpc.Effect{Effect: rpc.EffectTransmit, Frame: "later", Identifier: "room"})
	// Were it not to wait, it would come before the answer to what is asked over HTTP.
	if _, err := client.Perform(t.Context(), newCommand("2")); err != nil {
		t.Fatal(err)
	}
	if said := to.Said(); len(said) > 0 {
		t.Errorf("got %q before the answer was applied", said)
	}
	to.note("applied")
	answer.Applied()
	to.await(t, "applied", "c0ffee: transmit later for room")
}

func TestLinks_AnAnswerThatNobodyWaitsForHoldsUpNothing(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	asked, release := make(chan struct{}), make(chan struct{})
	client, to := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}, Perform: func(context.Context, *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
		close(asked)
		<-release
		return &rpc.CommandAnswer{Subscribed: true}, nil
	}}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := client.Perform(ctx, held("1", "w1")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	close(release)
	worker.Push(`{"restart":true}`)
	to.await(t, "restart")
}

func TestLinks_BringWhatWorkersDoOfTheirOwnAccord(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	_, to := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}}, nil)
	worker.PushEffects("c0ffee",
		rpc.Effect{Effect: rpc.EffectTransmit, Frame: "one", Identifier: "room"},
		rpc.Effect{Effect: rpc.EffectConfirm, Frame: "two", Identifier: "other"})
	worker.Push(`{"restart":true}`)
	worker.Push(`{"gone":"h1"}`)
	to.await(t, "c0ffee: transmit one for room", "c0ffee: confirm two for other", "restart", "gone h1 of w1")
	const open = `[{"connection":"c0ffee","connection_identifier":"ann","subscriptions":["room"]`
	if got, want := worker.AskConnections(false), open+`}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := worker.AskConnections(true), open+`,"connection_state":"state"}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLinks_SayThatAllBeforeIsApplied(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	_, to := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}}, nil)
	worker.PushEffects("c0ffee", rpc.Effect{Effect: rpc.EffectTransmit, Frame: "one", Identifier: "room"})
	if !worker.AskApplied() {
		t.Fatal("got no answer")
	}
	if got, want := to.Said(), []string{"c0ffee: transmit one for room"}; !slices.Equal(got, want) {
		t.Errorf("by then came %q, want %q", got, want)
	}
}

// records is a log that keeps its lines.
type records struct {
	mu    sync.Mutex
	lines []string
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(p))
	return len(p), nil
}

func (r *records) contain(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(strings.Join(r.lines, ""), text)
}

func TestLinks_AnOfferThatIsNotTakenIsDropped(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	_, to := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}}, nil)
	for hold, identifier := range map[string]string{"h1": "wanted", "h2": "unwanted"} {
		worker.Push(`{"connection":"c0ffee","identifier":"` + identifier + `","event":"c0ffee-7",` +
			`"offer":{"worker":"w1","hold":"` + hold + `","connection":false,"why":"a registry"}}`)
	}
	if !worker.AwaitDropped("h2") {
		t.Fatal("h2 was not dropped")
	}
	eventually(t, func() bool { return len(to.Said()) == 2 })
	said := to.Said()
	slices.Sort(said)
	want := []string{
		"c0ffee: offered unwanted after c0ffee-7, because of a registry", "c0ffee: offered wanted after c0ffee-7, because of a registry",
	}
	if !slices.Equal(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
}

func TestLinks_TellAWorkerThatItsHoldIsNotTaken(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	client, _ := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}}, nil)
	client.Drop(rpc.Hold{Worker: "unknown", ID: "h1"}) // it went with its link
	client.Drop(rpc.Hold{Worker: "w1", ID: "h2"})
	if !worker.AwaitDropped("h2") {
		t.Error("the worker was not told")
	}
}

func TestLinks_EndWithWhatTheContractDoesNotAllow(t *testing.T) {
	for line, says := range map[string]string{
		`secret`:                                "not a JSON object",
		``:                                      "not a JSON object",
		`{"secret`:                              "not JSON",
		`{"secret":1}`:                          "of no kind",
		`{"answer":{"secret":1}}`:               "its id is missing",
		`{"ask":"secret","id":"1"}`:             "can't be asked for",
		`{"ask":"connections"}`:                 "its id is missing",
		`{"ask":"applied"}`:                     "its id is missing",
		`{"connection":1}`:                      "its connection is no string",
		`{"connection":"c","effects":[{}]}`:     "unknown kind",
		strings.Repeat("secret", 2000):          "longer than 10000 bytes",
		`{"connection":"c","effects":"secret"}`: "its effects is no",
	} {
		t.Run(says, func(t *testing.T) {
			log := new(records)
			worker := &rpctest.Worker{ID: "w1"}
			_, to := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}}, func(o *rpc.Options) {
				o.AnswerLimit, o.Logger = 10000, slog.New(slog.NewTextHandler(log, nil))
			})
			worker.Push(line)
			to.await(t, "ended w1")
			if !log.contain("malformed line") || !log.contain(says) {
				t.Errorf("got the log %q, want that it says %q", log.lines, says)
			}
			if log.contain("secret") {
				t.Errorf("the log repeats what was said: %q", log.lines)
			}
		})
	}
}

func TestLinks_DoNotEndWithWhatIsLongerThanALineMayBe(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	client, to := linkedClient(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}}, nil)
	long := held("long", "w1")
	long.Data = strings.Repeat("\x01", 11<<20) // of which JSON makes six times as much
	if _, err := client.Perform(t.Context(), long); !errors.Is(err, rpc.ErrNotRun) || errors.Is(err, rpc.ErrWorkerGone) {
		t.Errorf("got %v, want that it has not run", err)
	}
	to.mu.Lock()
	to.more = []rpc.OpenConnection{{Connection: strings.Repeat("<", 11<<20)}}
	to.mu.Unlock()
	if got := worker.AskConnections(false); got != "null" {
		t.Errorf("got %d bytes of connections, want none", len(got))
	}
	answer, err := client.Perform(t.Context(), held("short", "w1"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Applied()
}

func TestLinks_EndWhenTheWorkerDoesNotRead(t *testing.T) {
	worker := make(chan io.Closer, 10)
	server := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		worker <- conn
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: cablestay-link\r\n\r\n"+
			`{"worker":"w1","answer":{"contract":1,"subscribed":true}}`+"\n")
	})
	client := newClient(t, server.URL(), func(o *rpc.Options) { o.Timeout = 2 * time.Second })
	to := new(receiver)
	client.Link(to)
	if _, err := client.Perform(t.Context(), newCommand("1")); err != nil {
		t.Fatal(err)
	}
	request := held("2", "w1")
	request.Data = strings.Repeat("x", 32<<20) // more than two sockets hold
	if _, err := client.Perform(t.Context(), request); err == nil || errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("got %v, want an error that leaves open whether it ran", err)
	}
	to.await(t, "ended w1")
	_ = (<-worker).Close()
}

func TestLinks_AreSoughtUntilEveryWorkerHasOne(t *testing.T) {
	workers := []*rpctest.Worker{{ID: "w1"}, {ID: "w2"}, {ID: "w3"}}
	client, to := linkedClient(t, rpctest.Rails{Workers: workers}, nil)
	for _, worker := range workers {
		answer, err := client.Perform(t.Context(), held("to "+worker.ID, worker.ID))
		if err != nil {
			t.Fatal(err)
		}
		answer.Applied()
	}
	workers[1].Drop()
	to.await(t, "ended w2")
	awaitLink(t, workers[1])
	if err := client.Attach(t.Context(), rpc.Hold{Worker: "w2", ID: "h1"}); err != nil || !workers[1].AwaitAttached("h1") {
		t.Errorf("the new link does not work: %v", err)
	}
}

func TestLinks_AreNotSoughtForEverWhereTheWebServerGivesNone(t *testing.T) {
	log := new(records)
	var offers counter
	server := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		answer := `{"contract":1,"adapter":"redis","concurrency":5,"workers":4,"remote_disconnect":"close"}`
		if r.URL.Path == "/_cablestay/link" {
			offers.add()
			answer = `{"contract":1,"worker":"w1","linked":false}`
		}
		_, _ = io.WriteString(w, answer)
	})
	client := newClient(t, server.URL(), func(o *rpc.Options) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	client.Link(new(receiver))
	if _, err := client.Hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return log.contain("gives no connection away") })
	if got := offers.value(); got > 16 {
		t.Errorf("%d offers, want those of one time", got)
	}
}

func TestLinks_AttachWaitsForTheOneThatIsComing(t *testing.T) {
	worker := &rpctest.Worker{ID: "w1"}
	rails := rpctest.NewRails(t, rpctest.Rails{Workers: []*rpctest.Worker{worker}})
	client := newClient(t, rails.URL(), nil)
	client.Link(new(receiver))
	attached := make(chan error)
	go func() { attached <- client.Attach(t.Context(), rpc.Hold{Worker: "w1", ID: "h1"}) }()
	if _, err := client.Perform(t.Context(), newCommand("1")); err != nil {
		t.Fatal(err)
	}
	if err := <-attached; err != nil || !worker.AwaitAttached("h1") {
		t.Errorf("got %v, want that it is attached", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Attach(ctx, rpc.Hold{Worker: "w2", ID: "h2"}); !errors.Is(err, rpc.ErrWorkerGone) {
		t.Errorf("got %v, want that the worker is gone", err)
	}
}

func TestLinks_AFirstLineAgainstTheContractFailsItsEvent(t *testing.T) {
	for name, line := range map[string]string{
		"its worker is missing": `{"answer":{"contract":1,"subscribed":true}}`,
		"its answer is missing": `{"worker":"w1"}`,
		"could not be read":     ``,
		"no whole answer":       "hang",
		"subscribed is missing": `{"worker":"w1","answer":{"contract":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			server := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				conn, buffered, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: cablestay-link\r\n\r\n")
				switch line {
				case "":
				case "hang":
					_, _ = buffered.ReadByte() // until the client goes
				default:
					_, _ = io.WriteString(conn, line+"\n")
				}
			})
			client := newClient(t, server.URL(), func(o *rpc.Options) { o.Timeout = time.Second })
			client.Link(new(receiver))
			_, err := client.Perform(t.Context(), newCommand("1"))
			if err == nil || !strings.Contains(err.Error(), name) || errors.Is(err, rpc.ErrNotRun) {
				t.Errorf("got %v, want that it says %q", err, name)
			}
		})
	}
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		`{"worker":"4711-9f3c","answer":{"contract":1}}`, `{"id":"1","answer":{"contract":1,"subscribed":true,"effects":[]}}`,
		`{"id":"1","status":400,"error":"…"}`, `{"connection":"c","effects":[{"effect":"transmit","frame":"f","identifier":"i"}]}`,
		`{"ask":"connections","id":"q1","states":true}`, `{"restart":true}`, "\n\n", "{",
	} {
		f.Add([]byte(seed + "\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		const limit = 1000
		reader := bufio.NewReaderSize(strings.NewReader(string(text)), 16)
		read := 0
		for {
			line, err := rpc.ReadLine(reader, limit)
			if err != nil {
				break
			}
			read += len(line) + 1
			if len(line) > limit || strings.Contains(string(line), "\n") {
				t.Fatalf("%q is no line", line)
			}
			if err := rpc.CheckLine(line); err != nil && strings.ContainsAny(err.Error(), "\n\x00\x1b") {
				t.Errorf("the error %q is not fit for a log", err)
			}
		}
		if read > len(text) {
			t.Errorf("read %d bytes of %d", read, len(text))
		}
	})
}
