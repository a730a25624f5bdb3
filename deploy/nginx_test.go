//go:build e2e

package deploy

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// nginx is where the program is; Debian puts it where only root looks.
func nginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("NGINX is not installed")
	return ""
}

// nginxConf is the least that can hold our files, with all that NGINX writes in one folder.
func nginxConf(place string) string {
	return strings.ReplaceAll(`
daemon off;
worker_processes 1;
pid PLACE/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path PLACE/body;
  proxy_temp_path PLACE/proxy;
  fastcgi_temp_path PLACE/fastcgi;
  uwsgi_temp_path PLACE/uwsgi;
  scgi_temp_path PLACE/scgi;
  include PLACE/upstreams.conf;
  include PLACE/cablestay.conf;
}
`, "PLACE", place)
}

func replaceOnce(t *testing.T, text, old, new string) string {
	t.Helper()
	if count := strings.Count(text, old); count != 1 {
		t.Fatalf("%q is in the file %d times, want once", old, count)
	}
	return strings.Replace(text, old, new, 1)
}

func TestNginx_TheFilesAreValidAsTheyAre(t *testing.T) {
	testNginxFiles(t, readFile(t, "deploy/nginx/cablestay.conf"), readFile(t, "deploy/nginx/upstreams.conf"))
}

// The chat's files bring their own upstreams.
func TestNginx_TheFilesOfTheChatAreValidAsTheyAre(t *testing.T) {
	for _, name := range []string{"cablestay.conf", "stock.conf"} {
		t.Run(name, func(t *testing.T) { testNginxFiles(t, readFile(t, "examples/chat/deploy/nginx", name), "") })
	}
}

func testNginxFiles(t *testing.T, server, upstreams string) {
	t.Helper()
	place := folder(t)
	for name, content := range map[string]string{"cablestay.conf": server, "upstreams.conf": upstreams} {
		if err := os.WriteFile(filepath.Join(place, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(place, "nginx.conf"), []byte(nginxConf(place)), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command(nginx(t), "-t", "-q", "-p", place, "-e", "stderr", "-c", filepath.Join(place, "nginx.conf")).CombinedOutput()
	// Without root NGINX may not try port 80; all else it says is about the files.
	if os.Getuid() == 0 && (err != nil || len(output) > 0) {
		t.Errorf("nginx -t: %v\n%s", err, output)
	}
}

func TestNginx_CarriesCableSocketsToTheBridge(t *testing.T) {
	s := startStack(t)
	port := s.startNginx(t)
	ann, ben := connect(t, port, "ann", nil), connect(t, port, "ben", nil)
	for _, consumer := range []*consumer{ann, ben} {
		consumer.expect(t, "welcome")
		consumer.subscribe(t)
	}
	ann.perform(t, `{"action":"tell","text":"hello"}`)
	for _, consumer := range []*consumer{ann, ben} {
		if got, want := string(consumer.expectMessage(t)), `{"text":"hello"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	ann.expect(t, "ping") // the bridge's beat comes through, so no socket is silent for long
}

func TestNginx_RailsSeesTheClientAndNotTheProxy(t *testing.T) {
	s := startStack(t)
	port := s.startNginx(t)
	forged := http.Header{
		// What a proxy further out said, or a client claims: the nearest address that is no proxy's is the client's.
		"X-Forwarded-For": {"198.51.100.1, 203.0.113.9"},
		"X-Real-Ip":       {"198.51.100.2"},
		// Rack believes these, so they must not come through.
		"Forwarded":         {"for=198.51.100.3;host=evil.test;proto=https"},
		"X-Forwarded-Host":  {"evil.test"},
		"X-Forwarded-Proto": {"https"},
	}
	want := map[string]string{
		"remote_ip": "203.0.113.9", "ip": "203.0.113.9", "host": "127.0.0.1:" + port, "protocol": "http://",
	}

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/mirror", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = forged
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	compareSeen(t, "a controller", body, want)

	ann := connect(t, port, "ann", forged)
	ann.expect(t, "welcome")
	ann.subscribe(t)
	ann.perform(t, `{"action":"seen"}`)
	compareSeen(t, "a channel", ann.expectMessage(t), want)
}

func compareSeen(t *testing.T, who string, body []byte, want map[string]string) {
	t.Helper()
	var got map[string]string
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: %s: %v", who, body, err)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s sees %s %q, want %q", who, name, got[name], value)
		}
	}
}

// Rails itself answers 401 there to whoever has no proof, so a 404 was NGINX's.
func TestNginx_TheRPCEndpointIsNotThereFromOutside(t *testing.T) {
	s := startStack(t)
	port := s.startNginx(t)
	if got := statusOf(t, s.railsPort, "POST", "/_cablestay/hello"); got != "401" {
		t.Fatalf("Rails itself: got %s, want 401", got)
	}
	logged := s.rails.output()
	for _, path := range []string{
		"/_cablestay", "/_cablestay/hello", "//_cablestay/hello", "/%5fcablestay/hello", "/%5Fcablesta%79/hello",
		"/mirror/../_cablestay/hello", "/./_cablestay/hello", "/cable/../_cablestay/hello",
	} {
		if got := statusOf(t, port, "POST", path); got != "404" {
			t.Errorf("POST %s: got %s, want 404", path, got)
		}
	}
	if got := strings.TrimPrefix(s.rails.output(), logged); got != "" {
		t.Errorf("this reached Rails:\n%s", got)
	}
}

// statusOf sends a path just as it is written.
func statusOf(t *testing.T, port, method, path string) string {
	t.Helper()
	connection, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	request := method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	status := regexp.MustCompile(`^HTTP/1\.1 (\d+)`).FindSubmatch(answer)
	if status == nil {
		t.Fatalf("%s %s: no status in %q", method, path, answer)
	}
	return string(status[1])
}

func TestNginx_ClientsAreToldToReconnectBeforeTheBridgeEnds(t *testing.T) {
	s := startStack(t)
	port := s.startNginx(t)
	ann := connect(t, port, "ann", nil)
	ann.expect(t, "welcome")
	ann.subscribe(t)
	s.bridge.terminate()
	goodbye := ann.expect(t, "disconnect")
	if goodbye.Reason != "server_restart" || goodbye.Reconnect == nil || !*goodbye.Reconnect {
		t.Errorf("disconnect: got reason %q and reconnect %v, want server_restart and true", goodbye.Reason, goodbye.Reconnect)
	}
	if code := s.bridge.exit(t); code != 0 {
		t.Errorf("the bridge's exit code: got %d, want 0", code)
	}
	// The bridge is gone only when Rails has run this.
	if !strings.Contains(s.rails.output(), "unsubscribed: ann") {
		t.Error("unsubscribed did not run in Rails")
	}
}
