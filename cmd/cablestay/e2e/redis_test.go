//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/cablestay/cablestay/bridge/freeport"
	"github.com/redis/go-redis/v9"
)

// prefix is the channel_prefix of the app's cable.yml.
const prefix = "endtoend_production:"

// redisServer is a Redis of our own, which keeps its port when it is stopped and started.
type redisServer struct {
	life    lifetime
	folder  string
	port    string
	process *process
	client  *redis.Client
}

func newRedisServer(t *testing.T, life lifetime, folder string) *redisServer {
	t.Helper()
	r := &redisServer{life: life, folder: folder, port: freeport.Find(t)}
	r.client = redis.NewClient(&redis.Options{Addr: r.address()})
	life.Cleanup(func() { _ = r.client.Close() })
	r.start(t)
	return r
}

func (r *redisServer) address() string { return "127.0.0.1:" + r.port }
func (r *redisServer) url() string     { return "redis://" + r.address() + "/0" }

func (r *redisServer) start(t *testing.T) {
	t.Helper()
	command := exec.Command("redis-server", "--port", r.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.folder)
	r.process = startProcess(t, r.life, r.folder, "redis", command)
	awaitFor(t, patienceWithStarts, "Redis", func() bool {
		if r.process.ended() {
			t.Fatalf("Redis ended at once:\n%s", r.process.tail(0))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return r.client.Ping(ctx).Err() == nil
	})
}

func (r *redisServer) stop(t *testing.T) {
	t.Helper()
	r.process.stop(t)
}

// publish sends a payload to a broadcasting as the Rails adapter does, and returns how many connections to Redis heard it.
func (r *redisServer) publish(t *testing.T, broadcasting, payload string) int64 {
	t.Helper()
	heard, err := r.client.Publish(t.Context(), prefix+broadcasting, payload).Result()
	if err != nil {
		t.Fatalf("publish to %s: %v", broadcasting, err)
	}
	return heard
}

// followers is how many connections to Redis follow a broadcasting.
func (r *redisServer) followers(t *testing.T, broadcasting string) int64 {
	t.Helper()
	numbers, err := r.client.PubSubNumSub(t.Context(), prefix+broadcasting).Result()
	if err != nil {
		t.Fatal(err)
	}
	return numbers[prefix+broadcasting]
}
