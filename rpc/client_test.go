package rpc_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cablestay/cablestay/rpc"
	"github.com/cablestay/cablestay/rpc/rpctest"
)

func newClient(t testing.TB, url string, change func(*rpc.Options)) *rpc.Client {
	t.Helper()
	options := rpc.Options{RailsURL: url, Secret: rpctest.Secret, Timeout: 5 * time.Second}
	if change != nil {
		change(&options)
	}
	client, err := rpc.NewClient(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func newEvent(id string) rpc.Event {
	handshake := &rpc.Handshake{
		Method: http.MethodGet, Scheme: "http", Path: "/cable", RemoteAddr: "192.0.2.7",
		Headers: [][2]string{{"Host", "example.test"}},
	}
	return rpc.Event{ID: id, Connection: "c0ffee", Handshake: handshake.Encode()}
}

func newCommand(id string) *rpc.CommandRequest {
	return &rpc.CommandRequest{
		Event: newEvent(id), Identifier: `{"channel":"ChatChannel"}`, ConnectionState: "c", State: "s", Data: `{"action":"speak"}`,
	}
}

// calls is every event of a client, by its name.
func calls(client *rpc.Client) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"hello": func(ctx context.Context) error { _, err := client.Hello(ctx); return err },
		"connect": func(ctx context.Context) error {
			_, err := client.Connect(ctx, &rpc.ConnectRequest{Event: newEvent("1")})
			return err
		},
		"subscribe":   func(ctx context.Context) error { _, err := client.Subscribe(ctx, newCommand("2")); return err },
		"unsubscribe": func(ctx context.Context) error { _, err := client.Unsubscribe(ctx, newCommand("3")); return err },
		"perform":     func(ctx context.Context) error { _, err := client.Perform(ctx, newCommand("4")); return err },
		"timer":       func(ctx context.Context) error { _, err := client.Timer(ctx, newCommand("6")); return err },
		"merge": func(ctx context.Context) error {
			_, err := client.Merge(ctx, &rpc.MergeRequest{Event: newEvent("7"), Before: "b", Kept: "k", Changed: "c"})
			return err
		},
		"disconnect": func(ctx context.Context) error {
			return client.Disconnect(ctx, &rpc.DisconnectRequest{Event: newEvent("5")})
		},
	}
}

func TestClient_CallsRailsOverTCPAndUnixSockets(t *testing.T) {
	for name, socket := range map[string]string{"tcp": "", "unix": rpctest.SocketPath(t)} {
		t.Run(name, func(t *testing.T) {
			rails := rpctest.NewRails(t, rpctest.Rails{Socket: socket})
			for event, call := range calls(newClient(t, rails.URL(), nil)) {
				if err := call(t.Context()); err != nil {
					t.Errorf("%s: %v", event, err)
				}
			}
		})
	}
}

func TestClient_HandsOverWhatRailsAnswers(t *testing.T) {
	rails := rpctest.NewRails(t, rpctest.Rails{
		Perform: func(_ context.Context, request *rpc.CommandRequest) (*rpc.CommandAnswer, error) {
			return &rpc.CommandAnswer{Subscribed: true, Effects: []rpc.Effect{
				{Effect: rpc.EffectTransmit, Frame: request.Identifier},
				{Effect: rpc.EffectTransmit, Frame: request.Data},
			}}, nil
		},
		Connect: func(context.Context, *rpc.ConnectRequest) (*rpc.ConnectAnswer, error) {
			return &rpc.ConnectAnswer{Effects: []rpc.Effect{{Effect: rpc.EffectClose}}}, nil
		},
	})
	client := newClient(t, rails.URL(), nil)

	performed, err := client.Perform(t.Context(), newCommand("1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(performed.Effects), 2; got != want {
		t.Fatalf("effects: got %d, want %d", got, want)
	}
	if got, want := performed.Effects[1].Frame, `{"action":"speak"}`; got != want || !performed.Subscribed {
		t.Errorf("got %q, subscribed %t, want %q, true", got, performed.Subscribed, want)
	}
	connected, err := client.Connect(t.Context(), &rpc.ConnectRequest{Event: newEvent("2")})
	if err != nil {
		t.Fatal(err)
	}
	if connected.Accepted || len(connected.Effects) != 1 {
		t.Errorf("got %+v, want not accepted, one effect", connected)
	}
}

func TestClient_StatusesAreErrorsThatSayWhatToDo(t *testing.T) {
	for _, test := range []struct {
		status int
		kind   error
		notRun bool
		says   string
	}{
		{400, rpc.ErrMalformed, false, "what is wrong"},
		{401, rpc.ErrUnproven, true, "CABLESTAY_SECRET"},
		{404, rpc.ErrNoEndpoint, true, "Gemfile"},
		{405, rpc.ErrNoEndpoint, true, "Gemfile"},
		{409, rpc.ErrOtherContract, true, "contract 1"},
		{301, nil, false, "follows no redirects"},
		{500, nil, false, "500 Internal Server Error"},
	} {
		t.Run(http.StatusText(test.status), func(t *testing.T) {
			var requests counter
			rails := rpctest.NewServer(t, func(w http.ResponseWriter, _ *http.Request) {
				requests.add()
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(`{"contract":1,"error":"what is wrong"}`))
			})
			_, err := newClient(t, rails.URL(), nil).Perform(t.Context(), newCommand("1"))
			if err == nil {
				t.Fatal("got no error")
			}
			if test.kind != nil && !errors.Is(err, test.kind) {
				t.Errorf("%v is not %v", err, test.kind)
			}
			if got := errors.Is(err, rpc.ErrNotRun); got != test.notRun {
				t.Errorf("is ErrNotRun: got %t, want %t", got, test.notRun)
			}
			var status *rpc.StatusError
			if !errors.As(err, &status) || status.Status != test.status {
				t.Errorf("%v is no StatusError of %d", err, test.status)
			}
			for _, part := range []string{"perform", rails.URL(), "what is wrong", test.says} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if got, want := requests.value(), 1; got != want {
				t.Errorf("requests: got %d, want %d", got, want)
			}
		})
	}
}

func TestClient_WrongSecretIsToldWithoutTellingIt(t *testing.T) {
	rails := rpctest.NewRails(t, rpctest.Rails{Secret: "the app's own"})
	_, err := newClient(t, rails.URL(), nil).Hello(t.Context())
	if !errors.Is(err, rpc.ErrUnproven) {
		t.Fatalf("got %v, want %v", err, rpc.ErrUnproven)
	}
	for _, secret := range []string{rpctest.Secret, "the app's own"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q tells a secret", err)
		}
	}
}

func TestClient_AnswersAgainstTheContractAreErrors(t *testing.T) {
	write := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	for name, test := range map[string]struct {
		rails http.HandlerFunc
		says  string
	}{
		"html":          {write("<html>\n\x1b[31mA page"), `begins with "<html> .[31mA page"`},
		"empty":         {write(""), "empty"},
		"array":         {write("[]"), "not a JSON object"},
		"garbage":       {write(`{"contract":1,`), "not JSON"},
		"no contract":   {write(`{"subscribed":true}`), "contract is missing"},
		"contract 2":    {write(`{"contract":2,"subscribed":true}`), "contract 2"},
		"no subscribed": {write(`{"contract":1,"effects":[]}`), "subscribed is missing"},
		"wrong type":    {write(`{"contract":1,"subscribed":"yes"}`), "does not keep the contract"},
		"new effect":    {write(`{"contract":1,"subscribed":true,"effects":[{"effect":"close"},{"effect":"dance"}]}`), `effect 2 is of the unknown kind "dance"`},
		"no frame":      {write(`{"contract":1,"subscribed":true,"effects":[{"effect":"transmit"}]}`), "effect 1, transmit, has no frame"},
		"no timer":      {write(`{"contract":1,"subscribed":true,"effects":[{"effect":"stop_timer"}]}`), "effect 1, stop_timer, does not say which timer"},
		"no every":      {write(`{"contract":1,"subscribed":true,"effects":[{"effect":"timer","timer":0}]}`), "every 0 seconds, which is not positive"},
		"no hold":       {write(`{"contract":1,"subscribed":true,"live":{"worker":"w"}}`), "live has no hold"},
		"too large":     {write(strings.Repeat(" ", 2000)), "larger than 1000 bytes"},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"contract":1`))
		}, "could not be read to the end"},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"hang":      {rpctest.Hang, "no whole answer within"},
		"hang after the header": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			rpctest.Hang(w, r)
		}, "no whole answer within"},
	} {
		t.Run(name, func(t *testing.T) {
			var requests counter
			rails := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
				requests.add()
				test.rails(w, r)
			})
			client := newClient(t, rails.URL(), func(o *rpc.Options) {
				o.AnswerLimit = 1000
				if strings.HasPrefix(name, "hang") {
					o.Timeout = 50 * time.Millisecond
				}
			})
			_, err := client.Perform(t.Context(), newCommand("1"))
			if err == nil {
				t.Fatal("got no error")
			}
			if !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "perform") {
				t.Errorf("%q does not say %q", err, test.says)
			}
			if errors.Is(err, rpc.ErrNotRun) {
				t.Errorf("%v: is ErrNotRun, but it may have run", err)
			}
			if got, want := requests.value(), 1; got != want {
				t.Errorf("requests: got %d, want %d", got, want)
			}
		})
	}
}

func TestClient_HelloDoesNotTellThePasswordOfRedis(t *testing.T) {
	rails := rpctest.NewServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"contract":2,"redis":{"password":"hunter2"}}`))
	})
	_, err := newClient(t, rails.URL(), nil).Hello(t.Context())
	if !errors.Is(err, rpc.ErrOtherContract) {
		t.Fatalf("got %v, want %v", err, rpc.ErrOtherContract)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%q tells the password", err)
	}
}

func TestClient_CloseEndsCallsUnderWayAndLaterOnes(t *testing.T) {
	arrived := make(chan struct{})
	rails := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		rpctest.Hang(w, r)
	})
	client := newClient(t, rails.URL(), nil)
	failed := make(chan error)
	go func() {
		_, err := client.Perform(t.Context(), newCommand("1"))
		failed <- err
	}()
	<-arrived
	client.Close()
	if err := <-failed; !errors.Is(err, rpc.ErrClosed) || errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("under way: got %v, want %v that may have run", err, rpc.ErrClosed)
	}
	if _, err := client.Perform(t.Context(), newCommand("2")); !errors.Is(err, rpc.ErrClosed) || !errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("later: got %v, want %v that has not run", err, rpc.ErrClosed)
	}
}

func TestClient_EndsWithItsContext(t *testing.T) {
	arrived := make(chan struct{}, 1)
	rails := rpctest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		rpctest.Hang(w, r)
	})
	client := newClient(t, rails.URL(), func(o *rpc.Options) { o.Concurrency = 1 })
	inRails, cancelInRails := context.WithCancel(t.Context())
	waits, cancelWaits := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- client.Disconnect(inRails, &rpc.DisconnectRequest{Event: newEvent("1")}) }()
	<-arrived
	go func() { failed <- client.Disconnect(waits, &rpc.DisconnectRequest{Event: newEvent("2")}) }()
	eventually(t, func() bool { return client.Waiting() == 1 })

	cancelWaits()
	if err := <-failed; !errors.Is(err, context.Canceled) || !errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("waiting: got %v, want a cancelled one that has not run", err)
	}
	cancelInRails()
	if err := <-failed; !errors.Is(err, context.Canceled) || errors.Is(err, rpc.ErrNotRun) {
		t.Errorf("in Rails: got %v, want a cancelled one that may have run", err)
	}
}

func TestNewClient_NamesTheOptionThatIsWrong(t *testing.T) {
	for _, test := range []struct {
		options rpc.Options
		says    string
	}{
		{rpc.Options{RailsURL: "http://127.0.0.1:3000"}, "secret is empty"},
		{rpc.Options{Secret: "s"}, `""`},
		{rpc.Options{Secret: "s", RailsURL: "127.0.0.1:3000"}, `"127.0.0.1:3000"`},
		{rpc.Options{Secret: "s", RailsURL: "https://127.0.0.1:3000"}, "https"},
		{rpc.Options{Secret: "s", RailsURL: "ftp://host"}, "neither http nor unix"},
		{rpc.Options{Secret: "s", RailsURL: "http://"}, "no host"},
		{rpc.Options{Secret: "s", RailsURL: "http://host/app"}, "has a path"},
		{rpc.Options{Secret: "s", RailsURL: "http://host?a"}, "query"},
		{rpc.Options{Secret: "s", RailsURL: "unix://run/puma.sock"}, "absolute path"},
		{rpc.Options{Secret: "s", RailsURL: "unix:run"}, "absolute path"},
		{rpc.Options{Secret: "s", RailsURL: "http://ann:hunter2@host"}, "password"},
		{rpc.Options{Secret: "s", RailsURL: "http://host", Concurrency: -1}, "concurrency -1"},
		{rpc.Options{Secret: "s", RailsURL: "http://host", Wait: -1}, "wait"},
		{rpc.Options{Secret: "s", RailsURL: "http://host", AnswerLimit: -1}, "answer limit -1"},
	} {
		_, err := rpc.NewClient(test.options)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: got %v, want what says %q", test.options, err, test.says)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q tells a password", err)
		}
	}
}

// signal is a log handler that is told of the first line.
type signal chan struct{}

func (signal) Enabled(context.Context, slog.Level) bool { return true }
func (s signal) Handle(context.Context, slog.Record) error {
	select {
	case s <- struct{}{}:
	default:
	}
	return nil
}
func (s signal) WithAttrs([]slog.Attr) slog.Handler { return s }
func (s signal) WithGroup(string) slog.Handler      { return s }
