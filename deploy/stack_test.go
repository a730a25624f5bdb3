//go:build e2e

package deploy

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cablestay/cablestay/bridge/freeport"
)

const secret = "the-secret-of-the-deploy-tests-which-is-long"

// stack is what the files of this folder put together: Redis, Rails with the gem, the bridge.
type stack struct {
	redis, rails, bridge *program
	railsPort            string
	cablePort, opsPort   string
}

// startRails starts Redis and the Rails app of testdata, in the root folder where one was chosen.
func startRails(t *testing.T) *stack {
	t.Helper()
	s := &stack{railsPort: freeport.Find(t)}

	redisPort := freeport.Find(t)
	s.redis = startProgram(t, "redis", exec.Command("redis-server", "--port", redisPort, "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", t.TempDir()))
	s.redis.listening(t, redisPort)

	app, gem := repository(t, "deploy/testdata/rails"), repository(t, "rpc/rails")
	puma := []string{"puma", "--bind", "tcp://127.0.0.1:" + s.railsPort, "--threads", "5:5", "config.ru"}
	var command *exec.Cmd
	if root := os.Getenv("CABLESTAY_E2E_RAILS_ROOT"); root != "" {
		arguments := []string{"--run", root, "-b", app + ":/srv", "-b", gem + ":/opt", "-C", "/srv", "--"}
		command = exec.Command(repository(t, ".ci/rails-root"), append(arguments, puma...)...)
		gem = "/opt"
	} else {
		command = exec.Command(puma[0], puma[1:]...)
		command.Dir = app
	}
	command.Env = append(os.Environ(), "LANG=C.UTF-8", "RAILS_ENV=production", "RUBYLIB="+gem+"/lib",
		"SECRET_KEY_BASE=0123456789012345678901234567890123456789", "REDIS_URL=redis://127.0.0.1:"+redisPort+"/1",
		"CABLESTAY_SECRET="+secret)
	s.rails = startProgram(t, "rails", command)
	s.rails.listening(t, s.railsPort)
	return s
}

// startBridge starts the bridge beside it.
func (s *stack) startBridge(t *testing.T, command *exec.Cmd) {
	t.Helper()
	s.cablePort, s.opsPort = freeport.Find(t), freeport.Find(t)
	command.Env = append(command.Env, "CABLESTAY_LISTEN=127.0.0.1:"+s.cablePort, "CABLESTAY_OPS_LISTEN=127.0.0.1:"+s.opsPort,
		"CABLESTAY_RAILS_URL=http://127.0.0.1:"+s.railsPort, "CABLESTAY_SECRET="+secret)
	s.bridge = startProgram(t, "cablestay", command)
	s.bridge.listening(t, s.opsPort)
	await(t, "the bridge to be ready", func() bool {
		answer, err := http.Get("http://127.0.0.1:" + s.opsPort + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func startStack(t *testing.T) *stack {
	t.Helper()
	s := startRails(t)
	s.startBridge(t, exec.Command(binary(t)))
	return s
}

// startNginx runs cablestay.conf as it is shipped, but for the port, and with upstreams where this stack's are.
func (s *stack) startNginx(t *testing.T) (port string) {
	t.Helper()
	port = freeport.Find(t)
	place := folder(t)
	for name, content := range map[string]string{
		"cablestay.conf": replaceOnce(t, readFile(t, "deploy/nginx/cablestay.conf"), "listen 80;", "listen 127.0.0.1:"+port+";"),
		"upstreams.conf": replaceOnce(t, replaceOnce(t, readFile(t, "deploy/nginx/upstreams.conf"),
			"127.0.0.1:3000", "127.0.0.1:"+s.railsPort), "127.0.0.1:8080", "127.0.0.1:"+s.cablePort),
		"nginx.conf": nginxConf(place),
	} {
		if err := os.WriteFile(filepath.Join(place, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(nginx(t), "-p", place, "-e", "stderr", "-c", filepath.Join(place, "nginx.conf"))
	startProgram(t, "nginx", command).listening(t, port)
	return port
}
