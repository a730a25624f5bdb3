package redis_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge"
	"github.com/cablestay/cablestay/bridge/freeport"
	"github.com/cablestay/cablestay/bridge/pubsubtest"
	"github.com/cablestay/cablestay/bridge/redis"
)

func TestPubSub_DoesWhatEveryPubSubMust(t *testing.T) {
	server, address := startPlainRedis(t)
	var tests atomic.Int64
	pubsubtest.Run(t, func(t *testing.T) pubsubtest.Subject {
		prefix := "suite_" + strconv.FormatInt(tests.Add(1), 10)
		pubsub := newPubSub(t, redis.Options{Address: address, ChannelPrefix: &prefix})
		return pubsubtest.Subject{
			PubSub: pubsub,
			Run: func(ctx context.Context, receiver bridge.Receiver) {
				if err := pubsub.Run(ctx, receiver); err != nil {
					t.Error(err)
				}
			},
			Publish: func(broadcasting string, payload []byte) { server.publish(prefix+":"+broadcasting, payload) },
		}
	})
}

func newPubSub(t *testing.T, options redis.Options) *redis.PubSub {
	t.Helper()
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	pubsub, err := redis.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return pubsub
}

// running starts a PubSub that ends with the test.
func running(t *testing.T, options redis.Options) (*redis.PubSub, *pubsubtest.Recorder) {
	t.Helper()
	pubsub, recorder := newPubSub(t, options), pubsubtest.NewRecorder(t)
	ctx, end := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() {
		if err := pubsub.Run(ctx, recorder); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { end(); run.Wait() })
	return pubsub, recorder
}

func TestPubSub_PutsThePrefixOnAsRailsDoes(t *testing.T) {
	server, address := startPlainRedis(t)
	empty, usual := "", "app_production"
	for name, scenario := range map[string]struct {
		prefix  *string
		channel string
	}{
		"None":  {nil, "room"},
		"Empty": {&empty, ":room"},
		"Usual": {&usual, "app_production:room"},
	} {
		t.Run(name, func(t *testing.T) {
			pubsub, recorder := running(t, redis.Options{Address: address, ChannelPrefix: scenario.prefix})
			pubsub.Subscribe("room")
			recorder.AwaitSubscribed("room", 1)
			server.publish(scenario.channel, []byte("1"))
			all := recorder.Barrier(pubsub)
			if last := all[len(all)-1]; last.Broadcast != "room" {
				t.Errorf("got %+v, want a message of room", last)
			}
		})
	}
}

func TestPubSub_FollowsEverythingAgainBeforeItAcknowledgesAnythingNew(t *testing.T) {
	server, address := startPlainRedis(t)
	pubsub, recorder := running(t, redis.Options{Address: address})
	const names = 10_000
	for i := range names {
		pubsub.Subscribe("name " + strconv.Itoa(i))
	}
	recorder.Barrier(pubsub)
	server.stop()
	await(t, "the loss", func() bool { return !pubsub.Connected() })

	before := len(recorder.All())
	pubsub.Subscribe("asked meanwhile")
	pubsub.Subscribe("regretted")
	pubsub.Unsubscribe("regretted")
	pubsub.Unsubscribe("name 0")
	pubsub.Barrier(1_000_000)
	server.start()
	recorder.AwaitSubscribed("asked meanwhile", 1)
	if !pubsub.Connected() {
		t.Error("an acknowledgement came before the PubSub was connected")
	}
	for _, name := range []string{"name 1", "name 5000", "name 9999", "asked meanwhile"} {
		if got := server.followers(name); got != 1 {
			t.Errorf("%q has %d followers at the acknowledgement, want 1", name, got)
		}
	}
	for _, name := range []string{"name 0", "regretted"} {
		if got := server.followers(name); got != 0 {
			t.Errorf("%q has %d followers, want 0", name, got)
		}
	}
	recorder.Barrier(pubsub)
	var got []string
	for _, d := range recorder.All()[before:] {
		switch {
		case d.Subscribed != "":
			got = append(got, d.Subscribed)
		case d.Passed == 1_000_000:
			got = append(got, "barrier")
		}
	}
	if got, want := strings.Join(got, ", "), "asked meanwhile, regretted, barrier"; got != want {
		t.Errorf("acknowledged: got %s, want %s: each once, in order, and nothing again", got, want)
	}
	if got := pubsub.Reconnects(); got != 1 {
		t.Errorf("reconnects: got %d, want 1", got)
	}
}

func TestPubSub_LosesNoAcknowledgementHoweverOftenItIsCutOff(t *testing.T) {
	server, address := startPlainRedis(t)
	pubsub, recorder := running(t, redis.Options{Address: address})
	const rounds = 25
	barrier := uint64(1_000_000)
	for round := range rounds {
		for i := range 40 {
			name := "name " + strconv.Itoa(i%7)
			pubsub.Subscribe(name)
			barrier++
			pubsub.Barrier(barrier)
			if i%3 == 0 {
				pubsub.Unsubscribe(name)
			}
			if i == round {
				server.cut()
			}
		}
	}
	const want = rounds * 40 * 2
	recorder.Await("every answer", func(all []pubsubtest.Delivery) bool { return len(all) >= want })
	if got := len(recorder.Barrier(pubsub)); got != want {
		t.Errorf("answers: got %d, want %d", got, want)
	}
	// 39 % 7 is 4 and 39 % 3 is 0, so the last of name 4 is an end; name 3's last was begun.
	if got := server.followers("name 4"); got != 0 {
		t.Errorf("name 4 has %d followers, want 0", got)
	}
	if got := server.followers("name 3"); got != 1 {
		t.Errorf("name 3 has %d followers, want 1", got)
	}
}

func TestPubSub_NoticesASilentConnection(t *testing.T) {
	server, address := startPlainRedis(t)
	road := newSilentRoad(t, address)
	pubsub, recorder := running(t, redis.Options{
		Address: road.address(), PingEvery: 20 * time.Millisecond, DeadAfter: 200 * time.Millisecond,
	})
	pubsub.Subscribe("room")
	recorder.AwaitSubscribed("room", 1)
	road.silent.Store(true)
	await(t, "the loss", func() bool { return !pubsub.Connected() })
	road.silent.Store(false)
	await(t, "a new connection", pubsub.Connected)
	server.publish("room", []byte("heard"))
	recorder.Await("the message", func(all []pubsubtest.Delivery) bool {
		return bytes.Equal(all[len(all)-1].Payload, []byte("heard"))
	})
}

func TestPubSub_LogsEachChangeAndNoPassword(t *testing.T) {
	const password = "hunter2-is-secret"
	port := freeport.Find(t)
	address := "127.0.0.1:" + port
	server := startRedis(t, authenticated(address, "", password), "--port", port, "--requirepass", password)
	log := new(lockedBuffer)
	options, err := redis.OptionsFromURL("redis://:" + password + "@" + address + "/3")
	if err != nil {
		t.Fatal(err)
	}
	options.Logger = slog.New(slog.NewTextHandler(log, nil))
	options.Ignored = []string{"custom"}
	pubsub, _ := running(t, options)
	await(t, "the connection", pubsub.Connected)
	server.stop()
	await(t, "the loss", func() bool { return strings.Contains(log.String(), "no Redis") })
	server.start()
	await(t, "the second connection", func() bool { return strings.Count(log.String(), "connected to Redis") == 2 })
	if strings.Contains(log.String(), password) {
		t.Errorf("the log has the password:\n%s", log)
	}
	if got := strings.Count(log.String(), "custom"); got != 1 {
		t.Errorf("the ignored option is logged %d times, want once:\n%s", got, log)
	}
	if !strings.Contains(log.String(), address) {
		t.Errorf("the log does not say where Redis is:\n%s", log)
	}
}

func TestPubSub_SaysWhyItIsRefused(t *testing.T) {
	port := freeport.Find(t)
	address := "127.0.0.1:" + port
	startRedis(t, authenticated(address, "", "right"), "--port", port, "--requirepass", "right")
	for name, scenario := range map[string]struct{ password, says string }{
		"WrongPassword": {"wrong-password", "WRONGPASS"},
		"NoPassword":    {"", "NOAUTH"},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(lockedBuffer)
			pubsub, _ := running(t, redis.Options{
				Address: address, Password: scenario.password, Logger: slog.New(slog.NewTextHandler(log, nil)),
			})
			await(t, "the reason", func() bool { return strings.Contains(log.String(), scenario.says) })
			if pubsub.Connected() {
				t.Error("connected all the same")
			}
			if strings.Contains(log.String(), "wrong-password") {
				t.Errorf("the log has the password:\n%s", log)
			}
		})
	}
}

func TestPubSub_SaysWhyItIsSentAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			socket, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = socket.Read(make([]byte, 1024))
			_, _ = socket.Write([]byte("-ERR max number of clients reached\r\n"))
			_ = socket.Close()
		}
	})
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	log := new(lockedBuffer)
	running(t, redis.Options{Address: listener.Addr().String(), Logger: slog.New(slog.NewTextHandler(log, nil))})
	await(t, "the log", func() bool { return strings.Contains(log.String(), "no Redis") })
	if !strings.Contains(log.String(), "max number of clients") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

func TestPubSub_RunsOnceAtATime(t *testing.T) {
	_, address := startPlainRedis(t)
	pubsub, recorder := running(t, redis.Options{Address: address})
	await(t, "the connection", pubsub.Connected)
	if err := pubsub.Run(t.Context(), recorder); err == nil {
		t.Error("a second Run: got no error")
	}
}

func TestPubSub_EndsWhileThereIsNoRedis(t *testing.T) {
	_, recorder := running(t, redis.Options{Address: "127.0.0.1:" + freeport.Find(t)})
	if got := len(recorder.All()); got != 0 {
		t.Errorf("deliveries: got %d, want none", got)
	}
}

// silentRoad is a TCP relay that can fall silent without closing.
type silentRoad struct {
	listener net.Listener
	silent   atomic.Bool
}

func newSilentRoad(t *testing.T, to string) *silentRoad {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	road := &silentRoad{listener: listener}
	var relays sync.WaitGroup
	relays.Go(func() {
		for {
			socket, err := listener.Accept()
			if err != nil {
				return
			}
			target, err := net.Dial("tcp", to)
			if err != nil {
				_ = socket.Close()
				continue
			}
			relays.Go(func() { road.relay(socket, target) })
			relays.Go(func() { road.relay(target, socket) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); relays.Wait() })
	return road
}

func (r *silentRoad) address() string { return r.listener.Addr().String() }

// relay swallows what comes while the road is silent.
func (r *silentRoad) relay(from, to net.Conn) {
	defer func() { _ = from.Close() }()
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if r.silent.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// lockedBuffer may be written and read at a time.
type lockedBuffer struct {
	mu     sync.Mutex // guards the following
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func textLogger(log *lockedBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(log, nil)) }

func contains(log *lockedBuffer, text string) bool { return strings.Contains(log.String(), text) }
