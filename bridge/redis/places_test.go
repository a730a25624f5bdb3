package redis_test

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/cablestay/cablestay/bridge/certificatetest"
	"github.com/cablestay/cablestay/bridge/freeport"
	"github.com/cablestay/cablestay/bridge/redis"
)

func authenticated(address, username, password string) *goredis.Options {
	return &goredis.Options{Addr: address, Username: username, Password: password}
}

// expectMessages checks that a PubSub with these options hears what is published.
func expectMessages(t *testing.T, server *redisServer, options redis.Options) {
	t.Helper()
	pubsub, recorder := running(t, options)
	pubsub.Subscribe("room")
	recorder.AwaitSubscribed("room", 1)
	server.publish("room", []byte("heard"))
	all := recorder.Barrier(pubsub)
	if last := all[len(all)-1]; string(last.Payload) != "heard" {
		t.Errorf("got %+v, want the message", last)
	}
}

// fromRails reads what hello would carry.
func fromRails(t *testing.T, rails map[string]any) redis.Options {
	t.Helper()
	options, err := redis.OptionsFromRails(rails)
	if err != nil {
		t.Fatal(err)
	}
	return options
}

func TestPubSub_AuthenticatesWithUserAndPassword(t *testing.T) {
	port := freeport.Find(t)
	address := "127.0.0.1:" + port
	const password = "p@ss/word:%"
	server := startRedis(t, authenticated(address, "", "admin"), "--port", port, "--requirepass", "admin",
		"--user", "ann", "on", ">"+password, "&*", "+@all", "-client")
	expectMessages(t, server, fromRails(t, map[string]any{"host": "127.0.0.1", "port": port, "username": "ann", "password": password}))
	expectMessages(t, server, fromRails(t, map[string]any{"url": "redis://ann:p%40ss%2Fword%3A%25@" + address + "/0"}))
}

func TestPubSub_AuthenticatesWithAUserThatRedisDoesNotKnow(t *testing.T) {
	port := freeport.Find(t)
	address := "127.0.0.1:" + port
	server := startRedis(t, authenticated(address, "", "right"), "--port", port, "--requirepass", "right")
	expectMessages(t, server, fromRails(t, map[string]any{"url": "redis://h:right@" + address + "/0"}))
}

// A Redis before version 6, of which the answer to AUTH with a user is all that matters here.
func TestPubSub_AuthenticatesWhereThereAreNoUsers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	asked := make(chan string, 2)
	go func() {
		socket, err := listener.Accept()
		if err != nil {
			return
		}
		defer socket.Close()
		answers := []string{"-ERR wrong number of arguments for 'auth' command\r\n", "+OK\r\n"}
		buffer := make([]byte, 1024)
		for _, answer := range answers {
			n, _ := socket.Read(buffer)
			asked <- string(buffer[:n])
			_, _ = socket.Write([]byte(answer))
		}
		_, _ = socket.Read(buffer) // CLIENT SETNAME: it has been let in
	}()
	running(t, redis.Options{Address: listener.Addr().String(), Username: "h", Password: "right"})
	for _, want := range []string{
		"*3\r\n$4\r\nAUTH\r\n$1\r\nh\r\n$5\r\nright\r\n", "*2\r\n$4\r\nAUTH\r\n$5\r\nright\r\n",
	} {
		select {
		case got := <-asked:
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("Redis was not asked %q", want)
		}
	}
}

func TestPubSub_SpeaksOverAUnixSocket(t *testing.T) {
	folder, err := os.MkdirTemp("", "redis") // a test's own folder has too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "redis.sock")
	server := startRedis(t, &goredis.Options{Network: "unix", Addr: path}, "--port", "0", "--unixsocket", path)
	expectMessages(t, server, fromRails(t, map[string]any{"url": "unix://" + path}))
	expectMessages(t, server, fromRails(t, map[string]any{"path": path, "db": 1.0}))
}

func TestPubSub_SpeaksTLS(t *testing.T) {
	folder := t.TempDir()
	certificate, key := certificatetest.Write(t, folder, "redis.test")
	port := freeport.Find(t)
	address := "127.0.0.1:" + port
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	publisher := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}}
	server := startRedis(t, &goredis.Options{Addr: address, TLSConfig: publisher},
		"--port", "0", "--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate)
	url := "rediss://" + address
	t.Run("WithItsAuthorityAndAClientCertificate", func(t *testing.T) {
		expectMessages(t, server, fromRails(t, map[string]any{
			"url": url, "ssl_params": map[string]any{"ca_file": certificate, "cert": certificate, "key": key, "verify_mode": "peer"},
		}))
	})
	t.Run("WithoutVerifying", func(t *testing.T) {
		// redis-server asks for a client's certificate by default. 0.0 is what JSON makes of OpenSSL's VERIFY_NONE.
		insecure := map[string]any{"verify_mode": 0.0, "cert": certificate, "key": key}
		expectMessages(t, server, fromRails(t, map[string]any{"host": "127.0.0.1", "port": port, "ssl": true, "ssl_params": insecure}))
	})
	t.Run("UnknownAuthorityIsRefused", func(t *testing.T) {
		log := new(lockedBuffer)
		options := fromRails(t, map[string]any{"url": url})
		options.Logger = textLogger(log)
		pubsub, _ := running(t, options)
		await(t, "the refusal", func() bool { return contains(log, "certificate") })
		if pubsub.Connected() {
			t.Error("connected all the same")
		}
	})
}

func TestPubSub_FindsTheMasterThroughSentinel(t *testing.T) {
	server, address := startPlainRedis(t)
	host, port, _ := net.SplitHostPort(address)
	sentinelPort := freeport.Find(t)
	configuration := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(configuration, []byte("sentinel monitor chat-master "+host+" "+port+" 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	startSentinel(t, configuration, sentinelPort)
	expectMessages(t, server, fromRails(t, map[string]any{
		"url": "redis://chat-master", "role": "master",
		"sentinels": []any{map[string]any{"host": "127.0.0.1", "port": sentinelPort}},
	}))
}

func startSentinel(t *testing.T, configuration, port string) {
	t.Helper()
	process := exec.Command("redis-server", configuration, "--sentinel", "--port", port, "--bind", "127.0.0.1")
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	sentinel := goredis.NewSentinelClient(&goredis.Options{Addr: "127.0.0.1:" + port})
	defer func() { _ = sentinel.Close() }()
	await(t, "Sentinel", func() bool {
		return sentinel.GetMasterAddrByName(context.Background(), "chat-master").Err() == nil
	})
}
