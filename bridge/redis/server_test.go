package redis_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge/freeport"
	goredis "github.com/redis/go-redis/v9"
)

const patience = 30 * time.Second

// redisServer is a Redis of a test's own. It can be stopped and started, and keeps its port.
type redisServer struct {
	t         *testing.T
	folder    string
	arguments []string
	process   *exec.Cmd
	publisher *goredis.Client
}

// startRedis starts one; arguments are redis-server's own.
func startRedis(t *testing.T, publisher *goredis.Options, arguments ...string) *redisServer {
	t.Helper()
	s := &redisServer{t: t, folder: t.TempDir(), arguments: arguments}
	publisher.DisableIdentity = true
	s.publisher = goredis.NewClient(publisher)
	t.Cleanup(func() { _ = s.publisher.Close() })
	t.Cleanup(s.stop)
	s.start()
	return s
}

func startPlainRedis(t *testing.T) (*redisServer, string) {
	t.Helper()
	port := freeport.Find(t)
	address := "127.0.0.1:" + port
	return startRedis(t, &goredis.Options{Addr: address}, "--port", port), address
}

func (s *redisServer) start() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	s.process = exec.Command("redis-server", append([]string{
		"--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.folder,
	}, s.arguments...)...)
	s.process.Stdout, s.process.Stderr = log, log
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
	defer s.showLogOnFailure()
	await(s.t, "Redis", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return s.publisher.Ping(ctx).Err() == nil
	})
}

func (s *redisServer) showLogOnFailure() {
	if s.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
		s.t.Logf("redis-server:\n%s", log)
	}
}

func (s *redisServer) stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGKILL)
	_ = s.process.Wait()
	s.process = nil
}

func (s *redisServer) publish(channel string, payload []byte) {
	s.t.Helper()
	if err := s.publisher.Publish(context.Background(), channel, payload).Err(); err != nil {
		s.t.Errorf("publish: %v", err)
	}
}

// cut ends every pub/sub connection.
func (s *redisServer) cut() {
	s.t.Helper()
	if err := s.publisher.Do(context.Background(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
		s.t.Fatal(err)
	}
}

// followers is how many connections follow a channel.
func (s *redisServer) followers(channel string) int64 {
	s.t.Helper()
	numbers, err := s.publisher.PubSubNumSub(context.Background(), channel).Result()
	if err != nil {
		s.t.Fatal(err)
	}
	return numbers[channel]
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}
